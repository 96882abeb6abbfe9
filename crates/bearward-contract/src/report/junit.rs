//! The report as XML in the manner of `JUnit`, which every continuous integration reads.

use std::fmt::Write;

use super::{CaseResult, Outcome, Report};
use crate::cases::GROUPS;

pub(super) fn report(report: &Report) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = |results: &[&CaseResult]| {
        let failures = results.iter().filter(|tested| tested.is_failed()).count();
        let skipped = results.iter().filter(|tested| tested.is_skipped()).count();
        let seconds: f64 = results.iter().map(|tested| tested.took.as_secs_f64()).sum();
        format!(
            "tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{seconds:.3}\"",
            results.len()
        )
    };
    let all: Vec<&CaseResult> = report.results.iter().collect();
    let _ = writeln!(
        xml,
        "<testsuites name=\"bearward contract\" {}>",
        counts(&all)
    );
    for group in &GROUPS {
        let results: Vec<&CaseResult> = report
            .results
            .iter()
            .filter(|tested| tested.group == group.name)
            .collect();
        if results.is_empty() {
            continue;
        }
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" {}>",
            escaped(group.name),
            counts(&results)
        );
        for tested in results {
            case(&mut xml, tested);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn case(xml: &mut String, tested: &CaseResult) {
    let head = format!(
        "    <testcase classname=\"bearward.contract.{}\" name=\"{}\" time=\"{:.3}\"",
        escaped(tested.group),
        escaped(tested.id),
        tested.took.as_secs_f64()
    );
    let _ = match &tested.outcome {
        Outcome::Passed => writeln!(xml, "{head}/>"),
        Outcome::Skipped { why } => writeln!(
            xml,
            "{head}><skipped message=\"{}\"/></testcase>",
            escaped(why)
        ),
        Outcome::Failed { expected, got } => {
            let message = escaped(&format!("{}: expected {expected}, got {got}", tested.title));
            let body = escaped(&format!(
                "sent: {}\nwhy: {} ({})\nhint: {}",
                if tested.request.is_empty() {
                    tested.title
                } else {
                    &tested.request
                },
                tested.why,
                tested.reference,
                tested.hint
            ));
            let severity = tested.severity;
            writeln!(
                xml,
                "{head}>\n      <failure type=\"{severity}\" message=\"{message}\">{body}</failure>\n    </testcase>"
            )
        }
    };
}

/// For text and for attributes. What XML 1.0 cannot write at all is replaced.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_write_is_replaced() {
        assert_eq!(
            escaped("<a b='\"'>&\u{0}\u{1b}\u{ffff}\u{1f43b}\n"),
            "&lt;a b=&#39;&quot;&#39;&gt;&amp;\u{fffd}\u{fffd}\u{fffd}\u{1f43b}\n"
        );
    }
}
