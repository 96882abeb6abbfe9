//! Every reason why a request's token is refused: one enum, whose variants name the cause.

use std::{fmt, sync::Arc, time::Duration};

use super::{algorithm::Algorithm, clock::Timestamp};

/// Why a request was refused.
///
/// `Display` is the message for the client: it names the cause and what would be right, never a
/// claim's value. What an operator needs beyond that (found against expected) stands in the fields,
/// cut to 120 characters and free of control characters; no variant holds a token or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// Nothing was sent that could be a bearer token (RFC 6750 §3.1: the challenge carries no error
    /// code).
    #[error("no bearer token was sent; send it as \"Authorization: Bearer TOKEN\"")]
    NoToken,
    /// Two Authorization headers, or a header and the cookie (RFC 6750 §2: one method a request).
    #[error(
        "credentials were sent more than once; send one Authorization header or the cookie, not both"
    )]
    SeveralCredentials,
    /// The header names the Bearer scheme but is not `Bearer`, one space or more, one token.
    #[error("the Authorization header is not of the form \"Bearer TOKEN\"")]
    BadAuthorization,
    /// Longer than the configured limit, in bytes.
    #[error("the token is longer than {limit} bytes")]
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A Supabase API key (`sb_publishable_…`, `sb_secret_…`) instead of an access token.
    #[error(
        "this is a Supabase API key, not an access token; sign in and send session.access_token"
    )]
    ApiKey,
    /// Not a compact JWS (RFC 7515 §7.1).
    #[error("the token is not three base64url parts: {0}")]
    Form(FormatError),
    /// The protected header breaks a rule.
    #[error("the token's header is refused: {0}")]
    Header(HeaderError),
    /// The payload is not one JSON object with distinct member names.
    #[error("the token's payload is refused: {0}")]
    Payload(ObjectError),
    /// `alg` is not in the issuer's allow-list, or nothing that a public key verifies.
    #[error("the token's signature algorithm is not accepted here")]
    AlgorithmNotAllowed {
        /// The header's `alg`.
        found: SanitizedText,
        /// The issuer's allow-list; empty when no issuer was looked up because bearward verifies
        /// no such algorithm.
        allowed: Vec<Algorithm>,
    },
    /// `typ` is not one that the issuer's token type allows (RFC 8725 §3.11).
    #[error("the token is of another type than this service accepts")]
    WrongType {
        /// The header's `typ`; `None` when absent.
        found: Option<SanitizedText>,
        /// What `typ` may be.
        expected: &'static str,
    },
    /// `iss` equals no accepted spelling of a configured issuer.
    #[error("the token's issuer is not one that this service trusts")]
    UnknownIssuer {
        /// The token's unverified `iss`.
        found: SanitizedText,
    },
    /// The issuer publishes no key with this `kid` that serves this algorithm.
    #[error("the issuer publishes no key that fits the token's kid and algorithm")]
    UnknownKey,
    /// No `kid`, or a doubled one, and more than one key fits.
    #[error("the token does not say which of the issuer's keys signed it")]
    AmbiguousKey,
    /// The signature does not verify over the bytes received.
    #[error("the token's signature does not verify")]
    InvalidSignature,
    /// At or after `exp` plus the leeway (RFC 7519 §4.1.4).
    #[error("the token has expired; get a new one from the issuer")]
    Expired {
        /// `exp`.
        at: Timestamp,
        /// The clock that judged it.
        now: Timestamp,
    },
    /// Before `nbf`, or `iat` lies ahead, by more than the leeway (RFC 7519 §4.1.5, §4.1.6).
    #[error("the token is not valid yet")]
    NotYetValid {
        /// `nbf` or `iat`.
        claim: &'static str,
        /// That claim's time.
        at: Timestamp,
        /// The clock that judged it.
        now: Timestamp,
    },
    /// No element of `aud` is a configured audience (RFC 7519 §4.1.3).
    #[error("the token is meant for another audience")]
    WrongAudience {
        /// What the token names.
        found: Vec<SanitizedText>,
        /// What is configured.
        expected: Arc<[Box<str>]>,
    },
    /// A claim that must be there is absent.
    #[error("the token lacks the claim {0:?}")]
    MissingClaim(Box<str>),
    /// A claim is there but is not what it must be.
    #[error("the token's claim {name:?} is refused: {problem}")]
    InvalidClaim {
        /// The claim's name.
        name: Box<str>,
        /// What it must be.
        problem: &'static str,
    },
    /// The payload does not have the form of the route's own claims type.
    #[error("the token's claims do not have the form that this route asks for")]
    CustomClaimsMismatch,
    /// The level of authentication is too low (RFC 9470).
    #[error("this needs a stronger sign-in: {required}")]
    StepUpRequired {
        /// The level asked for, for example `aal2`.
        required: &'static str,
    },
    /// A scope is missing (RFC 6750 §3.1).
    #[error("the token lacks the scope {required:?}")]
    InsufficientScope {
        /// The scopes asked for, separated by spaces.
        required: Box<str>,
    },
    /// A role is missing.
    #[error("this needs the role {required:?}")]
    InsufficientRole {
        /// The role asked for.
        required: Box<str>,
    },
    /// A team's own requirement was not met.
    #[error("the token does not meet the requirement: {required}")]
    RequirementNotMet {
        /// What was asked for, in the team's words.
        required: &'static str,
    },
    /// A cookie was sent with an unsafe method from an origin that is not listed, or from none.
    #[error("this request's Origin may not use the session cookie")]
    OriginRefused,
    /// The issuer's keys could not be had: never the token's fault, hence 503 and never 401.
    #[error("the issuer's keys cannot be fetched at present; try again in {} s", .retry_after.as_secs())]
    KeysUnavailable {
        /// When to try again: whole seconds, at least one.
        retry_after: Duration,
    },
    /// The application holds no `Bearward`: a mistake of the server's author.
    #[error("the server is not set up to verify tokens")]
    NotConfigured,
}

