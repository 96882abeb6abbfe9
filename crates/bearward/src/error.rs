//! The reasons why a request is rejected: one enum whose variants name the cause.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use super::{
    algorithm::Algorithm,
    clock::Timestamp,
    dpop::ProofError,
    jws::{MAX_KID_BYTES, MAX_SIGNATURE_BYTES},
    revocation::RevocationKind,
    service_key::ServiceKeyProblem,
};

pub(crate) use super::text::SanitizedText;

/// The reason why a request was rejected.
///
/// `Display` is the message for the client: it names the cause and, where useful, the remedy. It
/// never contains a claim's value. The fields hold what an operator needs in addition (found and
/// expected values), as [`SanitizedText`]. No variant holds a token or a part of one.
///
/// ```
/// use bearward::{AuthError, VerificationStep};
///
/// let error = AuthError::InsufficientRole { required: "admin".into() };
/// assert_eq!(error.code(), "INSUFFICIENT_ROLE");
/// assert_eq!(error.step(), VerificationStep::Requirement);
/// assert_eq!(error.to_string(), "missing role \"admin\"");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// No bearer token was sent (RFC 6750 §3.1: the challenge carries no error code).
    #[error("no bearer token was sent; send it as \"Authorization: Bearer TOKEN\"")]
    NoToken,
    /// Two `Authorization` headers, two cookies of that name, or a header and a cookie (RFC 6750
    /// §2: one method per request).
    #[error(
        "credentials were sent more than once; send one Authorization header or the cookie, not both"
    )]
    SeveralCredentials,
    /// The header names the Bearer scheme but does not have the form `Bearer TOKEN`.
    #[error("the Authorization header is not of the form \"Bearer TOKEN\"")]
    BadAuthorization,
    /// The token is longer than [`Builder::max_token_bytes`](crate::Builder::max_token_bytes).
    #[error("the token is longer than {limit} bytes")]
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A Supabase API key (`sb_publishable_…`, `sb_secret_…`) was sent instead of an access token.
    #[error(
        "this is a Supabase API key, not an access token; sign in and send session.access_token"
    )]
    ApiKey,
    /// A service key (`bwk_…`, `sb_secret_…`) was sent, and it is not accepted.
    #[error("{0}")]
    ServiceKey(ServiceKeyProblem),
    /// The token is not a compact JWS (RFC 7515 §7.1).
    #[error("malformed token: {0}")]
    Format(FormatError),
    /// The protected header violates a rule.
    #[error("invalid token header: {0}")]
    Header(HeaderError),
    /// The payload is not one JSON object with distinct member names.
    #[error("invalid token payload: {0}")]
    Payload(ObjectError),
    /// `alg` is not in the issuer's allow-list, or is not an asymmetric algorithm that bearward
    /// supports.
    #[error("signature algorithm not accepted")]
    AlgorithmNotAllowed {
        /// The header's `alg`.
        found: SanitizedText,
        /// The issuer's allow-list; empty if bearward does not support the algorithm, in which
        /// case no issuer was looked up.
        allowed: Vec<Algorithm>,
    },
    /// `typ` is not accepted by the issuer's [`TypRule`](crate::TypRule) (RFC 8725 §3.11).
    #[error("token type not accepted")]
    WrongType {
        /// The header's `typ`; `None` if absent.
        found: Option<SanitizedText>,
        /// The accepted values.
        expected: Cow<'static, str>,
    },
    /// `iss` equals no accepted issuer.
    #[error("the token's issuer is not trusted")]
    UnknownIssuer {
        /// The token's unverified `iss`.
        found: SanitizedText,
    },
    /// The issuer publishes no key with this `kid` for this algorithm.
    #[error("no key of the issuer matches the token's kid and algorithm")]
    UnknownKey,
    /// No key that matches the token's `kid` and algorithm verifies the signature of the bytes
    /// received. Without `kid`, or if keys share a `kid`, up to three are tried.
    #[error("invalid signature")]
    InvalidSignature,
    /// The time is `exp` plus the leeway, or later (RFC 7519 §4.1.4).
    #[error("the token has expired; get a new one from the issuer")]
    Expired {
        /// The value of `exp`.
        at: Timestamp,
        /// The time of the check.
        now: Timestamp,
    },
    /// `nbf` or `iat` is in the future by more than the leeway (RFC 7519 §4.1.5, §4.1.6).
    #[error("the token is not valid yet")]
    NotYetValid {
        /// `nbf` or `iat`.
        claim: &'static str,
        /// The value of that claim.
        at: Timestamp,
        /// The time of the check.
        now: Timestamp,
    },
    /// No element of `aud` is an accepted audience (RFC 7519 §4.1.3).
    #[error("invalid audience")]
    WrongAudience {
        /// The first eight elements of the token's `aud`.
        found: Vec<SanitizedText>,
        /// The configured audiences.
        expected: Arc<[Box<str>]>,
    },
    /// A required claim is absent.
    #[error("missing claim {0:?}")]
    MissingClaim(Box<str>),
    /// A claim has the wrong type or value.
    #[error("invalid claim {name:?}: {problem}")]
    InvalidClaim {
        /// The claim's name.
        name: Box<str>,
        /// The rule that it violates.
        problem: &'static str,
    },
    /// A claim does not have a value that is required; see
    /// [`Issuer::require_claim`](crate::Issuer::require_claim).
    #[error("claim {name:?} must be {expected}")]
    UnexpectedClaim {
        /// The claim as it was configured: a name or a JSON pointer.
        name: Box<str>,
        /// The accepted values.
        expected: Arc<str>,
    },
    /// The token was issued to a client that is not listed, or names no client; see
    /// [`Issuer::client_ids`](crate::Issuer::client_ids).
    #[error("the token was issued to a client that is not accepted")]
    ClientNotAllowed {
        /// The claims that name the token's client, and their values; empty if there is none.
        found: Vec<(&'static str, SanitizedText)>,
        /// The accepted client ids.
        expected: Arc<[Box<str>]>,
    },
    /// The token is bound to a client certificate (RFC 8705 §3), and the request does not come with
    /// it; or a route requires a bound token, see
    /// [`Verified::require_certificate`](crate::Verified::require_certificate).
    #[error("{0}")]
    CertificateMismatch(CertificateProblem),
    /// The payload cannot be deserialized into the route's custom claims type.
    #[error("the token does not contain the claims this route requires")]
    CustomClaimsMismatch,
    /// The token, its session, its subject or its key was revoked; see
    /// [`Revocations`](crate::Revocations).
    #[error("the token has been revoked; sign in again")]
    Revoked {
        /// What was revoked.
        kind: RevocationKind,
    },
    /// The authenticator assurance level is too low (RFC 9470).
    #[error("stronger authentication required: {required}")]
    StepUpRequired {
        /// The required level, for example `aal2`.
        required: Box<str>,
    },
    /// A scope is missing (RFC 6750 §3.1).
    #[error("missing scope {required:?}")]
    InsufficientScope {
        /// The required scopes, separated by spaces.
        required: Box<str>,
    },
    /// A role is missing.
    #[error("missing role {required:?}")]
    InsufficientRole {
        /// The required role.
        required: Box<str>,
    },
    /// A condition of the application is not met; see
    /// [`Verified::require_that`](crate::Verified::require_that).
    #[error("requirement not met: {required}")]
    RequirementNotMet {
        /// The application's description of the condition.
        required: Box<str>,
    },
    /// A valid service key was sent to a route of users.
    #[error("this route is for users: send a user's access token; a service key is not accepted")]
    UserRequired,
    /// A user's valid token was sent to a route of services.
    #[error("this route is for services: send a service key; a user's token is not accepted")]
    ServiceRequired,
    /// The token is in the session cookie, and the request is unsafe and has no `Origin` header
    /// with a listed origin.
    #[error("the session cookie is not accepted from this request's Origin")]
    OriginNotAllowed,
    /// The proof of possession is missing or invalid (RFC 9449 §7.1).
    #[error("invalid DPoP proof: {0}")]
    InvalidProof(ProofError),
    /// The proof must contain a nonce of this server (RFC 9449 §9). The response has the nonce in
    /// the header field `DPoP-Nonce`.
    #[error("the DPoP proof must contain the nonce from the DPoP-Nonce header field")]
    ProofNonceRequired {
        /// The nonce for the next proof.
        nonce: Arc<str>,
    },
    /// So many proofs are remembered that a replay could not be detected
    /// ([`DpopConfig::replay_entries`](crate::DpopConfig::replay_entries)). The client is not at
    /// fault, so the status is 503.
    #[error("too many DPoP proofs at present; try again in {} s", .retry_after.as_secs())]
    TooManyProofs {
        /// When to try again: whole seconds, at least one.
        retry_after: Duration,
    },
    /// The issuer's keys are not available. This is never the token's fault, so the status is 503
    /// and not 401.
    #[error("the issuer's signing keys are temporarily unavailable; try again in {} s", .retry_after.as_secs())]
    KeysUnavailable {
        /// When to try again: whole seconds, at least one.
        retry_after: Duration,
    },
    /// The application has no `Bearward` in its `app_data`: a programming error of the server.
    #[error("the server is not configured to verify tokens")]
    NotConfigured,
}

