//! The report as one page that fetches nothing, light or dark as its reader has it.

use std::fmt::Write;

use super::{CaseResult, Outcome, Report, junit::escaped};
use crate::case::Severity;

const STYLE: &str = include_str!("page.css");

/// Nothing is fetched, also where a value found a way out of its quotes.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

pub(super) fn report(report: &Report) -> String {
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{}: bearward contract</title><style>{STYLE}</style></head><body>\n",
        escaped(&report.summary())
    );
    head(&mut html, report);
    let failures = report.by_severity();
    if !failures.is_empty() {
        html.push_str("<h2>What does not hold</h2>\n");
    }
    for tested in failures {
        case(&mut html, tested, " open");
    }
    html.push_str("<h2>Everything that was asked</h2>\n");
    for (group, results) in report.by_group() {
        let count = |wanted: fn(&CaseResult) -> bool| {
            results.iter().filter(|tested| wanted(tested)).count()
        };
        let (failed, skipped) = (count(CaseResult::is_failed), count(CaseResult::is_skipped));
        let failed_text = if failed == 0 {
            String::new()
        } else {
            format!("<b class=\"bad\">{failed} failed</b>")
        };
        let skipped_text = if skipped == 0 {
            String::new()
        } else {
            format!(", {skipped} not applicable")
        };
        let _ = write!(
            html,
            "<details class=\"group\"><summary><code>{}</code><span class=\"title\">{}</span><span class=\"count\">{failed_text} {} \
             hold{skipped_text}</span></summary>",
            group.name,
            marked(group.title),
            results.len() - failed - skipped,
        );
        for tested in results {
            case(&mut html, tested, "");
        }
        html.push_str("</details>\n");
    }
    html.push_str("</body></html>\n");
    html
}

fn head(html: &mut String, report: &Report) {
    let algorithms: Vec<&str> = report
        .algorithms
        .iter()
        .map(|algorithm| algorithm.name())
        .collect();
    let (class, verdict) = if report.passed() {
        ("good", "holds")
    } else {
        ("bad", "does not hold")
    };
    let _ = write!(
        html,
        "<header><h1>The contract <span class=\"{class}\">{verdict}</span></h1><p><code>{}</code></p><p class=\"faint\">issuer <code>{}</code> · \
         accepts {} · {}{} · {:.1} s · bearward {}</p></header>\n<ul class=\"sum\">",
        escaped(&report.target),
        escaped(&report.issuer),
        algorithms.join(" "),
        if report.strict {
            "to the letter"
        } else {
            "what every sound server does"
        },
        if report.quick {
            ", quick: without rotations and outages"
        } else {
            ""
        },
        report.took.as_secs_f64(),
        env!("CARGO_PKG_VERSION"),
    );
    let mut tile = |class: &str, count: usize, what: &str| {
        let none = if count == 0 { " none" } else { "" };
        let _ = write!(
            html,
            "<li class=\"{class}{none}\"><b>{count}</b>{what}</li>"
        );
    };
    for (severity, count) in report.failed_by_severity() {
        tile(
            severity.name(),
            count,
            &format!("{severity}<small>{}</small>", meaning(severity)),
        );
    }
    tile("good", report.passed_count(), "hold");
    tile("faint", report.skipped(), "not applicable");
    html.push_str("</ul>\n");
}

fn meaning(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "a stranger gets in",
        Severity::High => "others are kept out",
        Severity::Medium => "a wrong verdict",
        Severity::Low => "manners",
    }
}

fn case(html: &mut String, tested: &CaseResult, open: &str) {
    let (class, word) = match &tested.outcome {
        Outcome::Passed => ("good", "holds"),
        Outcome::Failed { .. } => (tested.severity.name(), tested.severity.name()),
        Outcome::Skipped { .. } => ("faint", "not applicable"),
    };
    let _ = write!(
        html,
        "<details class=\"case {class}\"{open}><summary><span class=\"tag\">{word}</span><code>{}</code><span class=\"title\">{}</span>\
         </summary><dl>",
        escaped(tested.id),
        marked(tested.title),
    );
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = write!(html, "<dt>{name}</dt><dd>{value}</dd>");
        }
    };
    match &tested.outcome {
        Outcome::Passed => row("expected", &escaped(tested.expected)),
        Outcome::Failed { expected, got } => {
            row("expected", &escaped(expected));
            // After the first line, what a process wrote last.
            let (line, words) = got.split_once('\n').unwrap_or((got, ""));
            let words = if words.is_empty() {
                String::new()
            } else {
                format!("<pre>{}</pre>", escaped(words))
            };
            row("got", &format!("<strong>{}</strong>{words}", escaped(line)));
        }
        Outcome::Skipped { why } => row("because", &escaped(why)),
    }
    if !tested.request.is_empty() {
        row(
            "sent",
            &format!("<code>{}</code>", escaped(&tested.request)),
        );
    }
    let caveat = if tested.caveat.is_empty() {
        String::new()
    } else {
        format!(". But {}", marked(tested.caveat))
    };
    let reference = if tested.reference.is_empty() {
        String::new()
    } else {
        format!(" <span class=\"faint\">{}</span>", tested.reference)
    };
    row("why", &format!("{}{caveat}{reference}", marked(tested.why)));
    if tested.is_failed() {
        row("put right", &marked(tested.hint));
    }
    html.push_str("</dl></details>\n");
}

/// Words of this crate, in which backticks stand around code.
fn marked(text: &str) -> String {
    let mut marked = String::new();
    for (at, part) in escaped(text).split('`').enumerate() {
        let _ = if at % 2 == 1 {
            write!(marked, "<code>{part}</code>")
        } else {
            write!(marked, "{part}")
        };
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{all_cases, groups};

    #[test]
    fn words_in_backticks_are_code_and_everything_is_escaped() {
        assert_eq!(
            marked("jose `{ a: ['<'] }`, or"),
            "jose <code>{ a: [&#39;&lt;&#39;] }</code>, or"
        );
    }

    #[test]
    fn no_text_of_the_battery_leaves_a_backtick_open() {
        let cases = all_cases();
        let texts = cases.iter().flat_map(|case| {
            [
                case.title,
                case.why,
                case.caveat,
                case.hint.unwrap_or_default(),
            ]
        });
        for text in texts.chain(groups().iter().flat_map(|group| [group.title, group.hint])) {
            assert_eq!(text.matches('`').count() % 2, 0, "{text}");
        }
    }
}
