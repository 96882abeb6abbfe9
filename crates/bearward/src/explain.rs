//! Explains why a token is accepted or rejected, check by check.
//!
//! [`Bearward::explain`](crate::Bearward::explain) returns an [`Explanation`]: one [`StepReport`]
//! per check with the found and the expected values, and a next step for the person who has to fix
//! a rejected token. It is meant for developers and operators, not for responses to clients.
//!
//! ```
//! # use bearward::{Bearward, Issuer, KeySource, explain::Outcome};
//! # fn jwks() -> String {
//! #     r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#.to_owned()
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = Issuer::new("https://id.example.com/", "https://api.example.com")?
//!     .keys(KeySource::Fixed(jwks()));
//! let auth = Bearward::builder().issuer(issuer).build().await?;
//!
//! let explanation = auth.explain("eyJhbGciOiJub25lIn0.e30.").await;
//! assert!(!explanation.is_accepted());
//! let failed = explanation.steps.iter().find(|step| step.outcome == Outcome::Failed).unwrap();
//! assert_eq!(failed.step.to_string(), "format");
//! assert!(explanation.next_step.unwrap().contains("unsigned"));
//! # Ok(()) }
//! ```

mod mapped_claims;
mod next_step;
mod proof;
mod provider_hints;
mod report;

use std::{fmt, time::Duration};

use url::Url;

pub use self::mapped_claims::MappedClaim;

use super::{
    algorithm::Algorithm,
    client_certificate::ClientCertificate,
    client_claims::{self, ClientClaims},
    clock::Timestamp,
    dpop::ProofRequest,
    error::{AuthError, AuthFailure, FormatError, HeaderError, VerificationStep},
    issuer::{Audiences, ClientRule, Issuer, KeySource, TokenUse},
    json_pointer::JsonPointer,
    jws::{self, MAX_KID_BYTES},
    keys::KeySetStatus,
    strict_object::{StrictObject, parse_string},
    text::SanitizedText,
    verified::Verified,
};

/// The checks of a token, with the found and the expected values.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explanation {
    /// The checks, in the order of the pipeline.
    pub steps: Vec<StepReport>,
    /// What the issuer's claim mapping finds; empty if the issuer is unknown.
    pub claims: Vec<MappedClaim>,
    /// Why the token was rejected; `None` if it was accepted.
    pub failure: Option<AuthFailure>,
    /// What to do about the rejection; `None` if the token was accepted.
    pub next_step: Option<String>,
}

/// One check of an [`Explanation`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StepReport {
    /// The check.
    pub step: VerificationStep,
    /// The result.
    pub outcome: Outcome,
    /// The token's value. It is unverified unless the signature check passed.
    pub found: String,
    /// The accepted values.
    pub expected: String,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The check passed.
    Passed,
    /// The check is the reason for the rejection.
    Failed,
    /// The check did not run, because an earlier one failed.
    NotReached,
}

/// What an explanation is made from.
pub(crate) struct ExplainInput<'a> {
    pub(crate) token: &'a str,
    pub(crate) max_bytes: usize,
    /// The issuers with the states of their key sets.
    pub(crate) issuers: Vec<(&'a Issuer, Vec<KeySetStatus>)>,
    pub(crate) now: Timestamp,
    /// The certificate of the client.
    pub(crate) certificate: Option<ClientCertificate>,
    /// The number of entries of the revocation list.
    pub(crate) revocations: usize,
    /// The request with the proof of a bound token.
    pub(crate) proof: Option<&'a ProofRequest>,
    pub(crate) result: Result<Verified, AuthFailure>,
}

const STEPS: [VerificationStep; 12] = [
    VerificationStep::Size,
    VerificationStep::Format,
    VerificationStep::Header,
    VerificationStep::Payload,
    VerificationStep::Issuer,
    VerificationStep::Algorithm,
    VerificationStep::Type,
    VerificationStep::VerificationKey,
    VerificationStep::Signature,
    VerificationStep::Claims,
    VerificationStep::Revocation,
    VerificationStep::Possession,
];

