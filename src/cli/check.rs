//! `bearward check`: is the configuration sound, and can every issuer be reached?

use anstyle::Style;
use bearward::{
    Issuer, KeySource,
    keys::{KeySetState, KeySetStatus},
};
use clap::Args;
use serde_json::{Value, json};

use super::{Failure, load, style};
use crate::{
    server,
    settings::Sources,
    store::{SchemaStatus, Store},
};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Options {
    /// Every effective value of the configuration and where it comes from, secrets masked
    #[arg(long)]
    values: bool,
    /// One JSON object instead of a table
    #[arg(long, conflicts_with = "values")]
    json: bool,
}

const AFTER_HELP: &str = "\
It asks what serve would use:
  SUPABASE_URL=https://YOUR-PROJECT.supabase.co bearward check

Exit code 0: tokens of every issuer can be verified, and the database can be used.
1: not so, and what to do is printed. 2: the configuration is wrong.";

pub(super) async fn run(sources: &Sources, options: Options) -> Result<(), Failure> {
    let config = load(sources)?;
    let (plain, strong) = (style::PLAIN, style::STRONG);
    if options.values {
        anstream::println!("{}", config.redacted());
    }
    config.require_issuer()?;
    let auth = server::verifier(&config).await?;
    if options.json {
        auth.wait_for_initial_fetch().await;
        let sets = auth.key_set_statuses();
        let issuers: Vec<_> = auth
            .issuers()
            .zip(&sets)
            .map(|(issuer, set)| described(issuer, set))
            .collect();
        let database = Store::schema_status(&config.database).await;
        let sound = sets.iter().all(is_sound) && database.is_ok();
        let database = match database {
            Ok(tables) => json!({ "sound": true, "state": said(&tables) }),
            Err(error) => json!({ "sound": false, "problem": error.to_string() }),
        };
        let report = json!({ "sound": sound, "environment": config.environment, "issuers": issuers, "database": database });
        anstream::println!("{report:#}");
        return if sound {
            Ok(())
        } else {
            Err(Failure::AlreadyReported)
        };
    }
    anstream::println!(
        "{strong}configuration{plain} {}sound{plain}, environment {}",
        style::GOOD,
        config.environment
    );
    auth.wait_for_initial_fetch().await;
    let sets = auth.key_set_statuses();
    let sound = auth
        .issuers()
        .zip(&sets)
        .filter(|(issuer, set)| !report(issuer, set))
        .count()
        == 0;
    let database = Store::schema_status(&config.database).await;
    match &database {
        Ok(tables) => anstream::println!(
            "{strong}database{plain} {}{}{plain}",
            style::GOOD,
            said(tables)
        ),
        Err(error) => anstream::println!(
            "{strong}database{plain} {}NOT USABLE{plain}\n  problem {error}",
            style::BAD
        ),
    }
    if sound && database.is_ok() {
        Ok(())
    } else {
        Err(Failure::AlreadyReported)
    }
}

fn said(tables: &SchemaStatus) -> String {
    match tables {
        SchemaStatus::NoFile(path) => format!(
            "sqlite: {} is not there yet, and made by serve",
            path.display()
        ),
        SchemaStatus::UpToDate(kind) => {
            format!("{kind}: reached, its tables are those of this version")
        }
        SchemaStatus::Behind(kind, pending) => {
            format!(
                "{kind}: reached; serve will bring its tables up to date ({})",
                pending.join(", ")
            )
        }
    }
}

/// Whether the issuer's keys could be had just now.
fn report(issuer: &Issuer, set: &KeySetStatus) -> bool {
    let (plain, strong, faint) = (style::PLAIN, style::STRONG, style::FAINT);
    let sound = is_sound(set);
    let (word, colour) = match set.state {
        KeySetState::Fixed => ("keys configured", style::GOOD),
        _ if sound => ("keys fetched", style::GOOD),
        _ if set.state.serves() => ("KEYS NOT FETCHED, stored ones serve", style::BAD),
        _ => ("NO KEYS", style::BAD),
    };
    anstream::println!(
        "{strong}issuer {}{plain} {} {colour}{word}{plain}",
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
    for skipped in &set.skipped {
        anstream::println!("  {}skipped{plain} {skipped}", style::NOTE);
    }
    if let Some(ahead) = set.clock_ahead_seconds {
        let (colour, text) = clocks(ahead);
        anstream::println!("  {colour}{text}{plain}");
    }
    if let Some(error) = &set.last_error {
        anstream::println!("  {}problem{plain} {error}", style::BAD);
        anstream::println!("  {strong}next:{plain} {}", advice(error));
    }
    sound
}

/// Tokens can be verified, with keys that were had just now.
fn is_sound(set: &KeySetStatus) -> bool {
    set.state.serves() && set.last_error.is_none()
}

/// The same for programs.
fn described(issuer: &Issuer, set: &KeySetStatus) -> Value {
    let skipped = set
        .skipped
        .iter()
        .map(|skipped| json!({ "kid": skipped.kid.as_ref().map(ToString::to_string), "reason": skipped.reason.to_string() }));
    json!({
        "name": set.issuer,
        "issuer": issuer.iss(),
        "keys_from": keys_from(issuer),
        "sound": is_sound(set),
        "state": set.state(),
        "usable": set.kids,
        "skipped": skipped.collect::<Vec<_>>(),
        "clock_ahead_seconds": set.clock_ahead_seconds,
        "problem": set.last_error,
        "advice": set.last_error.as_deref().map(advice),
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

/// The difference that people can act on; a `Date` header has whole seconds, and the answer
/// travels.
fn clocks(ahead: i64) -> (Style, String) {
    let seconds = ahead.unsigned_abs();
    let word = if ahead < 0 { "ahead of" } else { "behind" };
    match seconds {
        0..=2 => (
            style::FAINT,
            "its clock agrees with this machine's".to_owned(),
        ),
        3..=5 => (
            style::FAINT,
            format!("its clock is {seconds} s {word} this machine's"),
        ),
        _ => (
            style::NOTE,
            format!(
                "its clock is {seconds} s {word} this machine's: set this machine's clock by NTP"
            ),
        ),
    }
}

fn advice(error: &str) -> &'static str {
    if error.contains("it is empty") {
        "with new signing keys in the project, rotate to one of them and sign in again; `bearward check` then lists it"
    } else if error.contains("no usable key") {
        "each key's reason stands above; list its algorithm under the issuer's algorithms, or publish another key"
    } else if error.contains("is for issuer") {
        "write the issuer as its document does, letter by letter, if that is the one you mean: its tokens say the same"
    } else if error.contains(" 404 ") || error.contains("discover") {
        "compare the address with the identity provider's documentation; for Supabase, SUPABASE_URL is https://PROJECT.supabase.co"
    } else if error.contains("redirect") {
        "write the address that it redirects to, if it is the issuer's own"
    } else {
        "ask from this machine, `curl -i` and the address above; a proxy or a private CA is configured under [jwks]"
    }
}
