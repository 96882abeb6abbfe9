//! Reads the token of an actix-web request.

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderValue},
};

use crate::{
    error::AuthError,
    http::{API_KEY_HEADER, HttpConfig, RequestHead, authorization_token, with_api_key},
};

/// Returns the token of a request. Without further sources, only the `Authorization` header and the
/// `apikey` header are read, and nothing is collected.
pub(super) fn token<'r>(
    request: &'r HttpRequest,
    config: &HttpConfig,
) -> Result<&'r str, AuthError> {
    if config.sources.is_empty() {
        let values = request.headers().get_all(header::AUTHORIZATION);
        let mut token = authorization_token(values.map(HeaderValue::as_bytes), config)?;
        if config.accepts_service_keys {
            let values = request.headers().get_all(API_KEY_HEADER);
            token = with_api_key(token, values.map(HeaderValue::as_bytes))?;
        }
        return token.ok_or(AuthError::NoToken);
    }
    config.token(&request.into())
}

impl<'r> From<&'r HttpRequest> for RequestHead<'r> {
    fn from(request: &'r HttpRequest) -> Self {
        let target = request.uri().path_and_query();
        Self::new(
            request.method().as_str(),
            target.map_or("/", |target| target.as_str()),
            request.headers(),
        )
    }
}