pub(crate) fn explain(input: &ExplainInput<'_>) -> Explanation {
    // Malformed tokens are decoded as far as possible, so that the reports show their contents.
    let mut parts = input.token.split('.');
    let mut decoded = || {
        parts
            .next()
            .and_then(|part| jws::decode_base64url(part).ok())
            .unwrap_or_default()
    };
    let (header, payload) = (decoded(), decoded());
    let context = ExplainContext {
        input,
        header: StrictObject::parse(&header).ok(),
        payload: StrictObject::parse(&payload).ok(),
    };
    let failure = input.result.as_ref().err().cloned();
    let failed = failure.as_ref().map(|failure| failure.error.step());
    // An unsupported algorithm is rejected before the payload is parsed and the issuer selected.
    let is_unsupported_algorithm = matches!(
        context.error(),
        Some(AuthError::AlgorithmNotAllowed { allowed, .. }) if allowed.is_empty()
    );
    let outcome = |step: VerificationStep| match failed {
        Some(_)
            if is_unsupported_algorithm
                && step > VerificationStep::Header
                && step < VerificationStep::Algorithm =>
        {
            Outcome::NotReached
        }
        Some(failed) if step == failed => Outcome::Failed,
        Some(failed) if step > failed => Outcome::NotReached,
        _ => Outcome::Passed,
    };
    // Most tokens are not bound to anything.
    let is_bound = context
        .payload
        .as_ref()
        .is_some_and(|payload| payload.member("cnf").is_some());
    let steps = STEPS
        .into_iter()
        .filter(|step| is_bound || *step != VerificationStep::Possession);
    let steps = steps.map(|step| {
        let (found, expected) = context.describe(step);
        let outcome = outcome(step);
        let found = if outcome == Outcome::NotReached && !context.is_readable(step) {
            String::new()
        } else {
            found
        };
        StepReport {
            step,
            outcome,
            found,
            expected,
        }
    });
    let next_step = failure
        .as_ref()
        .map(|failure| next_step::next_step(&context, &failure.error));
    let claims = context.issuer().zip(context.payload.as_ref());
    Explanation {
        steps: steps.collect(),
        claims: claims.map_or_else(Vec::new, |((issuer, _), payload)| {
            mapped_claims::mapped_claims(payload, &issuer.claims)
        }),
        next_step,
        failure,
    }
}

struct ExplainContext<'a> {
    input: &'a ExplainInput<'a>,
    header: Option<StrictObject<'a>>,
    payload: Option<StrictObject<'a>>,
}

