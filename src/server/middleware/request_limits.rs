//! Panic isolation and request timeout.

use std::{
    cell::Cell,
    future::poll_fn,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    Error, HttpMessage, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::PayloadError,
    http::StatusCode,
    middleware::Next,
    web::Bytes,
};
use bearward::RequestId;
use futures_util::{FutureExt, Stream};

use crate::{api::error::ApiError, settings::Config};

/// `Retry-After`, in seconds, of a response that took too long.
const RETRY_AFTER: u64 = 5;

/// Limits that apply to every endpoint.
#[derive(Debug, Clone, Copy)]
pub struct RequestLimits {
    /// Maximum size of a request body, in bytes.
    pub max_body_bytes: usize,
    /// Maximum time until the response starts. A response body that is being streamed is not
    /// interrupted.
    pub timeout: Duration,
    /// The timeout of `/api/generate`, which waits for another service.
    pub generation_timeout: Duration,
}

impl RequestLimits {
    /// Returns the limits of a configuration.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            max_body_bytes: config.server.body_limit,
            timeout: config.server.request_timeout,
            // Longer than the timeout of the service, whose error is more specific.
            generation_timeout: config.generate.timeout + config.server.request_timeout,
        }
    }
}

/// Answers a panic with 500 and a timeout with 503 or 408, all with the error envelope.
///
/// 408 `REQUEST_TIMEOUT` means that the client did not send its body in time, so nothing has been
/// done. Browsers repeat such a request without being asked. A server that took too long may have
/// done everything but answer, so that is 503 `TIMEOUT`.
///
/// Wraps a resource and not the application: it keeps a clone of the request for the error
/// response, and the router needs exclusive access to the request.
pub(super) async fn enforce(
    limits: RequestLimits,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let http_request = request.request().clone();
    match call_within(limits.timeout, request, next).await {
        Ok(response) => response.map(ServiceResponse::map_into_boxed_body),
        Err(exceeded) => {
            let response = exceeded.error(RequestId::from_request(&http_request));
            Ok(ServiceResponse::new(
                http_request,
                response.error_response(),
            ))
        }
    }
}

/// Does the same as [`enforce`] for a scope, whose routing needs exclusive access to the request:
/// the error has no request.
pub(super) async fn enforce_before_routing(
    limits: RequestLimits,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let request_id = RequestId::from_request(request.request());
    match call_within(limits.timeout, request, next).await {
        Ok(response) => response.map(ServiceResponse::map_into_boxed_body),
        Err(exceeded) => Err(exceeded.error(request_id).into()),
    }
}

/// Why a request was ended.
#[derive(Debug, Clone, Copy)]
enum Exceeded {
    /// The handler has panicked. The panic hook has logged the cause.
    Panicked,
    /// The client has not sent its body in time.
    SlowClient,
    /// The handler has not answered in time.
    SlowHandler,
}

impl Exceeded {
    fn error(self, request_id: Option<RequestId>) -> ApiError {
        match self {
            Self::Panicked => ApiError::internal_with_request_id(request_id),
            Self::SlowClient => ApiError::with_request_id(
                request_id,
                StatusCode::REQUEST_TIMEOUT,
                "REQUEST_TIMEOUT",
                "the request body did not arrive within server.request_timeout",
            ),
            Self::SlowHandler => {
                let message = "the server took longer than server.request_timeout; a change may or may not have been applied: retry with the same Idempotency-Key";
                ApiError::with_request_id(
                    request_id,
                    StatusCode::SERVICE_UNAVAILABLE,
                    "TIMEOUT",
                    message,
                )
                .with_retry_after(RETRY_AFTER)
            }
        }
    }
}

async fn call_within<B: MessageBody + 'static>(
    limit: Duration,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<Result<ServiceResponse<B>, Error>, Exceeded> {
    let waits_for_client = observe_payload(&mut request);
    // Unwind safe: state that a panicking handler leaves behind belongs to its own request.
    let mut response = pin!(AssertUnwindSafe(next.call(request)).catch_unwind());
    // Most responses are ready at once and need no timer.
    let first = poll_fn(|context| Poll::Ready(response.as_mut().poll(context))).await;
    let result = match first {
        Poll::Ready(result) => Ok(result),
        Poll::Pending => tokio::time::timeout(limit, response).await,
    };
    match result {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(_panic)) => Err(Exceeded::Panicked),
        Err(_elapsed) if waits_for_client.is_some_and(|waits| waits.get()) => {
            Err(Exceeded::SlowClient)
        }
        Err(_elapsed) => Err(Exceeded::SlowHandler),
    }
}

/// Returns whether the reader of the request's payload waits for the client; `None` if there is no
/// payload.
fn observe_payload(request: &mut ServiceRequest) -> Option<Rc<Cell<bool>>> {
    let payload = request.take_payload();
    if matches!(payload, Payload::None) {
        return None;
    }
    let is_pending = Rc::new(Cell::new(false));
    let payload = ObservedPayload {
        payload,
        is_pending: Rc::clone(&is_pending),
    };
    request.set_payload(Payload::Stream {
        payload: Box::pin(payload),
    });
    Some(is_pending)
}

/// A request payload that records whether its reader is waiting for the client.
struct ObservedPayload {
    payload: Payload,
    is_pending: Rc<Cell<bool>>,
}

impl Stream for ObservedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.payload).poll_next(context);
        self.is_pending.set(polled.is_pending());
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use actix_web::{
        App, HttpMessage, HttpResponse,
        dev::Service,
        test::{TestRequest, call_service, init_service, read_body_json},
        web,
    };
    use serde_json::{Value, json};

    use super::{super::public, *};

    const SECRET: &str = "sk-in-a-panic";

    async fn panics() -> HttpResponse {
        panic!("{SECRET}")
    }

    async fn hangs() -> HttpResponse {
        pending().await
    }

    async fn succeeds() -> HttpResponse {
        HttpResponse::Ok().finish()
    }

    /// Requests the paths one after the other and returns status and body of each response.
    async fn responses(paths: [&str; 3]) -> [(u16, Value); 3] {
        let limits = RequestLimits {
            max_body_bytes: 0,
            timeout: Duration::from_millis(1),
            generation_timeout: Duration::ZERO,
        };
        let app = App::new().wrap_fn(|request, app| {
            request
                .extensions_mut()
                .insert(RequestId::parse("the-request").expect("an id"));
            app.call(request)
        });
        let app = init_service(
            app.service(public(web::resource("/panics").get(panics), limits))
                .service(public(web::resource("/hangs").get(hangs), limits))
                .service(public(web::resource("/succeeds").get(succeeds), limits)),
        )
        .await;
        let mut responses = Vec::new();
        for path in paths {
            let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
            let status = response.status().as_u16();
            responses.push((
                status,
                if status == 200 {
                    Value::Null
                } else {
                    read_body_json(response).await
                },
            ));
        }
        responses.try_into().expect("one for each path")
    }

    #[actix_web::test]
    async fn panics_and_timeouts_get_the_error_envelope() {
        let [panicked, timed_out, succeeded] = responses(["/panics", "/hangs", "/succeeds"]).await;
        for ((status, body), (expected, code)) in
            [(panicked, (500, "INTERNAL")), (timed_out, (503, "TIMEOUT"))]
        {
            assert_eq!(
                (status, &body["error"]["code"]),
                (expected, &json!(code)),
                "{body}"
            );
            assert_eq!(
                (&body["success"], &body["request_id"]),
                (&json!(false), &json!("the-request"))
            );
            assert!(!body.to_string().contains(SECRET), "{body}");
        }
        assert_eq!(succeeded.0, 200);
    }
}