/// A step of the verification pipeline. The order of the variants is the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum VerificationStep {
    /// The request carries exactly one credential.
    Source,
    /// The token is not too long.
    Size,
    /// The token has three base64url parts, or is an accepted service key.
    Format,
    /// The protected header is one JSON object with known members of the right types.
    Header,
    /// The payload is one JSON object.
    Payload,
    /// The unverified `iss` selects a configured issuer.
    Issuer,
    /// The issuer accepts the algorithm.
    Algorithm,
    /// The issuer accepts the type.
    Type,
    /// The issuer has a key for `kid` and `alg`.
    VerificationKey,
    /// The signature is valid for the bytes received.
    Signature,
    /// The types of the claims, the times, the audience, the client and the issuer's rules.
    Claims,
    /// The token is not on the revocation list.
    Revocation,
    /// The sender possesses what the token is bound to (`cnf`, RFC 7800).
    Possession,
    /// The route's requirement.
    Requirement,
}

impl AuthError {
    /// Returns the stable code of the error body, for example `TOKEN_EXPIRED`.
    pub fn code(&self) -> &'static str {
        self.metadata().0
    }

    /// Returns the label for logs and metrics, for example `expired`: one of a fixed set.
    pub fn metric_label(&self) -> &'static str {
        self.metadata().1
    }

    /// Returns the step of the pipeline that failed.
    pub fn step(&self) -> VerificationStep {
        self.metadata().2
    }

    /// Returns whether the time is outside of the validity period of the token or service key: too
    /// late ([`Expired`](Self::Expired)) or too early ([`NotYetValid`](Self::NotYetValid)).
    pub fn is_outside_validity_period(&self) -> bool {
        matches!(
            self,
            Self::Expired { .. }
                | Self::NotYetValid { .. }
                | Self::ServiceKey(ServiceKeyProblem::Expired { .. })
        )
    }

    #[allow(clippy::too_many_lines, reason = "one arm for each error")]
    fn metadata(&self) -> (&'static str, &'static str, VerificationStep) {
        match self {
            Self::NoToken => ("MISSING_TOKEN", "no_token", VerificationStep::Source),
            Self::SeveralCredentials => (
                "INVALID_REQUEST",
                "several_credentials",
                VerificationStep::Source,
            ),
            Self::BadAuthorization => (
                "MALFORMED_TOKEN",
                "bad_authorization",
                VerificationStep::Source,
            ),
            Self::OriginNotAllowed => ("ORIGIN_REFUSED", "origin", VerificationStep::Source),
            Self::NotConfigured => ("INTERNAL", "not_configured", VerificationStep::Source),
            Self::TooLong { .. } => ("MALFORMED_TOKEN", "too_long", VerificationStep::Size),
            Self::ApiKey => ("MALFORMED_TOKEN", "api_key", VerificationStep::Format),
            Self::ServiceKey(problem) => (
                "INVALID_SERVICE_KEY",
                problem.metric_label(),
                VerificationStep::Format,
            ),
            Self::Format(_) => ("MALFORMED_TOKEN", "format", VerificationStep::Format),
            Self::Header(_) => ("MALFORMED_TOKEN", "header", VerificationStep::Header),
            Self::Payload(_) => ("MALFORMED_TOKEN", "payload", VerificationStep::Payload),
            Self::UnknownIssuer { .. } => ("UNKNOWN_ISSUER", "issuer", VerificationStep::Issuer),
            Self::AlgorithmNotAllowed { .. } => (
                "UNSUPPORTED_ALGORITHM",
                "algorithm",
                VerificationStep::Algorithm,
            ),
            Self::WrongType { .. } => ("INVALID_TOKEN_TYPE", "type", VerificationStep::Type),
            Self::UnknownKey => (
                "UNKNOWN_KEY",
                "unknown_key",
                VerificationStep::VerificationKey,
            ),
            Self::KeysUnavailable { .. } => (
                "KEYS_UNAVAILABLE",
                "keys_unavailable",
                VerificationStep::VerificationKey,
            ),
            Self::InvalidSignature => (
                "INVALID_SIGNATURE",
                "signature",
                VerificationStep::Signature,
            ),
            Self::Expired { .. } => ("TOKEN_EXPIRED", "expired", VerificationStep::Claims),
            Self::NotYetValid { .. } => (
                "TOKEN_NOT_YET_VALID",
                "not_yet_valid",
                VerificationStep::Claims,
            ),
            Self::WrongAudience { .. } => {
                ("INVALID_AUDIENCE", "audience", VerificationStep::Claims)
            }
            Self::MissingClaim(_) => ("MISSING_CLAIM", "missing_claim", VerificationStep::Claims),
            Self::InvalidClaim { .. } => {
                ("INVALID_CLAIM", "invalid_claim", VerificationStep::Claims)
            }
            Self::UnexpectedClaim { .. } => (
                "INVALID_CLAIM",
                "unexpected_claim",
                VerificationStep::Claims,
            ),
            Self::ClientNotAllowed { .. } => {
                ("CLIENT_NOT_ALLOWED", "client", VerificationStep::Claims)
            }
            Self::CertificateMismatch(CertificateProblem::NotBound) => (
                "CERTIFICATE_MISMATCH",
                "certificate",
                VerificationStep::Requirement,
            ),
            Self::CertificateMismatch(_) => (
                "CERTIFICATE_MISMATCH",
                "certificate",
                VerificationStep::Possession,
            ),
            Self::Revoked { .. } => ("TOKEN_REVOKED", "revoked", VerificationStep::Revocation),
            Self::InvalidProof(_) => (
                "INVALID_DPOP_PROOF",
                "dpop_proof",
                VerificationStep::Possession,
            ),
            Self::ProofNonceRequired { .. } => (
                "DPOP_NONCE_REQUIRED",
                "dpop_nonce",
                VerificationStep::Possession,
            ),
            Self::TooManyProofs { .. } => (
                "TOO_MANY_DPOP_PROOFS",
                "dpop_replay_memory",
                VerificationStep::Possession,
            ),
            Self::CustomClaimsMismatch => (
                "INVALID_CLAIM",
                "claims_type",
                VerificationStep::Requirement,
            ),
            Self::StepUpRequired { .. } => {
                ("STEP_UP_REQUIRED", "step_up", VerificationStep::Requirement)
            }
            Self::InsufficientScope { .. } => {
                ("INSUFFICIENT_SCOPE", "scope", VerificationStep::Requirement)
            }
            Self::InsufficientRole { .. } => {
                ("INSUFFICIENT_ROLE", "role", VerificationStep::Requirement)
            }
            Self::RequirementNotMet { .. } => (
                "REQUIREMENT_NOT_MET",
                "requirement",
                VerificationStep::Requirement,
            ),
            // What was sent is no token, so no later step applies.
            Self::UserRequired => ("USER_REQUIRED", "user_required", VerificationStep::Format),
            Self::ServiceRequired => (
                "SERVICE_REQUIRED",
                "service_required",
                VerificationStep::Requirement,
            ),
        }
    }
}

