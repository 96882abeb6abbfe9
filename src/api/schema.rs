//! OpenAPI schemas that several handlers share: error responses and text fields.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{
        Content, Ref, RefOr, Response, ResponseBuilder,
        header::Header,
        schema::{Object, ObjectBuilder, SchemaType, Type},
    },
};

/// The body of every error response.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes bearward::ErrorBody")]
pub(super) struct ErrorEnvelope {
    /// Always false.
    #[schema(example = false)]
    success: bool,
    error: ErrorBody,
    /// The request's id in the server's log.
    request_id: Option<String>,
}

/// The error.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes bearward::ErrorBody")]
pub(super) struct ErrorBody {
    /// Stable error code.
    #[schema(example = "TOKEN_EXPIRED")]
    code: String,
    /// Human-readable description; its wording may change.
    #[schema(example = "the token has expired")]
    message: String,
    /// Machine-readable details; for `VALIDATION_FAILED` a list of `{field, problem}`.
    details: Option<Value>,
}

type Responses = BTreeMap<String, RefOr<Response>>;

/// Errors of every endpoint that is not for operators: 500 and 503.
pub(super) struct ServerErrors;

impl IntoResponses for ServerErrors {
    fn responses() -> Responses {
        [
            error(
                "500",
                "Internal error; use `request_id` to find it in the log",
            ),
            error_with_header("503", "The server took too long to answer", "retry-after"),
        ]
        .into()
    }
}

/// Errors of endpoints that require a token, in addition to [`ServerErrors`].
pub(super) struct TokenErrors;

impl IntoResponses for TokenErrors {
    fn responses() -> Responses {
        let mut responses = ServerErrors::responses();
        responses.extend([
            error_with_header(
                "400",
                "More than one token, or a malformed body",
                "www-authenticate",
            ),
            error_with_header(
                "401",
                "No token or an invalid token; the challenge names the reason",
                "www-authenticate",
            ),
            error_with_header(
                "403",
                "The account is disabled, or a role, a scope or the origin does not suffice",
                "www-authenticate",
            ),
            error_with_header(
                "429",
                "Too many requests, or too many concurrent ones",
                "retry-after",
            ),
            error_with_header(
                "503",
                "Signing keys, database or vault are unavailable, or the server took too long to answer",
                "retry-after",
            ),
        ]);
        responses
    }
}

/// Errors of endpoints that use an account, in addition to [`TokenErrors`].
pub(super) struct AccountErrors;

impl IntoResponses for AccountErrors {
    fn responses() -> Responses {
        let mut responses = TokenErrors::responses();
        responses.extend([error(
            "404",
            "The account was deleted while the request was processed",
        )]);
        responses
    }
}

/// Errors of endpoints with query or header parameters: 422.
pub(super) struct ParameterErrors;

impl IntoResponses for ParameterErrors {
    fn responses() -> Responses {
        [error("422", "Invalid fields, each named in `details`")].into()
    }
}

/// Errors of endpoints with a JSON body: 408, 413, 415 and 422.
pub(super) struct BodyErrors;

impl IntoResponses for BodyErrors {
    fn responses() -> Responses {
        let mut responses = ParameterErrors::responses();
        responses.extend([
            error("408", "The client sent the body too slowly"),
            error("413", "The body is too large"),
            error(
                "415",
                "The body is not `application/json`, or it is compressed",
            ),
        ]);
        responses
    }
}

fn error(status: &str, description: &str) -> (String, RefOr<Response>) {
    (
        status.to_owned(),
        error_response(description).build().into(),
    )
}

fn error_with_header(status: &str, description: &str, header: &str) -> (String, RefOr<Response>) {
    let value = Header::new(Object::with_type(Type::String));
    let response = error_response(description).header(header, value);
    (status.to_owned(), response.build().into())
}

fn error_response(description: &str) -> ResponseBuilder {
    let envelope = Content::new(Some(Ref::from_schema_name("ErrorEnvelope")));
    ResponseBuilder::new()
        .description(description)
        .content("application/json", envelope)
}

/// The pattern of a single-line text: no control or invisible characters, no surrounding
/// whitespace. Must match the validation in [`domain`](crate::domain).
const SINGLE_LINE: &str = concat!(
    r"^[^\s\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]",
    r"([^\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]*",
    r"[^\s\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff])?$"
);

fn single_line(max_length: usize, example: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .min_length(Some(1))
        .max_length(Some(max_length))
        .pattern(Some(SINGLE_LINE))
        .schema_type(Type::String)
        .examples([example])
        .description(Some("A single line without surrounding whitespace."))
}

/// The schema of a client name.
pub(super) fn client_name() -> Object {
    single_line(100, "web").build()
}

/// The schema of a nullable user name.
pub(super) fn user_name() -> Object {
    single_line(200, "Ada Lovelace")
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .build()
}
