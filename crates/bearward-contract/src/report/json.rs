//! The report as one JSON object, for programs.

use serde_json::{Value, json};

use super::{CaseResult, Outcome, Report};

pub(super) fn report(report: &Report) -> Value {
    json!({
        "target": report.target,
        "issuer": report.issuer,
        "algorithms": report.algorithms.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>(),
        "strict": report.strict,
        "quick": report.quick,
        "seconds": report.took.as_secs_f64(),
        "rate_limited": report.limited,
        "passed": report.passed_count(),
        "failed": report.failed(),
        "failed_by_severity": report.failed_by_severity().map(|(severity, count)| (severity.name().to_owned(), count.into())).into_iter().collect::<serde_json::Map<_, _>>(),
        "skipped": report.skipped(),
        "cases": report.results.iter().map(tested).collect::<Vec<_>>(),
    })
}

fn tested(tested: &CaseResult) -> Value {
    let (outcome, expected, got, why_skipped) = match &tested.outcome {
        Outcome::Passed => ("passed", None, None, None),
        Outcome::Failed { expected, got } => ("failed", Some(expected), Some(got), None),
        Outcome::Skipped { why } => ("skipped", None, None, Some(why)),
    };
    json!({
        "id": tested.id,
        "group": tested.group,
        "title": tested.title,
        "severity": tested.severity.name(),
        "outcome": outcome,
        "expected": expected.map_or(tested.expected, String::as_str),
        "got": got,
        "skipped_because": why_skipped,
        "why": tested.why,
        "reference": tested.reference,
        "caveat": if tested.caveat.is_empty() { None } else { Some(tested.caveat) },
        "hint": tested.hint,
        "request": if tested.request.is_empty() { None } else { Some(&tested.request) },
        "milliseconds": u64::try_from(tested.took.as_millis()).unwrap_or(u64::MAX),
    })
}
