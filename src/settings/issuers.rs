//! The `[issuers.NAME]` sections: whose tokens are accepted, and for whom.

use std::{collections::BTreeMap, time::Duration};

use ::config::{Map, Value};
use bearward::{Algorithm, ClaimMapping, KeySource, TokenUse, TypRule, internals::is_loopback};
use url::Url;

use super::{
    Problem,
    address::http_url,
    issuer_values::{accepted_issuers, algorithms, audiences, key_set, pointer, required_claims},
    raw::one_of,
    redact::hidden,
    report::Report,
    section::{Reported, Section},
    units::duration,
};

/// One issuer's profile.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct IssuerSection {
    /// The accepted accepted_issuers of `iss`, the first one canonical. Never empty.
    pub accepted_issuers: Vec<String>,
    /// Where its keys come from.
    pub keys: KeySource,
    /// Whom a token must be for.
    pub audiences: Audiences,
    /// The algorithms that its tokens may be signed with. Never empty.
    pub algorithms: Vec<Algorithm>,
    /// Which `typ` its tokens carry.
    pub token_type: TypRule,
    /// How far clocks may differ; 300 s at most.
    pub leeway: Duration,
    /// Claims that must be present beside those that always must.
    pub required_claims: Vec<String>,
    /// What its tokens are good for.
    pub usage: TokenUse,
    /// JSON pointers (RFC 6901) by the name of what is found there: role, roles, scopes, tenant,
    /// email, aal, `session_id`.
    pub claims: BTreeMap<&'static str, String>,
}

/// Whom a token must be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audiences {
    /// `"*"`: anybody.
    Any,
    /// One of these.
    OneOf(Vec<String>),
}

/// Reads every issuer. `allow_http` is `[jwks] allow_http`.
pub(super) fn read(
    tree: &mut Map<String, Value>,
    allow_http: bool,
    report: &mut Report,
) -> BTreeMap<String, IssuerSection> {
    let mut issuers = BTreeMap::new();
    let Ok(mut section) = Section::open(tree, "", "issuers", report) else {
        return issuers;
    };
    for name in section.names() {
        if name.is_empty()
            || !name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        {
            let advice = "an issuer's name has lower-case letters, digits and _ only, so that variables and metrics can name it";
            section
                .report
                .problems
                .push(Problem::plain(format!("issuers.{name}: {advice}")));
        }
        let read = section
            .inner(&name)
            .and_then(|issuer| IssuerSection::read(&name, issuer, allow_http));
        if let Ok(read) = read {
            let taken = issuers.iter().find(|(_, other): &(_, &IssuerSection)| {
                read.accepted_issuers
                    .iter()
                    .any(|s| other.accepted_issuers.contains(s))
            });
            if let Some((other, _)) = taken {
                let advice = "one spelling of an issuer must belong to one profile";
                section.report.conflict(
                    &[
                        &format!("issuers.{other}.issuer"),
                        &format!("issuers.{name}.issuer"),
                    ],
                    advice,
                );
            }
            issuers.insert(name, read);
        }
    }
    issuers
}

impl IssuerSection {
    fn read(name: &str, mut section: Section<'_>, allow_http: bool) -> Result<Self, Reported> {
        let shortcut = match name {
            "supabase" => ", or set SUPABASE_URL",
            "google" => ", or set GOOGLE_CLIENT_ID",
            _ => "",
        };
        let accepted_issuers = section.optional("issuer", accepted_issuers);
        let accepted_issuers = section.present(
            "issuer",
            accepted_issuers,
            &format!("write the `iss` of its tokens, letter by letter{shortcut}"),
        );
        let keys = keys(&mut section, accepted_issuers.as_ref().ok(), allow_http);
        let audiences = section.optional("audiences", audiences);
        let whom = "name whom its tokens must be for, such as [\"authenticated\"]; \"*\" accepts any audience";
        let audiences = section.present("audiences", audiences, whom);
        let defaults = Algorithm::DEFAULT.map(Algorithm::name).join(",");
        let algorithms = section.or("algorithms", &defaults, algorithms);
        let token_type = section.or(
            "token_type",
            "jwt",
            one_of(&[("jwt", TypRule::Jwt), ("at+jwt", TypRule::AtJwt)]),
        );
        let leeway = section.or(
            "leeway",
            "30s",
            duration(Duration::ZERO..=Duration::from_mins(5)),
        );
        let required_claims = section.or("required_claims", "", required_claims);
        let usage = section.or(
            "use",
            "bearer",
            one_of(&[
                ("bearer", TokenUse::AccessToken),
                ("credential", TokenUse::IdToken),
            ]),
        );
        let claims = section.inner("claims").map(|mut claims| {
            let found = ClaimMapping::NAMES
                .iter()
                .filter_map(|name| Some((*name, claims.optional(name, pointer).ok()??)))
                .collect();
            claims.finish();
            found
        });
        section.finish();
        Ok(Self {
            accepted_issuers: accepted_issuers?,
            keys: keys?,
            audiences: audiences?,
            algorithms: algorithms?,
            token_type: token_type?,
            leeway: leeway?,
            required_claims: required_claims?,
            usage: usage?,
            claims: claims?,
        })
    }
}

fn keys(
    section: &mut Section<'_>,
    accepted_issuers: Option<&Vec<String>>,
    allow_http: bool,
) -> Result<KeySource, Reported> {
    let encrypted = |url: &Url| url.scheme() == "https" || is_loopback(url) || allow_http;
    let plain_http = "plain http would let anybody on the way swap the keys; write https://, or set jwks.allow_http = true \
                      (BEARWARD_JWKS__ALLOW_HTTP) for a network that you trust";
    let url = section.optional("jwks_url", |raw| {
        let url = http_url(raw)?;
        if encrypted(&url) {
            Ok(url)
        } else {
            Err(plain_http.to_owned())
        }
    });
    let fixed = section.secret("jwks", hidden, key_set);
    match (url?, fixed?) {
        (Some(_), Some(_)) => {
            section.conflict(
                &["jwks_url", "jwks"],
                "keys come from one place; keep one of jwks_url, jwks_file and jwks",
            );
            Err(Reported)
        }
        (Some(url), None) => Ok(KeySource::Url(url)),
        (None, Some(text)) => Ok(KeySource::Fixed(text)),
        (None, None) => {
            let canonical = accepted_issuers
                .ok_or(Reported)?
                .first()
                .and_then(|text| Url::parse(text).ok());
            let advice = match canonical.filter(|url| matches!(url.scheme(), "http" | "https")) {
                Some(url) if encrypted(&url) => return Ok(KeySource::Discovery),
                Some(_) => plain_http,
                None => {
                    "keys are discovered below an https:// issuer only; set jwks_url or jwks_file"
                }
            };
            section.conflict(&["issuer"], advice);
            Err(Reported)
        }
    }
}
