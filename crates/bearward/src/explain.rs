//! Check by check, why a token is accepted or refused: for people at a terminal, never for the
//! wire.

mod next_step;
mod report;

use std::{fmt, time::Duration};

use super::{
    algorithm::Algorithm,
    clock::Timestamp,
    error::{AuthError, AuthFailure, FormatError, HeaderError, SanitizedText, VerificationStep},
    issuer::{Audiences, Issuer, KeySource, TokenUse, TypRule},
    jws,
    keys::KeySetStatus,
    strict_object::{StrictObject, string},
    verified::Verified,
};

/// What the pipeline said of a token, and what it looked at.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// One line a check, in the order of the pipeline.
    pub lines: Vec<StepReport>,
    /// Why it was refused; `None` when it was accepted.
    pub refusal: Option<AuthFailure>,
    /// What to do about it.
    pub advice: Option<String>,
}

/// One check.
#[derive(Debug, Clone)]
pub struct StepReport {
    /// Which.
    pub check: VerificationStep,
    /// How it ended.
    pub outcome: Outcome,
    /// What the token has; unverified until the signature's line has passed.
    pub found: String,
    /// What the configuration asks for.
    pub expected: String,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It is the reason for the refusal.
    Failed,
    /// An earlier one failed.
    NotReached,
}

/// Everything that a line can be written from.
pub(crate) struct ExplainInput<'a> {
    pub(crate) token: &'a str,
    pub(crate) max_bytes: usize,
    pub(crate) issuers: Vec<(&'a Issuer, KeySetStatus)>,
    pub(crate) now: Timestamp,
    pub(crate) result: Result<Verified, AuthFailure>,
}

const CHECKS: [VerificationStep; 10] = [
    VerificationStep::Size,
    VerificationStep::Form,
    VerificationStep::Header,
    VerificationStep::Payload,
    VerificationStep::Issuer,
    VerificationStep::Algorithm,
    VerificationStep::Type,
    VerificationStep::VerificationKey,
    VerificationStep::Signature,
    VerificationStep::Claims,
];

pub(crate) fn explain(case: &ExplainInput<'_>) -> Explanation {
    // Also of a token whose form is refused, as an unsigned one's is: people want to see what they
    // have.
    let mut parts = case.token.split('.');
    let mut decoded = || {
        parts
            .next()
            .and_then(|part| jws::decode(part).ok())
            .unwrap_or_default()
    };
    let (header, payload) = (decoded(), decoded());
    let view = ExplainContext {
        case,
        header: StrictObject::parse(&header).ok(),
        payload: StrictObject::parse(&payload).ok(),
    };
    let failed = case
        .result
        .as_ref()
        .err()
        .map(|refusal| refusal.error.step());
    // An algorithm that nobody verifies is refused before the issuer is looked up.
    let before_issuer = matches!(&case.result, Err(AuthFailure { error: AuthError::AlgorithmNotAllowed { allowed, .. }, .. }) if allowed.is_empty());
    let outcome = |check: VerificationStep| match failed {
        Some(_)
            if before_issuer
                && check < VerificationStep::Algorithm
                && check > VerificationStep::Header =>
        {
            Outcome::NotReached
        }
        Some(failed) if check == failed => Outcome::Failed,
        Some(failed) if check > failed => Outcome::NotReached,
        _ => Outcome::Passed,
    };
    let lines = CHECKS.into_iter().map(|check| {
        let (found, expected) = view.describe(check);
        let outcome = outcome(check);
        let found = if outcome == Outcome::NotReached && !view.is_readable(check) {
            String::new()
        } else {
            found
        };
        StepReport {
            check,
            outcome,
            found,
            expected,
        }
    });
    let refusal = case.result.as_ref().err().cloned();
    let advice = refusal
        .as_ref()
        .map(|refusal| next_step::advice(&view, &refusal.error));
    Explanation {
        lines: lines.collect(),
        advice,
        refusal,
    }
}

struct ExplainContext<'a> {
    case: &'a ExplainInput<'a>,
    header: Option<StrictObject<'a>>,
    payload: Option<StrictObject<'a>>,
}

