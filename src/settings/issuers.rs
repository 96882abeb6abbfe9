//! The `[issuers.NAME]` sections: the trusted issuers.

use std::{collections::BTreeMap, path::PathBuf};

use ::config::{Map, Value, ValueKind};
use bearward::{
    Algorithm, Audiences, ClaimMapping, DpopMode, Issuer, IssuerError, KeySource, TokenUse,
    TypRule, keys::is_loopback,
};
use url::Url;

use super::{
    Problem,
    address::http_url,
    issuer_values::{
        accepted_issuers, algorithms, audiences, claim_names, claim_rules, key_set, names,
        required_claims, token_type,
    },
    provider::{self, ConfiguredProvider},
    raw::{Raw, boolean, name_of, one_of},
    redact::hidden,
    report::Report,
    section::{Reported, Section},
    units::{duration, format_duration},
};

/// The values of `use`.
const TOKEN_USES: &[(&str, TokenUse)] = &[
    ("bearer", TokenUse::AccessToken),
    ("credential", TokenUse::IdToken),
];

/// The values of `dpop`.
const DPOP_MODES: &[(&str, DpopMode)] = &[
    ("off", DpopMode::Off),
    ("accepted", DpopMode::Accepted),
    ("required", DpopMode::Required),
];

/// Reads every issuer. `allow_http` is the value of `jwks.allow_http`.
pub(super) fn read(
    tree: &mut Map<String, Value>,
    allow_http: bool,
    report: &mut Report,
) -> BTreeMap<String, Issuer> {
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
            let hint = "the name of an issuer may contain only lower-case letters, digits and _, because it is part of variable and metric names";
            section
                .report
                .problems
                .push(Problem::plain(format!("issuers.{name}: {hint}")));
        }
        let issuer = section
            .subsection(&name)
            .and_then(|section| read_issuer(&name, section, allow_http));
        if let Ok(issuer) = issuer {
            let duplicate = issuers.iter().find(|(_, other): &(_, &Issuer)| {
                issuer
                    .accepted_issuers()
                    .any(|iss| other.accepted_issuers().any(|other| other == iss))
            });
            if let Some((other, _)) = duplicate {
                section.report.conflict(
                    &[
                        &format!("issuers.{other}.issuer"),
                        &format!("issuers.{other}.provider"),
                        &format!("issuers.{name}.issuer"),
                        &format!("issuers.{name}.provider"),
                    ],
                    "each accepted issuer may be configured only once",
                );
            }
            issuers.insert(name, issuer);
        }
    }
    issuers
}