/// An [`AuthError`] with the context in which it occurred, for logs and metrics.
///
/// ```
/// use bearward::{AuthError, AuthFailure};
///
/// let failure = AuthFailure::from(AuthError::NoToken);
/// assert_eq!(failure.error, AuthError::NoToken);
/// assert!(failure.issuer.is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
#[non_exhaustive]
pub struct AuthFailure {
    /// The cause.
    pub error: AuthError,
    /// The configured name of the issuer; `None` if the token was rejected before an issuer was
    /// selected.
    pub issuer: Option<Arc<str>>,
    /// The header's `kid`; `None` if the token has none or was rejected before its header was
    /// parsed. For a service, the [id of its key](crate::Service::key_id).
    pub kid: Option<SanitizedText>,
    /// The name of the service whose key was sent; `None` for tokens and unknown keys.
    pub service: Option<Arc<str>>,
    /// The scopes of the route's [`Requirement::SCOPES`](crate::Requirement::SCOPES), which the
    /// challenge names.
    pub scopes: &'static str,
}

impl AuthFailure {
    /// Creates a failure with the issuer's configured name and the token's `kid`.
    pub fn new(error: AuthError, issuer: Option<Arc<str>>, kid: Option<&str>) -> Self {
        Self {
            error,
            issuer,
            kid: kid.map(SanitizedText::new),
            service: None,
            scopes: "",
        }
    }

