//! Converts a rejection to a response: status, challenge and body.

use std::{fmt, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
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

/// The error of every extractor and guard of this crate.
///
/// As a response, it has the status, the challenge (RFC 6750 §3, RFC 9470 §3, RFC 9728 §5.1) and an
/// [`ErrorBody`]. `Display` is the message for the client.
#[derive(Clone)]
pub struct AuthRejection {
    failure: AuthFailure,
    challenge: Option<Arc<ChallengeConfig>>,
    request_id: Option<RequestId>,
}

/// What a rejection is in HTTP: the status, and the challenge if there is one.
struct HttpError {
    status: StatusCode,
    challenge: Option<Challenge>,
}

/// The attributes of a challenge that depend on the error.
#[derive(Default)]
struct Challenge {
    /// RFC 6750 §3.1; absent if no token was sent.
    error: Option<&'static str>,
    /// A further attribute.
    attribute: Option<String>,
}

impl HttpError {
    /// Maps an error to HTTP. The match has no wildcard arm: every new variant needs a status.
    fn new(error: &AuthError) -> Self {
        let challenge = |status, error| Self {
            status,
            challenge: Some(Challenge {
                error: Some(error),
                attribute: None,
            }),
        };
        let no_challenge = |status| Self {
            status,
            challenge: None,
        };
        match error {
            AuthError::NoToken => Self {
                status: StatusCode::UNAUTHORIZED,
                challenge: Some(Challenge::default()),
            },
            AuthError::SeveralCredentials => challenge(StatusCode::BAD_REQUEST, "invalid_request"),
            AuthError::BadAuthorization
            | AuthError::TooLong { .. }
            | AuthError::ApiKey
            | AuthError::Format(_)
            | AuthError::Header(_)
            | AuthError::Payload(_)
            | AuthError::AlgorithmNotAllowed { .. }
            | AuthError::WrongType { .. }
            | AuthError::UnknownIssuer { .. }
            | AuthError::UnknownKey
            | AuthError::InvalidSignature
            | AuthError::Expired { .. }
            | AuthError::NotYetValid { .. }
            | AuthError::WrongAudience { .. }
            | AuthError::MissingClaim(_)
            | AuthError::InvalidClaim { .. }
            | AuthError::UnexpectedClaim { .. }
            | AuthError::ClientNotAllowed { .. }
            | AuthError::CustomClaimsMismatch => {
                challenge(StatusCode::UNAUTHORIZED, "invalid_token")
            }
            AuthError::StepUpRequired { required } => Self {
                status: StatusCode::UNAUTHORIZED,
                challenge: Some(Challenge {
                    error: Some("insufficient_user_authentication"),
                    attribute: Some(format!("acr_values=\"{}\"", scope_charset(required))),
                }),
            },
            AuthError::InsufficientScope { required } => Self {
                status: StatusCode::FORBIDDEN,
                challenge: Some(Challenge {
                    error: Some("insufficient_scope"),
                    attribute: Some(format!("scope=\"{}\"", scope_charset(required))),
                }),
            },
            AuthError::InsufficientRole { .. }
            | AuthError::RequirementNotMet { .. }
            | AuthError::OriginNotAllowed => no_challenge(StatusCode::FORBIDDEN),
            AuthError::KeysUnavailable { .. } => no_challenge(StatusCode::SERVICE_UNAVAILABLE),
            AuthError::NotConfigured => no_challenge(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

impl AuthRejection {
    /// Creates the error of a request. `auth` provides the realm and the resource metadata of the
    /// challenge.
    pub fn new(failure: AuthFailure, request: &HttpRequest, auth: Option<&Bearward>) -> Self {
        Self {
            failure,
            challenge: auth.map(|auth| Arc::clone(&auth.challenge)),
            request_id: RequestId::from_request(request),
        }
    }

    /// Returns the cause.
    pub fn error(&self) -> &AuthError {
        &self.failure.error
    }

    /// Returns the cause, the issuer and the key id.
    pub fn failure(&self) -> &AuthFailure {
        &self.failure
    }

    /// Formats the `WWW-Authenticate` field.
    fn www_authenticate(&self, challenge: Challenge) -> String {
        let mut attributes = Vec::new();
        if let Some(error) = challenge.error {
            let description = quoted_string_safe(&self.to_string());
            attributes.push(format!("error=\"{error}\""));
            attributes.push(format!("error_description=\"{description}\""));
        }
        attributes.extend(challenge.attribute);
        format_challenge(self.challenge.as_deref(), attributes)
    }
}

/// Returns the challenge for an invalid token, without the reason.
///
/// A response that replaces a rejection, for example 429, must carry a challenge without telling
/// the sender of guessed tokens which check failed.
pub fn invalid_token_challenge(auth: &Bearward) -> Option<HeaderValue> {
    let attributes = vec!["error=\"invalid_token\"".to_owned()];
    HeaderValue::try_from(format_challenge(Some(&auth.challenge), attributes)).ok()
}

/// Formats a challenge: the realm, these attributes and the resource metadata.
fn format_challenge(config: Option<&ChallengeConfig>, attributes: Vec<String>) -> String {
    let realm = config.map_or("bearward", |config| config.realm.as_str());
    let metadata = config
        .and_then(|config| config.resource.as_ref())
        .and_then(metadata_url)
        .map(|url| format!("resource_metadata=\"{url}\""));
    let attributes: Vec<String> = std::iter::once(format!("realm=\"{realm}\""))
        .chain(attributes)
        .chain(metadata)
        .collect();
    format!("Bearer {}", attributes.join(", "))
}

impl ResponseError for AuthRejection {
    fn status_code(&self) -> StatusCode {
        HttpError::new(&self.failure.error).status
    }

    fn error_response(&self) -> HttpResponse {
        let HttpError { status, challenge } = HttpError::new(&self.failure.error);
        let mut response = HttpResponse::build(status);
        if let Some(value) = challenge
            .and_then(|challenge| HeaderValue::try_from(self.www_authenticate(challenge)).ok())
        {
            response.insert_header((header::WWW_AUTHENTICATE, value));
        }
        if let AuthError::KeysUnavailable { retry_after } = &self.failure.error {
            response.insert_header((header::RETRY_AFTER, retry_after.as_secs().max(1)));
        }
        // The same request may be accepted with another token, so caches must not store this.
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        response
            .extensions_mut()
            .insert(RejectionLog::new(&self.failure));
        response.json(ErrorBody::new(
            self.failure.error.code(),
            &self.to_string(),
            self.request_id.as_ref(),
        ))
    }
}

/// What an access log records about a rejection. It is in the extensions of the response.
///
/// ```
/// use actix_web::{body::MessageBody, dev::ServiceResponse};
/// use bearward::RejectionLog;
///
/// fn log<B: MessageBody>(response: &ServiceResponse<B>) {
///     if let Some(rejection) = response.response().extensions().get::<RejectionLog>() {
///         println!("rejected: {} issuer={:?}", rejection.reason, rejection.issuer);
///     }
/// }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RejectionLog {
    /// The [metric label](AuthError::metric_label): one of a fixed set.
    pub reason: &'static str,
    /// Whether the token itself was invalid, see [`AuthError::is_invalid_token`].
    pub is_invalid_token: bool,
    /// Whether the token was used outside of its validity period, see
    /// [`AuthError::is_outside_validity_period`].
    pub is_outside_validity_period: bool,
    /// The configured name of the issuer; `None` if the token was rejected before an issuer was
    /// selected.
    pub issuer: Option<Arc<str>>,
    /// The token's key id as [`SanitizedText`](crate::SanitizedText); `None` if the token has none
    /// or was rejected before its header was parsed.
    pub kid: Option<String>,
}

impl RejectionLog {
    /// Creates the log record of a failure.
    pub fn new(failure: &AuthFailure) -> Self {
        Self {
            reason: failure.error.metric_label(),
            is_invalid_token: failure.error.is_invalid_token(),
            is_outside_validity_period: failure.error.is_outside_validity_period(),
            issuer: failure.issuer.clone(),
            kid: failure.kid.as_ref().map(ToString::to_string),
        }
    }
}

impl fmt::Display for AuthRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

impl fmt::Debug for AuthRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthRejection")
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for AuthRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.failure)
    }
}

/// Returns the URL of a resource's metadata: the well-known path is inserted between the host and
/// the path and query of the resource (RFC 9728 §3.1).
fn metadata_url(resource: &url::Url) -> Option<String> {
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

/// Removes the characters that are not allowed in scopes and levels: only %x21 / %x23-5B / %x5D-7E,
/// separated by single spaces, are (RFC 6750 §3, RFC 9470 §3).
fn scope_charset(values: &str) -> String {
    let allowed: String = values
        .chars()
        .filter(|c| (' '..='~').contains(c) && !matches!(c, '"' | '\\'))
        .collect();
    allowed
        .split_ascii_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Replaces the characters that are not allowed in `error_description`: printable ASCII without
/// quotes and backslashes is (RFC 6750 §3).
fn quoted_string_safe(message: &str) -> String {
    let replace = |c: char| match c {
        '"' | '\\' => '\'',
        ' '..='~' => c,
        _ => '?',
    };
    message.chars().map(replace).collect()
}
