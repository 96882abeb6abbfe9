//! Error responses of the admin API and of unknown paths.

use actix_web::{HttpResponse, http::StatusCode};
use bearward::ErrorBody;
use serde_json::Value;

/// Builds an error response with the envelope that the resource server also uses.
pub(crate) fn error_response(
    status: StatusCode,
    code: &'static str,
    message: &str,
) -> HttpResponse {
    HttpResponse::build(status).json(ErrorBody::new(code, message, None))
}

/// Builds a 422 `VALIDATION_FAILED` response; `details` is a list of `{field, problem}` or null.
pub(crate) fn validation_error(message: &str, details: Value) -> HttpResponse {
    HttpResponse::UnprocessableEntity()
        .json(ErrorBody::new("VALIDATION_FAILED", message, None).with_details(details))
}

/// Builds the 500 response for a change that the data file did not accept.
pub(crate) fn storage_error(message: &str) -> HttpResponse {
    error_response(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", message)
}

/// Answers 404 for a path that no route matches.
pub(crate) async fn not_found() -> HttpResponse {
    error_response(
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        "no route matches this path; GET / lists the routes",
    )
}
