//! The claims of one token against its issuer's profile: strict types, times, audience.

use std::borrow::Cow;

use super::{
    claims::{Claims, RegisteredClaims},
    clock::Timestamp,
    error::{AuthError, SanitizedText},
    issuer::{Audiences, Issuer, TypRule},
    strict_object::{StrictObject, string, strings},
};

const MAX_SUBJECT: usize = 255;

/// Rule 9 and the required claims of rule 10, on a payload whose signature has been verified.
pub(super) fn judge(
    payload: &StrictObject<'_>,
    profile: &Issuer,
    now: Timestamp,
) -> Result<Claims, AuthError> {
    let expires_at = date(payload, "exp")?.ok_or_else(|| AuthError::MissingClaim("exp".into()))?;
    let (not_before, issued_at) = (date(payload, "nbf")?, date(payload, "iat")?);
    let subject = subject(payload)?;
    audience(payload, profile)?;
    not_expired(expires_at, profile, now)?;
    for (claim, at) in [("nbf", not_before), ("iat", issued_at)] {
        if let Some(at) = at.filter(|&at| now < at.minus(profile.leeway)) {
            return Err(AuthError::NotYetValid { claim, at, now });
        }
    }
    if payload.member("cnf").is_some() {
        // RFC 9449 §7, RFC 8705 §3: such a token is worth nothing without a proof, and none is
        // checked here.
        return Err(AuthError::InvalidClaim {
            name: "cnf".into(),
            problem: "a sender-constrained token is no bearer token",
        });
    }
    let profile_claims: &[&str] = match profile.token_type {
        TypRule::Jwt => &[],
        TypRule::AtJwt => &["client_id", "iat", "jti"],
    };
    for name in profile_claims
        .iter()
        .copied()
        .chain(profile.required_claims.iter().map(AsRef::as_ref))
    {
        if payload.member(name).is_none_or(|value| value == "null") {
            return Err(AuthError::MissingClaim(name.into()));
        }
    }
    Ok(Claims::mapped(
        payload,
        &profile.claims,
        &RegisteredClaims {
            subject,
            expires_at,
            not_before,
            issued_at,
        },
    ))
}

/// The unverified `iss`: it may choose a profile or refuse, nothing else.
pub(super) fn unverified_issuer<'a>(payload: &StrictObject<'a>) -> Result<Cow<'a, str>, AuthError> {
    let json = payload
        .member("iss")
        .ok_or_else(|| AuthError::MissingClaim("iss".into()))?;
    string(json).ok_or_else(|| wrong("iss", "it must be a string"))
}

/// Refuses a token that is past its unverified `exp`: the gate before a fetch, where a lie gains
/// nothing.
pub(super) fn gate(
    payload: &StrictObject<'_>,
    profile: &Issuer,
    now: Timestamp,
) -> Result<(), AuthError> {
    let expires_at = date(payload, "exp")?.ok_or_else(|| AuthError::MissingClaim("exp".into()))?;
    not_expired(expires_at, profile, now)
}

/// What a cached token is asked again at each hit.
pub(super) fn revalidate_cached(
    claims: &Claims,
    profile: &Issuer,
    now: Timestamp,
) -> Result<(), AuthError> {
    not_expired(claims.expires_at(), profile, now)?;
    for (claim, at) in [("nbf", claims.not_before()), ("iat", claims.issued_at())] {
        // The wall clock may have been set back since.
        if let Some(at) = at.filter(|&at| now < at.minus(profile.leeway)) {
            return Err(AuthError::NotYetValid { claim, at, now });
        }
    }
    Ok(())
}

fn not_expired(at: Timestamp, profile: &Issuer, now: Timestamp) -> Result<(), AuthError> {
    if now >= at.plus(profile.leeway) {
        Err(AuthError::Expired { at, now })
    } else {
        Ok(())
    }
}

fn subject<'a>(payload: &StrictObject<'a>) -> Result<Cow<'a, str>, AuthError> {
    let json = payload
        .member("sub")
        .ok_or_else(|| AuthError::MissingClaim("sub".into()))?;
    let subject = string(json).ok_or_else(|| wrong("sub", "it must be a string"))?;
    if subject.is_empty() || subject.len() > MAX_SUBJECT || subject.chars().any(char::is_control) {
        return Err(wrong(
            "sub",
            "it must have 1 to 255 bytes and no control characters",
        ));
    }
    Ok(subject)
}

fn audience(payload: &StrictObject<'_>, profile: &Issuer) -> Result<(), AuthError> {
    const PROBLEM: &str = "it must be a string or an array of strings";
    let json = payload
        .member("aud")
        .ok_or_else(|| AuthError::MissingClaim("aud".into()))?;
    let found = match string(json) {
        Some(one) => smallvec::smallvec![one],
        None => strings(json).ok_or_else(|| wrong("aud", PROBLEM))?,
    };
    let Audiences::OneOf(expected) = &profile.audiences else {
        return Ok(());
    };
    if found
        .iter()
        .any(|found| expected.iter().any(|expected| **expected == **found))
    {
        return Ok(());
    }
    let found = found
        .iter()
        .take(8)
        .map(|found| SanitizedText::of(found))
        .collect();
    Err(AuthError::WrongAudience {
        found,
        expected: expected.clone(),
    })
}

/// A `NumericDate` (RFC 7519 §2): any JSON number that RFC 3339 can write as a time.
fn date(payload: &StrictObject<'_>, name: &'static str) -> Result<Option<Timestamp>, AuthError> {
    let Some(json) = payload.member(name) else {
        return Ok(None);
    };
    let whole = (json.len() <= 12)
        .then(|| json.parse::<i64>().ok())
        .flatten();
    if let Some(seconds) = whole {
        return in_range(seconds, name).map(|()| Some(Timestamp::from_unix(seconds)));
    }
    let seconds: f64 =
        serde_json::from_str(json).map_err(|_| wrong(name, "it must be a number"))?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float's cast to an integer saturates, and the range is checked next"
    )]
    in_range(seconds as i64, name)?;
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    Ok(Some(Timestamp::from_millis((seconds * 1000.0) as i64)))
}

fn in_range(seconds: i64, name: &'static str) -> Result<(), AuthError> {
    let range = -Timestamp::MAX_SECONDS..=Timestamp::MAX_SECONDS;
    if range.contains(&seconds) {
        Ok(())
    } else {
        Err(wrong(
            name,
            "it must be seconds since 1970, within the year 9999",
        ))
    }
}

fn wrong(name: &str, problem: &'static str) -> AuthError {
    AuthError::InvalidClaim {
        name: name.into(),
        problem,
    }
}
