//! Maps a rejection to HTTP: the status, the challenge and `Retry-After`.

use std::{borrow::Cow, time::Duration};

use super::HttpConfig;
use crate::{
    bearward::Bearward,
    dpop::ProofError,
    error::{AuthError, AuthFailure},
};

/// The error code of a rejected token (RFC 6750 §3.1).
const INVALID_TOKEN: &str = "invalid_token";

/// What a challenge depends on besides the error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChallengeContext<'c> {
    config: Option<&'c HttpConfig>,
    /// The path of the request, which selects the protected resource.
    path: Option<&'c str>,
    /// The scopes of the route.
    scopes: &'c str,
}

impl<'c> ChallengeContext<'c> {
    pub(crate) fn new(config: Option<&'c HttpConfig>) -> Self {
        Self {
            config,
            path: None,
            scopes: "",
        }
    }

    #[cfg_attr(
        not(feature = "actix"),
        allow(dead_code, reason = "called by extractors")
    )]
    pub(crate) fn path(self, path: &'c str) -> Self {
        Self {
            path: Some(path),
            ..self
        }
    }

    pub(crate) fn scopes(self, scopes: &'c str) -> Self {
        Self { scopes, ..self }
    }
}

/// The challenge of an error.
enum Challenge {
    /// The response has no challenge.
    None,
    /// No token was sent, so the challenge names no error (RFC 6750 §3.1).
    WithoutError,
    /// The error code, and the name and value of a further attribute.
    Error(&'static str, Option<(&'static str, String)>),
    /// The error code of a proof, for a challenge of the scheme `DPoP` only (RFC 9449 §7.1).
    Proof(&'static str),
}

impl AuthError {
    /// Returns the status code of the response.
    ///
    /// ```
    /// use bearward::AuthError;
    ///
    /// assert_eq!(AuthError::InvalidSignature.status(), 401);
    /// assert_eq!(AuthError::InsufficientRole { required: "admin".into() }.status(), 403);
    /// ```
    pub fn status(&self) -> u16 {
        self.to_http().0
    }

    /// Returns whether the token itself, or the proof that it is used by its owner, is invalid.
    /// False if no token was sent, if the request or the server is at fault, and if a valid token
    /// does not meet the requirements of the route.
    pub fn is_invalid_token(&self) -> bool {
        if matches!(self, Self::InvalidProof(_)) {
            return true;
        }
        // The challenge is `invalid_token` too if the payload does not match the route's type.
        !matches!(self, Self::CustomClaimsMismatch)
            && matches!(self.to_http().1, Challenge::Error(INVALID_TOKEN, _))
    }

    /// Returns the `WWW-Authenticate` field of the response (RFC 6750 §3, RFC 9449 §7, RFC 9470 §3,
    /// RFC 9728 §5.1); `None` if it has none. `auth` provides the schemes, the realm and the
    /// resource metadata.
    ///
    /// ```
    /// use bearward::{AuthError, Bearward};
    ///
    /// fn challenge(auth: &Bearward) -> Option<String> {
    ///     AuthError::InsufficientScope { required: "orders:write".into() }.challenge(auth)
    /// }
    /// ```
    pub fn challenge(&self, auth: &Bearward) -> Option<String> {
        self.format_challenge(&ChallengeContext::new(Some(&auth.http)))
    }

