//! Validates the claims of a token against its issuer's configuration: types, times, audience.

use std::{borrow::Cow, sync::Arc};

use smallvec::SmallVec;

use super::{
    claims::{Claims, RegisteredClaims},
    client_claims::ClientClaims,
    clock::Timestamp,
    error::{AuthError, SanitizedText},
    issuer::{Audiences, ClientRule, Issuer, TypRule},
    json_pointer::JsonPointer,
    logout_token,
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
    let subject = if issuer.subject.is_empty() {
        subject(payload)?
    } else {
        mapped_subject(payload, &issuer.subject)?
    };
    if logout_token::has_logout_event(payload) {
        return Err(invalid_claim(
            "events",
            "a logout token is not an access token",
        ));
    }
    check_audience(payload, issuer)?;
    if let Some(template) = &issuer.template {
        template.check(payload)?;
    }
    check_not_expired(expires_at, issuer, now)?;
    check_not_in_future([("nbf", not_before), ("iat", issued_at)], issuer, now)?;
    let typ_claims: &[&str] = match issuer.token_type {
        TypRule::Jwt | TypRule::OneOf(_) => &[],
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
    check_ids(payload, issuer)?;
    let clients = ClientClaims::new(payload);
    match issuer.client_rule() {
        ClientRule::Any => {}
        ClientRule::AbsentOrListed => clients.check_third_party(&issuer.client_ids)?,
        ClientRule::Listed => clients.check(&issuer.client_ids)?,
    }
    for rule in &issuer.claim_rules {
        rule.check(payload)?;
    }
    Ok(Claims::from_payload(
        payload,
        &issuer.claims,
        &RegisteredClaims {
            is_machine: clients.contains(&subject.value) || subject.is_client_name,
            subject: subject.value,
            client_id: clients.client_id(),
            token_id: payload.member("jti").and_then(parse_string),
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

pub(super) fn check_not_expired(
    at: Timestamp,
    issuer: &Issuer,
    now: Timestamp,
) -> Result<(), AuthError> {
    if now >= at.plus(issuer.leeway) {
        Err(AuthError::Expired { at, now })
    } else {
        Ok(())
    }
}

pub(super) fn check_not_in_future(
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

/// The subject, and whether the claim that it is read from is [`CLIENT_NAME`].
struct Subject<'a> {
    value: Cow<'a, str>,
    is_client_name: bool,
}

/// The claim with the client id in service tokens of Cloudflare Access, whose `sub` is empty.
const CLIENT_NAME: &str = "common_name";

fn subject<'a>(payload: &StrictObject<'a>) -> Result<Subject<'a>, AuthError> {
    let json = payload
        .member("sub")
        .ok_or_else(|| AuthError::MissingClaim("sub".into()))?;
    let value = parse_string(json).ok_or_else(|| invalid_claim("sub", "must be a string"))?;
    Ok(Subject {
        value: check_subject(value, "sub")?,
        is_client_name: false,
    })
}

/// Returns the first claim that is present and not empty. Only absent claims, `null` and empty
/// strings are skipped: a number in `sub`, or a member that its object has twice, must not select
/// another identity.
fn mapped_subject<'a>(
    payload: &StrictObject<'a>,
    pointers: &[JsonPointer],
) -> Result<Subject<'a>, AuthError> {
    for pointer in pointers {
        let name = pointer.name();
        let found = payload
            .resolve_unambiguous(pointer)
            .map_err(|_| invalid_claim(name, "must not be in the token twice"))?;
        let Some(json) = found.filter(|json| *json != "null") else {
            continue;
        };
        let value = parse_string(json).ok_or_else(|| invalid_claim(name, "must be a string"))?;
        if !value.is_empty() {
            return Ok(Subject {
                value: check_subject(value, name)?,
                is_client_name: name == CLIENT_NAME,
            });
        }
    }
    let names: Vec<&str> = pointers.iter().map(JsonPointer::name).collect();
    Err(AuthError::MissingClaim(names.join(" or ").into()))
}

fn check_subject<'a>(subject: Cow<'a, str>, name: &str) -> Result<Cow<'a, str>, AuthError> {
    if subject.is_empty()
        || subject.len() > MAX_SUBJECT_BYTES
        || subject.chars().any(char::is_control)
    {
        return Err(invalid_claim(
            name,
            "must have 1 to 255 bytes and no control characters",
        ));
    }
    Ok(subject)
}

