//! Converts an explanation to JSON.

use serde_json::{Value, json};

use super::{Explanation, MappedClaim, Outcome, StepReport};

impl Explanation {
    /// Converts the explanation to a JSON object with the members `accepted`, `code`, `message`,
    /// `advice`, `checks` and `claims`. Each check has `check`, `outcome`, `found` and `expected`,
    /// each mapped claim `name`, `from`, `found` and `problem`.
    ///
    /// The object contains claims of the token, but no signature.
    pub fn to_json(&self) -> Value {
        let check = |report: &StepReport| {
            json!({
                "check": report.step.to_string(),
                "outcome": report.outcome.name(),
                "found": report.found,
                "expected": report.expected,
            })
        };
        let claim = |mapped: &MappedClaim| {
            json!({
                "name": mapped.name,
                "from": mapped.sources,
                "found": mapped.found,
                "problem": mapped.problem,
            })
        };
        let failure = self.failure.as_ref();
        json!({
            "accepted": self.is_accepted(),
            "code": failure.map(|failure| failure.error.code()),
            "message": failure.map(ToString::to_string),
            "advice": self.next_step,
            "checks": self.steps.iter().map(check).collect::<Vec<_>>(),
            "claims": self.claims.iter().map(claim).collect::<Vec<_>>(),
        })
    }
}

impl Outcome {
    /// Returns `passed`, `failed` or `not_reached`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotReached => "not_reached",
        }
    }
}
