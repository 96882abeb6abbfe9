//! The result of a run, and its output formats.

mod findings;
mod html;
mod json;
mod junit;

use std::{collections::BTreeMap, fmt, time::Duration};

use bearward::Algorithm;
use serde_json::{Value, value::RawValue};

pub use self::findings::Finding;
use super::{
    case::{Case, Severity},
    client_certificate::Presented,
    diagnosis::{cause, diagnose},
    finding::FailureKind,
    forge::{decode, split},
    group::Group,
    platform::{self, PlatformOption},
    registry::GROUPS,
    target::Request,
};

/// The result of a run.
///
/// `Display` prints the failures and the summary, for use in an assertion of a Rust test.
#[derive(Debug, Clone)]
pub struct Report {
    /// The protected URL.
    pub target: String,
    /// The `iss` of valid tokens.
    pub issuer: String,
    /// The algorithms that the target accepts.
    pub algorithms: Vec<Algorithm>,
    /// Whether strict cases were run.
    pub strict: bool,
    /// Whether the groups that wait for cooldowns and outages were skipped.
    pub quick: bool,
    /// How often the suite waited because the target responded with 429.
    pub rate_limited: usize,
    /// The duration of the run, which includes the wait for the target.
    pub duration: Duration,
    /// The platform that the target runs on, if its responses or its command name it.
    pub platform: Option<&'static str>,
    /// The command line that repeats the run; `--only ID` repeats one case.
    pub command: String,
    /// The results, in the order in which the cases were run.
    pub results: Vec<CaseResult>,
}

/// The result of one case.
#[derive(Debug, Clone)]
pub struct CaseResult {
    /// The id of the case.
    pub id: &'static str,
    /// The name of its group.
    pub group: &'static str,
    /// What was sent, in a few words.
    pub title: &'static str,
    /// The severity of the failure, or of a failure at its worst if the case did not fail.
    pub severity: Severity,
    /// What must happen.
    pub expected: &'static str,
    /// Why it matters.
    pub rationale: &'static str,
    /// The section of an RFC, or the CVE.
    pub reference: &'static str,
    /// Why the severity is not higher, or empty.
    pub severity_note: &'static str,
    /// How to fix a failure.
    pub hint: &'static str,
    /// The option of each platform that fixes the failure; empty unless the case failed.
    pub options: &'static [PlatformOption],
    /// What failures with the same cause have in common; empty unless the case failed.
    pub(super) cause: String,
    /// The request with the header and claims of the token, without its signature. Empty for cases
    /// with several steps.
    pub request: String,
    /// How to send the request of a failed case again. `None` for cases with several steps.
    pub replay: Option<Replay>,
    /// The outcome.
    pub outcome: Outcome,
    /// The duration of the case.
    pub duration: Duration,
}

/// How to send the request of a failed case again.
///
/// The token is created again with the same parameters. It is signed with a test key that the target
/// accepts only while it trusts the mock IdP of this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The token, if it is the whole credential.
    pub token: Option<String>,
    /// A curl command for a POSIX shell.
    pub curl: String,
}

/// The outcome of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The target behaved as expected.
    Passed,
    /// The target did not behave as expected.
    Failed {
        /// What must happen.
        expected: String,
        /// What happened.
        got: String,
    },
    /// The case does not apply to this target.
    Skipped {
        /// Why it does not apply.
        reason: String,
    },
}

impl CaseResult {
    pub(super) fn new(
        case: &Case,
        strict: bool,
        request: String,
        outcome: Outcome,
        kind: FailureKind,
        duration: Duration,
    ) -> Self {
        let group = case.group();
        let diagnosis = diagnose(case, kind);
        let (options, common_cause) = match &outcome {
            Outcome::Failed { got, .. } => (platform::options(case, kind), cause(case, kind, got)),
            _ => (&[][..], String::new()),
        };
        Self {
            id: case.id,
            group: group.name,
            title: case.title,
            severity: diagnosis.severity,
            expected: case.expected(strict),
            rationale: diagnosis.rationale,
            reference: diagnosis.reference,
            severity_note: diagnosis.severity_note,
            hint: diagnosis.hint,
            options,
            cause: common_cause,
            request,
            replay: None,
            outcome,
            duration,
        }
    }