    /// Returns `Retry-After`, in whole seconds, at least one; `None` unless the response has it.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bearward::AuthError;
    ///
    /// let outage = AuthError::KeysUnavailable { retry_after: Duration::from_millis(1500) };
    /// assert_eq!((outage.status(), outage.retry_after()), (503, Some(Duration::from_secs(1))));
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::KeysUnavailable { retry_after } | Self::TooManyProofs { retry_after } => {
                Some(Duration::from_secs(retry_after.as_secs().max(1)))
            }
            _ => None,
        }
    }

    pub(crate) fn format_challenge(&self, context: &ChallengeContext<'_>) -> Option<String> {
        let (error, attribute, is_proof) = match self.to_http().1 {
            Challenge::None => return None,
            Challenge::WithoutError => (None, None, false),
            Challenge::Error(error, attribute) => (Some(error), attribute, false),
            Challenge::Proof(error) => (Some(error), None, true),
        };
        let mut attributes = String::new();
        if let Some(error) = error {
            let message = context
                .config
                .map_or_else(|| self.to_string(), |config| config.message(self));
            let description = quoted_string_safe(&message);
            push_attribute(&mut attributes, "error", error);
            push_attribute(&mut attributes, "error_description", &description);
        }
        if let Some((name, value)) = attribute {
            push_attribute(&mut attributes, name, &value);
        }
        if let Some(scopes) = self.required_scopes(context.scopes) {
            push_attribute(&mut attributes, "scope", &scopes);
        }
        Some(if is_proof && context.config.is_some() {
            format_dpop_challenge(context, attributes)
        } else {
            format_challenge(context, attributes)
        })
    }

    /// Returns the value of the attribute `scope`: what the route requires, and the missing scopes.
    fn required_scopes(&self, route_scopes: &str) -> Option<String> {
        let missing = match self {
            Self::InsufficientScope { required } => required,
            // Another token with these scopes would be rejected for the same reason.
            Self::SeveralCredentials | Self::StepUpRequired { .. } => return None,
            _ => "",
        };
        if route_scopes.is_empty() && missing.is_empty() {
            return None;
        }
        let mut scopes: Vec<&str> = Vec::new();
        for scope in route_scopes.split(' ').chain(missing.split(' ')) {
            if !scope.is_empty() && !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        let scopes = scope_charset(&scopes.join(" "));
        (!scopes.is_empty()).then_some(scopes)
    }

    /// Maps an error to HTTP. The match has no wildcard arm: every new variant needs a status.
    fn to_http(&self) -> (u16, Challenge) {
        match self {
            Self::NoToken => (401, Challenge::WithoutError),
            Self::SeveralCredentials => (400, Challenge::Error("invalid_request", None)),
            Self::BadAuthorization
            | Self::TooLong { .. }
            | Self::ApiKey
            | Self::ServiceKey(_)
            | Self::Format(_)
            | Self::Header(_)
            | Self::Payload(_)
            | Self::AlgorithmNotAllowed { .. }
            | Self::WrongType { .. }
            | Self::UnknownIssuer { .. }
            | Self::UnknownKey
            | Self::InvalidSignature
            | Self::Expired { .. }
            | Self::NotYetValid { .. }
            | Self::WrongAudience { .. }
            | Self::MissingClaim(_)
            | Self::InvalidClaim { .. }
            | Self::UnexpectedClaim { .. }
            | Self::ClientNotAllowed { .. }
            | Self::CertificateMismatch(_)
            | Self::Revoked { .. }
            | Self::CustomClaimsMismatch => (401, Challenge::Error(INVALID_TOKEN, None)),
            Self::InvalidProof(ProofError::Nonce) | Self::ProofNonceRequired { .. } => {
                (401, Challenge::Proof("use_dpop_nonce"))
            }
            Self::InvalidProof(_) => (401, Challenge::Proof("invalid_dpop_proof")),
            Self::StepUpRequired { required } => (
                401,
                Challenge::Error(
                    "insufficient_user_authentication",
                    Some(("acr_values", scope_charset(required))),
                ),
            ),
            Self::InsufficientScope { .. } => (403, Challenge::Error("insufficient_scope", None)),
            Self::InsufficientRole { .. }
            | Self::RequirementNotMet { .. }
            | Self::UserRequired
            | Self::ServiceRequired
            | Self::OriginNotAllowed => (403, Challenge::None),
            Self::KeysUnavailable { .. } | Self::TooManyProofs { .. } => (503, Challenge::None),
            Self::NotConfigured => (500, Challenge::None),
        }
    }
}