/// The stages of the pipeline, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerificationStep {
    /// One credential, one place.
    Source,
    /// The length limit.
    Size,
    /// Three base64url parts.
    Form,
    /// The protected header's members.
    Header,
    /// The payload is one JSON object.
    Payload,
    /// The unverified `iss` picks a configured issuer.
    Issuer,
    /// The issuer accepts the algorithm.
    Algorithm,
    /// The issuer accepts the type.
    Type,
    /// The issuer has exactly one key for `kid` and `alg`.
    VerificationKey,
    /// The signature over the exact bytes.
    Signature,
    /// Types of the claims, times, audience.
    Claims,
    /// What the route asks for.
    Policy,
}

impl AuthError {
    /// The stable code of the error envelope.
    pub fn code(&self) -> &'static str {
        self.metadata().0
    }

    /// The closed reason under which it is logged and counted.
    pub fn metric_label(&self) -> &'static str {
        self.metadata().1
    }

    /// The stage of the pipeline that refused.
    pub fn step(&self) -> VerificationStep {
        self.metadata().2
    }

    /// Returns whether the token itself is invalid. False if no token was sent, if the request or
    /// the server is at fault, and if a valid token does not meet the requirements of the route.
    pub fn is_invalid_token(&self) -> bool {
        match self {
            Self::BadAuthorization
            | Self::TooLong { .. }
            | Self::ApiKey
            | Self::Form(_)
            | Self::Header(_)
            | Self::Payload(_)
            | Self::AlgorithmNotAllowed { .. }
            | Self::WrongType { .. }
            | Self::UnknownIssuer { .. }
            | Self::UnknownKey
            | Self::AmbiguousKey
            | Self::InvalidSignature
            | Self::Expired { .. }
            | Self::NotYetValid { .. }
            | Self::WrongAudience { .. }
            | Self::MissingClaim(_)
            | Self::InvalidClaim { .. } => true,
            Self::NoToken
            | Self::SeveralCredentials
            | Self::CustomClaimsMismatch
            | Self::StepUpRequired { .. }
            | Self::InsufficientScope { .. }
            | Self::InsufficientRole { .. }
            | Self::RequirementNotMet { .. }
            | Self::OriginRefused
            | Self::KeysUnavailable { .. }
            | Self::NotConfigured => false,
        }
    }

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
            Self::OriginRefused => ("ORIGIN_REFUSED", "origin", VerificationStep::Source),
            Self::NotConfigured => ("INTERNAL", "not_configured", VerificationStep::Source),
            Self::TooLong { .. } => ("MALFORMED_TOKEN", "too_long", VerificationStep::Size),
            Self::ApiKey => ("MALFORMED_TOKEN", "api_key", VerificationStep::Form),
            Self::Form(_) => ("MALFORMED_TOKEN", "form", VerificationStep::Form),
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
            Self::AmbiguousKey => (
                "UNKNOWN_KEY",
                "ambiguous_key",
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
            Self::CustomClaimsMismatch => {
                ("INVALID_CLAIM", "unfit_claims", VerificationStep::Policy)
            }
            Self::StepUpRequired { .. } => {
                ("STEP_UP_REQUIRED", "step_up", VerificationStep::Policy)
            }
            Self::InsufficientScope { .. } => {
                ("INSUFFICIENT_SCOPE", "scope", VerificationStep::Policy)
            }
            Self::InsufficientRole { .. } => {
                ("INSUFFICIENT_ROLE", "role", VerificationStep::Policy)
            }
            Self::RequirementNotMet { .. } => (
                "REQUIREMENT_NOT_MET",
                "requirement",
                VerificationStep::Policy,
            ),
        }
    }
}