    /// Returns what happened, if the case failed.
    pub fn got(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Failed { got, .. } => Some(got),
            _ => None,
        }
    }

    /// Whether the case failed.
    pub fn is_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed { .. })
    }

    /// Whether the case was skipped.
    pub fn is_skipped(&self) -> bool {
        matches!(self.outcome, Outcome::Skipped { .. })
    }
}

impl Report {
    /// Whether no case failed.
    pub fn passed(&self) -> bool {
        self.failed() == 0
    }

    /// Returns the number of cases that passed.
    pub fn passed_count(&self) -> usize {
        self.results.len() - self.failed() - self.skipped()
    }

    /// Returns the number of cases that failed.
    pub fn failed(&self) -> usize {
        self.failures().count()
    }

    /// Returns the number of cases that were skipped.
    pub fn skipped(&self) -> usize {
        self.results
            .iter()
            .filter(|result| result.is_skipped())
            .count()
    }

    /// Returns the failed cases, in the order in which they were run.
    pub fn failures(&self) -> impl Iterator<Item = &CaseResult> {
        self.results.iter().filter(|result| result.is_failed())
    }

    /// Returns the failed cases, the most severe first.
    pub fn by_severity(&self) -> Vec<&CaseResult> {
        let mut failures: Vec<&CaseResult> = self.failures().collect();
        failures.sort_by_key(|result| result.severity);
        failures
    }

    /// Returns the number of failed cases per severity, the most severe first.
    pub fn failed_by_severity(&self) -> [(Severity, usize); 4] {
        [
            Severity::Critical,
            Severity::High,
            Severity::Medium,
            Severity::Low,
        ]
        .map(|severity| {
            (
                severity,
                self.failures()
                    .filter(|result| result.severity == severity)
                    .count(),
            )
        })
    }

    /// Returns the results by group. Groups with failures come first, ordered by their most severe
    /// failure; within a group, failures come first.
    pub fn by_group(&self) -> Vec<(&'static Group, Vec<&CaseResult>)> {
        let mut groups: Vec<_> = GROUPS
            .iter()
            .map(|group| {
                let mut results: Vec<&CaseResult> = self
                    .results
                    .iter()
                    .filter(|result| result.group == group.name)
                    .collect();
                results.sort_by_key(|result| {
                    (
                        !result.is_failed(),
                        result.is_failed().then_some(result.severity),
                    )
                });
                (group, results)
            })
            .filter(|(_, results)| !results.is_empty())
            .collect();
        groups.sort_by_key(|(_, results)| {
            (
                !results[0].is_failed(),
                results[0].is_failed().then_some(results[0].severity),
            )
        });
        groups
    }

    /// Returns a one-line summary.
    pub fn summary(&self) -> String {
        let skipped = self.skipped();
        let skipped = if skipped == 0 {
            String::new()
        } else {
            format!(", {skipped} not applicable")
        };
        format!(
            "{} passed, {} failed{skipped}",
            self.passed_count(),
            self.failed()
        )
    }

    /// Returns the report as a JSON object.
    pub fn to_json(&self) -> Value {
        json::report(self)
    }

    /// Returns the report as `JUnit` XML.
    pub fn to_junit(&self) -> String {
        junit::report(self)
    }

    /// Returns the report as an HTML page without external resources.
    pub fn to_html(&self) -> String {
        html::report(self)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in self.findings() {
            for result in finding.results.iter().take(MAX_DISPLAYED) {
                if let Outcome::Failed { expected, got } = &result.outcome {
                    writeln!(
                        f,
                        "{} ({}): {}\n  expected {expected}\n  got      {got}",
                        result.id, result.severity, result.title
                    )?;
                    if !result.request.is_empty() {
                        writeln!(f, "  sent     {}", result.request)?;
                    }
                }
            }
            if finding.results.len() > MAX_DISPLAYED {
                let (rest, scope) = (finding.results.len() - MAX_DISPLAYED, finding.scope());
                writeln!(f, "and {rest} with the same cause; in all: {scope}")?;
            }
        }
        f.write_str(&self.summary())
    }
}

