//! The `[issuers.NAME]` sections: the trusted issuers.

use std::{collections::BTreeMap, path::PathBuf};

use ::config::{Map, Value, ValueKind};
use bearward::{
    Algorithm, Audiences, ClaimMapping, Issuer, IssuerError, KeySource, TokenUse, TypRule,
    keys::is_loopback,
};
use url::Url;

use super::{
    Problem,
    address::http_url,
    issuer_values::{
        accepted_issuers, algorithms, audiences, claim_names, claim_rules, key_set, names,
        required_claims, token_type,
    },
    raw::{Raw, name_of, one_of},
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
                        &format!("issuers.{name}.issuer"),
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
    let shortcut = match name {
        "supabase" => ", or set SUPABASE_URL",
        "google" => ", or set GOOGLE_CLIENT_ID",
        _ => "",
    };
    let accepted_issuers = section.optional("issuer", accepted_issuers);
    let accepted_issuers = section.require(
        "issuer",
        accepted_issuers,
        &format!("write the exact `iss` of its tokens{shortcut}"),
    );
    let keys = keys(&mut section, accepted_issuers.as_ref().ok(), allow_http);
    let tenants = section.with_default("tenants", Vec::new(), "", names);
    let client_ids = section.with_default("client_ids", Vec::new(), "", names);
    let file = |raw: Raw<'_>| raw.text().map(PathBuf::from);
    let token_file = section.optional("jwks_token_file", file);
    let headers_file = section.optional("jwks_headers_file", file);
    let audiences = section.optional("audiences", audiences);
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
    let default = Algorithm::DEFAULT
        .iter()
        .map(|algorithm| algorithm.name())
        .collect::<Vec<_>>()
        .join(",");
    let algorithms = section.with_default(
        "algorithms",
        Algorithm::DEFAULT.to_vec(),
        &default,
        algorithms,
    );
    let token_type = section.with_default("token_type", TypRule::default(), "jwt", token_type);
    let leeway = section.with_default(
        "leeway",
        Issuer::LEEWAY.default,
        &format_duration(Issuer::LEEWAY.default),
        duration(Issuer::LEEWAY.range()),
    );
    let required_claims = section.with_default("required_claims", Vec::new(), "", required_claims);
    let require = section.with_default("require", Vec::new(), "", claim_rules);
    let default = TokenUse::default();
    let token_use = section.with_default(
        "use",
        default,
        name_of(TOKEN_USES, default),
        one_of(TOKEN_USES),
    );
    let claims = section.subsection("claims").map(claims);
    let report = section.finish();
    let (accepted_issuers, audiences, algorithms) = (accepted_issuers?, audiences?, algorithms?);
    let (token_type, leeway, required_claims) = (token_type?, leeway?, required_claims?);
    let (token_use, (claims, subject), keys) = (token_use?, claims?, keys?);
    let (tenants, client_ids, require) = (tenants?, client_ids?, require?);
    let (token_file, headers_file) = (token_file?, headers_file?);
    let build = || {
        let mut accepted_issuers = accepted_issuers.into_iter();
        let canonical = accepted_issuers.next().unwrap_or_default();
        let issuer = Issuer::with_audiences(canonical, audiences)?
            .name(name)
            .algorithms(algorithms)?
            .leeway(leeway)?
            .token_type(token_type)
            .token_use(token_use)
            .claim_mapping(claims)
            .keys(keys)
            .subject_from(subject)?;
        let issuer = accepted_issuers.fold(issuer, Issuer::issuer_alias);
        let issuer = token_file.into_iter().fold(issuer, Issuer::jwks_token_file);
        let issuer = headers_file
            .into_iter()
            .fold(issuer, Issuer::jwks_headers_file);
        let mut issuer = required_claims
            .into_iter()
            .fold(issuer, Issuer::require_claim_present);
        for (claim, value) in require {
            issuer = issuer.require_claim(&claim, value)?;
        }
        if !tenants.is_empty() {
            issuer = issuer.tenants(tenants)?;
        }
        if client_ids.is_empty() {
            Ok(issuer)
        } else {
            issuer.client_ids(client_ids)
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

/// Reads `claims`: where each mapped claim and the subject are found. Invalid values are reported
/// and skipped.
fn claims(mut section: Section<'_>) -> (ClaimMapping, Vec<String>) {
    let mut mapping = ClaimMapping::default();
    for name in ClaimMapping::NAMES {
        let changed = section.optional(name, |raw| {
            mapping
                .clone()
                .set_any_of(name, claim_names(raw)?)
                .map_err(|error| error.to_string())
        });
        if let Ok(Some(changed)) = changed {
            mapping = changed;
        }
    }
    let subject = section.optional("subject", claim_names);
    section.finish();
    let subject = subject.ok().flatten();
    (mapping, subject.unwrap_or_else(|| vec!["sub".to_owned()]))
}

fn keys(
    section: &mut Section<'_>,
    accepted_issuers: Option<&Vec<String>>,
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
            let canonical = accepted_issuers
                .ok_or(Reported)?
                .first()
                .and_then(|text| Url::parse(text).ok());
            let hint = match canonical.filter(|url| matches!(url.scheme(), "http" | "https")) {
                Some(url) if is_allowed(&url) => return Ok(KeySource::Discovery),
                Some(_) => plain_http,
                None => {
                    "OIDC discovery needs an https:// issuer; set jwks_url, discovery_url or jwks_file"
                }
            };
            section.conflict(&["issuer"], hint);
            Err(Reported)
        }
    }
}
