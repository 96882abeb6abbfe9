//! Logout tokens of `OpenID` Connect Back-Channel Logout 1.0.

use std::{borrow::Cow, fmt, sync::Arc};

use crate::{
    bearward::Bearward,
    claims_validation::{
        check_not_expired, check_not_in_future, invalid_claim, logout_audiences, optional_subject,
        required_date,
    },
    clock::Timestamp,
    error::{AuthError, AuthFailure, SanitizedText},
    issuer::{Issuer, without_application},
    metrics::VerificationMetrics,
    revocation::Revocation,
    strict_object::{StrictObject, parse_string},
};

/// The member of `events` that makes a token a logout token (§2.4).
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The maximum length of `sid` and `jti`, in bytes.
const MAX_ID_BYTES: usize = 255;

/// A verified logout token (`OpenID` Connect Back-Channel Logout 1.0 §2.4): the issuer says that a
/// session has ended, or all sessions of a subject. Returned by
/// [`Bearward::verify_logout_token`].
///
/// ```
/// use bearward::{AuthFailure, Bearward};
///
/// /// Handles the form field `logout_token` of a back-channel logout request.
/// async fn log_out(auth: &Bearward, token: &str) -> Result<(), AuthFailure> {
///     let token = auth.verify_logout_token(token).await?;
///     if let Err(error) = auth.revocations().add(&token.revocation()) {
///         eprintln!("session not revoked: {error}");
///     }
///     Ok(())
/// }
/// ```
///
/// # Security
/// It does not remember `jti` (§2.6 step 9). That is not required to prevent harm by a replayed
/// token: [`revocation`](Self::revocation) does not concern sessions that began after the token was
/// issued.
#[derive(Clone)]
pub struct LogoutToken {
    issuer: Arc<str>,
    issuer_name: Arc<str>,
    claims: LogoutClaims,
}

/// The claims of a logout token.
#[derive(Clone)]
pub(crate) struct LogoutClaims {
    session_id: Option<Box<str>>,
    subject: Option<Box<str>>,
    token_id: Box<str>,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

impl Bearward {
    /// Verifies a logout token that an issuer has sent to this resource server (`OpenID` Connect
    /// Back-Channel Logout 1.0 §2.6).
    ///
    /// Required are: a `typ` of `logout+jwt` or `JWT` or none; an algorithm of the issuer and a valid
    /// signature; `aud` with one of the issuer's audiences, [client ids](Issuer::client_ids) or
    /// [logout audiences](Issuer::logout_audiences); `exp`, `iat` and `jti`; `events` with the member
    /// of back-channel logout, whose value is an object; `sid` or `sub` or both; no `nonce`. An access
    /// token is never a logout token, and the reverse.
    ///
    /// Keys are fetched within the limits of the key cache, as for access tokens, and only for tokens
    /// whose claims are valid.
    ///
    /// # Errors
    /// [`AuthFailure`] with the first check that failed. It is counted in
    /// `bearward_logout_tokens_total`. [`AuthError::KeysUnavailable`] says nothing about the token.
    pub async fn verify_logout_token(&self, token: &str) -> Result<LogoutToken, AuthFailure> {
        let result = self.verifier().verify_logout_token(token).await;
        VerificationMetrics::record_logout_token(&result);
        result
    }
}

impl LogoutToken {
    pub(crate) fn new(claims: LogoutClaims, issuer: Arc<str>, issuer_name: &Arc<str>) -> Self {
        Self {
            issuer,
            issuer_name: Arc::clone(issuer_name),
            claims,
        }
    }

    /// Returns what the token revokes: the session, or if it names none, the tokens of the subject
    /// that were issued before it.
    pub fn revocation(&self) -> Revocation {
        match (&self.claims.session_id, &self.claims.subject) {
            (Some(session), _) => Revocation::session(&self.issuer, session),
            (None, subject) => Revocation::subject(
                &self.issuer,
                subject.as_deref().unwrap_or_default(),
                self.claims.issued_at,
            ),
        }
    }

    /// Returns the canonical issuer; see
    /// [`Verified::canonical_issuer`](crate::Verified::canonical_issuer).
    pub fn canonical_issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the configured name of the issuer.
    pub fn issuer_name(&self) -> &str {
        &self.issuer_name
    }

    /// Returns `sid`: the session that has ended.
    pub fn session_id(&self) -> Option<&str> {
        self.claims.session_id.as_deref()
    }

