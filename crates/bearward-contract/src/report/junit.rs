//! The report as `JUnit` XML, for continuous integration.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as JUnitReport, TestCase, TestCaseStatus, TestSuite};

use super::{CaseResult, Outcome, Report};
use crate::registry::GROUPS;

pub(super) fn report(report: &Report) -> String {
    let mut junit = JUnitReport::new("bearward contract");
    junit.set_time(total_time(&report.results));
    for group in &GROUPS {
        let results = report
            .results
            .iter()
            .filter(|result| result.group == group.name);
        let mut suite = TestSuite::new(group.name);
        suite
            .set_time(total_time(results.clone()))
            .add_test_cases(results.map(case));
        if suite.tests > 0 {
            junit.add_test_suite(suite);
        }
    }
    // Writing to a string does not fail. quick-junit drops control characters; XML 1.0 does not allow
    // these two noncharacters either.
    let xml = junit.to_string().unwrap_or_default();
    xml.replace(['\u{fffe}', '\u{ffff}'], "")
}

fn total_time<'a>(results: impl IntoIterator<Item = &'a CaseResult>) -> Duration {
    results.into_iter().map(|result| result.duration).sum()
}

fn case(result: &CaseResult) -> TestCase {
    let status = match &result.outcome {
        Outcome::Passed => TestCaseStatus::success(),
        Outcome::Skipped { reason } => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason.as_str());
            status
        }
        Outcome::Failed { expected, got } => {
            let sent = if result.request.is_empty() {
                result.title
            } else {
                &result.request
            };
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status
                .set_type(result.severity.name())
                .set_message(format!("{}: expected {expected}, got {got}", result.title))
                .set_description(format!(
                    "sent: {sent}\nwhy: {} ({})\nhint: {}",
                    result.rationale, result.reference, result.hint
                ));
            status
        }
    };
    let mut case = TestCase::new(result.id, status);
    case.set_classname(format!("bearward.contract.{}", result.group))
        .set_time(result.duration);
    case
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{finding::FailureKind, registry::all_cases};

    fn with_got(got: &str) -> String {
        let case = &all_cases()[0];
        let outcome = Outcome::Failed {
            expected: "2xx".to_owned(),
            got: got.to_owned(),
        };
        let result = CaseResult::new(
            case,
            false,
            String::new(),
            outcome,
            FailureKind::AsDescribed,
            Duration::ZERO,
        );
        report(&Report {
            target: String::new(),
            issuer: String::new(),
            algorithms: Vec::new(),
            strict: false,
            quick: false,
            rate_limited: 0,
            duration: Duration::ZERO,
            platform: None,
            command: String::new(),
            results: vec![result],
        })
    }

    #[test]
    fn escapes_markup_and_drops_control_characters() {
        let xml = with_got("<a b='\"'>&\u{1f43b}\u{0}\u{ffff}\u{1b}[31m");
        assert!(
            xml.contains("got &lt;a b=&apos;&quot;&apos;&gt;&amp;\u{1f43b}\""),
            "{xml}"
        );
        assert!(!xml.contains(['\u{0}', '\u{1b}', '\u{ffff}']), "{xml}");
    }
}
