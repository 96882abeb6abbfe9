//! What held and what did not.

mod html;
mod json;
mod junit;

use std::{collections::BTreeMap, fmt, time::Duration};

use bearward::Algorithm;
use serde_json::{Value, value::RawValue};

use super::{
    case::{Case, Severity},
    cases::{GROUPS, Group},
    failure_kind::FailureKind,
    forge::{decode, split},
    target::Request,
};

/// The outcome of one run. `Display` shows the failures and the closing line; a Rust test prints it
/// where it asserts.
#[derive(Debug, Clone)]
pub struct Report {
    /// The protected URL.
    pub target: String,
    /// The `iss` of good tokens.
    pub issuer: String,
    /// What the target accepts.
    pub algorithms: Vec<Algorithm>,
    /// Whether the letter of the RFCs was asked for.
    pub strict: bool,
    /// Whether cooldowns and outages were left out.
    pub quick: bool,
    /// How often the target's own rate limit was waited for.
    pub limited: usize,
    /// How long it took, from the first accepted token on.
    pub took: Duration,
    /// Case by case, in the order in which they were run.
    pub results: Vec<CaseResult>,
}

/// One case and how it ended.
#[derive(Debug, Clone)]
pub struct CaseResult {
    /// The case's id.
    pub id: &'static str,
    /// Its group's name.
    pub group: &'static str,
    /// What was sent, in a few words.
    pub title: &'static str,
    /// What a failure means; of one that failed, what this failure means, which may be less than
    /// the case's worst.
    pub severity: Severity,
    /// What must happen.
    pub expected: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// The RFC's section, or the CVE.
    pub reference: &'static str,
    /// Why it means no more than its severity says, where a reader may think so.
    pub caveat: &'static str,
    /// How this is usually put right.
    pub hint: &'static str,
    /// What was sent: the request with the token's header and claims, without its signature. Empty
    /// for cases of several steps.
    pub request: String,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not.
    Failed {
        /// What must happen.
        expected: String,
        /// What happened.
        got: String,
    },
    /// It says nothing about this target.
    Skipped {
        /// Why.
        why: String,
    },
}

impl CaseResult {
    pub(super) fn new(
        case: &Case,
        strict: bool,
        request: String,
        outcome: Outcome,
        symptom: FailureKind,
        took: Duration,
    ) -> Self {
        let group = case.group();
        Self {
            id: case.id,
            group: group.name,
            title: case.title,
            severity: symptom.severity(case),
            expected: case.expected(strict),
            why: case.why,
            reference: case.reference,
            caveat: case.caveat,
            hint: symptom.hint(case),
            request,
            outcome,
            took,
        }
    }

    /// Whether it failed.
    pub fn is_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed { .. })
    }

    /// Whether it was left out.
    pub fn is_skipped(&self) -> bool {
        matches!(self.outcome, Outcome::Skipped { .. })
    }
}

impl Report {
    /// Whether nothing failed.
    pub fn passed(&self) -> bool {
        self.failed() == 0
    }

    /// Returns the number of cases that passed.
    pub fn passed_count(&self) -> usize {
        self.results.len() - self.failed() - self.skipped()
    }

    /// How many do not.
    pub fn failed(&self) -> usize {
        self.failures().count()
    }

    /// How many say nothing about this target.
    pub fn skipped(&self) -> usize {
        self.results
            .iter()
            .filter(|tested| tested.is_skipped())
            .count()
    }

    /// Those that failed, in the order in which they were run.
    pub fn failures(&self) -> impl Iterator<Item = &CaseResult> {
        self.results.iter().filter(|tested| tested.is_failed())
    }

    /// Those that failed, the worst first.
    pub fn by_severity(&self) -> Vec<&CaseResult> {
        let mut failures: Vec<&CaseResult> = self.failures().collect();
        failures.sort_by_key(|tested| tested.severity);
        failures
    }

