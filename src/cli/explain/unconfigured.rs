//! `bearward explain` without a configured issuer: decodes the token and makes the checks that
//! depend on no issuer.

use bearward::{
    AuthError, Bearward, Clock, Issuer, KeySource, SystemClock, VerificationStep,
    explain::{Explanation, Outcome, StepReport},
};
use serde_json::json;

use super::{DecodedToken, Failure, print_result, print_step, style};
use crate::settings::Config;

/// An issuer that no token names, because a verifier needs one. Its key is that of RFC 8037,
/// appendix A.
const NO_ISSUER: &str = "https://no-issuer.invalid";
const KEY: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// Explains the token. The result is a failure: exit code 1 if every configuration rejects the
/// token, 2 if the configuration is missing that decides.
pub(super) async fn run(
    config: &Config,
    token: &str,
    is_json: bool,
    verbose: bool,
) -> Result<(), Failure> {
    let now = SystemClock::new().now();
    let decoded = DecodedToken::decode(token);
    let mut explanation = explain(config, token).await?;
    let is_undecided = matches!(
        explanation.failure.as_ref().map(|failure| &failure.error),
        Some(AuthError::UnknownIssuer { .. })
    );
    if is_undecided {
        for step in &mut explanation.steps {
            if step.step >= VerificationStep::Issuer {
                step.outcome = Outcome::NotReached;
                step.expected.clear();
            }
        }
    }
    let is_expired = is_undecided && decoded.is_expired(now);
    if is_json {
        print_json(&explanation, &decoded, is_undecided, is_expired);
    } else {
        decoded.print(now);
        if is_undecided {
            print_passed(&explanation);
            print_undecided(&decoded, is_expired);
        } else {
            for step in &explanation.steps {
                print_step(step, verbose);
            }
            print_result(&explanation);
        }
    }
    if is_undecided && !is_expired {
        Err(Failure::UsageAlreadyReported)
    } else {
        Err(Failure::AlreadyReported)
    }
}

/// Makes the checks up to the one of the issuer.
async fn explain(config: &Config, token: &str) -> Result<Explanation, Failure> {
    let invalid = |error: &dyn std::fmt::Display| Failure::Failed(error.to_string());
    let issuer = Issuer::new(NO_ISSUER, "*")
        .map_err(|error| invalid(&error))?
        .keys(KeySource::Fixed(KEY.to_owned()));
    let auth = Bearward::builder()
        .issuer(issuer)
        .max_token_bytes(config.tokens.max_bytes)
        .build()
        .await
        .map_err(|error| invalid(&error))?;
    Ok(auth.explain(token).await)
}

/// Prints the checks that passed, and the names of the others in one line.
fn print_passed(explanation: &Explanation) {
    let (good, faint, strong, plain) = (style::GOOD, style::FAINT, style::STRONG, style::PLAIN);
    let (passed, others): (Vec<_>, Vec<_>) = explanation
        .steps
        .iter()
        .partition(|step| step.outcome == Outcome::Passed);
    for StepReport { step, found, .. } in passed {
        let step = step.to_string();
        anstream::println!("{good}ok{plain}  {strong}{step:<10}{plain} {found}");
    }
    let names: Vec<_> = others.iter().map(|step| step.step.to_string()).collect();
    anstream::println!("{faint}--  not checked: {}{plain}", names.join(", "));
}

fn print_undecided(decoded: &DecodedToken, is_expired: bool) {
    let (plain, strong) = (style::PLAIN, style::STRONG);
    if is_expired {
        anstream::println!(
            "\n{}rejected{plain} TOKEN_EXPIRED: no configuration accepts this token",
            style::BAD
        );
    } else {
        anstream::println!(
            "\n{}not verified{plain}: no issuer is configured",
            style::NOTE
        );
    }
    anstream::println!(
        "{strong}next:{plain} with an issuer configured, the signature, type, audience, times and\n      \
         required claims are checked, and roles, scopes and tenant are listed."
    );
    let Some(lines) = decoded.configuration() else {
        anstream::println!("      `bearward config` shows how to configure one: [issuers.NAME]");
        return;
    };
    anstream::println!("      If you trust this issuer:");
    for line in lines {
        anstream::println!("  {line}");
    }
    anstream::println!("    {} explain -", crate::cli::program_name());
}

fn print_json(
    explanation: &Explanation,
    decoded: &DecodedToken,
    is_undecided: bool,
    is_expired: bool,
) {
    let mut report = explanation.to_json();
    if is_undecided {
        report["accepted"] = if is_expired {
            json!(false)
        } else {
            json!(null)
        };
        report["code"] = if is_expired {
            json!("TOKEN_EXPIRED")
        } else {
            json!(null)
        };
        report["message"] = json!("no issuer is configured");
        report["advice"] = json!("configure the issuer of the token, if it is trusted");
    }
    report["header"] = json!(decoded.header);
    report["payload"] = json!(decoded.claims);
    anstream::println!("{report:#}");
}
