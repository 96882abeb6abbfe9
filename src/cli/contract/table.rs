//! Prints the report as a table, and the list of cases.
#![expect(clippy::format_push_string, reason = "a report is formatted once")]

use anstyle::Style;
use bearward_contract::{CaseResult, Finding, Outcome, Report, Severity, all_cases, groups};

use super::{
    super::style,
    wrap::{indented, rows, truncate},
};

/// Prints the report: one entry for each cause of failures, the most severe first, and how many cases
/// of each group passed.
///
/// Critical and high entries are printed in full. Others are printed in full as far as the report fits
/// on two screens, and with one line each after that.
pub(super) fn print(report: &Report, verbose: bool) {
    let findings = report.findings();
    let majors = findings.iter().filter(|finding| !is_minor(finding));
    let first_compact = majors.count();
    let render = |detailed: usize| render(report, &findings, detailed, verbose);
    let text = if verbose {
        render(findings.len())
    } else {
        let candidates = (first_compact..=findings.len()).rev();
        let mut texts = candidates.map(|detailed| (detailed, render(detailed)));
        texts
            .find(|(detailed, text)| fits(text, detailed - first_compact))
            .map_or_else(|| render(first_compact), |(_, text)| text)
    };
    anstream::print!("{text}");
}

fn is_minor(finding: &Finding) -> bool {
    finding.severity > Severity::High
}

/// Whether the report fits on two screens, with the prompt and the command in front of it. Output to a
/// file or a pipe has no height: a number of entries is printed in full.
fn fits(text: &str, detailed_minor_findings: usize) -> bool {
    match rows() {
        Some(rows) => text.lines().count() <= 2 * rows - 2,
        None => detailed_minor_findings <= MAX_DETAILED_MINOR_FINDINGS,
    }
}

/// The number of medium and low findings that are written in full to a file or a pipe.
const MAX_DETAILED_MINOR_FINDINGS: usize = 6;

/// Returns the report with this number of findings in full.
fn render(report: &Report, findings: &[Finding], detailed: usize, verbose: bool) -> String {
    let (plain, strong, faint) = (style::PLAIN, style::STRONG, style::FAINT);
    let algorithms: Vec<&str> = report
        .algorithms
        .iter()
        .map(|algorithm| algorithm.name())
        .collect();
    let mut text = format!(
        "{strong}target{plain} {}  {faint}accepts{plain} {}\n",
        report.target,
        algorithms.join(" ")
    );
    if report.rate_limited > 0 {
        let note =
            "the target responded with 429 and the suite waited; disable rate limits for this run";
        text += &format!(
            "{}note{plain} {note} ({} times)\n",
            style::NOTE,
            report.rate_limited
        );
    }
    let (detailed, compact) = findings.split_at(detailed);
    text.extend(
        detailed
            .iter()
            .map(|finding| describe_finding(report, finding, verbose)),
    );
    if !compact.is_empty() {
        text.push('\n');
    }
    text.extend(compact.iter().map(headline));
    text += &describe_groups(report, compact.is_empty(), verbose);
    if !findings.is_empty() {
        let command = format!("{} --only ID", report.command);
        let lines = indented(&command, 9);
        text += &format!("\n{faint}replay{plain}   {lines}\n");
        let more = if compact.is_empty() {
            "--html and --json have curl commands and the options of all platforms"
        } else {
            "--verbose explains each line; --html and --json also have curl commands"
        };
        text += &format!("{faint}{:9}{more}{plain}\n", "");
    }
    let failed: Vec<String> = report
        .failed_by_severity()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{}{count} {severity}{plain}", severity_style(severity)))
        .collect();
    if report.skipped() > 0 && !verbose && compact.is_empty() {
        text += &format!(
            "{faint}--verbose shows why cases are not applicable, and the passed cases{plain}\n"
        );
    }
    if !failed.is_empty() {
        text += &format!("{}\n", failed.join(", "));
    }
    let color = if report.passed() {
        style::GOOD
    } else {
        style::BAD
    };
    let mode = if report.quick { ", quick" } else { "" };
    let mode = format!("{}{mode}", if report.strict { "strict" } else { "default" });
    text + &format!(
        "{color}{}{plain} {faint}({mode}, {:.1} s){plain}\n",
        report.summary(),
        report.duration.as_secs_f64()
    )
}

/// Describes a finding in one line: the cases, what happened, and the title or the reason.
fn headline(finding: &Finding) -> String {
    let (plain, strong) = (style::PLAIN, style::STRONG);
    let (first, severity) = (finding.first(), finding.severity);
    let (cases, about) = match finding.results.len() {
        1 => (first.id.to_owned(), first.title),
        count if finding.groups().len() > 2 => (format!("{count} cases"), ""),
        count => {
            let rationales = finding.distinct(|result| result.rationale);
            let about = match rationales[..] {
                [(rationale, _)] => rationale,
                _ => first.title,
            };
            (format!("{} +{}", first.id, count - 1), about)
        }
    };
    let got = finding
        .common_got()
        .unwrap_or(first.got().unwrap_or_default());
    let got = got.lines().next().unwrap_or_default();
    let separator = if about.is_empty() { "" } else { ": " };
    let text = format!("{strong}{cases}{plain}  {got}{separator}{about}");
    format!(
        "{}{severity:<8}{plain} {}\n",
        severity_style(severity),
        truncate(&text, 9)
    )
}

