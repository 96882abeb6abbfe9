//! `bearward check`: validates the configuration and reaches every issuer and the database.

use std::borrow::Cow;

use anstyle::Style;
use bearward::{
    keys::{FetchError, FetchErrorKind, KeySetState, KeySetStatus, UsableKey},
    {Audiences, Bearward, Clock, Issuer, KeySource, ServiceKey, SystemClock},
};
use clap::Args;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{Failure, load, style, wrap::indented};
use crate::{
    server::{self, StartError, tls::LoadedCertificate},
    settings::{ClientAuth, Config, ConfigErrors, Sources},
    store::{SchemaStatus, Store},
    telemetry,
};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Options {
    /// Print every effective value of the configuration and its source, with secrets masked
    #[arg(long)]
    values: bool,
    /// Print one JSON object instead of a table
    #[arg(long, conflicts_with = "values")]
    json: bool,
}

const AFTER_HELP: &str = "\
Uses the same configuration as serve:
  SUPABASE_URL=https://YOUR-PROJECT.supabase.co bearward check

The last line is the verdict. Exit codes:
  0  `bearward serve` can start, the keys of every issuer can be fetched, the
     database is usable and the TLS certificate has not expired
  1  one of them cannot be used; the output says what to do
  2  the configuration is invalid, and `bearward serve` does not start";

/// Why the configuration cannot be used.
struct Invalid {
    failure: Failure,
    problems: usize,
}

impl From<ConfigErrors> for Invalid {
    fn from(errors: ConfigErrors) -> Self {
        Self {
            problems: errors.problems().len(),
            failure: errors.into(),
        }
    }
}

impl From<Failure> for Invalid {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            problems: 1,
        }
    }
}

impl From<StartError> for Invalid {
    fn from(error: StartError) -> Self {
        Failure::from(error).into()
    }
}

pub(super) async fn run(sources: &Sources, options: Options) -> Result<(), Failure> {
    let is_json = options.json;
    let problems = match check(sources, options).await {
        Ok(problems) => problems,
        Err(invalid) if is_json => return Err(invalid.failure),
        Err(Invalid { failure, problems }) => {
            super::print_error(&failure);
            print_verdict(problems);
            return Err(match failure {
                Failure::Usage(_) => Failure::UsageAlreadyReported,
                _ => Failure::AlreadyReported,
            });
        }
    };
    if !is_json {
        print_verdict(problems);
    }
    if problems == 0 {
        Ok(())
    } else {
        Err(Failure::AlreadyReported)
    }
}

/// Prints the last line.
fn print_verdict(problems: usize) {
    let (good, bad, plain) = (style::GOOD, style::BAD, style::PLAIN);
    match problems {
        0 => anstream::println!("{good}valid:{plain} `bearward serve` can start"),
        1 => anstream::println!("{bad}not valid:{plain} 1 problem"),
        _ => anstream::println!("{bad}not valid:{plain} {problems} problems"),
    }
}

