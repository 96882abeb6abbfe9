//! The error envelope for responses that have no body of their own.

use actix_web::{
    Error, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::Next,
};
use bearward::{ErrorBody, RequestId};

/// Maximum length of a message, in characters.
const MAX_MESSAGE_CHARS: usize = 500;

/// Replaces the body of an error response by the error envelope, if actix-web wrote it: it is empty,
/// or the plain text of an error value. Status and headers are kept, and so is every body that a
/// handler wrote.
///
/// The message of a 4xx is the text of the error. The text of a 5xx goes to the log: it may contain
/// internal causes.
///
/// # Errors
/// Passes on errors of the inner service, with the envelope as their body.
pub(super) async fn error_envelope(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let request_id = RequestId::from_request(request.request());
    match next.call(request).await {
        Ok(response) => {
            let (request, response) = response.map_into_boxed_body().into_parts();
            let cause = response.error().map(ToString::to_string);
            let response = with_envelope(response, cause.as_deref(), request_id.as_ref());
            Ok(ServiceResponse::new(request, response))
        }
        Err(mut error) => {
            let cause = error.to_string();
            error.add_response_mapper(move |response| {
                with_envelope(response, Some(&cause), request_id.as_ref())
            });
            Err(error)
        }
    }
}

fn with_envelope(
    mut response: HttpResponse,
    cause: Option<&str>,
    request_id: Option<&RequestId>,
) -> HttpResponse {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || has_own_body(&response, cause) {
        return response;
    }
    let cause = cause.filter(|cause| !cause.is_empty());
    let message = match cause {
        Some(cause) if status.is_client_error() => cause.chars().take(MAX_MESSAGE_CHARS).collect(),
        Some(cause) => {
            tracing::error!(status = status.as_u16(), "{cause}");
            default_message(status).to_owned()
        }
        None => default_message(status).to_owned(),
    };
    let body = serde_json::to_string(&ErrorBody::new(code(status), &message, request_id))
        .unwrap_or_default();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    response.set_body(BoxBody::new(body))
}

/// Returns whether the handler wrote the body: it is not empty, and is not the text that actix-web
/// writes for an error value.
fn has_own_body(response: &HttpResponse, cause: Option<&str>) -> bool {
    if matches!(response.body().size(), BodySize::None | BodySize::Sized(0)) {
        return false;
    }
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let is_text = content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/plain"));
    cause.is_none() || !is_text
}

/// Returns the code of an error that has only a status.
fn code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "INVALID_REQUEST",
        StatusCode::UNAUTHORIZED => "UNAUTHORIZED",
        StatusCode::FORBIDDEN => "FORBIDDEN",
        StatusCode::NOT_FOUND => "NOT_FOUND",
        StatusCode::METHOD_NOT_ALLOWED => "METHOD_NOT_ALLOWED",
        StatusCode::REQUEST_TIMEOUT => "REQUEST_TIMEOUT",
        StatusCode::CONFLICT => "CONFLICT",
        StatusCode::PRECONDITION_FAILED => "PRECONDITION_FAILED",
        StatusCode::PAYLOAD_TOO_LARGE => "PAYLOAD_TOO_LARGE",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "UNSUPPORTED_MEDIA_TYPE",
        StatusCode::UNPROCESSABLE_ENTITY => "VALIDATION_FAILED",
        StatusCode::TOO_MANY_REQUESTS => "RATE_LIMITED",
        StatusCode::BAD_GATEWAY => "UPSTREAM_FAILED",
        StatusCode::SERVICE_UNAVAILABLE => "SERVICE_UNAVAILABLE",
        StatusCode::GATEWAY_TIMEOUT => "UPSTREAM_TIMEOUT",
        other if other.is_server_error() => "INTERNAL",
        _ => "REQUEST_FAILED",
    }
}

fn default_message(status: StatusCode) -> &'static str {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            "this path does not support the method; see the Allow header"
        }
        StatusCode::INTERNAL_SERVER_ERROR => {
            "internal error; use the request id to find it in the log"
        }
        other => other.canonical_reason().unwrap_or("the request failed"),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{
        App,
        dev::Service,
        error::{ErrorConflict, ErrorInternalServerError},
        middleware::from_fn,
        test::{TestRequest, init_service, read_body},
        web,
    };

    use super::*;

    /// Returns status, content type and body of the response to `GET path`.
    async fn response(path: &str) -> (u16, String, String) {
        let failing = web::scope("/middleware")
            .wrap(from_fn(
                async |_: ServiceRequest, _: Next<BoxBody>| -> Result<ServiceResponse, Error> {
                    Err(ErrorConflict("refused by a middleware"))
                },
            ))
            .route("", web::get().to(HttpResponse::Ok));
        let app = App::new()
            .route("/empty", web::get().to(HttpResponse::NotFound))
            .route(
                "/text",
                web::get().to(async || HttpResponse::NotFound().body("own text")),
            )
            .route(
                "/json",
                web::get().to(async || HttpResponse::Gone().json(["own"])),
            )
            .route(
                "/conflict",
                web::get().to(async || Err::<HttpResponse, _>(ErrorConflict("taken"))),
            )
            .route(
                "/internal",
                web::get()
                    .to(async || Err::<HttpResponse, _>(ErrorInternalServerError("db: s3cret"))),
            )
            .route("/ok", web::get().to(HttpResponse::Ok))
            .service(failing)
            .wrap(from_fn(error_envelope));
        let app = init_service(app).await;
        let request = TestRequest::get().uri(path).to_request();
        let response = match app.call(request).await {
            Ok(response) => response.map_into_boxed_body(),
            Err(error) => {
                let request = TestRequest::default().to_http_request();
                ServiceResponse::new(request, error.error_response())
            }
        };
        let content_type = response.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.map_or("", |value| value.to_str().expect("ASCII"));
        (
            response.status().as_u16(),
            content_type.to_owned(),
            String::from_utf8(read_body(response).await.to_vec()).expect("UTF-8"),
        )
    }

    #[actix_web::test]
    async fn errors_without_a_body_get_the_envelope() {
        for (path, status, code, message) in [
            ("/empty", 404, "NOT_FOUND", "Not Found"),
            ("/conflict", 409, "CONFLICT", "taken"),
            ("/middleware", 409, "CONFLICT", "refused by a middleware"),
            ("/internal", 500, "INTERNAL", "internal error"),
        ] {
            let (found, content_type, body) = response(path).await;
            assert_eq!(
                (found, content_type.as_str()),
                (status, "application/json"),
                "{path}"
            );
            assert!(body.contains(&format!("\"code\":\"{code}\"")), "{body}");
            assert!(body.contains(message) && !body.contains("s3cret"), "{body}");
        }
    }

    #[actix_web::test]
    async fn bodies_of_handlers_are_kept() {
        assert_eq!(response("/text").await.2, "own text");
        assert_eq!(response("/json").await.2, "[\"own\"]");
        assert_eq!(response("/ok").await.2, "");
    }
}
