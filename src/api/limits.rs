//! What every resource keeps to: a panic ends its own request, and no request takes for ever.

use std::{panic::AssertUnwindSafe, time::Duration};

use actix_web::{
    Error, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::Next,
};
use futures_util::FutureExt;

use super::Problem;

/// The limits of every resource.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body: usize,
    /// How long an answer may take to begin. Streams that have begun are not cut.
    pub time: Duration,
    /// The same for `/api/generate`, whose service has a time of its own.
    pub generation: Duration,
}

/// Answers with the envelope whatever happens. It belongs around a resource, not around the application: the request is kept for the
/// answer, and while somebody else holds it the router cannot work on it.
pub(super) async fn keep_to(
    limits: Limits,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let kept = request.request().clone();
    // Unwind safe: what a handler left half done belongs to its own request, which ends here.
    let answer = AssertUnwindSafe(next.call(request)).catch_unwind();
    let problem = match tokio::time::timeout(limits.time, answer).await {
        Ok(Ok(response)) => return response.map(ServiceResponse::map_into_boxed_body),
        // The panic hook has written the cause to the log.
        Ok(Err(_panic)) => Problem::internal(&kept),
        Err(_elapsed) => {
            Problem::new(&kept, StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", "the request took longer than this server allows")
        }
    };
    Ok(ServiceResponse::new(kept, problem.error_response()))
}
