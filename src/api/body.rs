//! Reads a JSON object or a query field by field and reports all validation errors together,
//! without echoing input.

use std::fmt;

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, dev,
    error::PayloadError,
    http::{
        StatusCode,
        header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue},
    },
    web::Bytes,
};
use bearward::RequestId;
use bearward_http::JsonMembers;
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde_json::{Value, json};

use super::{ApiError, extractor_errors::too_large};

/// Reads the members of a JSON body or of a query.
///
/// Read each field that the endpoint accepts, then call [`validate`](Self::validate).
pub(super) struct FieldReader {
    members: Vec<(String, Value)>,
    accepted: Vec<&'static str>,
    errors: Vec<FieldError>,
    request_id: Option<RequestId>,
}

/// Maximum number of field errors in a response.
const MAX_ERRORS: usize = 20;

#[derive(Serialize)]
struct FieldError {
    field: String,
    problem: String,
}

impl FieldReader {
    /// Reads the query of a request. All values are strings.
    pub(super) fn from_query(request: &HttpRequest) -> Self {
        let pairs = url::form_urlencoded::parse(request.query_string().as_bytes());
        let members = pairs
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect();
        Self::new(members, request)
    }

    fn new(members: Vec<(String, Value)>, request: &HttpRequest) -> Self {
        let request_id = RequestId::from_request(request);
        Self {
            members,
            accepted: Vec::new(),
            errors: Vec::new(),
            request_id,
        }
    }

    /// Returns whether there are no members.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Reads a required string and converts it with `parse`.
    pub(super) fn string<T, E: fmt::Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<T> {
        match self.take(name) {
            None => {
                self.error(name, "is missing");
                None
            }
            Some(value) => self.parse(name, value, parse),
        }
    }

    /// Reads an optional string; null counts as absent.
    pub(super) fn optional<T, E: fmt::Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.take(name).filter(|value| !value.is_null())?;
        self.parse(name, value, parse)
    }

    /// Reads an optional string and distinguishes null (`Some(None)`) from absent (`None`).
    pub(super) fn nullable<T, E: fmt::Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match self.take(name)? {
            Value::Null => Some(None),
            value => Some(self.parse(name, value, parse)),
        }
    }

    /// Reads a required boolean.
    pub(super) fn bool(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name) {
            Some(Value::Bool(value)) => return Some(value),
            Some(_) => self.error(name, "must be true or false"),
            None => self.error(name, "is missing"),
        }
        None
    }

    /// Reads an optional boolean; absent and null are false.
    pub(super) fn bool_or_false(&mut self, name: &'static str) -> bool {
        match self.take(name) {
            Some(Value::Bool(value)) => value,
            Some(Value::Null) | None => false,
            Some(_) => {
                self.error(name, "must be true or false");
                false
            }
        }
    }

    /// Accepts a field of any type and ignores it.
    pub(super) fn skip(&mut self, name: &'static str) {
        let _ = self.take(name);
    }

    /// Returns every member that was not read, for a body whose member names are data.
    pub(super) fn remaining(&mut self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.members)
    }

    /// Adds an error. Errors beyond [`MAX_ERRORS`] are dropped, so that a small request cannot
    /// cause a large response.
    pub(super) fn error(&mut self, field: impl Into<String>, problem: impl fmt::Display) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(FieldError {
                field: field.into(),
                problem: problem.to_string(),
            });
        }
    }

    /// Adds an error for a member whose name comes from the client.
    pub(super) fn error_for_member(&mut self, name: String, problem: impl fmt::Display) {
        // Only short identifiers are echoed: anything else could be a secret sent as a name.
        let is_identifier = (1..=32).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        self.error(if is_identifier { name } else { "?".to_owned() }, problem);
    }

    /// Returns `value` if there are no errors. Members that were not read are errors.
    ///
    /// # Errors
    /// 422 `VALIDATION_FAILED` with all errors in `details`.
    pub(super) fn validate<T>(mut self, value: Option<T>) -> Result<T, ApiError> {
        let accepted = self.accepted.join(", ");
        for (name, _) in std::mem::take(&mut self.members)
            .into_iter()
            .take(MAX_ERRORS)
        {
            let problem = if self.accepted.iter().any(|accepted| *accepted == name) {
                "is repeated".to_owned()
            } else if accepted.is_empty() {
                "is unknown; no fields are accepted".to_owned()
            } else {
                format!("is unknown; accepted fields: {accepted}")
            };
            self.error_for_member(name, problem);
        }
        if self.errors.is_empty() {
            return value.ok_or_else(|| {
                tracing::error!("a field has no value and no validation error");
                ApiError::internal_with_request_id(self.request_id)
            });
        }
        let message = match self.errors.as_slice() {
            [error] => format!("{} {}", error.field, error.problem),
            errors => format!("{} fields are invalid; see details", errors.len()),
        };
        Err(validation_failed(
            self.request_id,
            message,
            json!(self.errors),
        ))
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.accepted.push(name);
        let index = self.members.iter().position(|(member, _)| member == name)?;
        Some(self.members.remove(index).1)
    }

    fn parse<T, E: fmt::Display>(
        &mut self,
        name: &'static str,
        value: Value,
        parse: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<T> {
        let Value::String(text) = value else {
            self.error(name, "must be a string");
            return None;
        };
        parse(text).map_err(|error| self.error(name, error)).ok()
    }
}

