//! Errors of the OAuth endpoints (RFC 6749 §5.2, RFC 7591 §3.2.2, RFC 6750 §3).

use std::{borrow::Cow, fmt};

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, WWW_AUTHENTICATE},
    },
};
use serde_json::json;

use crate::auth::error::AuthApiError;

/// An error with `error` and `error_description`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OAuthError {
    status: u16,
    pub(crate) error: &'static str,
    pub(crate) description: Cow<'static, str>,
    /// The `WWW-Authenticate` field.
    challenge: Option<&'static str>,
}

impl OAuthError {
    /// Creates an error with status 400.
    pub(crate) const fn new(error: &'static str, description: &'static str) -> Self {
        Self::with_status(400, error, description, None)
    }

    const fn with_status(
        status: u16,
        error: &'static str,
        description: &'static str,
        challenge: Option<&'static str>,
    ) -> Self {
        Self {
            status,
            error,
            description: Cow::Borrowed(description),
            challenge,
        }
    }

    /// Returns the error with another description.
    pub(crate) fn describe(self, description: String) -> Self {
        Self {
            description: Cow::Owned(description),
            ..self
        }
    }

    pub(crate) const fn invalid_request(description: &'static str) -> Self {
        Self::new("invalid_request", description)
    }

    pub(crate) const fn invalid_grant(description: &'static str) -> Self {
        Self::new("invalid_grant", description)
    }

    /// The client is unknown or not authenticated (RFC 6749 §5.2).
    pub(crate) const fn invalid_client(description: &'static str) -> Self {
        let challenge = "Basic realm=\"bearward development IdP\"";
        Self::with_status(401, "invalid_client", description, Some(challenge))
    }

    /// The access token is missing or invalid (RFC 6750 §3.1).
    pub(crate) const fn invalid_token(description: &'static str) -> Self {
        let challenge = "Bearer realm=\"bearward development IdP\", error=\"invalid_token\"";
        Self::with_status(401, "invalid_token", description, Some(challenge))
    }
}

/// Maps the errors of sessions and users; an error of the data file is `server_error`.
impl From<AuthApiError> for OAuthError {
    fn from(error: AuthApiError) -> Self {
        let kind = match error.status_code().as_u16() {
            400..500 => Self::invalid_grant(""),
            _ => Self::with_status(500, "server_error", "", None),
        };
        kind.describe(error.to_string())
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.description)
    }
}

impl ResponseError for OAuthError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status_code());
        response.insert_header((CACHE_CONTROL, "no-store"));
        if let Some(challenge) = self.challenge {
            response.insert_header((WWW_AUTHENTICATE, challenge));
        }
        response.json(json!({ "error": self.error, "error_description": self.description }))
    }
}
