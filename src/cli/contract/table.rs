//! Prints the report as a table, and the list of cases.

use anstyle::Style;
use bearward_contract::{CaseResult, Outcome, Report, Severity, all_cases, groups};

use super::{
    super::style,
    wrap::{truncate, wrap},
};

/// Prints the report: groups with the most severe failures first, and one line for each group that
/// passed.
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
    anstream::println!("\n{faint}{:<18}failed passed  n/a{plain}", "");
    let groups = report.by_group();
    for (group, results) in &groups {
        let count = |is_counted: fn(&CaseResult) -> bool| {
            results.iter().filter(|result| is_counted(result)).count()
        };
        let (failed, skipped) = (count(CaseResult::is_failed), count(CaseResult::is_skipped));
        let (mark, color) = if failed > 0 {
            ("FAIL", style::BAD)
        } else {
            ("ok", style::GOOD)
        };
        let number = |count: usize| {
            if count == 0 {
                String::new()
            } else {
                count.to_string()
            }
        };
        anstream::println!(
            "{color}{mark:<4}{plain} {strong}{:<13}{plain}{color}{:>6}{plain} {:>6} {faint}{:>4}{plain}  {}",
            group.name,
            number(failed),
            number(results.len() - failed - skipped),
            number(skipped),
            truncate(group.title, 38)
        );
        for result in results {
            print_case(result, verbose);
        }
    }
    print_hints(&groups);
    let failed: Vec<String> = report
        .failed_by_severity()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{}{count} {severity}{plain}", severity_style(severity)))
        .collect();
    anstream::println!();
    if report.skipped() > 0 && !verbose {
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

fn print_case(result: &CaseResult, verbose: bool) {
    let (plain, faint, strong) = (style::PLAIN, style::FAINT, style::STRONG);
    match &result.outcome {
        Outcome::Passed if verbose => {
            anstream::println!(
                "       {}ok{plain} {:<38} {faint}{}{plain}",
                style::GOOD,
                result.id,
                result.title
            );
        }
        Outcome::Skipped { reason } if verbose => {
            anstream::println!(
                "       {faint}-- {:<38} {}: {reason}{plain}",
                result.id,
                result.title
            );
        }
        Outcome::Failed { expected, got } => {
            let severity = result.severity;
            anstream::println!(
                "  {}{severity:<8}{plain}  {strong}{}{plain}",
                severity_style(severity),
                result.id
            );
            let row = |name: &str, text: &str, color: &str| {
                if !text.is_empty() {
                    let lines = wrap(text, 22).join(&format!("{plain}\n{:22}{color}", ""));
                    anstream::println!(
                        "            {faint}{name:<8}{plain}  {color}{lines}{plain}"
                    );
                }
            };
            let severity_note = if result.severity_note.is_empty() {
                String::new()
            } else {
                format!("; {}", result.severity_note)
            };
            let reference = parenthesized(result.reference);
            row("case", result.title, "");
            row("expected", expected, "");
            row("got", got, "");
            row("sent", &result.request, &faint.to_string());
            row(
                "why",
                &format!("{}{severity_note} {reference}", result.rationale),
                "",
            );
        }
        _ => {}
    }
}

/// Prints each hint once, with the group or the cases it applies to.
fn print_hints(groups: &[(&bearward_contract::Group, Vec<&CaseResult>)]) {
    let (plain, strong) = (style::PLAIN, style::STRONG);
    let mut printed: Vec<&str> = Vec::new();
    let failed = || {
        let all = groups
            .iter()
            .flat_map(|(group, results)| results.iter().map(move |result| (group, result)));
        all.filter(|(_, result)| result.is_failed())
    };
    for (group, result) in failed() {
        if printed.contains(&result.hint) {
            continue;
        }
        if printed.is_empty() {
            anstream::println!("\n{strong}How to fix it{plain}");
        }
        let ids: Vec<&str> = failed()
            .filter(|(_, other)| other.hint == result.hint)
            .map(|(_, other)| other.id)
            .collect();
        let scope = if result.hint == group.hint {
            group.name.to_owned()
        } else {
            ids.join(", ")
        };
        anstream::println!("  {}{}{plain}", style::NOTE, wrap(&scope, 2).join("\n  "));
        anstream::println!("    {}", wrap(result.hint, 4).join("\n    "));
        printed.push(result.hint);
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
