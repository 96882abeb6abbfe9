//! Error envelopes of the extractors of actix-web: `Json`, `Form`, `Query` and `Path`.

use actix_web::{
    Error, HttpRequest,
    error::{JsonPayloadError, PathError, PayloadError, QueryPayloadError, UrlencodedError},
    http::{
        StatusCode,
        header::{ACCEPT_ENCODING, HeaderValue},
    },
    web::{FormConfig, JsonConfig, PathConfig, QueryConfig, ServiceConfig},
};
use bearward::RequestId;
use serde_json::json;

use super::{
    ApiError,
    body::{has_content_coding, validation_failed},
    error,
};

/// Sets the body limit and the error responses of the extractors. Own routes may replace them.
pub(super) fn configure(config: &mut ServiceConfig, max_body_bytes: usize) {
    config
        .app_data(
            JsonConfig::default()
                .limit(max_body_bytes)
                .error_handler(move |error, request| json(&error, request, max_body_bytes)),
        )
        .app_data(
            FormConfig::default()
                .limit(max_body_bytes)
                .error_handler(move |error, request| form(&error, request, max_body_bytes)),
        )
        .app_data(QueryConfig::default().error_handler(query))
        .app_data(PathConfig::default().error_handler(path));
}

fn json(error: &JsonPayloadError, request: &HttpRequest, limit: usize) -> Error {
    if has_content_coding(request) {
        return compressed(request).into();
    }
    match error {
        JsonPayloadError::OverflowKnownLength { .. }
        | JsonPayloadError::Overflow { .. }
        | JsonPayloadError::Payload(PayloadError::Overflow) => too_large(request, limit),
        JsonPayloadError::ContentType => {
            media_type(request, "the content type must be application/json")
        }
        JsonPayloadError::Deserialize(error) if error.is_data() => {
            invalid_value(request, "the body", &error.to_string())
        }
        JsonPayloadError::Deserialize(error) => {
            let details = json!({ "line": error.line(), "column": error.column() });
            invalid_request(request, "the body is not valid JSON").with_details(details)
        }
        JsonPayloadError::Payload(_) => invalid_request(request, "the body is incomplete"),
        other => unexpected(request, other),
    }
    .into()
}

fn form(error: &UrlencodedError, request: &HttpRequest, limit: usize) -> Error {
    if has_content_coding(request) {
        return compressed(request).into();
    }
    match error {
        UrlencodedError::Overflow { .. } | UrlencodedError::Payload(PayloadError::Overflow) => {
            too_large(request, limit)
        }
        UrlencodedError::ContentType => media_type(
            request,
            "the content type must be application/x-www-form-urlencoded",
        ),
        UrlencodedError::Parse(error) => invalid_value(request, "the body", &error.to_string()),
        UrlencodedError::Encoding => {
            invalid_request(request, "the body is not in its character set")
        }
        UrlencodedError::Chunked | UrlencodedError::UnknownLength | UrlencodedError::Payload(_) => {
            invalid_request(request, "the body is incomplete")
        }
        other => unexpected(request, other),
    }
    .into()
}

fn query(error: QueryPayloadError, request: &HttpRequest) -> Error {
    match error {
        QueryPayloadError::Deserialize(error) => {
            invalid_value(request, "the query", &error.to_string())
        }
        other => unexpected(request, &other),
    }
    .into()
}

/// A path whose parameters cannot be parsed is not the path of a resource.
fn path(_error: PathError, request: &HttpRequest) -> Error {
    error::no_resource(request).into()
}

/// Creates a 422 from a message of serde, without values that the client sent.
fn invalid_value(request: &HttpRequest, place: &str, message: &str) -> ApiError {
    let (field, problem) = describe(message);
    let message = match field {
        Some(field) => format!("{field} {problem}"),
        None => format!("{place} is invalid: {problem}"),
    };
    validation_failed(
        RequestId::from_request(request),
        message,
        json!([{ "field": field, "problem": problem }]),
    )
}

/// Returns the field and the problem in a message of serde: the names and expectations of the type
/// that is read, but nothing that the client sent.
fn describe(message: &str) -> (Option<&str>, String) {
    let (message, position) = match message.rsplit_once(" at line ") {
        Some((message, position)) => (message, format!(" at line {position}")),
        None => (message, String::new()),
    };
    let field = |prefix| message.strip_prefix(prefix)?.strip_suffix('`');
    if let Some(field) = field("missing field `") {
        return (Some(field), "is missing".to_owned());
    }
    if let Some(field) = field("duplicate field `") {
        return (Some(field), "is repeated".to_owned());
    }
    let problem = match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}{position}"),
        None => format!("it does not have the expected form{position}"),
    };
    (None, problem)
}

fn compressed(request: &HttpRequest) -> ApiError {
    media_type(
        request,
        "the body must not be compressed; remove Content-Encoding",
    )
    .with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
}

fn media_type(request: &HttpRequest, message: &str) -> ApiError {
    ApiError::new(
        request,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UNSUPPORTED_MEDIA_TYPE",
        message,
    )
}

/// Creates a 413 `PAYLOAD_TOO_LARGE`.
pub(super) fn too_large(request: &HttpRequest, limit: usize) -> ApiError {
    ApiError::new(
        request,
        StatusCode::PAYLOAD_TOO_LARGE,
        "PAYLOAD_TOO_LARGE",
        format!("the body is larger than {limit} bytes"),
    )
    .with_details(json!({ "limit_bytes": limit }))
}

fn invalid_request(request: &HttpRequest, message: &str) -> ApiError {
    ApiError::new(request, StatusCode::BAD_REQUEST, "INVALID_REQUEST", message)
}

/// Answers an error that reading cannot cause.
fn unexpected(request: &HttpRequest, error: &dyn std::error::Error) -> ApiError {
    tracing::error!("{error}");
    ApiError::internal(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its errors are tested")]
    struct Order {
        item: String,
        #[serde(default)]
        quantity: u8,
        #[serde(default)]
        size: Option<Size>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Size {
        Small,
        Large,
    }

    #[test]
    fn problems_name_what_is_expected_and_not_what_was_sent() {
        for (body, field, problem) in [
            ("{}", Some("item"), "is missing"),
            (r#"{"item": "a", "item": "b"}"#, Some("item"), "is repeated"),
            (
                r#"{"item": 1}"#,
                None,
                "expected a string at line 1 column 10",
            ),
            (
                r#"{"item": "a", "quantity": "s3cret, expected nothing"}"#,
                None,
                "expected u8 at line 1 column 52",
            ),
            (
                r#"{"item": "a", "s3cret": 1}"#,
                None,
                "expected one of `item`, `quantity`, `size` at line 1 column 22",
            ),
            (
                r#"{"item": "a", "size": "s3cret"}"#,
                None,
                "expected `small` or `large` at line 1 column 30",
            ),
        ] {
            let error = serde_json::from_str::<Order>(body).expect_err("an invalid order");
            let message = error.to_string();
            let described = describe(&message);
            assert_eq!(described, (field, problem.to_owned()), "{message}");
        }
        let custom = describe("s3cret is not a date");
        assert_eq!(
            custom,
            (None, "it does not have the expected form".to_owned())
        );
    }
}