/// Does what `serve` does before it listens, reaches the issuers and the database, and prints the
/// results. Returns the number of issuers and databases that cannot be used.
async fn check(sources: &Sources, options: Options) -> Result<usize, Invalid> {
    let config = load(sources)?;
    let (plain, strong) = (style::PLAIN, style::STRONG);
    if options.values {
        anstream::println!("{}", config.redacted());
    }
    config.require_issuer()?;
    let _traces = telemetry::start_traces(&config.telemetry).map_err(Failure::from)?;
    let (auth, certificate) = server::check(&config).await?;
    let now = OffsetDateTime::now_utc();
    let is_expired = certificate
        .as_ref()
        .is_some_and(|certificate| certificate.validity.is_expired(now));
    if !options.json {
        anstream::println!(
            "{strong}configuration{plain} {}valid{plain}{}",
            style::GOOD,
            environment_text(&config.environment)
        );
        if config.vault.keys.is_empty() {
            anstream::println!(
                "{strong}vault{plain} {}no key{plain}: users' API keys cannot be stored (vault.keys)",
                style::NOTE
            );
        }
        if let Some(certificate) = &certificate {
            print_certificate(certificate, &config);
        }
        for service in &config.service_keys {
            print_service(service);
        }
    }
    auth.wait_for_initial_fetch().await;
    let sets = auth.key_set_statuses();
    let database = Store::schema_status(&config.database).await;
    let unusable = sets.iter().filter(|set| !is_healthy(set)).count();
    let problems = unusable + usize::from(database.is_err()) + usize::from(is_expired);
    if options.json {
        let issuers: Vec<_> = with_key_sets(&auth, &sets)
            .flat_map(|(issuer, sets)| sets.iter().map(move |set| issuer_json(&issuer, set)))
            .collect();
        let database = match database {
            Ok(schema) => json!({ "sound": true, "state": schema_text(&schema) }),
            Err(error) => json!({ "sound": false, "problem": error.to_string() }),
        };
        let report = json!({ "sound": problems == 0, "environment": config.environment, "issuers": issuers, "database": database,
            "tls": certificate.map(|certificate| certificate_json(&certificate)),
            "service_keys": config.service_keys.iter().map(service_json).collect::<Vec<_>>() });
        anstream::println!("{report:#}");
        return Ok(problems);
    }
    for (issuer, sets) in with_key_sets(&auth, &sets) {
        for set in sets {
            print_issuer(&issuer, set);
        }
    }
    match &database {
        Ok(schema) => anstream::println!(
            "{strong}database{plain} {}{}{plain}",
            style::GOOD,
            indented(&schema_text(schema), 9)
        ),
        Err(error) => anstream::println!(
            "{strong}database{plain} {}NOT USABLE{plain}\n  problem {}",
            style::BAD,
            indented(&error.to_string(), 10)
        ),
    }
    Ok(problems)
}

/// Prints a service, the ids of its keys, its scopes and its expiry. A service whose keys have expired
/// is not a problem of the server, which rejects them.
fn print_service(service: &ServiceKey) {
    let (plain, strong) = (style::PLAIN, style::STRONG);
    let scopes: Vec<&str> = service.scopes().collect();
    let scopes = match &scopes[..] {
        [] => "no scopes".to_owned(),
        scopes => format!("scopes {}", scopes.join(" ")),
    };
    let expiry = match service.expires_at() {
        None => String::new(),
        Some(at) if is_expired(service) => format!(", {}EXPIRED{plain} at {at}", style::NOTE),
        Some(at) => format!(", until {at}"),
    };
    let ids: Vec<String> = service.key_ids().collect();
    anstream::println!(
        "{strong}service{plain} {}: key {}, {scopes}{expiry}",
        service.name(),
        ids.join(", ")
    );
}

fn service_json(service: &ServiceKey) -> Value {
    json!({ "name": service.name(), "key_ids": service.key_ids().collect::<Vec<_>>(),
        "scopes": service.scopes().collect::<Vec<_>>(), "expires": service.expires_at().map(|at| at.to_string()),
        "expired": is_expired(service) })
}

fn is_expired(service: &ServiceKey) -> bool {
    service
        .expires_at()
        .is_some_and(|at| at <= SystemClock::new().now())
}

