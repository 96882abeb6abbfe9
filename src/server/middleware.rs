//! What lies around every route: browsers told who may call, and what not to do with the answers.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_cors::{Cors, CorsError};
use actix_web::{
    Error, HttpMessage, ResponseError,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{Method, StatusCode, header},
    middleware::{DefaultHeaders, Next},
    web::Bytes,
};
use futures_util::{Stream, stream};

use crate::{api::ApiError, settings::CorsOrigin};

/// The configured origins and no other; credentials only where a cookie may hold a token.
pub(super) fn cors(origins: &[CorsOrigin], with_credentials: bool) -> Cors {
    let cors = Cors::default()
        .allowed_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allowed_headers([
            "authorization",
            "content-type",
            "x-request-id",
            "idempotency-key",
        ])
        .expose_headers([
            "www-authenticate",
            "x-request-id",
            "retry-after",
            "idempotency-replayed",
        ])
        .max_age(3600);
    let cors = origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin.as_str()));
    if with_credentials {
        cors.supports_credentials()
    } else {
        cors
    }
}

/// A middleware around [`cors`]: a preflight request that it refuses is answered with the envelope,
/// as everything else is.
pub(super) async fn refused_preflight(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let refusal = response
        .response()
        .error()
        .and_then(Error::as_error::<CorsError>);
    let (status, code, message) = match refusal {
        None => return Ok(response),
        Some(CorsError::OriginNotAllowed) => (
            StatusCode::FORBIDDEN,
            "ORIGIN_REFUSED",
            "pages of this origin may not call this server; the operator lists those that may",
        ),
        Some(_) => (
            StatusCode::BAD_REQUEST,
            "INVALID_REQUEST",
            "pages may not call this server with this method or these headers",
        ),
    };
    let problem = ApiError::new(response.request(), status, code, message);
    Ok(response.into_response(problem.error_response()))
}

/// An answer's body that holds the request's until it is sent.
struct HoldPayload<B> {
    answer: B,
    _request: Rc<RefCell<Payload>>,
}

impl<B: MessageBody + Unpin> MessageBody for HoldPayload<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, B::Error>>> {
        Pin::new(&mut self.answer).poll_next(context)
    }
}

/// A middleware around everything: where a body is not read to its end, the connection is closed
/// after the answer. With a `Content-Length` that is so by itself; of a body in chunks the HTTP
/// library would read and throw away the rest, without an end and for strangers too, once nobody
/// holds the body any more. So the answer holds it.
///
/// # Errors
/// What the application answers with an error.
pub(super) async fn leave_unread(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if !request.headers().contains_key(header::TRANSFER_ENCODING) {
        return next
            .call(request)
            .await
            .map(ServiceResponse::map_into_left_body);
    }
    let body = Rc::new(RefCell::new(request.take_payload()));
    let read = Rc::clone(&body);
    let payload = Box::pin(stream::poll_fn(move |context| {
        Pin::new(&mut *read.borrow_mut()).poll_next(context)
    }));
    request.set_payload(Payload::Stream { payload });
    let response = next.call(request).await?.map_into_boxed_body();
    Ok(response
        .map_body(|_, answer| HoldPayload {
            answer,
            _request: body,
        })
        .map_into_right_body())
}

/// An API's answers are no documents: nothing in them is to be framed, sniffed, run or, unless a
/// route says so, kept.
pub(super) fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::CACHE_CONTROL, "no-store"))
        .add((header::REFERRER_POLICY, "no-referrer"))
        .add((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ))
}