impl ExplainContext<'_> {
    /// Returns the found and the expected value of a check.
    fn describe(&self, step: VerificationStep) -> (String, String) {
        let issuer = self.issuer();
        match step {
            VerificationStep::Size => (
                format!("{} bytes", self.input.token.len()),
                format!("at most {} bytes", self.input.max_bytes),
            ),
            VerificationStep::Format => {
                let parts = count(self.input.token.split('.').count(), "part");
                let found = match self.error() {
                    Some(AuthError::Format(
                        error @ (FormatError::Empty
                        | FormatError::Base64
                        | FormatError::LongSignature),
                    )) => {
                        format!("{parts}, {error}")
                    }
                    _ => parts,
                };
                (found, "3 parts of base64url without padding".to_owned())
            }
            VerificationStep::Header => {
                let (found, expected) = self.invalid_member(step).unzip();
                (
                    prefix(found, self.header_members()),
                    prefix(
                        expected,
                        "one JSON object with alg, without crit and b64".to_owned(),
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
                    "one JSON object without duplicate names".to_owned(),
                )
            }
            VerificationStep::Issuer => (self.claim("iss"), self.accepted_issuers()),
            VerificationStep::Algorithm => {
                let accepted = issuer.map_or(Algorithm::ALL, |(issuer, _)| &issuer.algorithms);
                (self.header("alg"), algorithm_names(accepted))
            }
            VerificationStep::Type => {
                let expected = issuer.map_or_else(String::new, |(issuer, _)| {
                    issuer.token_type.describe().into_owned()
                });
                (self.header("typ"), expected)
            }
            VerificationStep::VerificationKey => (
                format!("kid {}, alg {}", self.header("kid"), self.header("alg")),
                issuer.map_or_else(String::new, |(_, keys)| published_keys(keys)),
            ),
            VerificationStep::Signature => (
                "the third part of the token (not shown)".to_owned(),
                format!(
                    "a signature of header and payload by the key with kid {}",
                    self.header("kid")
                ),
            ),
            VerificationStep::Claims => {
                let (found, expected) = self.invalid_member(step).unzip();
                let expected_claims =
                    issuer.map_or_else(String::new, |(issuer, _)| expected_claims(issuer));
                (
                    prefix(found, self.main_claims()),
                    prefix(expected, expected_claims),
                )
            }
            VerificationStep::Possession => self.possession(),
            VerificationStep::Revocation => {
                let found = match self.error() {
                    Some(AuthError::Revoked { kind }) => format!("{kind} revoked"),
                    _ if self.input.revocations == 0 => "no revocations".to_owned(),
                    _ => "not revoked".to_owned(),
                };
                (found, "not revoked".to_owned())
            }
            VerificationStep::Source | VerificationStep::Requirement => {
                (String::new(), String::new())
            }
        }
    }

    /// Returns whether the part of the token that a check needs could be decoded.
    fn is_readable(&self, step: VerificationStep) -> bool {
        match step {
            VerificationStep::Header
            | VerificationStep::Algorithm
            | VerificationStep::Type
            | VerificationStep::VerificationKey => self.header.is_some(),
            VerificationStep::Payload
            | VerificationStep::Issuer
            | VerificationStep::Claims
            | VerificationStep::Possession => self.payload.is_some(),
            VerificationStep::Signature => jws::split(self.input.token).is_ok(),
            VerificationStep::Revocation => false,
            _ => true,
        }
    }

    /// Returns the issuer that accepts the token's `iss`.
    fn issuer(&self) -> Option<(&Issuer, &[KeySetStatus])> {
        let iss = self
            .payload
            .as_ref()?
            .member("iss")
            .and_then(parse_string)?;
        self.input
            .issuers
            .iter()
            .find(|(issuer, _)| issuer.accepts_iss(&iss))
            .map(|(issuer, keys)| (*issuer, keys.as_slice()))
    }

    /// Describes what the sender possesses, and what the token is bound to.
    fn possession(&self) -> (String, String) {
        let certificate = self.input.certificate.map_or_else(
            || "no client certificate".to_owned(),
            |certificate| format!("client certificate {}", certificate.thumbprint()),
        );
        match self.input.proof {
            None => (certificate, self.bound_certificate()),
            Some(request) => proof::describe(self, request),
        }
    }

    /// Describes the client certificate that the token is bound to.
    fn bound_certificate(&self) -> String {
        let thumbprint = self.payload.as_ref().and_then(|payload| {
            let methods = StrictObject::parse(payload.member("cnf")?.as_bytes()).ok()?;
            parse_string(methods.member("x5t#S256")?)
        });
        thumbprint.map_or_else(
            || "none".to_owned(),
            |thumbprint| format!("client certificate {}", SanitizedText::new(&thumbprint)),
        )
    }

    /// Describes every accepted `iss` of a bearer token.
    fn accepted_issuers(&self) -> String {
        let bearer = self
            .input
            .issuers
            .iter()
            .filter(|(issuer, _)| issuer.has_token_use(TokenUse::AccessToken));
        bearer
            .flat_map(|(issuer, _)| match issuer.template_description() {
                Some(template) => vec![template],
                None => issuer.accepted_issuers().map(str::to_owned).collect(),
            })
            .collect::<Vec<_>>()
            .join(" or ")
    }

    /// Returns every accepted `iss` of a bearer token.
    fn bearer_issuers(&self) -> Vec<&str> {
        self.input
            .issuers
            .iter()
            .filter(|(issuer, _)| issuer.has_token_use(TokenUse::AccessToken))
            .flat_map(|(issuer, _)| issuer.accepted_issuers.iter().map(AsRef::as_ref))
            .collect()
    }

    /// Returns the number of configured issuers of bearer tokens, of which each may accept several
    /// values of `iss`.
    fn bearer_issuer_count(&self) -> usize {
        let issuers = self.input.issuers.iter();
        issuers
            .filter(|(issuer, _)| issuer.has_token_use(TokenUse::AccessToken))
            .count()
    }

    /// Returns the tenant in an `iss` that has the form of an issuer with a placeholder, whose list of
    /// tenants does not contain it.
    fn unlisted_tenant<'a>(&self, iss: &'a str) -> Option<&'a str> {
        let templates = self
            .input
            .issuers
            .iter()
            .filter_map(|(issuer, _)| issuer.template.as_ref());
        templates
            .filter(|template| !template.accepts(iss))
            .find_map(|template| template.tenant(iss))
    }

    fn error(&self) -> Option<&AuthError> {
        self.input
            .result
            .as_ref()
            .err()
            .map(|failure| &failure.error)
    }

    fn header(&self, name: &str) -> String {
        member(self.header.as_ref(), name)
    }

    fn claim(&self, name: &str) -> String {
        member(self.payload.as_ref(), name)
    }

    /// Returns the claim of a rule, given by name or JSON pointer, as JSON text.
    fn claim_at(&self, claim: &str) -> String {
        let found = self.payload.as_ref().and_then(|payload| {
            let pointer = JsonPointer::from_pointer_or_name(claim).ok()?;
            payload.resolve(&pointer)
        });
        found.map_or_else(
            || "absent".to_owned(),
            |json| SanitizedText::new(json).to_string(),
        )
    }

    fn header_members(&self) -> String {
        let Some(header) = &self.header else {
            return self.unreadable();
        };
        header
            .members()
            .map(|(name, _)| SanitizedText::new(name).to_string())
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn unreadable(&self) -> String {
        match self.error() {
            Some(AuthError::Header(HeaderError::Object(error)) | AuthError::Payload(error)) => {
                format!("unreadable: {error}")
            }
            _ => "unreadable".to_owned(),
        }
    }

    /// Returns the found and expected value of the member that failed a step, unless the reports show
    /// that member anyway.
    fn invalid_member(&self, step: VerificationStep) -> Option<(String, String)> {
        let found = |object: &Option<StrictObject<'_>>, name: &str| {
            format!("{name} {}", json(object.as_ref(), name))
        };
        let error = self.error()?;
        if error.step() != step {
            return None;
        }
        match error {
            AuthError::Header(HeaderError::NotAString(name)) => {
                Some((found(&self.header, name), format!("{name}: a string")))
            }
            AuthError::Header(HeaderError::LongKid) => Some((
                found(&self.header, "kid"),
                format!("kid: at most {MAX_KID_BYTES} bytes"),
            )),
            AuthError::MissingClaim(name) if !matches!(&**name, "exp" | "aud" | "sub") => Some((
                found(&self.payload, name),
                format!("{name} present and not null"),
            )),
            AuthError::InvalidClaim { name, problem } => {
                Some((found(&self.payload, name), format!("{name}: {problem}")))
            }
            AuthError::UnexpectedClaim { name, expected } => {
                let found = self.claim_at(name);
                Some((format!("{name} {found}"), format!("{name}: {expected}")))
            }
            AuthError::ClientNotAllowed { found, expected } => {
                let found: Vec<String> = found
                    .iter()
                    .map(|(name, client)| format!("{name} {client}"))
                    .collect();
                let found = if found.is_empty() {
                    format!("none of {}", client_claims::NAMES.join(", "))
                } else {
                    found.join(", ")
                };
                Some((found, format!("client {}", expected.join(" or "))))
            }
            AuthError::NotYetValid { claim, at, now } => Some((
                format!("{claim} {at} ({})", relative_time(*at, *now)),
                format!("{claim} not later than the clock of this machine"),
            )),
            _ => None,
        }
    }

    /// Lists `exp`, `aud` and `sub`, except one that [`invalid_member`](Self::invalid_member)
    /// returns.
    fn main_claims(&self) -> String {
        let invalid = match self.error() {
            Some(
                AuthError::InvalidClaim { name, .. } | AuthError::UnexpectedClaim { name, .. },
            ) => &**name,
            _ => "",
        };
        let exp = self
            .claim("exp")
            .parse::<i64>()
            .ok()
            .map(Timestamp::from_unix);
        let exp = exp.map_or(self.claim("exp"), |at| {
            format!("{at} ({})", relative_time(at, self.input.now))
        });
        let mut claims = vec![
            ("exp", exp),
            ("aud", self.claim("aud")),
            ("sub", self.claim("sub")),
        ];
        if let Some((issuer, _)) = self.issuer() {
            if issuer.client_rule() != ClientRule::Any
                && !matches!(self.error(), Some(AuthError::ClientNotAllowed { .. }))
                && let Some(payload) = &self.payload
            {
                let found = ClientClaims::new(payload).found();
                claims.extend(
                    found
                        .into_iter()
                        .map(|(name, client)| (name, client.to_string())),
                );
            }
            claims.extend(
                issuer
                    .claim_rules
                    .iter()
                    .map(|rule| (rule.claim(), self.claim_at(rule.claim()))),
            );
        }
        claims
            .into_iter()
            .filter(|(name, _)| *name != invalid)
            .map(|(name, found)| format!("{name} {found}"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// Joins the invalid member, if there is one, and the rest of a report.
fn prefix(first: Option<String>, rest: String) -> String {
    match first {
        Some(first) if rest.is_empty() => first,
        Some(first) => format!("{first}; {rest}"),
        None => rest,
    }
}

/// Returns a member as JSON text, which distinguishes strings from numbers.
fn json(object: Option<&StrictObject<'_>>, name: &str) -> String {
    object.and_then(|object| object.member(name)).map_or_else(
        || "absent".to_owned(),
        |json| SanitizedText::new(json).to_string(),
    )
}

/// Returns a member as text: the content of a string, or other JSON as written.
fn member(object: Option<&StrictObject<'_>>, name: &str) -> String {
    let Some(json) = object.and_then(|object| object.member(name)) else {
        return "absent".to_owned();
    };
    parse_string(json).map_or_else(
        || SanitizedText::new(json).to_string(),
        |text| SanitizedText::new(&text).to_string(),
    )
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn algorithm_names(algorithms: &[Algorithm]) -> String {
    algorithms
        .iter()
        .map(|algorithm| algorithm.name())
        .collect::<Vec<_>>()
        .join(" ")
}

fn published_keys(key_sets: &[KeySetStatus]) -> String {
    let describe = |keys: &KeySetStatus| {
        let kids: Vec<&str> = keys.kids().map(|kid| kid.unwrap_or("(no kid)")).collect();
        let age = keys
            .age
            .map(|age| format!(", fetched {} s ago", age.as_secs()))
            .unwrap_or_default();
        let label = keys
            .label
            .as_ref()
            .map(|label| format!(" from {label}"))
            .unwrap_or_default();
        if kids.is_empty() {
            format!("no keys{label} ({})", keys.state())
        } else {
            format!("one of {}{label}{age}", kids.join(", "))
        }
    };
    let described: Vec<_> = key_sets.iter().map(describe).collect();
    described.join("; or ")
}

fn expected_claims(issuer: &Issuer) -> String {
    let audience = match &issuer.audiences {
        Audiences::OneOf(audiences) => audiences.join(" or "),
        Audiences::Any => "any or none (as configured)".to_owned(),
    };
    let mut expected = vec![
        format!("exp in the future (leeway {} s)", issuer.leeway.as_secs()),
        format!("aud {audience}"),
        "sub not empty".to_owned(),
    ];
    expected.extend(issuer.client_description());
    if let Some(template) = &issuer.template {
        expected.push(format!("{} the tenant in iss", template.claim()));
    }
    expected.extend(issuer.claim_rules.iter().map(ToString::to_string));
    expected.join(", ")
}

/// Formats a time relative to now in its two largest units, for example `1h 5m ago`.
fn relative_time(at: Timestamp, now: Timestamp) -> String {
    let format = |duration: Duration| {
        let seconds = Duration::from_secs(duration.as_secs());
        let units = humantime::format_duration(seconds).to_string();
        units.split(' ').take(2).collect::<Vec<_>>().join(" ")
    };
    if at > now {
        format!("in {}", format(at.since(now)))
    } else {
        format!("{} ago", format(now.since(at)))
    }
}

impl Explanation {
    /// Returns whether the token is accepted.
    pub fn is_accepted(&self) -> bool {
        self.failure.is_none()
    }
}

impl KeySource {
    /// Describes the source for logs and reports. The query of a URL, which may contain a secret,
    /// and fixed keys are omitted.
    pub fn describe(&self) -> String {
        match self {
            Self::Discovery => "OIDC discovery".to_owned(),
            Self::DiscoveryUrl(url) => format!("the metadata at {}", without_query(url)),
            Self::Url(url) => without_query(url),
            Self::Urls(urls) => urls
                .iter()
                .map(without_query)
                .collect::<Vec<_>>()
                .join(" and "),
            Self::Fixed(_) => "fixed keys from the configuration".to_owned(),
        }
    }
}

fn without_query(url: &Url) -> String {
    let mut redacted = url.clone();
    redacted.set_query(url.query().map(|_| "***"));
    redacted.into()
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}