/// A refusal and where it happened: what is logged and counted beside the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct AuthFailure {
    /// The cause.
    pub error: AuthError,
    /// The configured name of the issuer, once one was chosen.
    pub issuer: Option<Arc<str>>,
    /// The header's `kid`, once the header was read.
    pub kid: Option<SanitizedText>,
}

impl From<AuthError> for AuthFailure {
    fn from(error: AuthError) -> Self {
        Self {
            error,
            issuer: None,
            kid: None,
        }
    }
}

/// How the outer form is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// Another number of parts than three; counting stops at 6.
    #[error("it has {0} of them")]
    Parts(usize),
    /// Five parts: an encrypted token (RFC 7516).
    #[error("it has five, so it is encrypted (JWE), which is not accepted")]
    Encrypted,
    /// A part is empty.
    #[error("one is empty")]
    Empty,
    /// A character outside the base64url alphabet, padding included, or bits that a strict encoder
    /// leaves zero (RFC 4648 §3.5).
    #[error("one is not strict base64url without padding")]
    Base64,
}

/// How the protected header breaks the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Not one JSON object with distinct names.
    #[error("{0}")]
    Object(ObjectError),
    /// A member has the wrong JSON type, or `alg` is absent.
    #[error("{0:?} must be a string")]
    NotAString(&'static str),
    /// `crit` is there: bearward implements no extension, so none can be understood (RFC 7515
    /// §4.1.11).
    #[error("\"crit\" asks for extensions, and none is implemented")]
    Critical,
    /// `b64` is there (RFC 7797).
    #[error("\"b64\" is not accepted")]
    Unencoded,
    /// `kid` is longer than 256 bytes.
    #[error("\"kid\" is longer than 256 bytes")]
    LongKid,
}

/// How a JSON object breaks the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// Not UTF-8, not JSON, not an object, or something follows it.
    #[error("it is not one JSON object in UTF-8")]
    NotAnObject,
    /// Two members have one name once escapes are resolved (RFC 7515 §4, RFC 7519 §4).
    #[error("a member name occurs twice")]
    Duplicate,
}

/// At most 120 characters of something that a client sent: for operators, never for the wire.
/// Control characters and those that break lines or turn the text around are replaced, so that it
/// moves no terminal and forges no line.
#[derive(Clone, PartialEq, Eq)]
pub struct SanitizedText(Box<str>);

impl SanitizedText {
    /// Cuts and cleans.
    pub fn of(text: &str) -> Self {
        const LIMIT: usize = 120;
        let clean = |c: char| match c {
            // Line and paragraph separator, and the bidirectional controls (UAX #9 §2).
            '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        };
        let mut excerpt: String = text.chars().take(LIMIT).map(clean).collect();
        if text.chars().nth(LIMIT).is_some() {
            excerpt.push('…');
        }
        Self(excerpt.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SanitizedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SanitizedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