/// Prints the TLS certificate of the server.
fn print_certificate(certificate: &LoadedCertificate, config: &Config) {
    let (plain, strong, now) = (style::PLAIN, style::STRONG, OffsetDateTime::now_utc());
    let validity = certificate.validity;
    let days = validity.days_left(now);
    let (color, state) = if validity.is_expired(now) {
        (style::BAD, format!("CERTIFICATE EXPIRED at {validity}"))
    } else if validity.is_not_yet_valid(now) {
        (
            style::NOTE,
            format!("certificate not valid yet, until {validity}: check the clock"),
        )
    } else if validity.is_renewal_due(now) {
        (
            style::NOTE,
            format!("certificate expires soon, at {validity} ({days} days)"),
        )
    } else {
        (
            style::GOOD,
            format!("certificate until {validity} ({days} days)"),
        )
    };
    let clients = match config.server.tls.as_ref().map(|tls| &tls.client_auth) {
        Some(ClientAuth::Optional(_)) => ", client certificates optional",
        Some(ClientAuth::Required(_)) => ", client certificates required",
        _ => "",
    };
    anstream::println!("{strong}tls{plain} {color}{state}{plain}{clients}");
    if certificate.chain_length == 1 && !validity.is_self_issued() {
        anstream::println!(
            "  {}note{plain} cert_file has no intermediate certificate: if the authority uses one, most clients reject the server; with \
             certbot the file is fullchain.pem",
            style::NOTE
        );
    }
}

fn certificate_json(certificate: &LoadedCertificate) -> Value {
    let validity = certificate.validity;
    json!({
        "sound": !validity.is_expired(OffsetDateTime::now_utc()),
        "expires": validity.to_string(),
        "certificates": certificate.chain_length,
    })
}

/// Returns the issuers with their key sets, which are in the same order.
fn with_key_sets<'a>(
    auth: &Bearward,
    sets: &'a [KeySetStatus],
) -> impl Iterator<Item = (Issuer, &'a [KeySetStatus])> {
    auth.issuers()
        .into_iter()
        .zip(sets.chunk_by(|one, next| one.issuer == next.issuer))
}

fn environment_text(environment: &str) -> String {
    if environment.is_empty() {
        String::new()
    } else {
        format!(", environment {environment}")
    }
}

fn schema_text(schema: &SchemaStatus) -> String {
    match schema {
        SchemaStatus::NoFile(path) => format!(
            "sqlite: {} does not exist yet; serve creates it",
            path.display()
        ),
        SchemaStatus::UpToDate(kind) => format!("{kind}: connected, schema up to date"),
        SchemaStatus::Behind(kind, pending) => format!(
            "{kind}: connected; serve will apply pending migrations ({})",
            pending.join(", ")
        ),
    }
}

fn print_issuer(issuer: &Issuer, set: &KeySetStatus) {
    let (plain, strong, faint) = (style::PLAIN, style::STRONG, style::FAINT);
    let (text, color) = match set.state {
        KeySetState::Fixed => ("keys configured", style::GOOD),
        _ if is_healthy(set) => ("keys fetched", style::GOOD),
        _ if set.state.is_usable() => ("KEYS NOT FETCHED, using stored keys", style::BAD),
        _ => ("NO KEYS", style::BAD),
    };
    anstream::println!(
        "{strong}issuer {}{plain} {} {color}{text}{plain}",
        set.issuer,
        issuer.iss()
    );
    anstream::println!("  {faint}keys from{plain} {}", keys_from(issuer, set));
    for rule in accepted_tokens(issuer) {
        let rule = indented(&rule, 10);
        anstream::println!("  {faint}accepts{plain} {rule}");
    }
    for key in &set.usable {
        print_usable(key);
    }
    for key in &set.ignored {
        let key = indented(&key.to_string(), 10);
        anstream::println!("  {}skipped{plain} {key}", style::NOTE);
    }
    if let Some(ahead) = set.clock_ahead_seconds {
        let (color, text) = clock_skew_text(ahead);
        anstream::println!("  {color}{text}{plain}");
    }
    if let Some(error) = &set.last_error {
        let problem = indented(&error.to_string(), 10);
        anstream::println!("  {}problem{plain} {problem}", style::BAD);
        let advice = indented(&advice(error, issuer), 8);
        anstream::println!("  {strong}next:{plain} {advice}");
    }
}

