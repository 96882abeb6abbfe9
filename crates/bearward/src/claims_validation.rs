//! Validates the claims of a token against its issuer's configuration: types, times, audience.

use std::borrow::Cow;

use super::{
    claims::{Claims, RegisteredClaims},
    clock::Timestamp,
    error::{AuthError, SanitizedText},
    issuer::{Audiences, Issuer, TypRule},
    strict_object::{StrictObject, parse_string, parse_string_array},
};

const MAX_SUBJECT_BYTES: usize = 255;

/// Validates the payload of a token whose signature has been verified, and returns its claims.
pub(super) fn validate_claims(
    payload: &StrictObject<'_>,
    issuer: &Issuer,
    now: Timestamp,
) -> Result<Claims, AuthError> {
    let expires_at = required_date(payload, "exp")?;
    let (not_before, issued_at) = (date(payload, "nbf")?, date(payload, "iat")?);
    let subject = subject(payload)?;
    check_audience(payload, issuer)?;
    check_not_expired(expires_at, issuer, now)?;
    check_not_in_future([("nbf", not_before), ("iat", issued_at)], issuer, now)?;
    if payload.member("cnf").is_some() {
        // RFC 9449 §7, RFC 8705 §3: such a token requires a proof of possession, which is not
        // checked here.
        return Err(AuthError::InvalidClaim {
            name: "cnf".into(),
            problem: "sender-constrained tokens are not bearer tokens",
        });
    }
    let typ_claims: &[&str] = match issuer.token_type {
        TypRule::Jwt => &[],
        TypRule::AtJwt => &["client_id", "iat", "jti"],
    };
    for name in typ_claims
        .iter()
        .copied()
        .chain(issuer.required_claims.iter().map(AsRef::as_ref))
    {
        if payload.member(name).is_none_or(|value| value == "null") {
            return Err(AuthError::MissingClaim(name.into()));
        }
    }
    Ok(Claims::from_payload(
        payload,
        &issuer.claims,
        &RegisteredClaims {
            subject,
            expires_at,
            not_before,
            issued_at,
        },
    ))
}

/// Returns the unverified `iss`, which may only be used to select the issuer.
pub(super) fn unverified_issuer<'a>(payload: &StrictObject<'a>) -> Result<Cow<'a, str>, AuthError> {
    let json = payload
        .member("iss")
        .ok_or_else(|| AuthError::MissingClaim("iss".into()))?;
    parse_string(json).ok_or_else(|| invalid_claim("iss", "must be a string"))
}

/// Rejects a token whose unverified `exp` has passed, so that it cannot cause a key fetch.
pub(super) fn reject_if_unverified_exp_passed(
    payload: &StrictObject<'_>,
    issuer: &Issuer,
    now: Timestamp,
) -> Result<(), AuthError> {
    check_not_expired(required_date(payload, "exp")?, issuer, now)
}

/// Checks the times of a cached token again.
pub(super) fn revalidate_cached(
    claims: &Claims,
    issuer: &Issuer,
    now: Timestamp,
) -> Result<(), AuthError> {
    check_not_expired(claims.expires_at(), issuer, now)?;
    // The wall clock may have been set back since the token was cached.
    check_not_in_future(
        [("nbf", claims.not_before()), ("iat", claims.issued_at())],
        issuer,
        now,
    )
}

fn check_not_expired(at: Timestamp, issuer: &Issuer, now: Timestamp) -> Result<(), AuthError> {
    if now >= at.plus(issuer.leeway) {
        Err(AuthError::Expired { at, now })
    } else {
        Ok(())
    }
}

fn check_not_in_future(
    claims: [(&'static str, Option<Timestamp>); 2],
    issuer: &Issuer,
    now: Timestamp,
) -> Result<(), AuthError> {
    for (claim, at) in claims {
        if let Some(at) = at.filter(|&at| now < at.minus(issuer.leeway)) {
            return Err(AuthError::NotYetValid { claim, at, now });
        }
    }
    Ok(())
}

fn subject<'a>(payload: &StrictObject<'a>) -> Result<Cow<'a, str>, AuthError> {
    let json = payload
        .member("sub")
        .ok_or_else(|| AuthError::MissingClaim("sub".into()))?;
    let subject = parse_string(json).ok_or_else(|| invalid_claim("sub", "must be a string"))?;
    if subject.is_empty()
        || subject.len() > MAX_SUBJECT_BYTES
        || subject.chars().any(char::is_control)
    {
        return Err(invalid_claim(
            "sub",
            "must have 1 to 255 bytes and no control characters",
        ));
    }
    Ok(subject)
}

fn check_audience(payload: &StrictObject<'_>, issuer: &Issuer) -> Result<(), AuthError> {
    const PROBLEM: &str = "must be a string or an array of strings";
    let json = payload
        .member("aud")
        .ok_or_else(|| AuthError::MissingClaim("aud".into()))?;
    let found = match parse_string(json) {
        Some(audience) => smallvec::smallvec![audience],
        None => parse_string_array(json).ok_or_else(|| invalid_claim("aud", PROBLEM))?,
    };
    let Audiences::OneOf(expected) = &issuer.audiences else {
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
        .map(|found| SanitizedText::new(found))
        .collect();
    Err(AuthError::WrongAudience {
        found,
        expected: expected.clone(),
    })
}

fn required_date(payload: &StrictObject<'_>, name: &'static str) -> Result<Timestamp, AuthError> {
    date(payload, name)?.ok_or_else(|| AuthError::MissingClaim(name.into()))
}

/// Parses a `NumericDate` (RFC 7519 §2): a JSON number within the range of RFC 3339.
fn date(payload: &StrictObject<'_>, name: &'static str) -> Result<Option<Timestamp>, AuthError> {
    let Some(json) = payload.member(name) else {
        return Ok(None);
    };
    let integer = (json.len() <= 12)
        .then(|| json.parse::<i64>().ok())
        .flatten();
    if let Some(seconds) = integer {
        return check_range(seconds, name).map(|()| Some(Timestamp::from_unix(seconds)));
    }
    let seconds: f64 =
        serde_json::from_str(json).map_err(|_| invalid_claim(name, "must be a number"))?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast saturates, and the range is checked next"
    )]
    check_range(seconds as i64, name)?;
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    Ok(Some(Timestamp::from_millis((seconds * 1000.0) as i64)))
}

fn check_range(seconds: i64, name: &'static str) -> Result<(), AuthError> {
    let range = -Timestamp::MAX_SECONDS..=Timestamp::MAX_SECONDS;
    if range.contains(&seconds) {
        Ok(())
    } else {
        Err(invalid_claim(
            name,
            "must be in seconds since 1970, up to the year 9999",
        ))
    }
}

fn invalid_claim(name: &str, problem: &'static str) -> AuthError {
    AuthError::InvalidClaim {
        name: name.into(),
        problem,
    }
}