fn read_issuer(name: &str, mut section: Section<'_>, allow_http: bool) -> Result<Issuer, Reported> {
    let provider = provider::read(&mut section)?;
    let base = base(name, &mut section, provider);
    let first_party = section.optional("first_party", boolean);
    let logout_audiences = section.with_default("logout_audiences", Vec::new(), "", names);
    let keys = keys(&mut section, base.as_ref().ok(), allow_http);
    let tenants = section.with_default("tenants", Vec::new(), "", names);
    let file = |raw: Raw<'_>| raw.text().map(PathBuf::from);
    let token_file = section.optional("jwks_token_file", file);
    let headers_file = section.optional("jwks_headers_file", file);
    let issuer = base.as_ref();
    let default = issuer.map_or(Algorithm::DEFAULT, Issuer::accepted_algorithms);
    let default_names = default.iter().map(|algorithm| algorithm.name());
    let algorithms = section.with_default(
        "algorithms",
        default.to_vec(),
        &default_names.collect::<Vec<_>>().join(","),
        algorithms,
    );
    let default = issuer.map_or_else(|_| TypRule::default(), |issuer| issuer.typ_rule().clone());
    let written = type_text(&default);
    let token_type = section.with_default("token_type", default, &written, token_type);
    let leeway = section.with_default(
        "leeway",
        Issuer::LEEWAY.default,
        &format_duration(Issuer::LEEWAY.default),
        duration(Issuer::LEEWAY.range()),
    );
    let required_claims = section.with_default("required_claims", Vec::new(), "", required_claims);
    let require = section.with_default("require", Vec::new(), "", claim_rules);
    let is_credential = issuer.is_ok_and(|issuer| issuer.has_token_use(TokenUse::IdToken));
    let default = if is_credential {
        TokenUse::IdToken
    } else {
        TokenUse::AccessToken
    };
    let token_use = section.with_default(
        "use",
        default,
        name_of(TOKEN_USES, default),
        one_of(TOKEN_USES),
    );
    let dpop = section.with_default(
        "dpop",
        DpopMode::Off,
        name_of(DPOP_MODES, DpopMode::Off),
        one_of(DPOP_MODES),
    );
    let claims = section.subsection("claims").map(claims);
    let report = section.finish();
    let (base, algorithms, token_type) = (base?, algorithms?, token_type?);
    let (leeway, required_claims, token_use) = (leeway?, required_claims?, token_use?);
    let (claims, keys, tenants, require) = (claims?, keys?, tenants?, require?);
    let (first_party, logout_audiences, dpop) = (first_party?, logout_audiences?, dpop?);
    let (token_file, headers_file) = (token_file?, headers_file?);
    let build = || {
        let issuer = base
            .name(name)
            .algorithms(algorithms)?
            .leeway(leeway)?
            .token_type(token_type)
            .token_use(token_use)
            .dpop(dpop)
            .keys(keys);
        let issuer = first_party.into_iter().fold(issuer, Issuer::first_party);
        let issuer = token_file.into_iter().fold(issuer, Issuer::jwks_token_file);
        let issuer = headers_file
            .into_iter()
            .fold(issuer, Issuer::jwks_headers_file);
        let mut issuer = required_claims
            .into_iter()
            .fold(issuer, Issuer::require_claim_present);
        for (claim, value) in require {
            issuer = issuer.replace_claim_rule(&claim, value)?;
        }
        for (field, sources) in claims.fields {
            issuer = issuer.map_claim(field, sources)?;
        }
        if let Some(subject) = claims.subject {
            issuer = issuer.subject_from(subject)?;
        }
        issuer = issuer.logout_audiences(logout_audiences)?;
        if tenants.is_empty() {
            Ok(issuer)
        } else {
            issuer.tenants(tenants)
        }
    };
    let issuer = build().map_err(|error: IssuerError| error.to_string());
    let issuer = issuer.and_then(|issuer| match issuer.check_key_source() {
        Ok(()) => Ok(issuer),
        Err(error) => Err(error.to_string()),
    });
    issuer.map_err(|error| {
        report
            .problems
            .push(Problem::plain(format!("issuers.{name}: {error}")));
        Reported
    })
}

/// Reads who issues the tokens and for whom. The other properties are those of the provider, or the
/// defaults.
fn base(
    name: &str,
    section: &mut Section<'_>,
    provider: Option<ConfiguredProvider>,
) -> Result<Issuer, Reported> {
    let accepted_issuers = section.optional("issuer", accepted_issuers);
    let client_ids = section.with_default("client_ids", Vec::new(), "", names);
    let audiences = section.optional("audiences", audiences);
    let Some(provider) = provider else {
        return without_provider(name, section, accepted_issuers, client_ids, audiences);
    };
    let (accepted_issuers, client_ids, audiences) = (accepted_issuers?, client_ids?, audiences?);
    let issuer = provider.issuer(audiences, &client_ids);
    let issuer = issuer.and_then(|issuer| match accepted_issuers {
        Some(accepted) => Ok(issuer.replace_issuers(accepted)?),
        None => Ok(issuer),
    });
    issuer.map_err(|error| section.invalid(&error))
}

fn without_provider(
    name: &str,
    section: &mut Section<'_>,
    accepted_issuers: Result<Option<Vec<String>>, Reported>,
    client_ids: Result<Vec<String>, Reported>,
    audiences: Result<Option<Audiences>, Reported>,
) -> Result<Issuer, Reported> {
    let shortcut = match name {
        "supabase" => ", or set SUPABASE_URL",
        "google" => ", or set GOOGLE_CLIENT_ID",
        _ => "",
    };
    let accepted_issuers = section.require(
        "issuer",
        accepted_issuers,
        &format!("write the exact `iss` of its tokens, or the name of its provider{shortcut}"),
    );
    let audiences = match (audiences, &client_ids) {
        // The client is checked instead.
        (Ok(None), Ok(ids)) if !ids.is_empty() => Ok(Audiences::Any),
        (audiences, _) => section.require(
            "audiences",
            audiences,
            "write the expected `aud` of its tokens, such as [\"authenticated\"]; \"*\" accepts any audience. If its tokens have no `aud`, write \
             client_ids instead",
        ),
    };
    let (accepted_issuers, audiences, client_ids) = (accepted_issuers?, audiences?, client_ids?);
    let build = || {
        let canonical = accepted_issuers.first().cloned().unwrap_or_default();
        let issuer =
            Issuer::with_audiences(canonical, audiences)?.replace_issuers(accepted_issuers)?;
        if client_ids.is_empty() {
            Ok(issuer)
        } else {
            issuer.client_ids(client_ids)
        }
    };
    build().map_err(|error: IssuerError| section.invalid(&error))
}

