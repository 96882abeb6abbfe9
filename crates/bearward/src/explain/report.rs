//! An explanation as one JSON object, for programs and for the developer console.

use serde_json::{Value, json};

use super::{Explanation, Outcome};

impl Explanation {
    /// `accepted`, `code`, `message`, `advice`, and `checks` with `check`, `outcome`, `found` and
    /// `expected` each. It holds claims, and no signature.
    pub fn report(&self) -> Value {
        let check = |line: &super::StepReport| {
            json!({
                "check": line.check.to_string(), "outcome": line.outcome.name(), "found": line.found, "expected": line.expected,
            })
        };
        let refusal = self.refusal.as_ref();
        json!({
            "accepted": self.is_accepted(),
            "code": refusal.map(|refusal| refusal.error.code()),
            "message": refusal.map(ToString::to_string),
            "advice": self.advice,
            "checks": self.lines.iter().map(check).collect::<Vec<_>>(),
        })
    }
}

impl Outcome {
    /// `passed`, `failed` or `not_reached`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotReached => "not_reached",
        }
    }
}
