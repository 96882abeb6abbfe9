//! The request body of the admin API: strict JSON.

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, dev::Payload, error::InternalError,
    http::StatusCode, web::Bytes,
};
use bearward_http::JsonMembers;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::error::{error_response, validation_error};

/// Extracts a JSON object without unknown or repeated members. All members are optional, and an empty body
/// counts as `{}`.
///
/// # Errors
/// An error envelope: 400 if the body is not JSON, 413 over 256 KiB, 415 for another content type,
/// 422 for unknown or repeated members, or members of the wrong type.
pub(crate) struct StrictJson<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest for StrictJson<T> {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let content_type = request.content_type().to_ascii_lowercase();
        let body = Bytes::from_request(request, payload);
        Box::pin(async move {
            let parsed = match body.await {
                Ok(body) => parse(&content_type, &body),
                Err(error)
                    if error.as_response_error().status_code() == StatusCode::PAYLOAD_TOO_LARGE =>
                {
                    Err(error_response(
                        StatusCode::PAYLOAD_TOO_LARGE,
                        "PAYLOAD_TOO_LARGE",
                        "the body is larger than 256 KiB",
                    ))
                }
                Err(_) => Err(error_response(
                    StatusCode::BAD_REQUEST,
                    "INVALID_REQUEST",
                    "the body is incomplete",
                )),
            };
            parsed
                .map(Self)
                .map_err(|response| InternalError::from_response("invalid body", response).into())
        })
    }
}

fn parse<T: DeserializeOwned + Default>(
    content_type: &str,
    body: &[u8],
) -> Result<T, HttpResponse> {
    if body.is_empty() {
        return Ok(T::default());
    }
    // A cross-site form can send text/plain without a CORS preflight.
    if content_type != "application/json" {
        let message = "the content type must be application/json";
        return Err(error_response(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            message,
        ));
    }
    match serde_json::from_slice(body) {
        Ok(JsonMembers(members)) => from_members(members),
        // serde would deserialize a struct from an array, member by member.
        Err(error) if error.is_data() => Err(validation_error(
            "the body must be a JSON object",
            Value::Null,
        )),
        Err(error) => {
            let message = format!("the body is not valid JSON: {error}");
            Err(error_response(
                StatusCode::BAD_REQUEST,
                "INVALID_REQUEST",
                &message,
            ))
        }
    }
}

/// Deserializes the members, or lists every invalid one. Each is checked on its own, which works
/// because all are optional.
fn from_members<T: DeserializeOwned>(members: Vec<(String, Value)>) -> Result<T, HttpResponse> {
    let is_repeated = |index: usize, name: &str| members[..index].iter().any(|(n, _)| n == name);
    let problems: Vec<Value> = members
        .iter()
        .enumerate()
        .filter_map(|(index, (name, value))| {
            let problem = if is_repeated(index, name) {
                "is repeated".to_owned()
            } else {
                T::deserialize(json!({ name: value })).err()?.to_string()
            };
            Some(json!({ "field": name, "problem": problem }))
        })
        .collect();
    if !problems.is_empty() {
        return Err(validation_error(
            "the body has invalid members",
            Value::Array(problems),
        ));
    }
    T::deserialize(Value::Object(members.into_iter().collect()))
        .map_err(|error| validation_error(&error.to_string(), Value::Null))
}