fn print_usable(key: &UsableKey) {
    let algorithms: Vec<&str> = key.algorithms.iter().map(|alg| alg.name()).collect();
    anstream::println!(
        "  {}usable{}  {} ({})",
        style::GOOD,
        style::PLAIN,
        key.kid.as_deref().unwrap_or("(no kid)"),
        algorithms.join(" ")
    );
    if key.has_roca_fingerprint {
        let roca = indented(ROCA, 10);
        anstream::println!("  {}weak{}    {roca}", style::NOTE, style::PLAIN);
    }
}

/// What is wrong with a key that has the ROCA fingerprint.
const ROCA: &str = "this key has the ROCA fingerprint (CVE-2017-15361): its private key can probably be computed; \
                    have the issuer replace it with a key that other software generated";

/// Whether tokens can be verified and the last fetch succeeded.
fn is_healthy(set: &KeySetStatus) -> bool {
    set.state.is_usable() && set.last_error.is_none()
}

fn issuer_json(issuer: &Issuer, set: &KeySetStatus) -> Value {
    let skipped: Vec<_> = set
        .ignored
        .iter()
        .map(|key| json!({ "kid": key.kid.as_ref().map(ToString::to_string), "reason": key.reason.to_string() }))
        .collect();
    json!({
        "name": set.issuer,
        "issuer": issuer.iss(),
        "keys_from": keys_from(issuer, set),
        "accepts": accepted_tokens(issuer),
        "sound": is_healthy(set),
        "state": set.state(),
        "usable": set.kids().collect::<Vec<_>>(),
        "weak": set.usable.iter().filter(|key| key.has_roca_fingerprint).map(|key| &key.kid).collect::<Vec<_>>(),
        "skipped": skipped,
        "clock_ahead_seconds": set.clock_ahead_seconds,
        "problem": set.last_error.as_ref().map(ToString::to_string),
        "advice": set.last_error.as_ref().map(|error| advice(error, issuer)),
    })
}

/// Describes the rules beyond the canonical issuer that tokens must meet.
fn accepted_tokens(issuer: &Issuer) -> Vec<String> {
    let aliases = issuer
        .accepted_issuers()
        .skip(1)
        .map(|iss| format!("iss {iss}"));
    let audience = match issuer.accepted_audiences() {
        Audiences::OneOf(audiences) => format!("aud {}", audiences.join(" or ")),
        Audiences::Any => "any aud, or none".to_owned(),
    };
    let rules = issuer
        .claim_rules()
        .iter()
        .map(|rule| format!("claim {rule}"));
    let present = issuer
        .required_claims()
        .map(|name| format!("claim {name} present"));
    issuer
        .template_description()
        .into_iter()
        .chain(aliases)
        .chain([audience])
        .chain(issuer.client_description())
        .chain(rules)
        .chain(present)
        .collect()
}

fn keys_from(issuer: &Issuer, set: &KeySetStatus) -> String {
    if let Some(label) = &set.label {
        return label.clone();
    }
    match issuer.key_source() {
        KeySource::Discovery => format!(
            "{}/.well-known/openid-configuration",
            issuer.iss().trim_end_matches('/')
        ),
        source => source.describe(),
    }
}

/// Describes the clock difference to the server. A `Date` field has a resolution of one second and
/// the response takes time, so small differences are not reported.
fn clock_skew_text(ahead_seconds: i64) -> (Style, String) {
    let seconds = ahead_seconds.unsigned_abs();
    let relation = if ahead_seconds < 0 {
        "ahead of"
    } else {
        "behind"
    };
    match seconds {
        0..=2 => (
            style::FAINT,
            "its clock agrees with this machine's clock".to_owned(),
        ),
        3..=5 => (
            style::FAINT,
            format!("its clock is {seconds} s {relation} this machine's clock"),
        ),
        _ => (
            style::NOTE,
            format!(
                "its clock is {seconds} s {relation} this machine's clock: synchronize this machine with NTP"
            ),
        ),
    }
}