/// Returns the subject of a logout token, which may have none.
pub(super) fn optional_subject<'a>(
    payload: &StrictObject<'a>,
    issuer: &Issuer,
) -> Result<Option<Cow<'a, str>>, AuthError> {
    let sub = [JsonPointer::root_member("sub")];
    let pointers = if issuer.subject.is_empty() {
        &sub
    } else {
        issuer.subject.as_slice()
    };
    match mapped_subject(payload, pointers) {
        Ok(subject) => Ok(Some(subject.value)),
        Err(AuthError::MissingClaim(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Checks `aud` of a logout token, which names the client whose session has ended.
pub(super) fn logout_audiences(
    payload: &StrictObject<'_>,
    issuer: &Issuer,
) -> Result<(), AuthError> {
    let json = payload
        .member("aud")
        .ok_or_else(|| AuthError::MissingClaim("aud".into()))?;
    let found = parse_audiences(json)?;
    let audiences = match &issuer.audiences {
        Audiences::OneOf(audiences) => Some(audiences),
        Audiences::Any if issuer.client_ids.is_empty() && issuer.logout_audiences.is_empty() => {
            return Ok(());
        }
        Audiences::Any => None,
    };
    let expected: Arc<[Box<str>]> = audiences
        .into_iter()
        .chain([&issuer.client_ids, &issuer.logout_audiences])
        .flat_map(|accepted| accepted.iter().cloned())
        .collect();
    check_one_of(&found, &expected)
}

fn check_audience(payload: &StrictObject<'_>, issuer: &Issuer) -> Result<(), AuthError> {
    let Some(json) = payload.member("aud") else {
        // RFC 9068 §4 requires the claim.
        return if issuer.audiences == Audiences::Any && issuer.token_type != TypRule::AtJwt {
            Ok(())
        } else {
            Err(AuthError::MissingClaim("aud".into()))
        };
    };
    let found = parse_audiences(json)?;
    let Audiences::OneOf(expected) = &issuer.audiences else {
        return Ok(());
    };
    check_one_of(&found, expected)
}

/// Parses `aud`: a string or an array of strings (RFC 7519 §4.1.3).
fn parse_audiences(json: &str) -> Result<SmallVec<[Cow<'_, str>; 4]>, AuthError> {
    const PROBLEM: &str = "must be a string or an array of strings";
    match parse_string(json) {
        Some(audience) => Ok(smallvec::smallvec![audience]),
        None => parse_string_array(json).ok_or_else(|| invalid_claim("aud", PROBLEM)),
    }
}

fn check_one_of(found: &[Cow<'_, str>], expected: &Arc<[Box<str>]>) -> Result<(), AuthError> {
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
        expected: Arc::clone(expected),
    })
}

/// Checks `jti`, which is a string (RFC 7519 §4.1.7), and the identifiers of RFC 9068 §2.2, which are
/// not empty either.
fn check_ids(payload: &StrictObject<'_>, issuer: &Issuer) -> Result<(), AuthError> {
    let is_at_jwt = issuer.token_type == TypRule::AtJwt;
    let names: &[&str] = if is_at_jwt {
        &["jti", "client_id"]
    } else {
        &["jti"]
    };
    for name in names {
        let Some(json) = payload.member(name) else {
            continue;
        };
        let id = parse_string(json).ok_or_else(|| invalid_claim(name, "must be a string"))?;
        if is_at_jwt && id.is_empty() {
            return Err(invalid_claim(name, "must not be empty"));
        }
    }
    Ok(())
}

pub(super) fn required_date(
    payload: &StrictObject<'_>,
    name: &'static str,
) -> Result<Timestamp, AuthError> {
    date(payload, name)?.ok_or_else(|| AuthError::MissingClaim(name.into()))
}

/// Parses a `NumericDate` (RFC 7519 §2): a JSON number within the range of RFC 3339.
pub(super) fn date(
    payload: &StrictObject<'_>,
    name: &'static str,
) -> Result<Option<Timestamp>, AuthError> {
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

pub(super) fn invalid_claim(name: &str, problem: &'static str) -> AuthError {
    AuthError::InvalidClaim {
        name: name.into(),
        problem,
    }
}
