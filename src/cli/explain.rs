//! `bearward explain`: explains step by step why a token is accepted or rejected.

mod decoded_token;
mod unconfigured;

use std::{
    io::{IsTerminal, Read},
    path::{Path, PathBuf},
};

use bearward::{
    ClientCertificate,
    dpop::ProofRequest,
    explain::{Explanation, Outcome, StepReport},
};
use clap::Args;
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};

use self::decoded_token::DecodedToken;
use super::{Failure, load, style, wrap::indented};
use crate::{server, settings::Sources};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Options {
    /// Explain this token; - reads it from standard input (which keeps it out of the shell history)
    // Accepts several words, because `Bearer eyJ...` without quotes would otherwise be a usage
    // error whose message repeats the token.
    #[arg(required = true, num_args = 1..)]
    token: Vec<String>,
    /// Explain the token for a client with this certificate, a PEM file (mutual TLS)
    #[arg(long, value_name = "FILE")]
    client_certificate: Option<PathBuf>,
    /// Check this proof of possession (RFC 9449) too: the value of the header `DPoP`
    #[arg(long, value_name = "PROOF", requires = "url")]
    proof: Option<String>,
    /// Set the method of the request that the proof belongs to
    #[arg(long, value_name = "METHOD", default_value = "GET", requires = "proof")]
    method: String,
    /// Set the URL of the request that the proof belongs to
    #[arg(long, value_name = "URL", requires = "proof")]
    url: Option<String>,
    /// Also show what the passed checks expect
    #[arg(long, short)]
    verbose: bool,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
The trusted issuers come from the configuration, as for serve:
  SUPABASE_URL=https://YOUR-PROJECT.supabase.co \\
    bearward explain - < token.txt
With a token of `bearward dev`:
  SUPABASE_URL=http://127.0.0.1:9999 bearward explain -

Without a configuration the token is decoded, and the checks that need no issuer
are made. With one the keys are fetched from the issuers. The token is not sent
anywhere, and its signature is not printed.

Exit codes: 0 accepted, 1 rejected, 2 no issuer is configured.";

/// The maximum number of bytes read from standard input, in case it is not a token.
const MAX_INPUT_BYTES: u64 = 1 << 20;

pub(super) async fn run(sources: &Sources, options: Options) -> Result<(), Failure> {
    let config = load(sources)?;
    let token = read_token(options.token)?;
    let certificate = options
        .client_certificate
        .as_deref()
        .map(read_certificate)
        .transpose()?;
    if config.issuers.is_empty() {
        return unconfigured::run(&config, &token, options.json, options.verbose).await;
    }
    let auth = server::verifier(&config).await?;
    auth.wait_for_initial_fetch().await;
    let explanation = match options.proof.as_deref().zip(options.url.as_deref()) {
        None => auth.explain_with_certificate(&token, certificate).await,
        Some((proof, url)) => {
            let request = ProofRequest::new([proof], &options.method, url);
            auth.explain_with_proof(&token, certificate, &request).await
        }
    };
    if options.json {
        anstream::println!("{:#}", explanation.to_json());
    } else {
        print(&explanation, options.verbose);
    }
    if explanation.is_accepted() {
        Ok(())
    } else {
        Err(Failure::AlreadyReported)
    }
}

/// Reads the first certificate of a PEM file.
fn read_certificate(path: &Path) -> Result<ClientCertificate, Failure> {
    CertificateDer::from_pem_file(path)
        .ok()
        .and_then(|der| ClientCertificate::from_der(&der).ok())
        .ok_or_else(|| {
            Failure::Usage(format!(
                "--client-certificate {}: there is no such file, or it contains no certificate in PEM",
                path.display()
            ))
        })
}

/// Returns the token from the command line or from standard input.
fn read_token(words: Vec<String>) -> Result<String, Failure> {
    let mut text = words.join(" ");
    if text == "-" {
        let stdin = std::io::stdin();
        if stdin.is_terminal() {
            anstream::eprintln!("Paste the token, then press Enter and Ctrl-D.");
        }
        text.clear();
        stdin
            .take(MAX_INPUT_BYTES)
            .read_to_string(&mut text)
            .map_err(|error| Failure::Usage(format!("standard input: {error}")))?;
    }
    let token = strip_decoration(&text);
    if token.is_empty() {
        Err(Failure::Usage("there is no token to explain".to_owned()))
    } else {
        Ok(token.to_owned())
    }
}

/// Removes what is often copied together with a token: quotes, the header name, the scheme and line
/// breaks.
fn strip_decoration(text: &str) -> &str {
    let mut text = text.trim().trim_matches(['"', '\'']).trim();
    for prefix in ["authorization:", "bearer ", "dpop "] {
        if let Some((start, rest)) = text.split_at_checked(prefix.len())
            && start.eq_ignore_ascii_case(prefix)
        {
            text = rest.trim();
        }
    }
    text.trim_matches(['"', '\''])
}

/// The columns in front of what a check found.
const INDENT: usize = 15;

/// Prints a check and what it found; if it failed, or with `verbose`, also what it expects.
fn print_step(report: &StepReport, verbose: bool) {
    let (plain, faint, strong) = (style::PLAIN, style::FAINT, style::STRONG);
    let (mark, colour) = match report.outcome {
        Outcome::Passed => ("ok", style::GOOD),
        Outcome::Failed => ("NO", style::BAD),
        Outcome::NotReached => ("--", style::FAINT),
    };
    anstream::println!(
        "{colour}{mark}{plain}  {strong}{:<10}{plain} {}",
        report.step.to_string(),
        indented(&report.found, INDENT)
    );
    let shows_expected = match report.outcome {
        Outcome::Passed => verbose,
        Outcome::Failed => true,
        Outcome::NotReached => false,
    };
    if shows_expected && !report.expected.is_empty() {
        let expected = indented(&format!("expected: {}", report.expected), INDENT);
        anstream::println!("{:INDENT$}{faint}{expected}{plain}", "");
    }
}

fn print(explanation: &Explanation, verbose: bool) {
    let (plain, faint, strong) = (style::PLAIN, style::FAINT, style::STRONG);
    for step in &explanation.steps {
        print_step(step, verbose);
    }
    if !explanation.claims.is_empty() {
        let note = if explanation.is_accepted() {
            ""
        } else {
            " (unverified)"
        };
        anstream::println!("\n{strong}mapped claims{plain}{faint}{note}{plain}");
    }
    for claim in &explanation.claims {
        let found = if claim.found.is_empty() {
            "none".to_owned()
        } else {
            claim.found.join(", ")
        };
        anstream::println!(
            "    {strong}{:<10}{plain} {found} {faint}from {}{plain}",
            claim.name,
            claim.sources.join(", ")
        );
        if let Some(problem) = &claim.problem {
            let problem = indented(problem, INDENT);
            anstream::println!("{:INDENT$}{}{problem}{plain}", "", style::NOTE);
        }
    }
    print_result(explanation);
}

/// Prints the verdict and what to do.
fn print_result(explanation: &Explanation) {
    let (plain, strong) = (style::PLAIN, style::STRONG);
    match &explanation.failure {
        None => anstream::println!("\n{}accepted{plain}", style::GOOD),
        Some(refusal) => {
            let reason = format!("{}: {refusal}", refusal.error.code());
            anstream::println!(
                "\n{}rejected{plain} {}",
                style::BAD,
                indented(&reason, "rejected ".len())
            );
        }
    }
    if let Some(advice) = &explanation.next_step {
        anstream::println!("{strong}next:{plain} {}", indented(advice, "next: ".len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_around_a_pasted_token_is_removed() {
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
            "Authorization: DPoP e.y.J",
        ] {
            assert_eq!(strip_decoration(pasted), "e.y.J", "{pasted}");
        }
        assert_eq!(
            strip_decoration("Bearer "),
            "Bearer",
            "the scheme without a token is kept"
        );
        assert_eq!(
            strip_decoration("e.y J"),
            "e.y J",
            "spaces inside the token are kept"
        );
    }
}