/// Creates a 422 for one field, for errors found after [`FieldReader::validate`].
pub(super) fn invalid_field(request_id: Option<RequestId>, field: &str, problem: &str) -> ApiError {
    validation_failed(
        request_id,
        format!("{field} {problem}"),
        json!([{ "field": field, "problem": problem }]),
    )
}

pub(super) fn validation_failed(
    request_id: Option<RequestId>,
    message: impl Into<String>,
    details: Value,
) -> ApiError {
    ApiError::with_request_id(
        request_id,
        StatusCode::UNPROCESSABLE_ENTITY,
        "VALIDATION_FAILED",
        message,
    )
    .with_details(details)
}

/// Reads the JSON body. Endpoints that require a token must authenticate before this extractor
/// runs, because its errors describe the expected body.
impl FromRequest for FieldReader {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let limit = request.app_data::<BodyLimit>().copied().unwrap_or_default();
        let request = request.clone();
        if !is_json(&request) {
            let error = ApiError::new(
                &request,
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UNSUPPORTED_MEDIA_TYPE",
                "the content type must be application/json",
            );
            return Box::pin(async move { Err(error) });
        }
        if has_content_coding(&request) {
            let error = ApiError::new(
                &request,
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UNSUPPORTED_MEDIA_TYPE",
                "the body must not be compressed; remove Content-Encoding",
            )
            .with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            return Box::pin(async move { Err(error) });
        }
        let bytes = Bytes::from_request(&request, payload);
        Box::pin(async move {
            let body = bytes
                .await
                .map_err(|error| payload_error(&request, &error, limit))?;
            parse_members(&body, &request).map(|members| Self::new(members, &request))
        })
    }
}

/// The maximum size of a body in bytes, for the message of a 413.
#[derive(Clone, Copy, Default)]
pub(super) struct BodyLimit(pub(super) usize);

/// Returns whether the media type is `application/json` or has the suffix `+json`.
fn is_json(request: &HttpRequest) -> bool {
    let essence = request.content_type().trim();
    let suffix = essence
        .split_once('/')
        .and_then(|(_, subtype)| subtype.rsplit_once('+'))
        .map(|(_, suffix)| suffix);
    essence.eq_ignore_ascii_case("application/json")
        || suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("json"))
}

/// Returns whether the body is compressed or otherwise encoded.
pub(super) fn has_content_coding(request: &HttpRequest) -> bool {
    request.headers().get_all(CONTENT_ENCODING).any(|value| {
        !value
            .as_bytes()
            .trim_ascii()
            .eq_ignore_ascii_case(b"identity")
    })
}

fn payload_error(
    request: &HttpRequest,
    error: &actix_web::Error,
    BodyLimit(limit): BodyLimit,
) -> ApiError {
    if matches!(
        error.as_error::<PayloadError>(),
        Some(PayloadError::Overflow)
    ) {
        return too_large(request, limit);
    }
    ApiError::new(
        request,
        StatusCode::BAD_REQUEST,
        "INVALID_REQUEST",
        "the body is incomplete",
    )
}

fn parse_members(body: &[u8], request: &HttpRequest) -> Result<Vec<(String, Value)>, ApiError> {
    match serde_json::from_slice::<JsonMembers>(body) {
        Ok(JsonMembers(members)) => Ok(members),
        Err(error) if error.is_data() => {
            let request_id = RequestId::from_request(request);
            Err(validation_failed(
                request_id,
                "the body must be a JSON object",
                json!([{ "field": Value::Null, "problem": "must be a JSON object" }]),
            ))
        }
        Err(_) if body.trim_ascii().is_empty() => Err(ApiError::new(
            request,
            StatusCode::BAD_REQUEST,
            "INVALID_REQUEST",
            "the body is empty; send a JSON object",
        )),
        Err(error) => {
            let details = json!({ "line": error.line(), "column": error.column() });
            Err(ApiError::new(
                request,
                StatusCode::BAD_REQUEST,
                "INVALID_REQUEST",
                "the body is not valid JSON",
            )
            .with_details(details))
        }
    }
}