/// Describes the failed cases with the same cause as one entry.
fn describe_finding(report: &Report, finding: &Finding, verbose: bool) -> String {
    let (plain, faint, strong) = (style::PLAIN, style::FAINT, style::STRONG);
    let (first, severity) = (finding.first(), finding.severity);
    let count = finding.results.len();
    let headline = if count == 1 {
        format!("{strong}{}{plain} {}", first.id, first.title)
    } else {
        format!("{strong}{count} cases{plain} {}", finding.scope())
    };
    let lines = indented(&headline, 9);
    let mut entry = format!(
        "\n{}{severity:<8}{plain} {lines}\n",
        severity_style(severity)
    );
    let mut row = |name: &str, text: &str| {
        if !text.is_empty() {
            let lines = indented(text, 18);
            entry += &format!("         {faint}{name:<8}{plain} {lines}\n");
        }
    };
    match (finding.common_got(), &first.outcome) {
        (Some(got), Outcome::Failed { expected, .. }) => {
            row("expected", expected);
            row("got", got);
        }
        _ => {
            for result in &finding.results {
                row(
                    "got",
                    &format!("{} ({})", result.got().unwrap_or_default(), result.id),
                );
            }
        }
    }
    let rationales = finding.distinct(|result| result.rationale);
    for (rationale, results) in &rationales {
        let note = match results[0].severity_note {
            "" => String::new(),
            note => format!("; {note}"),
        };
        let reference = parenthesized(results[0].reference);
        let ids = ids_if(rationales.len() > 1, results);
        row("why", &format!("{rationale}{note} {reference}{ids}"));
    }
    let hints = finding.distinct(|result| result.hint);
    for (hint, results) in &hints {
        row(
            "fix",
            &format!("{hint}{}", ids_if(hints.len() > 1, results)),
        );
    }
    let options = first
        .options
        .iter()
        .filter(|option| Some(option.platform) == report.platform);
    for option in options {
        row(option.platform, option.option);
    }
    if verbose {
        for result in &finding.results {
            row("case", &format!("{}: {}", result.id, result.title));
            row("sent", &result.request);
        }
    }
    entry
}

/// Returns the ids of the cases that a text is about, if it is not about all.
fn ids_if(is_needed: bool, results: &[&CaseResult]) -> String {
    if !is_needed {
        return String::new();
    }
    let ids: Vec<&str> = results.iter().map(|result| result.id).collect();
    format!(" [{}]", ids.join(", "))
}

/// Describes how many cases of each group passed and, with `skipped`, did not apply; with `verbose`,
/// every case that did not fail.
fn describe_groups(report: &Report, skipped: bool, verbose: bool) -> String {
    let (plain, faint, strong) = (style::PLAIN, style::FAINT, style::STRONG);
    let groups = report.by_group();
    let counted = |is_counted: fn(&CaseResult) -> bool| {
        let counts = groups.iter().filter_map(|(group, results)| {
            let count = results.iter().filter(|result| is_counted(result)).count();
            (count > 0).then(|| format!("{} {count}", group.name))
        });
        counts.collect::<Vec<_>>().join(", ")
    };
    let mut text = String::from(if skipped { "\n" } else { "" });
    for (name, counts) in [
        (
            "passed",
            counted(|result| result.outcome == Outcome::Passed),
        ),
        ("n/a", counted(CaseResult::is_skipped)),
    ] {
        if !counts.is_empty() && (skipped || name == "passed") {
            let lines = indented(&counts, 9);
            text += &format!("{faint}{name:<8}{plain} {lines}\n");
        }
    }
    if !verbose {
        return text;
    }
    for (group, results) in &groups {
        text += &format!("\n{strong}{}{plain}  {}\n", group.name, group.title);
        for result in results {
            text += &match &result.outcome {
                Outcome::Passed => format!(
                    "  {}ok{plain} {:<38} {faint}{}{plain}\n",
                    style::GOOD,
                    result.id,
                    result.title
                ),
                Outcome::Skipped { reason } => format!(
                    "  {faint}-- {:<38} {}: {reason}{plain}\n",
                    result.id, result.title
                ),
                Outcome::Failed { .. } => String::new(),
            };
        }
    }
    text
}

/// Prints every case.
pub(super) fn list(strict: bool) {
    let (plain, strong, faint) = (style::PLAIN, style::STRONG, style::FAINT);
    let cases = all_cases();
    for group in groups() {
        let timed = if group.timed {
            "  (not in a quick run)"
        } else {
            ""
        };
        anstream::println!(
            "{strong}{}{plain}  {}{faint}{timed}{plain}",
            group.name,
            group.title
        );
        for case in cases.iter().filter(|case| case.group().name == group.name) {
            let only = if case.strict { " (strict)" } else { "" };
            let severity = case.severity;
            anstream::println!(
                "  {}{severity:<8}{plain} {:<40} {}{faint}{only}{plain}",
                severity_style(severity),
                case.id,
                case.title
            );
            anstream::println!(
                "  {faint}{:49} expected: {}; {} {}{plain}",
                "",
                case.expected(strict),
                case.rationale,
                parenthesized(case.reference)
            );
        }
    }
    let not_strict = cases.iter().filter(|case| !case.strict).count();
    anstream::println!(
        "\n{} cases, {not_strict} of them without --strict",
        cases.len()
    );
}

fn parenthesized(reference: &str) -> String {
    if reference.is_empty() {
        String::new()
    } else {
        format!("({reference})")
    }
}

fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => style::BAD,
        Severity::Medium => style::NOTE,
        Severity::Low => style::FAINT,
    }
}
