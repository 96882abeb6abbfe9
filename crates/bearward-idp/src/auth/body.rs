//! The request body of the auth API: lenient JSON.

use std::borrow::Cow;

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, dev::Payload, http::StatusCode, web::Bytes,
};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::AuthApiError;

/// The largest body, as in the hosted service.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;

/// Extracts a JSON object. Unknown members are ignored and `null` counts as absent, because the
/// clients send both; so does a body of `null`.
///
/// # Errors
/// 400 `bad_json` for anything else, 413 `request_entity_too_large` over [`MAX_BYTES`].
pub(crate) struct LenientJson<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest for LenientJson<T> {
    type Error = AuthApiError;
    type Future = LocalBoxFuture<'static, Result<Self, AuthApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        // A cross-site form can send text/plain without a CORS preflight.
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
                            "Request body too large (max 1048576 bytes)",
                        ),
                        _ => AuthApiError::new(400, "bad_json", "Could not read request body"),
                    })?;
            if !is_json {
                return Err(AuthApiError::new(
                    400,
                    "bad_json",
                    "The content type must be application/json",
                ));
            }
            let syntax_error = |error: serde_json::Error| {
                let prefix = "Could not parse request body as JSON";
                // serde_json's message would quote values, which may be secrets.
                let message = if error.is_eof() {
                    format!("{prefix}: unexpected end of JSON input")
                } else {
                    let (line, column) = (error.line(), error.column());
                    format!("{prefix}: line {line} column {column}")
                };
                AuthApiError::Plain(400, "bad_json", Cow::Owned(message))
            };
            let members: Option<Map<String, Value>> =
                serde_json::from_slice(&body).map_err(syntax_error)?;
            let members = members
                .unwrap_or_default()
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .collect();
            T::deserialize(Value::Object(members))
                .map(Self)
                .map_err(|_| {
                    AuthApiError::new(
                        400,
                        "bad_json",
                        "Could not parse request body as JSON: a member has the wrong type",
                    )
                })
        })
    }
}
