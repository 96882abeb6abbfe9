//! `bearward check`: validates the configuration and reaches every issuer and the database.

use std::borrow::Cow;

use anstyle::Style;
use bearward::{
    keys::{FetchError, FetchErrorKind, KeySetState, KeySetStatus},
    {Issuer, KeySource},
};
use clap::Args;
use serde_json::{Value, json};

use super::{Failure, load, style};
use crate::{
    server::{self, StartError},
    settings::{ConfigErrors, Sources},
    store::{SchemaStatus, Store},
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
  0  `bearward serve` can start, the keys of every issuer can be fetched, and
     the database is usable
  1  an issuer or the database cannot be used; the output says what to do
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
    let _traces = super::start_traces(&config)?;
    let auth = server::check(&config).await?;
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
    }
    auth.wait_for_initial_fetch().await;
    let sets = auth.key_set_statuses();
    let database = Store::schema_status(&config.database).await;
    let unusable = sets.iter().filter(|set| !is_healthy(set)).count();
    let problems = unusable + usize::from(database.is_err());
    if options.json {
        let issuers: Vec<_> = auth
            .issuers()
            .iter()
            .zip(&sets)
            .map(|(issuer, set)| issuer_json(issuer, set))
            .collect();
        let database = match database {
            Ok(schema) => json!({ "sound": true, "state": schema_text(&schema) }),
            Err(error) => json!({ "sound": false, "problem": error.to_string() }),
        };
        let report = json!({ "sound": problems == 0, "environment": config.environment, "issuers": issuers, "database": database });
        anstream::println!("{report:#}");
        return Ok(problems);
    }
    for (issuer, set) in auth.issuers().iter().zip(&sets) {
        print_issuer(issuer, set);
    }
    match &database {
        Ok(schema) => anstream::println!(
            "{strong}database{plain} {}{}{plain}",
            style::GOOD,
            schema_text(schema)
        ),
        Err(error) => anstream::println!(
            "{strong}database{plain} {}NOT USABLE{plain}\n  problem {error}",
            style::BAD
        ),
    }
    Ok(problems)
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
    anstream::println!("  {faint}keys from{plain} {}", keys_from(issuer));
    for kid in &set.kids {
        anstream::println!(
            "  {}usable{plain}  {}",
            style::GOOD,
            kid.as_deref().unwrap_or("(no kid)")
        );
    }
    for key in &set.ignored {
        anstream::println!("  {}skipped{plain} {key}", style::NOTE);
    }
    if let Some(ahead) = set.clock_ahead_seconds {
        let (color, text) = clock_skew_text(ahead);
        anstream::println!("  {color}{text}{plain}");
    }
    if let Some(error) = &set.last_error {
        anstream::println!("  {}problem{plain} {error}", style::BAD);
        anstream::println!("  {strong}next:{plain} {}", advice(error));
    }
}

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
        "keys_from": keys_from(issuer),
        "sound": is_healthy(set),
        "state": set.state(),
        "usable": set.kids,
        "skipped": skipped,
        "clock_ahead_seconds": set.clock_ahead_seconds,
        "problem": set.last_error.as_ref().map(ToString::to_string),
        "advice": set.last_error.as_ref().map(advice),
    })
}

fn keys_from(issuer: &Issuer) -> String {
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

/// Says what to do about a failed fetch.
fn advice(error: &FetchError) -> Cow<'static, str> {
    let advice = match &error.kind {
        FetchErrorKind::ConnectionRefused => {
            "no server accepts connections on that host and port: start the identity provider or correct the URL, \
             and test it from this machine with `curl -i` and the URL above"
        }
        FetchErrorKind::NameResolution => {
            "correct the host name in the URL, or check this machine's DNS; a proxy is configured with jwks.proxy"
        }
        FetchErrorKind::Tls => {
            "check the server's certificate; a private certificate authority is configured with jwks.ca_file"
        }
        FetchErrorKind::Redirect {
            location: Some(location),
        } => {
            return format!("configure {location} instead, if it belongs to the issuer").into();
        }
        FetchErrorKind::Redirect { location: None } => {
            "configure the URL that the server redirects to, if it belongs to the issuer"
        }
        FetchErrorKind::Status(404 | 410)
        | FetchErrorKind::InvalidMetadata
        | FetchErrorKind::NotJson
        | FetchErrorKind::NotJwks => {
            "compare the URL with the identity provider's documentation; for Supabase, SUPABASE_URL is https://PROJECT.supabase.co"
        }
        FetchErrorKind::IssuerMismatch => {
            "configure the issuer exactly as its discovery document spells it, if that is the intended issuer; its tokens \
             have the same spelling"
        }
        FetchErrorKind::EmptyJwks => {
            "create asymmetric signing keys in the project, rotate to one of them and sign in again; `bearward check` then lists it"
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

    fn advice_for(kind: FetchErrorKind, message: &str) -> Cow<'static, str> {
        advice(&FetchError::new(kind, message))
    }

    #[test]
    fn advice_depends_on_the_kind_and_not_on_the_message() {
        let message = "GET http://127.0.0.1:1/discover/keys: could not connect: it is empty, no usable key, redirect, 404 ";
        let refused = advice_for(FetchErrorKind::ConnectionRefused, message);
        assert!(
            refused.contains("no server accepts connections"),
            "{refused}"
        );
        assert!(!refused.contains("documentation"), "{refused}");
        let missing = advice_for(FetchErrorKind::Status(404), message);
        assert!(missing.contains("documentation"), "{missing}");
    }

    #[test]
    fn advice_for_a_redirect_names_its_target() {
        let location = Some("https://idp.example/keys".to_owned());
        let advice = advice_for(FetchErrorKind::Redirect { location }, "");
        assert!(advice.contains("https://idp.example/keys"), "{advice}");
    }
}
