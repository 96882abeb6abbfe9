//! `bearward explain`: check by check, why a token is accepted or refused.

use std::io::Read;

use clap::Args;
use serde_json::json;

use super::{Failure, load, style};
use crate::{
    auth::explain::{Explanation, Outcome},
    config::Sources,
    server,
};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The token, or - to read it from standard input, which keeps it out of the shell's history
    token: String,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(sources: &Sources, options: Options) -> Result<(), Failure> {
    let config = load(sources)?;
    config.require_issuer()?;
    let token = read(options.token)?;
    let auth = server::verifier(&config).await.map_err(|error| Failure::Usage(error.to_string()))?;
    auth.first_attempts().await;
    let explanation = auth.explain(&token).await;
    if options.json {
        print_json(&explanation);
    } else {
        print(&explanation);
    }
    if explanation.is_accepted() { Ok(()) } else { Err(Failure::Said) }
}

/// People paste more than the token: quotes, the scheme, the end of the line.
fn read(argument: String) -> Result<String, Failure> {
    let mut text = argument;
    if text == "-" {
        text.clear();
        std::io::stdin().read_to_string(&mut text).map_err(|error| Failure::Usage(format!("standard input: {error}")))?;
    }
    let text = text.trim().trim_matches('"');
    let token = text.strip_prefix("Bearer ").unwrap_or(text).trim();
    if token.is_empty() { Err(Failure::Usage("there is no token to explain".to_owned())) } else { Ok(token.to_owned()) }
}

fn print(explanation: &Explanation) {
    let (plain, faint, strong) = (style::PLAIN, style::FAINT, style::STRONG);
    for line in &explanation.lines {
        let (mark, colour) = match line.outcome {
            Outcome::Passed => ("ok", style::GOOD),
            Outcome::Failed => ("NO", style::BAD),
            Outcome::NotReached => ("--", style::FAINT),
        };
        anstream::println!("{colour}{mark}{plain}  {strong}{:<10}{plain} {}", line.check.to_string(), line.found);
        if line.outcome != Outcome::NotReached && !line.expected.is_empty() {
            anstream::println!("               {faint}expected: {}{plain}", line.expected);
        }
    }
    match &explanation.refusal {
        None => anstream::println!("\n{}accepted{plain}", style::GOOD),
        Some(refusal) => {
            anstream::println!("\n{}refused{plain} {}: {refusal}", style::BAD, refusal.rejection.code());
        }
    }
    if let Some(advice) = &explanation.advice {
        anstream::println!("{strong}next:{plain} {advice}");
    }
}

fn print_json(explanation: &Explanation) {
    let lines: Vec<_> = explanation
        .lines
        .iter()
        .map(|line| {
            let outcome = match line.outcome {
                Outcome::Passed => "passed",
                Outcome::Failed => "failed",
                Outcome::NotReached => "not_reached",
            };
            json!({ "check": line.check.to_string(), "outcome": outcome, "found": line.found, "expected": line.expected })
        })
        .collect();
    let refusal = explanation.refusal.as_ref();
    let report = json!({
        "accepted": explanation.is_accepted(),
        "code": refusal.map(|refusal| refusal.rejection.code()),
        "message": refusal.map(ToString::to_string),
        "advice": explanation.advice,
        "checks": lines,
    });
    anstream::println!("{report:#}");
}