impl AuthFailure {
    /// Returns the status code of the response; see [`AuthError::status`].
    pub fn status(&self) -> u16 {
        self.error.status()
    }

    /// Returns the `WWW-Authenticate` field of the response; see [`AuthError::challenge`].
    pub fn challenge(&self, auth: &Bearward) -> Option<String> {
        self.error
            .format_challenge(&ChallengeContext::new(Some(&auth.http)).scopes(self.scopes))
    }

    /// Returns `Retry-After`; see [`AuthError::retry_after`].
    pub fn retry_after(&self) -> Option<Duration> {
        self.error.retry_after()
    }
}

impl Bearward {
    /// Returns the challenge for an invalid token, without the reason.
    ///
    /// It is meant for responses that replace a rejection, for example 429: they need a challenge,
    /// and must not tell the sender of guessed tokens which check failed.
    ///
    /// ```
    /// use actix_web::{HttpResponse, http::header::WWW_AUTHENTICATE};
    /// use bearward::Bearward;
    ///
    /// fn too_many_invalid_tokens(auth: &Bearward) -> HttpResponse {
    ///     HttpResponse::TooManyRequests()
    ///         .insert_header((WWW_AUTHENTICATE, auth.invalid_token_challenge()))
    ///         .finish()
    /// }
    /// ```
    pub fn invalid_token_challenge(&self) -> String {
        format_challenge(
            &ChallengeContext::new(Some(&self.http)),
            format!(", error=\"{INVALID_TOKEN}\""),
        )
    }
}

/// Adds an attribute, after a comma.
fn push_attribute(attributes: &mut String, name: &str, value: &str) {
    attributes.reserve(name.len() + value.len() + 5);
    for part in [", ", name, "=\"", value, "\""] {
        attributes.push_str(part);
    }
}

/// Formats the challenges of all accepted schemes: the realm, these attributes, each after a comma,
/// and the resource metadata.
fn format_challenge(context: &ChallengeContext<'_>, attributes: String) -> String {
    let scheme = context.config.map_or("Bearer", HttpConfig::scheme);
    match context.config.filter(|config| config.dpop.accepts_dpop()) {
        None => format_scheme(scheme, context, &attributes),
        Some(dpop) if dpop.dpop.accepts_bearer() => {
            let mut challenges = format_scheme(scheme, context, &attributes);
            challenges.push_str(", ");
            challenges.push_str(&format_dpop_challenge(context, attributes));
            challenges
        }
        Some(_) => format_dpop_challenge(context, attributes),
    }
}

/// Formats the challenge of the scheme `DPoP` (RFC 9449 §7.1).
fn format_dpop_challenge(context: &ChallengeContext<'_>, mut attributes: String) -> String {
    if let Some(config) = context.config {
        push_attribute(&mut attributes, "algs", &config.dpop.algorithms);
    }
    format_scheme("DPoP", context, &attributes)
}

/// Formats the challenge of one scheme.
fn format_scheme(scheme: &str, context: &ChallengeContext<'_>, attributes: &str) -> String {
    let config = context.config;
    let realm = config.map_or("bearward", |config| config.realm.as_str());
    let metadata = config
        .and_then(|config| config.challenge_resource(context.path))
        .and_then(metadata_url);
    let mut challenge = format!("{scheme} realm=\"{realm}\"{attributes}");
    if let Some(url) = metadata {
        push_attribute(&mut challenge, "resource_metadata", &url);
    }
    challenge
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
fn quoted_string_safe(message: &str) -> Cow<'_, str> {
    let is_allowed = |c: char| (' '..='~').contains(&c) && !matches!(c, '"' | '\\');
    if message.chars().all(is_allowed) {
        return Cow::Borrowed(message);
    }
    let replace = |c: char| match c {
        '"' | '\\' => '\'',
        ' '..='~' => c,
        _ => '?',
    };
    message.chars().map(replace).collect()
}
