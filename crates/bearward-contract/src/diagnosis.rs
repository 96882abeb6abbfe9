//! Derives the severity and the hint of a failure from the case and from how it failed.

use super::{
    case::{Case, Expectation, Severity},
    finding::FailureKind,
};

/// Returns the severity of a failure, which is at most that of the case.
///
/// A target that responds to a forged token with 500 does not accept it, so the failure is less
/// severe than the case's worst outcome.
pub(super) fn severity(case: &Case, kind: FailureKind) -> Severity {
    let affects_valid_tokens = match case.expectation {
        Expectation::Accepted => true,
        // Cases with several steps that are not critical test valid tokens, or the load on the
        // issuer.
        Expectation::Steps(_) => case.severity != Severity::Critical,
        _ => false,
    };
    match kind {
        FailureKind::ChallengeDetails => Severity::Low,
        FailureKind::AsDescribed => case.severity,
        _ if affects_valid_tokens => case.severity,
        FailureKind::TimedOut | FailureKind::Crashed => case.severity.max(Severity::High),
        FailureKind::WrongStatus | FailureKind::ServerError | FailureKind::Disconnected => {
            case.severity.max(Severity::Medium)
        }
    }
}

/// Returns the hint of the case or its group, or a hint for the kind of failure.
pub(super) fn hint(case: &Case, kind: FailureKind) -> &'static str {
    let group = case.group();
    let usual = case.hint.unwrap_or(group.hint);
    match kind {
        FailureKind::Crashed => {
            "an unhandled error terminated the process; its last output shows where. Handle errors thrown in callbacks and rejected promises \
             (Node: call `next(error)` instead of `throw` after an `await`; errors in a key callback are outside your `try`), limit the nesting \
             depth of JSON, and respond with 401"
        }
        // In these groups the issuer is the one that fails or hangs.
        _ if group.timed => usual,
        FailureKind::ServerError => {
            "an unhandled error during verification became a 5xx. Handle every exception the library can raise, not only its own class \
             (Python: `TypeError`, `RecursionError` and `OverflowError` are neither `PyJWTError` nor `JWTError`; Express: add an error-handling \
             middleware; Go: check the type of a claim before the type assertion), and respond with 401"
        }
        FailureKind::Disconnected => {
            "the connection ended without a response: a worker crashed, or the HTTP layer aborted the request. Check the target's log; an \
             unusual token must be rejected with 401"
        }
        FailureKind::TimedOut => {
            "no response arrived: verification runs or waits without a limit. Check the size and format of a token first, reject algorithms \
             that are not allowed before doing any work, and fetch keys with a timeout of a few seconds"
        }
        FailureKind::AsDescribed | FailureKind::ChallengeDetails | FailureKind::WrongStatus => {
            usual
        }
    }
}
