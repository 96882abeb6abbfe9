//! The report as one JSON object. Its member names are stable.

use serde_json::{Map, Value, json};

use super::{CaseResult, Finding, Outcome, Report};

pub(super) fn report(report: &Report) -> Value {
    let algorithms: Vec<&str> = report
        .algorithms
        .iter()
        .map(|algorithm| algorithm.name())
        .collect();
    let by_severity: Map<String, Value> = report
        .failed_by_severity()
        .map(|(severity, count)| (severity.name().to_owned(), count.into()))
        .into_iter()
        .collect();
    json!({
        "target": report.target,
        "issuer": report.issuer,
        "algorithms": algorithms,
        "strict": report.strict,
        "quick": report.quick,
        "seconds": report.duration.as_secs_f64(),
        "rate_limited": report.rate_limited,
        "passed": report.passed_count(),
        "failed": report.failed(),
        "failed_by_severity": by_severity,
        "skipped": report.skipped(),
        "platform": report.platform,
        "command": report.command,
        "findings": report.findings().iter().map(|finding| self::finding(report, finding)).collect::<Vec<_>>(),
        "cases": report.results.iter().map(|result| case(report, result)).collect::<Vec<_>>(),
    })
}

/// Failures with the same cause.
fn finding(report: &Report, finding: &Finding) -> Value {
    let first = finding.first();
    let ids: Vec<&str> = finding.results.iter().map(|result| result.id).collect();
    json!({
        "severity": finding.severity.name(),
        "cases": ids,
        "got": finding.common_got(),
        "why": first.rationale,
        "reference": first.reference,
        "caveat": if first.severity_note.is_empty() { None } else { Some(first.severity_note) },
        "hint": first.hint,
        "options": options(first),
        "command": format!("{} --only {}", report.command, first.id),
    })
}

/// The option of each platform that fixes the failure.
fn options(result: &CaseResult) -> Map<String, Value> {
    let options = result.options.iter();
    options
        .map(|option| (option.platform.to_owned(), option.option.into()))
        .collect()
}

fn case(report: &Report, result: &CaseResult) -> Value {
    let replay = result.replay.as_ref();
    let (outcome, expected, got, skip_reason) = match &result.outcome {
        Outcome::Passed => ("passed", None, None, None),
        Outcome::Failed { expected, got } => ("failed", Some(expected), Some(got), None),
        Outcome::Skipped { reason } => ("skipped", None, None, Some(reason)),
    };
    json!({
        "id": result.id,
        "group": result.group,
        "title": result.title,
        "severity": result.severity.name(),
        "outcome": outcome,
        "expected": expected.map_or(result.expected, String::as_str),
        "got": got,
        "skipped_because": skip_reason,
        "why": result.rationale,
        "reference": result.reference,
        "caveat": if result.severity_note.is_empty() { None } else { Some(result.severity_note) },
        "hint": result.hint,
        "options": options(result),
        "token": replay.and_then(|replay| replay.token.as_ref()),
        "curl": replay.map(|replay| &replay.curl),
        "command": result.is_failed().then(|| format!("{} --only {}", report.command, result.id)),
        "request": if result.request.is_empty() { None } else { Some(&result.request) },
        "milliseconds": u64::try_from(result.duration.as_millis()).unwrap_or(u64::MAX),
    })
}