/// The number of cases with the same cause that `Display` prints.
const MAX_DISPLAYED: usize = 6;

/// Describes a request without the signature of its token.
pub(super) fn describe_request(request: &Request) -> String {
    let query = request
        .query
        .as_deref()
        .map(|query| format!("?{}", describe_word(query)))
        .unwrap_or_default();
    let mut text = format!("{}{query}", request.method);
    for (name, value) in &request.headers {
        let value = String::from_utf8_lossy(value);
        // Every access token has a `jti`; that of a proof matters.
        let is_proof = name.eq_ignore_ascii_case("dpop");
        let describe = if is_proof {
            describe_proof
        } else {
            describe_word
        };
        let value = value.split(' ').map(describe).collect::<Vec<_>>().join(" ");
        for part in [" ", name, ": ", &value] {
            text.push_str(part);
        }
    }
    match (request.presented, request.presented.files()) {
        (Presented::Own, _) => {}
        (_, Some((certificate, _))) => {
            text.extend([", with the client certificate ", certificate]);
        }
        (_, None) => text.push_str(", without a client certificate"),
    }
    text
}

/// Replaces a token by its header and the claims that matter. Returns other words truncated.
fn describe_word(word: &str) -> String {
    describe_jws(word, relevant_claims)
}

/// Replaces a proof of possession by its header and claims.
fn describe_proof(word: &str) -> String {
    describe_jws(word, |payload| payload)
}

/// Replaces a JWS by its header and those parts of its payload that matter. Returns other words
/// truncated.
fn describe_jws(word: &str, relevant: fn(String) -> String) -> String {
    let [header, payload, signature] = split(word);
    let decode_text = |part: &str| {
        String::from_utf8(decode(part))
            .ok()
            .filter(|text| !text.is_empty())
    };
    match (decode_text(&header), decode_text(&payload)) {
        (Some(header), Some(payload)) => {
            let signature = match signature.len() {
                0 => "no signature".to_owned(),
                length => format!("{length} characters of signature"),
            };
            let payload = if is_token(&payload) {
                format!("[{}]", describe_word(&payload))
            } else {
                truncate(&relevant(payload), 300)
            };
            format!("{} . {payload} . {signature}", truncate(&header, 300))
        }
        // Part of a token, or a token in another encoding.
        _ if is_token(word) => format!("({} characters of a token)", word.len()),
        _ => truncate(word, 60),
    }
}

/// Whether the text contains `{"` in base64url. Tokens are never printed, not even test tokens.
fn is_token(text: &str) -> bool {
    text.contains("eyJ")
}

/// Removes the claims that every Supabase token has and that no case tests.
fn relevant_claims(payload: String) -> String {
    const COMMON: [&str; 10] = [
        "aal",
        "amr",
        "app_metadata",
        "email",
        "is_anonymous",
        "jti",
        "phone",
        "role",
        "session_id",
        "user_metadata",
    ];
    // Raw values: a case may test a number or a nesting depth that a parser cannot represent.
    let claims: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(&payload).unwrap_or_default();
    // A payload with duplicate members or other formatting is shown unchanged.
    if serde_json::to_string(&claims).ok().as_ref() != Some(&payload) {
        return payload;
    }
    let relevant: BTreeMap<_, _> = claims
        .into_iter()
        .filter(|(name, _)| !COMMON.contains(&name.as_str()))
        .collect();
    serde_json::to_string(&relevant).unwrap_or(payload)
}

fn truncate(text: &str, limit: usize) -> String {
    let mut truncated: String = text
        .chars()
        .take(limit)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(limit).is_some() {
        truncated.push('…');
    }
    truncated
}