    /// Adds the scopes of the route, which the challenge names.
    #[cfg_attr(
        not(feature = "actix"),
        allow(dead_code, reason = "called by extractors")
    )]
    pub(crate) fn with_scopes(mut self, scopes: &'static str) -> Self {
        if !scopes.is_empty() {
            self.scopes = scopes;
        }
        self
    }
}

impl From<AuthError> for AuthFailure {
    fn from(error: AuthError) -> Self {
        Self::new(error, None, None)
    }
}

/// The reason why a token is not a compact JWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The number of parts is not three; counting stops at 6.
    #[error("it has {} part{} instead of three", .0, if *.0 == 1 { "" } else { "s" })]
    Parts(usize),
    /// The token has five parts: it is encrypted (RFC 7516).
    #[error("it has five parts, so it is encrypted (JWE), which is not supported")]
    Encrypted,
    /// A part is empty.
    #[error("a part is empty")]
    Empty,
    /// A part has a character outside the base64url alphabet, padding, or trailing bits that are
    /// not zero (RFC 4648 §3.5).
    #[error("a part is not base64url without padding")]
    Base64,
    /// The signature is longer than that of any supported key (1,024 bytes, RSA with 8192 bits).
    #[error("the signature is longer than {max} bytes, which no supported algorithm produces", max = MAX_SIGNATURE_BYTES)]
    LongSignature,
}