/// Whether the issuer is a Supabase project, so that advice about its dashboard helps.
fn is_supabase(issuer: &Issuer) -> bool {
    issuer.iss().ends_with("/auth/v1")
}

/// Says what to do about a failed fetch.
fn advice(error: &FetchError, issuer: &Issuer) -> Cow<'static, str> {
    let credentials = issuer.key_credentials();
    let advice = match &error.kind {
        FetchErrorKind::ConnectionRefused => {
            "no server accepts connections on that host and port: start the identity provider or correct the URL, \
             and test it from this machine with `curl -i` and the URL above"
        }
        FetchErrorKind::NameResolution => {
            "is the host name in the URL right? If it is, check this machine's DNS; a proxy is configured with jwks.proxy"
        }
        FetchErrorKind::Tls => {
            "check the server's certificate; a private certificate authority is configured with jwks.ca_file"
        }
        FetchErrorKind::Redirect {
            location: Some(location),
            is_permanent: true,
        } => {
            return format!(
                "the document has moved: configure {location} instead, if it belongs to the issuer"
            )
            .into();
        }
        FetchErrorKind::Redirect {
            location: Some(location),
            is_permanent: false,
        } => {
            return format!(
                "the redirect is temporary, as to a sign-in page: compare the URL with the identity provider's documentation, and \
                 configure {location} instead only if it returns the document and belongs to the issuer"
            )
            .into();
        }
        FetchErrorKind::Redirect { location: None, .. } => {
            "configure the URL that the server redirects to, if it belongs to the issuer"
        }
        FetchErrorKind::Credentials => {
            "create the file, or correct its path or its contents; it is read at each fetch, so no restart is needed"
        }
        FetchErrorKind::Status(401 | 403) if credentials.is_empty() => {
            "the server requires credentials, such as the API server of Kubernetes: configure jwks_token_file or jwks_headers_file"
        }
        FetchErrorKind::Status(401 | 403) => {
            "the server does not accept the credentials in jwks_token_file or jwks_headers_file: replace the file"
        }
        FetchErrorKind::Status(404 | 410)
        | FetchErrorKind::InvalidMetadata
        | FetchErrorKind::NotJson
        | FetchErrorKind::NotJwks
            if is_supabase(issuer) =>
        {
            "compare the URL with the identity provider's documentation; for Supabase, SUPABASE_URL is https://PROJECT.supabase.co"
        }
        FetchErrorKind::Status(404 | 410) | FetchErrorKind::InvalidMetadata
            if matches!(issuer.key_source(), KeySource::Discovery) =>
        {
            "compare the issuer with the identity provider's documentation; metadata at another URL is configured with \
             discovery_url, and an issuer without metadata with jwks_url"
        }
        FetchErrorKind::Status(404 | 410)
        | FetchErrorKind::InvalidMetadata
        | FetchErrorKind::NotJson
        | FetchErrorKind::NotJwks => "compare the URL with the identity provider's documentation",
        FetchErrorKind::ByteOrderMark => "save the document as UTF-8 without a byte order mark",
        FetchErrorKind::X509Certificates => {
            "configure the URL of the JWK Set instead: for Firebase \
             https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com"
        }
        FetchErrorKind::ContentEncoding => {
            "configure the server or the CDN to send the document uncompressed if the request has no Accept-Encoding"
        }
        FetchErrorKind::IssuerMismatch if error.message.contains("{tenantid}") => {
            "this is Entra ID's document for many tenants: configure issuer = \"https://login.microsoftonline.com/{tid}/v2.0\" and jwks_url = \
             \"https://login.microsoftonline.com/common/discovery/v2.0/keys\", with tenants if only some may sign in"
        }
        FetchErrorKind::IssuerMismatch => {
            "configure the issuer exactly as its discovery document spells it, if that is the intended issuer; its tokens \
             have the same spelling"
        }
        FetchErrorKind::EmptyJwks if is_supabase(issuer) => {
            "a Supabase project that signs with an HS256 secret publishes an empty set: create asymmetric signing keys in the \
             project (Project settings, JWT signing keys), rotate to one of them and sign in again; `bearward check` then lists it"
        }
        FetchErrorKind::EmptyJwks => {
            "configure the identity provider to sign with asymmetric keys, such as RS256 or ES256, and to publish them"
        }
        FetchErrorKind::NoUsableKey => {
            "the reason for each key is shown above; add its algorithm to the issuer's algorithms, or publish another key"
        }
        FetchErrorKind::TooLarge => {
            "check that the URL returns a JWKS; the limit is configured with jwks.max_bytes"
        }
        FetchErrorKind::TooManyKeys => {
            "check that the URL returns the JWKS of this issuer; the limit is configured with jwks.max_keys"
        }
        _ => {
            "test the URL above from this machine with `curl -i`; a proxy and a private certificate authority are \
             configured with jwks.proxy and jwks.ca_file"
        }
    };
    advice.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUPABASE: &str = "https://abc.supabase.co/auth/v1";
    const OTHER: &str = "https://idp.example/realms/a";

    fn advice_for(kind: FetchErrorKind, issuer: &str, message: &str) -> Cow<'static, str> {
        let issuer = Issuer::new(issuer, "api").expect("a valid issuer");
        advice(&FetchError::new(kind, message), &issuer)
    }

    #[test]
    fn advice_depends_on_the_kind_and_not_on_the_message() {
        let message = "GET http://127.0.0.1:1/discover/keys: could not connect: it is empty, no usable key, redirect, 404 ";
        let refused = advice_for(FetchErrorKind::ConnectionRefused, OTHER, message);
        assert!(
            refused.contains("no server accepts connections"),
            "{refused}"
        );
        assert!(!refused.contains("documentation"), "{refused}");
        let missing = advice_for(FetchErrorKind::Status(404), OTHER, message);
        assert!(missing.contains("documentation"), "{missing}");
    }

    #[test]
    fn advice_for_a_redirect_names_its_target() {
        let redirect = |is_permanent| {
            let location = Some("https://idp.example/keys".to_owned());
            let kind = FetchErrorKind::Redirect {
                location,
                is_permanent,
            };
            advice_for(kind, OTHER, "")
        };
        for (is_permanent, sentence) in [(true, "has moved"), (false, "is temporary")] {
            let advice = redirect(is_permanent);
            assert!(advice.contains("https://idp.example/keys"), "{advice}");
            assert!(advice.contains(sentence), "{advice}");
        }
    }

    #[test]
    fn only_supabase_issuers_get_advice_about_supabase() {
        for kind in [
            FetchErrorKind::Status(404),
            FetchErrorKind::EmptyJwks,
            FetchErrorKind::NotJson,
            FetchErrorKind::NotJwks,
            FetchErrorKind::InvalidMetadata,
        ] {
            let [supabase, other] =
                [SUPABASE, OTHER].map(|issuer| advice_for(kind.clone(), issuer, ""));
            assert!(supabase.contains("Supabase"), "{kind:?}: {supabase}");
            assert!(
                !other.to_lowercase().contains("supabase"),
                "{kind:?}: {other}"
            );
        }
    }

    #[test]
    fn each_unusual_response_has_its_own_sentence() {
        for (kind, sentence) in [
            (
                FetchErrorKind::NameResolution,
                "is the host name in the URL right?",
            ),
            (FetchErrorKind::ByteOrderMark, "without a byte order mark"),
            (FetchErrorKind::X509Certificates, "service_accounts/v1/jwk/"),
            (FetchErrorKind::ContentEncoding, "uncompressed"),
            (FetchErrorKind::Credentials, "read at each fetch"),
            (FetchErrorKind::Status(401), "jwks_token_file"),
        ] {
            let advice = advice_for(kind, OTHER, "");
            assert!(advice.contains(sentence), "{sentence}: {advice}");
        }
    }
}
