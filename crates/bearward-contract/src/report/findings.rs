//! Failures with the same cause, as one entry.

use super::{CaseResult, Report};
use crate::case::Severity;

/// Failed cases with the same cause.
#[derive(Debug, Clone)]
pub struct Finding<'a> {
    /// The severity of each of the cases.
    pub severity: Severity,
    /// The cases, in the order in which they were run.
    pub results: Vec<&'a CaseResult>,
}

impl Finding<'_> {
    /// Returns the first case, which represents the others.
    pub fn first(&self) -> &CaseResult {
        self.results[0]
    }

    /// Returns the number of cases per group, in the order in which they were run.
    pub fn groups(&self) -> Vec<(&'static str, usize)> {
        let mut groups: Vec<(&'static str, usize)> = Vec::new();
        for result in &self.results {
            match groups.iter_mut().find(|(name, _)| *name == result.group) {
                Some((_, count)) => *count += 1,
                None => groups.push((result.group, 1)),
            }
        }
        groups
    }

    /// Returns the ids, or a number per group if there are more than six, or twelve of one group.
    pub fn scope(&self) -> String {
        let limit = if self.groups().len() == 1 { 12 } else { 6 };
        if self.results.len() <= limit {
            let ids: Vec<&str> = self.results.iter().map(|result| result.id).collect();
            return ids.join(", ");
        }
        let groups = self.groups().into_iter();
        let counts: Vec<String> = groups
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        counts.join(", ")
    }

    /// Returns each value that a text of the cases has, with the cases that have it.
    pub fn distinct<'f>(
        &'f self,
        text: impl Fn(&'f CaseResult) -> &'static str,
    ) -> Vec<(&'static str, Vec<&'f CaseResult>)> {
        let mut values: Vec<(&'static str, Vec<&CaseResult>)> = Vec::new();
        for &result in &self.results {
            let value = text(result);
            match values.iter_mut().find(|(known, _)| *known == value) {
                Some((_, results)) => results.push(result),
                None => values.push((value, vec![result])),
            }
        }
        values
    }

    /// Returns what happened in each of the cases, if it is the same.
    pub fn common_got(&self) -> Option<&str> {
        let got = self.first().got()?;
        let is_same = |result: &&CaseResult| result.got() == Some(got);
        self.results.iter().all(is_same).then_some(got)
    }
}

impl Report {
    /// Returns the failed cases by cause: the most severe first, then the one with the most cases.
    pub fn findings(&self) -> Vec<Finding<'_>> {
        let mut findings: Vec<Finding> = Vec::new();
        for result in self.failures() {
            let known = findings.iter_mut().find(|finding| {
                finding.severity == result.severity && finding.first().cause == result.cause
            });
            match known {
                Some(finding) => finding.results.push(result),
                None => findings.push(Finding {
                    severity: result.severity,
                    results: vec![result],
                }),
            }
        }
        findings.sort_by_key(|finding| (finding.severity, usize::MAX - finding.results.len()));
        findings
    }
}