impl ExplainContext<'_> {
    fn describe(&self, check: VerificationStep) -> (String, String) {
        let issuer = self.issuer();
        let of = |text: &dyn Fn(&Issuer, &KeySetStatus) -> String| {
            issuer
                .map(|(issuer, keys)| text(issuer, keys))
                .unwrap_or_default()
        };
        match check {
            VerificationStep::Size => (
                format!("{} bytes", self.case.token.len()),
                format!("at most {}", self.case.max_bytes),
            ),
            VerificationStep::Form => {
                let parts = count(self.case.token.split('.').count(), "part");
                let found = match self.error() {
                    Some(AuthError::Form(problem @ (FormatError::Empty | FormatError::Base64))) => {
                        format!("{parts}, {problem}")
                    }
                    _ => parts,
                };
                (found, "3 parts of base64url without padding".to_owned())
            }
            VerificationStep::Header => {
                let (found, expected) = self.refused_member().unzip();
                (
                    after(found, self.header_members()),
                    after(
                        expected,
                        "one JSON object with alg; no crit, no b64".to_owned(),
                    ),
                )
            }
            VerificationStep::Payload => {
                let claims = self
                    .payload
                    .as_ref()
                    .map(|payload| payload.members().count());
                (
                    claims.map_or(self.unreadable(), |claims| count(claims, "claim")),
                    "one JSON object, no name twice".to_owned(),
                )
            }
            VerificationStep::Issuer => (self.claim("iss"), self.bearer_issuers().join(" or ")),
            VerificationStep::Algorithm => {
                let accepted = issuer.map_or(&Algorithm::ALL[..], |(issuer, _)| &issuer.algorithms);
                (self.header("alg"), names(accepted))
            }
            VerificationStep::Type => {
                let expected = of(&|issuer, _| match issuer.token_type {
                    TypRule::Jwt => "absent, JWT or at+jwt".to_owned(),
                    TypRule::AtJwt => "at+jwt".to_owned(),
                });
                (self.header("typ"), expected)
            }
            VerificationStep::VerificationKey => (
                format!("kid {}, alg {}", self.header("kid"), self.header("alg")),
                of(&|_, keys| published(keys)),
            ),
            VerificationStep::Signature => (
                "the last part, not shown".to_owned(),
                "a signature by that key over the first two".to_owned(),
            ),
            VerificationStep::Claims => {
                let (found, expected) = self.refused_member().unzip();
                (
                    after(found, self.usual_claims()),
                    after(expected, of(&|issuer, _| wanted(issuer))),
                )
            }
            VerificationStep::Source | VerificationStep::Policy => (String::new(), String::new()),
        }
    }

    /// Whether the part that a check looks at could be read at all.
    fn is_readable(&self, check: VerificationStep) -> bool {
        match check {
            VerificationStep::Header
            | VerificationStep::Algorithm
            | VerificationStep::Type
            | VerificationStep::VerificationKey => self.header.is_some(),
            VerificationStep::Payload | VerificationStep::Issuer | VerificationStep::Claims => {
                self.payload.is_some()
            }
            VerificationStep::Signature => jws::parts(self.case.token).is_ok(),
            _ => true,
        }
    }

    /// The issuer that `iss` names.
    fn issuer(&self) -> Option<(&Issuer, &KeySetStatus)> {
        let iss = self.payload.as_ref()?.member("iss").and_then(string)?;
        let named = |issuer: &&(&Issuer, KeySetStatus)| {
            issuer
                .0
                .accepted_issuers
                .iter()
                .any(|spelling| **spelling == *iss)
        };
        self.case
            .issuers
            .iter()
            .find(named)
            .map(|(issuer, keys)| (*issuer, keys))
    }

    /// Every `iss` that a bearer token may have.
    fn bearer_issuers(&self) -> Vec<&str> {
        let bearers = self
            .case
            .issuers
            .iter()
            .filter(|(issuer, _)| issuer.has_token_use(TokenUse::AccessToken));
        bearers
            .flat_map(|(issuer, _)| issuer.accepted_issuers.iter().map(AsRef::as_ref))
            .collect()
    }

    fn error(&self) -> Option<&AuthError> {
        self.case
            .result
            .as_ref()
            .err()
            .map(|refusal| &refusal.error)
    }

    fn header(&self, name: &str) -> String {
        member(self.header.as_ref(), name)
    }

    fn claim(&self, name: &str) -> String {
        member(self.payload.as_ref(), name)
    }

    fn header_members(&self) -> String {
        let Some(header) = &self.header else {
            return self.unreadable();
        };
        header
            .members()
            .map(|(name, _)| SanitizedText::of(name).to_string())
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn unreadable(&self) -> String {
        match self.error() {
            Some(AuthError::Header(HeaderError::Object(problem)) | AuthError::Payload(problem)) => {
                format!("not readable: {problem}")
            }
            _ => "not readable".to_owned(),
        }
    }

    /// The one member that is at fault, where the usual line does not show it: what it is, and what
    /// it would have to be.
    fn refused_member(&self) -> Option<(String, String)> {
        let shown = |object: &Option<StrictObject<'_>>, name: &str| {
            format!("{name} {}", json(object.as_ref(), name))
        };
        match self.error()? {
            AuthError::Header(HeaderError::NotAString(name)) => {
                Some((shown(&self.header, name), format!("{name}: a string")))
            }
            AuthError::Header(HeaderError::LongKid) => Some((
                shown(&self.header, "kid"),
                "kid: at most 256 bytes".to_owned(),
            )),
            AuthError::MissingClaim(name) if !matches!(&**name, "exp" | "aud" | "sub") => Some((
                shown(&self.payload, name),
                format!("{name} not absent, not null"),
            )),
            AuthError::InvalidClaim { name, problem } => {
                Some((shown(&self.payload, name), format!("{name}: {problem}")))
            }
            AuthError::NotYetValid { claim, at, now } => Some((
                format!("{claim} {at} ({})", distance(*at, *now)),
                format!("{claim} not ahead of this machine's clock"),
            )),
            _ => None,
        }
    }

    /// Time, audience and subject, without the one that [`refused_member`](Self::refused_member)
    /// has shown.
    fn usual_claims(&self) -> String {
        let shown = match self.error() {
            Some(AuthError::InvalidClaim { name, .. }) => &**name,
            _ => "",
        };
        let exp = self
            .claim("exp")
            .parse::<i64>()
            .ok()
            .map(Timestamp::from_unix);
        let exp = exp.map_or(self.claim("exp"), |at| {
            format!("{at} ({})", distance(at, self.case.now))
        });
        let claims = [
            ("exp", exp),
            ("aud", self.claim("aud")),
            ("sub", self.claim("sub")),
        ];
        let others = claims.into_iter().filter(|(name, _)| *name != shown);
        others
            .map(|(name, found)| format!("{name} {found}"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// What is at fault, before the rest of the line.
fn after(first: Option<String>, rest: String) -> String {
    match first {
        Some(first) if rest.is_empty() => first,
        Some(first) => format!("{first}; {rest}"),
        None => rest,
    }
}

/// A member as the token writes it, so that a string can be told from a number.
fn json(object: Option<&StrictObject<'_>>, name: &str) -> String {
    object.and_then(|object| object.member(name)).map_or_else(
        || "absent".to_owned(),
        |json| SanitizedText::of(json).to_string(),
    )
}

fn member(object: Option<&StrictObject<'_>>, name: &str) -> String {
    let Some(json) = object.and_then(|object| object.member(name)) else {
        return "absent".to_owned();
    };
    string(json).map_or_else(
        || SanitizedText::of(json).to_string(),
        |text| SanitizedText::of(&text).to_string(),
    )
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn names(algorithms: &[Algorithm]) -> String {
    algorithms
        .iter()
        .map(|algorithm| algorithm.name())
        .collect::<Vec<_>>()
        .join(" ")
}

fn published(keys: &KeySetStatus) -> String {
    let kids: Vec<&str> = keys
        .kids
        .iter()
        .map(|kid| kid.as_deref().unwrap_or("(no kid)"))
        .collect();
    let age = keys
        .age
        .map(|age| format!(", fetched {} s ago", age.as_secs()))
        .unwrap_or_default();
    if kids.is_empty() {
        format!("no keys ({})", keys.state())
    } else {
        format!("one of {}{age}", kids.join(", "))
    }
}

fn wanted(issuer: &Issuer) -> String {
    let audience = match &issuer.audiences {
        Audiences::OneOf(audiences) => audiences.join(" or "),
        Audiences::Any => "anything (configured)".to_owned(),
    };
    format!(
        "exp ahead (leeway {} s), aud {audience}, sub not empty",
        issuer.leeway.as_secs()
    )
}

/// In the two largest units: nobody acts on the seconds of a day.
fn distance(at: Timestamp, now: Timestamp) -> String {
    let seconds = |span: Duration| {
        let units = humantime::format_duration(Duration::from_secs(span.as_secs())).to_string();
        units.split(' ').take(2).collect::<Vec<_>>().join(" ")
    };
    if at > now {
        format!("in {}", seconds(at.since(now)))
    } else {
        format!("{} ago", seconds(now.since(at)))
    }
}

impl Explanation {
    /// Whether the token is accepted.
    pub fn is_accepted(&self) -> bool {
        self.refusal.is_none()
    }
}

impl KeySource {
    /// Where the keys come from, for people: an address without its query, which may hold a key,
    /// and no fixed key.
    pub fn describe(&self) -> String {
        match self {
            Self::Discovery => "OIDC discovery".to_owned(),
            Self::Url(url) => {
                let mut shown = url.clone();
                shown.set_query(url.query().map(|_| "***"));
                shown.into()
            }
            Self::Fixed(_) => "fixed keys of the configuration".to_owned(),
        }
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

impl fmt::Display for VerificationStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Size => "size",
            Self::Form => "form",
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Issuer => "issuer",
            Self::Algorithm => "algorithm",
            Self::Type => "type",
            Self::VerificationKey => "key",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Policy => "policy",
        })
    }
}