    /// How many failed, of each severity, the worst first.
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
                    .filter(|tested| tested.severity == severity)
                    .count(),
            )
        })
    }

    /// Groups in their order, those with failures first, the worst at the top; within each,
    /// failures first.
    pub fn by_group(&self) -> Vec<(&'static Group, Vec<&CaseResult>)> {
        let mut groups: Vec<_> = GROUPS
            .iter()
            .map(|group| {
                let mut results: Vec<&CaseResult> = self
                    .results
                    .iter()
                    .filter(|tested| tested.group == group.name)
                    .collect();
                results.sort_by_key(|tested| {
                    (
                        !tested.is_failed(),
                        tested.is_failed().then_some(tested.severity),
                    )
                });
                (group, results)
            })
            .filter(|(_, results)| !results.is_empty())
            .collect();
        // Failures come first, and the worst of them at the front.
        groups.sort_by_key(|(_, results)| {
            (
                !results[0].is_failed(),
                results[0].is_failed().then_some(results[0].severity),
            )
        });
        groups
    }

    /// The closing line.
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

    /// One JSON object, for programs.
    pub fn to_json(&self) -> Value {
        json::report(self)
    }

    /// XML in the manner of `JUnit`, for continuous integration.
    pub fn to_junit(&self) -> String {
        junit::report(self)
    }

    /// One page without anything that is fetched.
    pub fn to_html(&self) -> String {
        html::report(self)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for tested in self.failures() {
            if let Outcome::Failed { expected, got } = &tested.outcome {
                writeln!(
                    f,
                    "{} ({}): {}\n  expected {expected}\n  got      {got}",
                    tested.id, tested.severity, tested.title
                )?;
                if !tested.request.is_empty() {
                    writeln!(f, "  sent     {}", tested.request)?;
                }
            }
        }
        f.write_str(&self.summary())
    }
}

/// A request for people: what a token says, and never its signature.
pub(super) fn shown(request: &Request) -> String {
    let query = request
        .query
        .as_deref()
        .map(|query| format!("?{}", token(query)))
        .unwrap_or_default();
    let mut text = format!("{}{query}", request.method);
    for (name, value) in &request.headers {
        let value = String::from_utf8_lossy(value);
        let value = value.split(' ').map(token).collect::<Vec<_>>().join(" ");
        for part in [" ", name, ": ", &value] {
            text.push_str(part);
        }
    }
    text
}

/// A word; where it is a token, its header and claims.
fn token(word: &str) -> String {
    let [header, payload, signature] = split(word);
    let readable = |part: &str| {
        String::from_utf8(decode(part))
            .ok()
            .filter(|text| !text.is_empty())
    };
    match (readable(&header), readable(&payload)) {
        (Some(header), Some(payload)) => {
            let signature = match signature.len() {
                0 => "no signature".to_owned(),
                length => format!("{length} characters of signature"),
            };
            let payload = if is_token(&payload) {
                format!("[{}]", token(&payload))
            } else {
                cut(&telling(payload), 300)
            };
            format!("{} . {payload} . {signature}", cut(&header, 300))
        }
        // Half a token, or one in another dress.
        _ if is_token(word) => format!("({} characters of a token)", word.len()),
        _ => cut(word, 60),
    }
}

/// What base64url makes of `{"`: no token is written out, not even one that is good for this test
/// alone.
fn is_token(text: &str) -> bool {
    text.contains("eyJ")
}

/// The claims without those that every token of Supabase has and no case is about.
fn telling(payload: String) -> String {
    const USUAL: [&str; 11] = [
        "aal",
        "amr",
        "app_metadata",
        "client_id",
        "email",
        "is_anonymous",
        "jti",
        "phone",
        "role",
        "session_id",
        "user_metadata",
    ];
    // Values as they stand: what a case is about may be a number, or a depth, that no parser holds.
    let read: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&payload).unwrap_or_default();
    // A payload that says something twice, or in its own way, is shown as it stands.
    if serde_json::to_string(&read).ok().as_ref() != Some(&payload) {
        return payload;
    }
    let telling: BTreeMap<_, _> = read
        .into_iter()
        .filter(|(name, _)| !USUAL.contains(&name.as_str()))
        .collect();
    serde_json::to_string(&telling).unwrap_or(payload)
}

fn cut(text: &str, limit: usize) -> String {
    let mut shown: String = text
        .chars()
        .take(limit)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(limit).is_some() {
        shown.push('…');
    }
    shown
}
