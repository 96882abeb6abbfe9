//! How a case failed, where that says more than the case does: what the failure means, and how it
//! is put right.

use super::{
    case::{Case, Expectation, Severity},
    target::{Answer, NoAnswer},
};

/// What came instead of what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// What the case is about.
    AsDescribed,
    /// A refusal that lacks manners.
    Manners,
    /// A refusal by a status that says something else.
    OtherStatus,
    /// 5xx.
    Error,
    /// A connection that ended without an answer.
    Dropped,
    /// No answer in time.
    Hung,
    /// A process that ended, or nobody who listens any more.
    Ended,
}

impl FailureKind {
    pub(super) fn of(answer: &Result<Answer, NoAnswer>) -> Self {
        match answer {
            Ok(answer) if answer.is_accepted() => Self::AsDescribed,
            Ok(answer) if answer.status >= 500 => Self::Error,
            Ok(_) => Self::OtherStatus,
            Err(NoAnswer::Down(_)) => Self::Ended,
            Err(NoAnswer::Broke(_)) => Self::Dropped,
            Err(NoAnswer::Late(_)) => Self::Hung,
        }
    }

    /// A case is as bad as it can be only where the worst has happened: who answers a forged token
    /// with 500 lets nobody in.
    pub(super) fn severity(self, case: &Case) -> Severity {
        let keeps_good_tokens_out = match case.expectation {
            Expectation::Accepted => true,
            // Several steps that no stranger profits from are about good tokens, or about the
            // issuer.
            Expectation::Steps(_) => case.severity != Severity::Critical,
            _ => false,
        };
        match self {
            Self::Manners => Severity::Low,
            Self::AsDescribed => case.severity,
            _ if keeps_good_tokens_out => case.severity,
            Self::Hung | Self::Ended => case.severity.max(Severity::High),
            Self::OtherStatus | Self::Error | Self::Dropped => case.severity.max(Severity::Medium),
        }
    }

    /// The hint of the case, or of its group, unless what happened asks for another.
    pub(super) fn hint(self, case: &Case) -> &'static str {
        let group = case.group();
        let usual = case.hint.unwrap_or(group.hint);
        match self {
            Self::Ended => {
                "an error that nobody caught has ended the process: what it wrote last says where. Catch what a callback throws and what a promise \
                 rejects (Node: `next(error)` instead of `throw` after an `await`; what a key function calls back later is outside your `try`), limit \
                 how deep JSON may nest, and answer 401"
            }
            // What fails and hangs there is the issuer.
            _ if group.timed => usual,
            Self::Error => {
                "an error of the verification that nobody caught became a 5xx. Catch all that it can raise, not the library's own class alone \
                 (Python: `TypeError`, `RecursionError` and `OverflowError` are no `PyJWTError` and no `JWTError`; Express: an error-handling \
                 middleware; Go: check the type of a claim before you assert it), and answer 401"
            }
            Self::Dropped => {
                "the connection ended without an answer: a worker died, or the HTTP layer gave the request up. The target's own log says which; \
                 an unusual token is answered with 401"
            }
            Self::Hung => {
                "no answer came: the verification computes or waits without an end. Look at the size and the form of a token before anything \
                 else, refuse algorithms that are not listed before they do any work, and fetch keys with a timeout of a few seconds"
            }
            Self::AsDescribed | Self::Manners | Self::OtherStatus => usual,
        }
    }
}
