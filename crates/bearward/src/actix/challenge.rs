//! A refusal on the wire: the one match from rejection to status and challenge.

use std::{fmt, sync::Arc};

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};

use super::{error_body::ErrorBody, request_id::RequestId};
use crate::{
    bearward::{Bearward, ChallengeConfig},
    error::{AuthError, AuthFailure},
};

/// A refused request: the error of every extractor and guard of this crate.
///
/// It answers with the status, the challenge (RFC 6750 §3, RFC 9470 §3, RFC 9728 §5.1) and the
/// error envelope. Its `Display` is the message for the client.
#[derive(Clone)]
pub struct AuthRejection {
    refusal: AuthFailure,
    challenge: Option<Arc<ChallengeConfig>>,
    request_id: Option<RequestId>,
}

impl AuthRejection {
    /// Builds the response for a failed request.
    pub fn new(refusal: AuthFailure, request: &HttpRequest, auth: Option<&Bearward>) -> Self {
        Self {
            refusal,
            challenge: auth.map(|auth| Arc::clone(&auth.challenge)),
            request_id: request.extensions().get::<RequestId>().cloned(),
        }
    }

    /// Why.
    pub fn error(&self) -> &AuthError {
        &self.refusal.error
    }

    /// Why and where.
    pub fn refusal(&self) -> &AuthFailure {
        &self.refusal
    }

    fn challenge(&self) -> Option<String> {
        let (error, attribute) = match &self.refusal.error {
            AuthError::NoToken => (None, None),
            AuthError::SeveralCredentials => (Some("invalid_request"), None),
            AuthError::StepUpRequired { required } => (
                Some("insufficient_user_authentication"),
                Some(format!("acr_values=\"{}\"", words(required))),
            ),
            AuthError::InsufficientScope { required } => (
                Some("insufficient_scope"),
                Some(format!("scope=\"{}\"", words(required))),
            ),
            _ if self.status_code() == StatusCode::UNAUTHORIZED => (Some("invalid_token"), None),
            _ => return None,
        };
        let realm = self
            .challenge
            .as_ref()
            .map_or("bearward", |challenge| challenge.realm.as_str());
        let resource = self
            .challenge
            .as_ref()
            .and_then(|challenge| challenge.resource.as_ref());
        let attributes = [
            Some(format!("realm=\"{realm}\"")),
            error.map(|error| format!("error=\"{error}\"")),
            error.map(|_| {
                format!(
                    "error_description=\"{}\"",
                    quoted_string_safe(&self.to_string())
                )
            }),
            attribute,
            resource
                .and_then(metadata_url)
                .map(|url| format!("resource_metadata=\"{url}\"")),
        ];
        let attributes: Vec<String> = attributes.into_iter().flatten().collect();
        Some(format!("Bearer {}", attributes.join(", ")))
    }
}

impl ResponseError for AuthRejection {
    fn status_code(&self) -> StatusCode {
        match &self.refusal.error {
            AuthError::SeveralCredentials => StatusCode::BAD_REQUEST,
            AuthError::KeysUnavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            AuthError::NotConfigured => StatusCode::INTERNAL_SERVER_ERROR,
            AuthError::OriginRefused
            | AuthError::InsufficientScope { .. }
            | AuthError::InsufficientRole { .. }
            | AuthError::RequirementNotMet { .. } => StatusCode::FORBIDDEN,
            // Everything else is the token's own fault.
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        if let Some(challenge) = self
            .challenge()
            .and_then(|challenge| HeaderValue::try_from(challenge).ok())
        {
            response.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        if let AuthError::KeysUnavailable { retry_after } = &self.refusal.error {
            response.insert_header((header::RETRY_AFTER, retry_after.as_secs().max(1)));
        }
        // What is refused today may be accepted with another token: no shared cache may keep it.
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        response
            .extensions_mut()
            .insert(RejectionLog::of(&self.refusal));
        response.json(ErrorBody::new(
            self.refusal.error.code(),
            &self.to_string(),
            self.request_id.as_ref(),
        ))
    }
}

/// What the access log tells about a refusal; set in the extensions of its response.
#[derive(Debug, Clone)]
pub struct RejectionLog {
    /// The closed reason.
    pub reason: &'static str,
    /// Whether the token itself was invalid, see [`AuthError::is_invalid_token`].
    pub is_invalid_token: bool,
    /// The configured name of the issuer, once one was chosen.
    pub issuer: Option<Arc<str>>,
    /// The token's key id, cut and cleaned, once the header was read.
    pub kid: Option<String>,
}

impl RejectionLog {
    fn of(refusal: &AuthFailure) -> Self {
        let kid = refusal.kid.as_ref().map(ToString::to_string);
        Self {
            reason: refusal.error.metric_label(),
            is_invalid_token: refusal.error.is_invalid_token(),
            issuer: refusal.issuer.clone(),
            kid,
        }
    }
}

impl fmt::Display for AuthRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.refusal.fmt(f)
    }
}

impl fmt::Debug for AuthRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused")
            .field("refusal", &self.refusal)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for AuthRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.refusal)
    }
}

/// RFC 9728 §3.1: the well-known path goes between the host and the resource's own path and query.
pub(crate) fn metadata_url(resource: &url::Url) -> Option<String> {
    let origin = resource.origin();
    if !origin.is_tuple() {
        return None;
    }
    let path = if resource.path() == "/" {
        ""
    } else {
        resource.path()
    };
    let query = resource
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    Some(format!(
        "{}/.well-known/oauth-protected-resource{path}{query}",
        origin.ascii_serialization()
    ))
}

/// RFC 6750 §3, RFC 9470 §3: only %x21 / %x23-5B / %x5D-7E may stand in a scope or a level, with
/// spaces between.
fn words(words: &str) -> String {
    let lawful: String = words
        .chars()
        .filter(|c| (' '..='~').contains(c) && !matches!(c, '"' | '\\'))
        .collect();
    lawful
        .split_ascii_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// RFC 6750 §3: `error_description` is printable ASCII without quotes and backslashes.
fn quoted_string_safe(message: &str) -> String {
    let swap = |c: char| match c {
        '"' | '\\' => '\'',
        ' '..='~' => c,
        _ => '?',
    };
    message.chars().map(swap).collect()
}