    /// Returns the subject: `sub`, or the claim that [`Issuer::subject_from`] selects. Without a
    /// [session](Self::session_id), all its sessions have ended.
    pub fn subject(&self) -> Option<&str> {
        self.claims.subject.as_deref()
    }

    /// Returns `jti`, to recognize a token that is sent again.
    pub fn token_id(&self) -> &str {
        &self.claims.token_id
    }

    /// Returns `iat`.
    pub fn issued_at(&self) -> Timestamp {
        self.claims.issued_at
    }

    /// Returns `exp`.
    pub fn expires_at(&self) -> Timestamp {
        self.claims.expires_at
    }
}

impl LogoutClaims {
    /// Validates the claims of a logout token (§2.4, §2.6).
    pub(crate) fn validate(
        payload: &StrictObject<'_>,
        issuer: &Issuer,
        now: Timestamp,
    ) -> Result<Self, AuthError> {
        check_events(payload)?;
        if payload.member("nonce").is_some() {
            return Err(invalid_claim("nonce", "a logout token must not have it"));
        }
        let expires_at = required_date(payload, "exp")?;
        let issued_at = required_date(payload, "iat")?;
        logout_audiences(payload, issuer)?;
        if let Some(template) = &issuer.template {
            template.check(payload)?;
        }
        check_not_expired(expires_at, issuer, now)?;
        check_not_in_future([("iat", Some(issued_at)), ("nbf", None)], issuer, now)?;
        let token_id = id(payload, "jti")?.ok_or_else(|| AuthError::MissingClaim("jti".into()))?;
        let session_id = id(payload, "sid")?;
        let subject = optional_subject(payload, issuer)?;
        if session_id.is_none() && subject.is_none() {
            return Err(AuthError::MissingClaim("sid or sub".into()));
        }
        Ok(Self {
            session_id: session_id.map(Cow::into_owned).map(Box::from),
            subject: subject.map(Cow::into_owned).map(Box::from),
            token_id: token_id.into_owned().into(),
            issued_at,
            expires_at,
        })
    }
}

/// Checks `typ`: `logout+jwt` (§2.4), or `JWT` or none, as earlier versions of the specification
/// allowed.
pub(crate) fn check_typ(typ: Option<&str>) -> Result<(), AuthError> {
    let is_accepted = typ.map(without_application).is_none_or(|typ| {
        ["logout+jwt", "jwt"]
            .iter()
            .any(|accepted| typ.eq_ignore_ascii_case(accepted))
    });
    if is_accepted {
        Ok(())
    } else {
        Err(AuthError::WrongType {
            found: typ.map(SanitizedText::new),
            expected: "logout+jwt, JWT or absent".into(),
        })
    }
}

/// Returns whether a token is a logout token, whatever its `typ` is.
pub(crate) fn has_logout_event(payload: &StrictObject<'_>) -> bool {
    payload
        .member("events")
        .and_then(|events| StrictObject::parse(events.as_bytes()).ok())
        .is_some_and(|events| events.member(LOGOUT_EVENT).is_some())
}

/// Checks `events`: an object with the member of back-channel logout, whose value is an object.
fn check_events(payload: &StrictObject<'_>) -> Result<(), AuthError> {
    let events = payload
        .member("events")
        .ok_or_else(|| AuthError::MissingClaim("events".into()))?;
    let event = StrictObject::parse(events.as_bytes())
        .map_err(|_| invalid_claim("events", "must be an object"))?
        .member(LOGOUT_EVENT)
        .ok_or_else(|| invalid_claim("events", "must have the event of back-channel logout"))?;
    StrictObject::parse(event.as_bytes())
        .map(drop)
        .map_err(|_| invalid_claim("events", "the value of the event must be an object"))
}

/// Returns the text of an identifier; `None` if it is absent.
fn id<'a>(payload: &StrictObject<'a>, name: &str) -> Result<Option<Cow<'a, str>>, AuthError> {
    let Some(json) = payload.member(name) else {
        return Ok(None);
    };
    let id = parse_string(json).ok_or_else(|| invalid_claim(name, "must be a string"))?;
    if id.is_empty() || id.len() > MAX_ID_BYTES || id.chars().any(char::is_control) {
        return Err(invalid_claim(
            name,
            "must have 1 to 255 bytes and no control characters",
        ));
    }
    Ok(Some(id))
}

/// Prints the issuer, and neither the session nor the subject.
impl fmt::Debug for LogoutToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogoutToken")
            .field("issuer", &self.issuer)
            .field("issued_at", &self.claims.issued_at)
            .finish_non_exhaustive()
    }
}
