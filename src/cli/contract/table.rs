//! Prints the report as a table, and the list of cases.

use anstyle::Style;
use bearward_contract::{CaseResult, Finding, Outcome, Report, Severity, all_cases, groups};

use super::{
    super::style,
    wrap::{truncate, wrap},
};

/// Prints the report: one entry for each cause of failures, the most severe first, and how many cases
/// of each group passed.
pub(super) fn print(report: &Report, verbose: bool) {
    let (plain, strong, faint) = (style::PLAIN, style::STRONG, style::FAINT);
    let algorithms: Vec<&str> = report
        .algorithms
        .iter()
        .map(|algorithm| algorithm.name())
        .collect();
    anstream::println!(
        "{strong}target{plain} {}  {faint}accepts{plain} {}",
        report.target,
        algorithms.join(" ")
    );
    if report.rate_limited > 0 {
        let note =
            "the target responded with 429 and the suite waited; disable rate limits for this run";
        anstream::println!(
            "{}note{plain} {note} ({} times)",
            style::NOTE,
            report.rate_limited
        );
    }
    let findings = report.findings();
    let is_minor = |finding: &&Finding| finding.severity > Severity::High;
    let is_compact =
        !verbose && findings.iter().filter(is_minor).count() > MAX_DETAILED_MINOR_FINDINGS;
    let (minor, detailed): (Vec<&Finding>, Vec<&Finding>) = findings
        .iter()
        .partition(|finding| is_compact && is_minor(finding));
    for finding in detailed {
        print_finding(report, finding, verbose);
    }
    if is_compact {
        anstream::println!();
    }
    for finding in &minor {
        print_headline(finding);
    }
    print_groups(report, verbose);
    if !findings.is_empty() {
        let command = format!("{} --only ID", report.command);
        anstream::println!(
            "\n{faint}replay{plain}   {}",
            wrap(&command, 9).join(&format!("\n{:9}", ""))
        );
        let more = if is_compact {
            "--verbose explains each line; --html and --json also have curl commands"
        } else {
            "--html and --json have curl commands and the options of all platforms"
        };
        anstream::println!("{faint}{:9}{more}{plain}", "");
    }
    let failed: Vec<String> = report
        .failed_by_severity()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{}{count} {severity}{plain}", severity_style(severity)))
        .collect();
    if report.skipped() > 0 && !verbose && !is_compact {
        anstream::println!(
            "{faint}--verbose shows why cases are not applicable, and the passed cases{plain}"
        );
    }
    if !failed.is_empty() {
        anstream::println!("{}", failed.join(", "));
    }
    let color = if report.passed() {
        style::GOOD
    } else {
        style::BAD
    };
    let mode = if report.quick { ", quick" } else { "" };
    let mode = format!("{}{mode}", if report.strict { "strict" } else { "default" });
    anstream::println!(
        "{color}{}{plain} {faint}({mode}, {:.1} s){plain}",
        report.summary(),
        report.duration.as_secs_f64()
    );
}

/// The number of findings of medium or low severity that are printed in full. More are printed with
/// one line each, so that the report fits on two screens.
const MAX_DETAILED_MINOR_FINDINGS: usize = 6;

/// Prints a finding as one line: the cases, what happened, and the title or the reason.
fn print_headline(finding: &Finding) {
    let (plain, strong) = (style::PLAIN, style::STRONG);
    let (first, severity) = (finding.first(), finding.severity);
    let (cases, about) = match finding.results.len() {
        1 => (first.id.to_owned(), first.title),
        count if finding.groups().len() > 2 => (format!("{count} cases"), ""),
        count => (format!("{} +{}", first.id, count - 1), first.rationale),
    };
    let got = finding
        .common_got()
        .unwrap_or(first.got().unwrap_or_default());
    let got = got.lines().next().unwrap_or_default();
    let separator = if about.is_empty() { "" } else { ": " };
    let text = format!("{strong}{cases}{plain}  {got}{separator}{about}");
    anstream::println!(
        "{}{severity:<8}{plain} {}",
        severity_style(severity),
        truncate(&text, 9)
    );
}

/// Prints the failed cases with the same cause as one entry.
fn print_finding(report: &Report, finding: &Finding, verbose: bool) {
    let (plain, faint, strong) = (style::PLAIN, style::FAINT, style::STRONG);
    let (first, severity) = (finding.first(), finding.severity);
    let count = finding.results.len();
    let headline = if count == 1 {
        format!("{strong}{}{plain} {}", first.id, first.title)
    } else {
        format!("{strong}{count} cases{plain} {}", finding.scope())
    };
    let lines = wrap(&headline, 9).join(&format!("\n{:9}", ""));
    anstream::println!("\n{}{severity:<8}{plain} {lines}", severity_style(severity));
    let row = |name: &str, text: &str| {
        if !text.is_empty() {
            let lines = wrap(text, 18).join(&format!("\n{:18}", ""));
            anstream::println!("         {faint}{name:<8}{plain} {lines}");
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
    let note = if first.severity_note.is_empty() {
        String::new()
    } else {
        format!("; {}", first.severity_note)
    };
    let reference = parenthesized(first.reference);
    row("why", &format!("{}{note} {reference}", first.rationale));
    row("fix", first.hint);
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
}

/// Prints how many cases of each group passed; with `verbose`, every case that did not fail.
fn print_groups(report: &Report, verbose: bool) {
    let (plain, faint, strong) = (style::PLAIN, style::FAINT, style::STRONG);
    let groups = report.by_group();
    let counted = |is_counted: fn(&CaseResult) -> bool| {
        let counts = groups.iter().filter_map(|(group, results)| {
            let count = results.iter().filter(|result| is_counted(result)).count();
            (count > 0).then(|| format!("{} {count}", group.name))
        });
        counts.collect::<Vec<_>>().join(", ")
    };
    anstream::println!();
    for (name, text) in [
        (
            "passed",
            counted(|result| result.outcome == Outcome::Passed),
        ),
        ("n/a", counted(CaseResult::is_skipped)),
    ] {
        if !text.is_empty() {
            let lines = wrap(&text, 9).join(&format!("\n{:9}", ""));
            anstream::println!("{faint}{name:<8}{plain} {lines}");
        }
    }
    if !verbose {
        return;
    }
    for (group, results) in &groups {
        anstream::println!("\n{strong}{}{plain}  {}", group.name, group.title);
        for result in results {
            match &result.outcome {
                Outcome::Passed => anstream::println!(
                    "  {}ok{plain} {:<38} {faint}{}{plain}",
                    style::GOOD,
                    result.id,
                    result.title
                ),
                Outcome::Skipped { reason } => anstream::println!(
                    "  {faint}-- {:<38} {}: {reason}{plain}",
                    result.id,
                    result.title
                ),
                Outcome::Failed { .. } => {}
            }
        }
    }
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
