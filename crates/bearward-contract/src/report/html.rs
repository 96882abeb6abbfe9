//! The report as one HTML page without external resources. Follows the reader's color scheme.

use bearward_http::DESIGN_CSS;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{CaseResult, Finding, Outcome, Report};
use crate::{case::Severity, group::Group};

const STYLE: &str = include_str!("page.css");

/// Blocks scripts and external resources even if a value were not escaped.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

pub(super) fn report(report: &Report) -> String {
    let findings = report.findings();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(CONTENT_SECURITY_POLICY);
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (report.summary()) ": bearward contract" }
                style { (PreEscaped(DESIGN_CSS)) (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (header(report))
                    @if !findings.is_empty() {
                        h2 { "Failures by cause" }
                    }
                    @for finding in &findings {
                        (finding_details(report, finding))
                    }
                    h2 { "All cases" }
                    @for (group, results) in report.by_group() {
                        (group_details(report, group, &results))
                    }
                }
            }
        }
    }
    .into_string()
}

fn header(report: &Report) -> Markup {
    let algorithms: Vec<&str> = report
        .algorithms
        .iter()
        .map(|algorithm| algorithm.name())
        .collect();
    let (class, verdict) = if report.passed() {
        ("good", "passed")
    } else {
        ("bad", "failed")
    };
    html! {
        header {
            h1 { "Conformance suite " span class=(class) { (verdict) } }
            p { code { (report.target) } }
            p class="faint" {
                "issuer " code { (report.issuer) }
                " · accepts " (algorithms.join(" "))
                " · " (if report.strict { "strict" } else { "default" })
                @if report.quick { ", quick: without rotations and outages" }
                " · " (format!("{:.1}", report.duration.as_secs_f64())) " s"
                " · bearward " (env!("CARGO_PKG_VERSION"))
            }
        }
        ul class="sum" {
            @for (severity, count) in report.failed_by_severity() {
                (tile(severity.name(), count, html! {
                    (severity.name()) small { (meaning(severity)) }
                }))
            }
            (tile("good", report.passed_count(), html! { "passed" }))
            (tile("faint", report.skipped(), html! { "not applicable" }))
        }
    }
}

fn tile(class: &str, count: usize, label: Markup) -> Markup {
    html! {
        li class={ (class) @if count == 0 { " none" } } { b { (count) } (label) }
    }
}

fn meaning(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "an attacker gains access",
        Severity::High => "users are locked out",
        Severity::Medium => "a wrong result",
        Severity::Low => "protocol details",
    }
}

/// One entry for failures with the same cause: what they have in common, and each case folded.
fn finding_details(report: &Report, finding: &Finding) -> Markup {
    let first = finding.first();
    if finding.results.len() == 1 {
        return case(report, first, true);
    }
    let severity = finding.severity.name();
    html! {
        details class={ "case " (severity) } open {
            summary {
                span class="tag" { (severity) }
                code { (finding.results.len()) " cases" }
                span class="title" { (finding.scope()) }
            }
            dl {
                @if let (Some(got), Outcome::Failed { expected, .. }) = (finding.common_got(), &first.outcome) {
                    (row("expected", html! { (expected) }))
                    (row("got", multi_line(got)))
                }
                @for (_, results) in finding.distinct(|result| result.rationale) {
                    (reasons(results[0]))
                }
                @for (_, results) in finding.distinct(|result| result.hint) {
                    (remedies(results[0]))
                }
                (row("replay", html! { code { (report.command) " --only " (first.id) } }))
            }
            details class="cases" {
                summary { "the cases, with their requests" }
                @for result in &finding.results {
                    (case(report, result, false))
                }
            }
        }
    }
}