/// The reason why a protected header is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The header is not one JSON object with distinct member names.
    #[error("{0}")]
    Object(ObjectError),
    /// A member is not a string, or `alg` is absent.
    #[error("{0:?} must be a string")]
    NotAString(&'static str),
    /// `crit` is present: bearward supports no extension (RFC 7515 §4.1.11).
    #[error("\"crit\" requires extensions, and none is supported")]
    Critical,
    /// `b64` is present (RFC 7797).
    #[error("\"b64\" is not supported")]
    Unencoded,
    /// `kid` is longer than 256 bytes.
    #[error("\"kid\" is longer than {max} bytes", max = MAX_KID_BYTES)]
    LongKid,
}

/// The reason why a header or payload is rejected as a JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// Not UTF-8, not JSON, not an object, or followed by more data.
    #[error("not one JSON object in UTF-8")]
    NotAnObject,
    /// Two members have the same name after unescaping (RFC 7515 §4, RFC 7519 §4).
    #[error("duplicate member name")]
    Duplicate,
}

/// The reason for [`AuthError::CertificateMismatch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// The token is bound, and the request comes with no certificate.
    #[error("the token is bound to a client certificate, and the request came without one")]
    NotPresented,
    /// The token is bound to another certificate.
    #[error("the token is bound to another client certificate")]
    Different,
    /// The token is not bound, and the route requires it.
    #[error("the token is not bound to a client certificate")]
    NotBound,
}

impl fmt::Display for VerificationStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Size => "size",
            Self::Format => "format",
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Issuer => "issuer",
            Self::Algorithm => "algorithm",
            Self::Type => "type",
            Self::VerificationKey => "key",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Possession => "possession",
            Self::Revocation => "revocation",
            Self::Requirement => "requirement",
        })
    }
}
