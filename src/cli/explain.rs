//! `bearward explain`: check by check, why a token is accepted or refused.

use std::io::{IsTerminal, Read};

use bearward::explain::{Explanation, Outcome};
use clap::Args;

use super::{Failure, load, style};
use crate::{server, settings::Sources};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Options {
    /// The token, or - to read it from standard input, which keeps it out of the shell's history
    // Several words, so that "Bearer eyJ..." without quotes is no usage error, which would repeat
    // the token.
    #[arg(required = true, num_args = 1..)]
    token: Vec<String>,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Whose tokens are accepted comes from the configuration, as for serve:
  SUPABASE_URL=https://YOUR-PROJECT.supabase.co bearward explain - < token.txt
  SUPABASE_URL=http://127.0.0.1:9999 bearward explain -        a token of `bearward dev`

The keys are fetched now. The token goes nowhere, and its signature is never shown.
Exit code 0: accepted; 1: refused.";

/// No token is longer, and a file given by mistake may be.
const LONGEST: u64 = 1 << 20;

pub(super) async fn run(sources: &Sources, options: Options) -> Result<(), Failure> {
    let config = load(sources)?;
    config.require_issuer()?;
    let token = read(options.token)?;
    let auth = server::verifier(&config).await?;
    auth.wait_for_initial_fetch().await;
    let explanation = auth.explain(&token).await;
    if options.json {
        anstream::println!("{:#}", explanation.to_json());
    } else {
        print(&explanation);
    }
    if explanation.is_accepted() {
        Ok(())
    } else {
        Err(Failure::AlreadyReported)
    }
}

/// The words of the command line, or what standard input holds.
fn read(words: Vec<String>) -> Result<String, Failure> {
    let mut text = words.join(" ");
    if text == "-" {
        let stdin = std::io::stdin();
        if stdin.is_terminal() {
            anstream::eprintln!("paste the token, then press Enter and Ctrl-D");
        }
        text.clear();
        stdin
            .take(LONGEST)
            .read_to_string(&mut text)
            .map_err(|error| Failure::Usage(format!("standard input: {error}")))?;
    }
    let token = bare(&text);
    if token.is_empty() {
        Err(Failure::Usage("there is no token to explain".to_owned()))
    } else {
        Ok(token.to_owned())
    }
}

/// People paste more than the token: quotes, the header's name, the scheme, the end of the line.
fn bare(text: &str) -> &str {
    let mut text = text.trim().trim_matches(['"', '\'']).trim();
    for prefix in ["authorization:", "bearer "] {
        if let Some((start, rest)) = text.split_at_checked(prefix.len())
            && start.eq_ignore_ascii_case(prefix)
        {
            text = rest.trim();
        }
    }
    text.trim_matches(['"', '\''])
}

fn print(explanation: &Explanation) {
    let (plain, faint, strong) = (style::PLAIN, style::FAINT, style::STRONG);
    for line in &explanation.steps {
        let (mark, colour) = match line.outcome {
            Outcome::Passed => ("ok", style::GOOD),
            Outcome::Failed => ("NO", style::BAD),
            Outcome::NotReached => ("--", style::FAINT),
        };
        anstream::println!(
            "{colour}{mark}{plain}  {strong}{:<10}{plain} {}",
            line.step.to_string(),
            line.found
        );
        if line.outcome != Outcome::NotReached && !line.expected.is_empty() {
            anstream::println!("               {faint}expected: {}{plain}", line.expected);
        }
    }
    match &explanation.failure {
        None => anstream::println!("\n{}accepted{plain}", style::GOOD),
        Some(refusal) => {
            anstream::println!(
                "\n{}refused{plain} {}: {refusal}",
                style::BAD,
                refusal.error.code()
            );
        }
    }
    if let Some(advice) = &explanation.next_step {
        anstream::println!("{strong}next:{plain} {advice}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_paste_around_a_token_is_forgiven() {
        for pasted in [
            "e.y.J",
            " e.y.J\n",
            "\"e.y.J\"",
            "'e.y.J'",
            "Bearer e.y.J",
            "bearer  e.y.J",
            "\"Bearer e.y.J\"",
            "Authorization: Bearer e.y.J",
            "'authorization:Bearer \"e.y.J\"'",
        ] {
            assert_eq!(bare(pasted), "e.y.J", "{pasted}");
        }
        assert_eq!(
            bare("Bearer "),
            "Bearer",
            "the scheme alone is explained as it stands"
        );
        assert_eq!(bare("e.y J"), "e.y J", "what is inside the token stays");
    }
}