fn group_details(report: &Report, group: &Group, results: &[&CaseResult]) -> Markup {
    let count = |is_counted: fn(&CaseResult) -> bool| {
        results.iter().filter(|result| is_counted(result)).count()
    };
    let (failed, skipped) = (count(CaseResult::is_failed), count(CaseResult::is_skipped));
    html! {
        details class="group" {
            summary {
                code { (group.name) }
                span class="title" { (with_code(group.title)) }
                span class="count" {
                    @if failed > 0 { b class="bad" { (failed) " failed" } }
                    " " (results.len() - failed - skipped) " passed"
                    @if skipped > 0 { ", " (skipped) " not applicable" }
                }
            }
            @for result in results {
                (case(report, result, false))
            }
        }
    }
}

fn case(report: &Report, result: &CaseResult, is_open: bool) -> Markup {
    let (class, label) = match &result.outcome {
        Outcome::Passed => ("good", "passed"),
        Outcome::Failed { .. } => (result.severity.name(), result.severity.name()),
        Outcome::Skipped { .. } => ("faint", "not applicable"),
    };
    html! {
        details class={ "case " (class) } open[is_open] {
            summary {
                span class="tag" { (label) }
                code { (result.id) }
                span class="title" { (with_code(result.title)) }
            }
            dl {
                @match &result.outcome {
                    Outcome::Passed => { (row("expected", html! { (result.expected) })) }
                    Outcome::Failed { expected, got } => {
                        (row("expected", html! { (expected) }))
                        (row("got", multi_line(got)))
                    }
                    Outcome::Skipped { reason } => { (row("reason", html! { (reason) })) }
                }
                @if !result.request.is_empty() {
                    (row("sent", html! { code { (result.request) } }))
                }
                (reasons(result))
                @if result.is_failed() {
                    (remedies(result))
                    (replay(report, result))
                }
            }
        }
    }
}

fn reasons(result: &CaseResult) -> Markup {
    row(
        "why",
        html! {
            (with_code(result.rationale))
            @if !result.severity_note.is_empty() { "; " (with_code(result.severity_note)) }
            @if !result.reference.is_empty() { " " span class="faint" { (result.reference) } }
        },
    )
}

/// The hint, and the option of each platform.
fn remedies(result: &CaseResult) -> Markup {
    row(
        "fix",
        html! {
            (with_code(result.hint))
            @if !result.options.is_empty() {
                details class="options" {
                    summary { "the option of each platform" }
                    @for option in result.options {
                        p { b { (option.platform) } " " (with_code(option.option)) }
                    }
                }
            }
        },
    )
}

/// The commands that send the request again.
fn replay(report: &Report, result: &CaseResult) -> Markup {
    row(
        "replay",
        html! {
            code { (report.command) " --only " (result.id) }
            @if let Some(replay) = &result.replay {
                details class="options" {
                    summary { "curl, with the token created again" }
                    pre { (replay.curl) }
                }
            }
        },
    )
}

fn row(name: &str, value: Markup) -> Markup {
    html! { dt { (name) } dd { (value) } }
}

/// Shows the first line, and the output of a process below it.
fn multi_line(got: &str) -> Markup {
    let (line, output) = got.split_once('\n').unwrap_or((got, ""));
    html! {
        strong { (line) }
        @if !output.is_empty() { pre { (output) } }
    }
}

/// Renders text in backticks as code.
fn with_code(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{all_cases, groups};

    #[test]
    fn backticks_become_code_and_markup_is_escaped() {
        assert_eq!(
            with_code("jose `{ a: [\"<\"] }`, or").into_string(),
            "jose <code>{ a: [&quot;&lt;&quot;] }</code>, or"
        );
    }

    #[test]
    fn backticks_in_texts_are_balanced() {
        let cases = all_cases();
        let texts = cases.iter().flat_map(|case| {
            [
                case.title,
                case.rationale,
                case.severity_note,
                case.hint.unwrap_or_default(),
            ]
        });
        for text in texts.chain(groups().iter().flat_map(|group| [group.title, group.hint])) {
            assert_eq!(text.matches('`').count() % 2, 0, "{text}");
        }
    }
}
