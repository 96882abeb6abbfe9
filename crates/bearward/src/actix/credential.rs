//! Reads the token of an actix-web request.

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderValue},
};

use crate::{
    error::AuthError,
    http::{HttpConfig, RequestHead, authorization_token},
};

/// Returns the token of a request. Without further sources, only the `Authorization` header is
/// read, and nothing is collected.
pub(super) fn token<'r>(
    request: &'r HttpRequest,
    config: &HttpConfig,
) -> Result<&'r str, AuthError> {
    if config.sources.is_empty() {
        let values = request.headers().get_all(header::AUTHORIZATION);
        return authorization_token(values.map(HeaderValue::as_bytes), config)?
            .ok_or(AuthError::NoToken);
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
