//! `bearward check`: is the configuration sound, and can every issuer be reached?

use clap::Args;

use super::{Failure, load, style};
use crate::{
    auth::{issuer::Issuer, keys::KeySetStatus},
    config::Sources,
    server,
};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Every effective value of the configuration and where it comes from, secrets masked
    #[arg(long)]
    values: bool,
}

pub(super) async fn run(sources: &Sources, options: Options) -> Result<(), Failure> {
    let config = load(sources)?;
    let (plain, strong) = (style::PLAIN, style::STRONG);
    if options.values {
        anstream::println!("{}", config.redacted());
    }
    anstream::println!("{strong}configuration{plain} {}sound{plain}, environment {}", style::GOOD, config.environment);
    config.require_issuer()?;
    let auth = server::verifier(&config).await.map_err(|error| Failure::Usage(error.to_string()))?;
    auth.first_attempts().await;
    let sets = auth.key_sets();
    let sound = auth.issuers().zip(&sets).filter(|(issuer, set)| !report(issuer, set)).count() == 0;
    anstream::println!("{strong}database{plain} not opened by this version");
    if sound { Ok(()) } else { Err(Failure::Said) }
}

/// Whether the issuer's keys are there.
fn report(issuer: &Issuer, set: &KeySetStatus) -> bool {
    let (plain, strong, faint) = (style::PLAIN, style::STRONG, style::FAINT);
    let sound = set.phase.serves();
    let (word, colour) = if sound { ("reachable", style::GOOD) } else { ("UNREACHABLE", style::BAD) };
    anstream::println!("{strong}issuer {}{plain} {colour}{word}{plain} {}", set.issuer, issuer.iss());
    anstream::println!("  {faint}keys from{plain} {}", issuer.key_source().describe());
    for kid in &set.kids {
        anstream::println!("  {}usable{plain}  {}", style::GOOD, kid.as_deref().unwrap_or("(no kid)"));
    }
    for skipped in &set.skipped {
        anstream::println!("  {}skipped{plain} {skipped}", style::NOTE);
    }
    if let Some(ahead) = set.clock_ahead_seconds {
        let seconds = ahead.unsigned_abs();
        let word = if ahead < 0 { "ahead of" } else { "behind" };
        let colour = if seconds > 5 { style::NOTE } else { style::FAINT };
        anstream::println!("  {colour}its clock is {seconds} s {word} this machine's{plain}");
    }
    if let Some(error) = &set.last_error {
        anstream::println!("  {}problem{plain} {error}", style::BAD);
        anstream::println!("  {strong}next:{plain} {}", advice(error));
    }
    sound
}

fn advice(error: &str) -> &'static str {
    if error.contains("empty") {
        "switch the project to asymmetric signing keys (ES256 or RS256), rotate, and sign in again"
    } else if error.contains("404") || error.contains("not found") {
        "compare the address with the identity provider's documentation; for Supabase, SUPABASE_URL is https://PROJECT.supabase.co"
    } else {
        "open the address above from this machine (curl -i); a proxy or a private CA is configured under [jwks]"
    }
}
