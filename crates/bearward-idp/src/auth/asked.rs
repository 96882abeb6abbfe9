//! What a request to the auth API says in its body.

use std::borrow::Cow;

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, dev::Payload, http::StatusCode, web::Bytes,
};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::AuthApiError;

/// A JSON object; unknown members are ignored, and `null` stands for a member that is absent, as
/// the clients send it.
///
/// # Errors
/// 400 `bad_json` for anything else, 413 `request_entity_too_large` over 256 KiB.
pub(super) struct LenientJson<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest for LenientJson<T> {
    type Error = AuthApiError;
    type Future = LocalBoxFuture<'static, Result<Self, AuthApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        // A form of another site can send text/plain without asking first.
        let is_json = request
            .content_type()
            .eq_ignore_ascii_case("application/json");
        let body = Bytes::from_request(request, payload);
        Box::pin(async move {
            let body =
                body.await
                    .map_err(|error| match error.as_response_error().status_code() {
                        StatusCode::PAYLOAD_TOO_LARGE => AuthApiError::new(
                            413,
                            "request_entity_too_large",
                            "Request body too large (max 262144 bytes)",
                        ),
                        _ => AuthApiError::new(400, "bad_json", "Could not read the request body"),
                    })?;
            if !is_json {
                return Err(AuthApiError::new(
                    400,
                    "bad_json",
                    "Send JSON, with content-type: application/json",
                ));
            }
            let wrong = |error: serde_json::Error| {
                // serde quotes values; the place is enough.
                let message = format!(
                    "Could not parse request body as JSON: line {} column {}",
                    error.line(),
                    error.column()
                );
                AuthApiError::Plain(400, "bad_json", Cow::Owned(message))
            };
            let members: Map<String, Value> = serde_json::from_slice(&body).map_err(wrong)?;
            let members = members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .collect();
            T::deserialize(Value::Object(members)).map(Self).map_err(|_| {
                AuthApiError::new(400, "bad_json", "Could not parse request body as JSON: a member has another type than is asked for")
            })
        })
    }
}