/// Returns a rule in the notation of a variable.
fn type_text(rule: &TypRule) -> String {
    match rule {
        TypRule::Jwt => "jwt".to_owned(),
        TypRule::AtJwt => "at+jwt".to_owned(),
        TypRule::OneOf(media_types) => media_types.join(","),
    }
}

/// Where each mapped claim and the subject are found, as far as they are configured.
struct ClaimSources {
    fields: Vec<(&'static str, Vec<String>)>,
    subject: Option<Vec<String>>,
}

/// Reads `claims`. Invalid values are reported and skipped.
fn claims(mut section: Section<'_>) -> ClaimSources {
    let mut fields = Vec::new();
    for name in ClaimMapping::NAMES {
        let sources = section.optional(name, |raw| {
            let sources = claim_names(raw)?;
            ClaimMapping::default()
                .set_any_of(name, &sources)
                .map_err(|error| error.to_string())?;
            Ok(sources)
        });
        if let Ok(Some(sources)) = sources {
            fields.push((*name, sources));
        }
    }
    let subject = section.optional("subject", claim_names);
    section.finish();
    ClaimSources {
        fields,
        subject: subject.ok().flatten(),
    }
}

fn keys(
    section: &mut Section<'_>,
    issuer: Option<&Issuer>,
    allow_http: bool,
) -> Result<KeySource, Reported> {
    let is_allowed = |url: &Url| url.scheme() == "https" || is_loopback(url) || allow_http;
    let plain_http = "over plain http an attacker on the network can replace the keys; write https://, or set jwks.allow_http = true \
                      (BEARWARD_JWKS__ALLOW_HTTP) if you trust the network";
    let allowed_url = |raw: Raw<'_>| {
        let url = http_url(raw)?;
        if is_allowed(&url) {
            Ok(url)
        } else {
            Err(plain_http.to_owned())
        }
    };
    let urls = section.optional("jwks_url", |raw| {
        let urls = raw.one_or_list()?.into_iter();
        let parse = |text: &str| {
            allowed_url(Raw {
                kind: &ValueKind::from(text),
                is_text: raw.is_text,
            })
        };
        urls.map(parse).collect::<Result<Vec<_>, _>>()
    });
    let discovery_url = section.optional("discovery_url", allowed_url);
    let fixed = section.secret("jwks", hidden, key_set);
    match (urls?, discovery_url?, fixed?) {
        (Some(mut urls), None, None) => Ok(match (urls.pop(), urls.is_empty()) {
            (Some(only), true) => KeySource::Url(only),
            (last, _) => KeySource::Urls(urls.into_iter().chain(last).collect()),
        }),
        (None, Some(url), None) => Ok(KeySource::DiscoveryUrl(url)),
        (None, None, Some(text)) => Ok(KeySource::Fixed(text)),
        (urls, discovery_url, fixed) if urls.is_some() || discovery_url.is_some() => {
            let keys = [
                urls.map(|_| "jwks_url"),
                discovery_url.map(|_| "discovery_url"),
                fixed.map(|_| "jwks"),
            ];
            section.conflict(
                &keys.into_iter().flatten().collect::<Vec<_>>(),
                "set only one of jwks_url, discovery_url, jwks_file and jwks",
            );
            Err(Reported)
        }
        _ => {
            let issuer = issuer.ok_or(Reported)?;
            let location = match issuer.key_source() {
                KeySource::Discovery => Url::parse(issuer.iss()).ok(),
                KeySource::Url(url) => Some(url.clone()),
                KeySource::DiscoveryUrl(_) | KeySource::Urls(_) | KeySource::Fixed(_) => None,
            };
            let hint = match location.filter(|url| matches!(url.scheme(), "http" | "https")) {
                Some(url) if is_allowed(&url) => return Ok(issuer.key_source().clone()),
                Some(_) => plain_http,
                None => {
                    "OIDC discovery needs an https:// issuer; set jwks_url, discovery_url or jwks_file"
                }
            };
            section.conflict(&["issuer", "provider"], hint);
            Err(Reported)
        }
    }
}
