//! The report as a table for people.

use anstyle::Style;
use bearward_contract::{CaseResult, Outcome, Report, Severity, all_cases, groups};

use super::{super::style, wrap};

/// The worst groups first, failed cases first; what holds in one line a group.
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
    if report.limited > 0 {
        let note =
            "the target limits its rate, and was waited for; turn the limit off for this test";
        anstream::println!(
            "{}note{plain} {note} ({} times)",
            style::NOTE,
            report.limited
        );
    }
    anstream::println!("\n{faint}{:<18}failed  hold  n/a{plain}", "");
    let groups = report.by_group();
    for (group, results) in &groups {
        let count = |wanted: fn(&CaseResult) -> bool| {
            results.iter().filter(|tested| wanted(tested)).count()
        };
        let (failed, skipped) = (count(CaseResult::is_failed), count(CaseResult::is_skipped));
        let (mark, colour) = if failed > 0 {
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
            "{colour}{mark:<4}{plain} {strong}{:<13}{plain}{colour}{:>6}{plain} {:>5} {faint}{:>4}{plain}  {}",
            group.name,
            number(failed),
            number(results.len() - failed - skipped),
            number(skipped),
            wrap::cut(group.title, 37)
        );
        for tested in results {
            line(tested, verbose);
        }
    }
    hints(&groups);
    let worst: Vec<String> = report
        .failed_by_severity()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{}{count} {severity}{plain}", colour(severity)))
        .collect();
    anstream::println!();
    if report.skipped() > 0 && !verbose {
        anstream::println!(
            "{faint}--verbose says why cases are not applicable, and what holds{plain}"
        );
    }
    if !worst.is_empty() {
        anstream::println!("{}", worst.join(", "));
    }
    let colour = if report.passed() {
        style::GOOD
    } else {
        style::BAD
    };
    let mode = if report.quick { ", quick" } else { "" };
    let mode = format!("{}{mode}", if report.strict { "strict" } else { "default" });
    anstream::println!(
        "{colour}{}{plain} {faint}({mode}, {:.1} s){plain}",
        report.summary(),
        report.took.as_secs_f64()
    );
}

fn line(tested: &CaseResult, verbose: bool) {
    let (plain, faint, strong) = (style::PLAIN, style::FAINT, style::STRONG);
    match &tested.outcome {
        Outcome::Passed if verbose => {
            anstream::println!(
                "       {}ok{plain} {:<38} {faint}{}{plain}",
                style::GOOD,
                tested.id,
                tested.title
            );
        }
        Outcome::Skipped { why } if verbose => {
            anstream::println!(
                "       {faint}-- {:<38} {}: {why}{plain}",
                tested.id,
                tested.title
            );
        }
        Outcome::Failed { expected, got } => {
            let severity = tested.severity;
            anstream::println!(
                "  {}{severity:<8}{plain}  {strong}{}{plain}",
                colour(severity),
                tested.id
            );
            let row = |name: &str, text: &str, look: &str| {
                if !text.is_empty() {
                    let lines = wrap::wrapped(text, 22).join(&format!("{plain}\n{:22}{look}", ""));
                    anstream::println!("            {faint}{name:<8}{plain}  {look}{lines}{plain}");
                }
            };
            let caveat = if tested.caveat.is_empty() {
                String::new()
            } else {
                format!("; but {}", tested.caveat)
            };
            let reference = reference(tested.reference);
            row("case", tested.title, "");
            row("expected", expected, "");
            row("got", got, "");
            row("sent", &tested.request, &faint.to_string());
            row("why", &format!("{}{caveat} {reference}", tested.why), "");
        }
        _ => {}
    }
}

/// Once a group, since its failures are most often one mistake; a case's own where it has one.
fn hints(groups: &[(&bearward_contract::Group, Vec<&CaseResult>)]) {
    let (plain, strong) = (style::PLAIN, style::STRONG);
    let mut said: Vec<&str> = Vec::new();
    let failed = || {
        let all = groups
            .iter()
            .flat_map(|(group, results)| results.iter().map(move |tested| (group, tested)));
        all.filter(|(_, tested)| tested.is_failed())
    };
    for (group, tested) in failed() {
        if said.contains(&tested.hint) {
            continue;
        }
        if said.is_empty() {
            anstream::println!("\n{strong}How this is usually put right{plain}");
        }
        let of_it: Vec<&str> = failed()
            .filter(|(_, other)| other.hint == tested.hint)
            .map(|(_, other)| other.id)
            .collect();
        let about = if tested.hint == group.hint {
            group.name.to_owned()
        } else {
            of_it.join(", ")
        };
        anstream::println!(
            "  {}{}{plain}",
            style::NOTE,
            wrap::wrapped(&about, 2).join("\n  ")
        );
        anstream::println!("    {}", wrap::wrapped(tested.hint, 4).join("\n    "));
        said.push(tested.hint);
    }
}

/// Every case that would be run.
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
                colour(severity),
                case.id,
                case.title
            );
            anstream::println!(
                "  {faint}{:49} must: {}; {} {}{plain}",
                "",
                case.expected(strict),
                case.why,
                reference(case.reference)
            );
        }
    }
    let asked_always = cases.iter().filter(|case| !case.strict).count();
    anstream::println!(
        "\n{} cases, {asked_always} of them without --strict",
        cases.len()
    );
}

fn reference(reference: &str) -> String {
    if reference.is_empty() {
        String::new()
    } else {
        format!("({reference})")
    }
}

fn colour(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => style::BAD,
        Severity::Medium => style::NOTE,
        Severity::Low => style::FAINT,
    }
}
