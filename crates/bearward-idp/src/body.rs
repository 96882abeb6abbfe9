//! What a request to the admin API says, read strictly.

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, dev::Payload, error::InternalError,
    http::StatusCode, web::Bytes,
};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::admin::{invalid, problem};

/// A JSON object without unknown members, each of which may be absent; no body at all stands for
/// the empty one.
///
/// # Errors
/// Envelopes that say what would be right: 400 for what is no JSON, 413 over 256 KiB, 415 for
/// another content type, 422 for members of another name or type.
pub(super) struct StrictJson<T>(pub(super) T);

impl<T: DeserializeOwned + Default> FromRequest for StrictJson<T> {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let content_type = request.content_type().to_ascii_lowercase();
        let body = Bytes::from_request(request, payload);
        Box::pin(async move {
            let read = match body.await {
                Ok(body) => read(&content_type, &body),
                Err(error)
                    if error.as_response_error().status_code() == StatusCode::PAYLOAD_TOO_LARGE =>
                {
                    Err(problem(
                        StatusCode::PAYLOAD_TOO_LARGE,
                        "PAYLOAD_TOO_LARGE",
                        "the body is larger than 256 KiB",
                    ))
                }
                Err(_) => Err(problem(
                    StatusCode::BAD_REQUEST,
                    "INVALID_REQUEST",
                    "the body ended early",
                )),
            };
            read.map(Self)
                .map_err(|response| InternalError::from_response("refused", response).into())
        })
    }
}

fn read<T: DeserializeOwned + Default>(content_type: &str, body: &[u8]) -> Result<T, HttpResponse> {
    if body.is_empty() {
        return Ok(T::default());
    }
    // A form of another site can send text/plain without asking first.
    if content_type != "application/json" {
        let message = "send JSON, with content-type: application/json";
        return Err(problem(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            message,
        ));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => {
            T::deserialize(Value::from(members.clone())).map_err(|_| refused::<T>(members))
        }
        // serde takes a list for a struct, member by member.
        Ok(_) => Err(invalid("the body is not a JSON object", Value::Null)),
        Err(error) => {
            let message = format!("the body is not readable JSON: {error}");
            Err(problem(
                StatusCode::BAD_REQUEST,
                "INVALID_REQUEST",
                &message,
            ))
        }
    }
}

/// Every member that is wrong by itself, since each may stand alone.
fn refused<T: DeserializeOwned>(members: Map<String, Value>) -> HttpResponse {
    let wrong = members.into_iter().filter_map(|(name, value)| {
        let error = T::deserialize(json!({ &name: value })).err()?;
        Some(json!({ "field": name, "problem": error.to_string() }))
    });
    invalid(
        "the body does not have the form that is asked for",
        wrong.collect(),
    )
}
