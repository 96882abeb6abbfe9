//! The report as a table for people.

use anstyle::Style;

use super::super::style;
use crate::contract::{Outcome, Report, Severity, Tested, battery, groups};

/// Failed groups first, failed cases first; what holds in one line a group.
pub(super) fn print(report: &Report, verbose: bool) {
    let (plain, strong, faint) = (style::PLAIN, style::STRONG, style::FAINT);
    let algorithms: Vec<&str> = report.algorithms.iter().map(|algorithm| algorithm.name()).collect();
    anstream::println!("{strong}target{plain} {}  {faint}accepts{plain} {}", report.target, algorithms.join(" "));
    if report.limited > 0 {
        let note = "the target limits its rate, and was waited for; turn the limit off for this test";
        anstream::println!("{}note{plain} {note} ({} times)", style::NOTE, report.limited);
    }
    anstream::println!();
    let groups = report.by_group();
    for (group, results) in &groups {
        let count = |wanted: fn(&Tested) -> bool| results.iter().filter(|tested| wanted(tested)).count();
        let (failed, skipped) = (count(Tested::is_failed), count(Tested::is_skipped));
        let passed = results.len() - failed - skipped;
        let (mark, colour) = if failed > 0 { ("FAILED", style::BAD) } else { ("ok", style::GOOD) };
        let failed = if failed > 0 { format!("{failed} failed, ") } else { String::new() };
        let skipped = if skipped > 0 { format!(", {skipped} not applicable") } else { String::new() };
        anstream::println!(
            "{colour}{mark:<6}{plain} {strong}{:<13}{plain} {:<66} {failed}{passed} passed{faint}{skipped}{plain}",
            group.name,
            group.title
        );
        for tested in results {
            line(tested, verbose);
        }
    }
    hints(&groups);
    let colour = if report.is_sound() { style::GOOD } else { style::BAD };
    let mode = if report.quick { ", quick" } else { "" };
    let mode = format!("{}{mode}", if report.strict { "strict" } else { "default" });
    anstream::println!("\n{colour}{}{plain} {faint}({mode}, {:.1} s){plain}", report.summary(), report.took.as_secs_f64());
}

fn line(tested: &Tested, verbose: bool) {
    let (plain, faint, strong) = (style::PLAIN, style::FAINT, style::STRONG);
    match &tested.outcome {
        Outcome::Passed if verbose => {
            anstream::println!("       {}ok{plain} {:<38} {faint}{}{plain}", style::GOOD, tested.id, tested.title);
        }
        Outcome::Skipped { why } if verbose => {
            anstream::println!("       {faint}-- {:<38} {}: {why}{plain}", tested.id, tested.title);
        }
        Outcome::Failed { expected, got } => {
            anstream::println!(
                "       {}{:<8}{plain} {strong}{}{plain}  {}",
                colour(tested.severity),
                tested.severity,
                tested.id,
                tested.title
            );
            anstream::println!("                {faint}expected{plain} {expected}");
            anstream::println!("                {faint}got{plain}      {got}");
            if !tested.request.is_empty() {
                anstream::println!("                {faint}sent     {}{plain}", tested.request);
            }
            anstream::println!("                {faint}why{plain}      {} {faint}({}){plain}", tested.why, tested.reference);
        }
        _ => {}
    }
}

/// Once a group, since its failures are most often one mistake; a case's own where it has one.
fn hints(groups: &[(&crate::contract::Group, Vec<&Tested>)]) {
    let (plain, strong) = (style::PLAIN, style::STRONG);
    let mut said: Vec<&str> = Vec::new();
    for (group, results) in groups {
        for tested in results.iter().filter(|tested| tested.is_failed()) {
            if said.contains(&tested.hint) {
                continue;
            }
            if said.is_empty() {
                anstream::println!("\n{strong}How this is usually put right{plain}");
            }
            let about = if tested.hint == group.hint { group.name } else { tested.id };
            anstream::println!("  {}{about}{plain}  {}", style::NOTE, tested.hint);
            said.push(tested.hint);
        }
    }
}

/// Every case that would be run.
pub(super) fn list(strict: bool) {
    let (plain, strong, faint) = (style::PLAIN, style::STRONG, style::FAINT);
    let cases = battery();
    for group in groups() {
        let timed = if group.timed { "  (not in a quick run)" } else { "" };
        anstream::println!("{strong}{}{plain}  {}{faint}{timed}{plain}", group.name, group.title);
        for case in cases.iter().filter(|case| case.group().name == group.name) {
            let only = if case.strict { " (strict)" } else { "" };
            let severity = case.severity;
            anstream::println!("  {}{severity:<8}{plain} {:<40} {}{faint}{only}{plain}", colour(severity), case.id, case.title);
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
    anstream::println!("\n{} cases, {asked_always} of them without --strict", cases.len());
}

fn reference(reference: &str) -> String {
    if reference.is_empty() { String::new() } else { format!("({reference})") }
}

fn colour(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => style::BAD,
        Severity::Medium => style::NOTE,
        Severity::Low => style::FAINT,
    }
}
