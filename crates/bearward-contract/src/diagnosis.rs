//! Derives the severity, the reason and the hint of a failure from the case and from how it failed.
//!
//! The reason must fit what happened: a target that rejects a forged token with a wrong status does
//! not accept it.

use super::{
    case::{Case, Expectation, Severity},
    finding::FailureKind,
    options::matches_prefix,
};

/// What is reported of a case besides its outcome.
pub(super) struct Diagnosis {
    pub(super) severity: Severity,
    pub(super) rationale: &'static str,
    pub(super) reference: &'static str,
    pub(super) severity_note: &'static str,
    pub(super) hint: &'static str,
}

/// Returns the diagnosis of a failure, or of the case at its worst if it passed.
pub(super) fn diagnose(case: &Case, kind: FailureKind) -> Diagnosis {
    let described = Diagnosis {
        severity: severity(case, kind),
        rationale: case.rationale,
        reference: case.reference,
        severity_note: case.severity_note,
        hint: hint(case, kind),
    };
    let Some((rationale, reference)) = reason(case, kind) else {
        return described;
    };
    // A failed challenge does not depend on who can send the token.
    let is_general = matches!(kind, FailureKind::ChallengeDetails | FailureKind::Delayed);
    Diagnosis {
        rationale,
        reference,
        severity_note: if is_general { "" } else { case.severity_note },
        ..described
    }
}

/// Whether a failure affects valid tokens or the issuer, whatever its kind is.
pub(super) fn affects_valid_tokens(case: &Case) -> bool {
    match case.expectation {
        Expectation::Accepted => true,
        // Cases with several steps that are not critical test valid tokens, or the load on the
        // issuer.
        Expectation::Steps(_) => case.severity != Severity::Critical,
        _ => false,
    }
}

/// Returns the severity of a failure, which is at most that of the case.
///
/// A target that responds to a forged token with 500 does not accept it, so the failure is less
/// severe than the case's worst outcome.
fn severity(case: &Case, kind: FailureKind) -> Severity {
    match kind {
        FailureKind::ChallengeDetails => Severity::Low,
        FailureKind::AsDescribed => case.severity,
        FailureKind::Delayed => case.severity.max(Severity::Medium),
        _ if affects_valid_tokens(case) => case.severity,
        FailureKind::TimedOut | FailureKind::Crashed => case.severity.max(Severity::High),
        FailureKind::WrongStatus | FailureKind::ServerError | FailureKind::Disconnected => {
            case.severity.max(Severity::Medium)
        }
    }
}

/// Returns why a failure of this kind matters, if it differs from what the case describes.
fn reason(case: &Case, kind: FailureKind) -> Option<(&'static str, &'static str)> {
    match kind {
        FailureKind::ChallengeDetails => Some((
            "the token is not accepted; without the right challenge, clients do not know that they must sign in again",
            "RFC 6750 §3",
        )),
        FailureKind::Delayed => Some((
            "users with a token that is signed with a new key are rejected until the target fetches the keys again",
            "OpenID Connect Core §10.1.1",
        )),
        FailureKind::AsDescribed => None,
        _ if affects_valid_tokens(case) => None,
        FailureKind::WrongStatus => Some((
            "the token is not accepted; clients sign in again only after 401, and treat another status as a permanent error",
            "RFC 6750 §3.1, RFC 9110 §15.5.2",
        )),
        FailureKind::ServerError => Some((
            "the token is not accepted, but causes an error that triggers alerts; clients retry instead of signing in again",
            "RFC 9110 §15.6.1",
        )),
        FailureKind::Disconnected => Some((
            "the token is not accepted, but clients retry a closed connection instead of signing in again",
            "RFC 9110 §9.2.2",
        )),
        FailureKind::TimedOut => Some((
            "the token is not accepted, but such requests occupy the target",
            "RFC 9110 §15.6.5",
        )),
        FailureKind::Crashed => Some((
            "the token is not accepted, but one request stops the target for all users",
            "CWE-248",
        )),
    }
}

/// Returns the hint of the case or its group, or a hint for the kind of failure.
fn hint(case: &Case, kind: FailureKind) -> &'static str {
    let group = case.group();
    let usual = case.hint.unwrap_or(group.hint);
    match kind {
        // Proofs of possession have a challenge of their own.
        FailureKind::ChallengeDetails if group.name != "dpop" => {
            "send `WWW-Authenticate: Bearer error=\"invalid_token\"` with 401 for a token that is not accepted, and `WWW-Authenticate: Bearer` \
             without an error code if there is no token"
        }
        FailureKind::Delayed => {
            "fetch the key set again if a `kid` is unknown, limited by a cooldown of seconds instead of minutes"
        }
        FailureKind::Crashed => {
            "an unhandled error terminated the process; its last output shows where. Handle errors thrown in callbacks and rejected promises, \
             limit the nesting depth of JSON, and respond with 401"
        }
        // In these groups the issuer is the one that fails or hangs.
        _ if group.timed => usual,
        FailureKind::ServerError if !affects_valid_tokens(case) => {
            "an unhandled error became a 5xx: during verification, or in a handler that reads a claim that is missing. Handle every exception \
             that the library can raise, not only its own class, require the claims that are read, and respond with 401"
        }
        FailureKind::Disconnected => {
            "the connection ended without a response: a worker crashed, or the HTTP layer aborted the request. Check the target's log; an \
             unusual token must be rejected with 401"
        }
        FailureKind::TimedOut => {
            "no response arrived: verification runs or waits without a limit. Check the size and format of a token first, reject algorithms \
             that are not allowed before doing any work, and fetch keys with a timeout of a few seconds"
        }
        FailureKind::WrongStatus if !affects_valid_tokens(case) => {
            "respond with 401 to every token that is not accepted"
        }
        FailureKind::AsDescribed
        | FailureKind::ChallengeDetails
        | FailureKind::ServerError
        | FailureKind::WrongStatus => usual,
    }
}

/// Returns what failures with one cause have in common, for grouping.
///
/// Rejections with a wrong status or challenge have the same cause in all groups. Other failures
/// have the same cause if their cases are of one family: `header.crit-unknown` and
/// `header.crit-b64`, or `claims.aud.missing` and `claims.aud.null`.
pub(super) fn cause(case: &Case, kind: FailureKind, got: &str) -> String {
    let symptom = got.lines().next().unwrap_or_default();
    let is_symptom = match kind {
        FailureKind::ChallengeDetails => true,
        FailureKind::WrongStatus
        | FailureKind::ServerError
        | FailureKind::Disconnected
        | FailureKind::Crashed
        | FailureKind::TimedOut => !affects_valid_tokens(case),
        FailureKind::AsDescribed | FailureKind::Delayed => false,
    };
    if is_symptom {
        return format!("{kind:?}: {symptom}");
    }
    family(case).to_owned()
}

/// Groups whose cases have one cause each.
const ONE_CAUSE: [&str; 4] = ["slow", "flood", "herd", "gate"];

fn family(case: &Case) -> &'static str {
    let group = case.group().name;
    if ONE_CAUSE.contains(&group) {
        return group;
    }
    // Valid tokens during an outage, and the number of fetches.
    if group == "outage" {
        return match case.id {
            "outage.hammering" | "outage.redirect" | "outage.unknown-key" | "outage.recovery" => {
                case.id
            }
            _ => group,
        };
    }
    let Some(rest) = case.id.get(group.len() + 1..) else {
        return case.id;
    };
    if matches_prefix(case.id, "iss") {
        // The titles differ: a missing claim is one cause, a lenient comparison another.
        return match rest {
            "missing" | "null" | "empty" => "iss.missing",
            _ => "iss",
        };
    }
    // One parser reads the header and the claims.
    if (group == "header" && rest.contains("-twice")) || rest.starts_with("twice.") {
        return "twice";
    }
    let end = rest.find(['.', '-']).unwrap_or(rest.len());
    &case.id[..group.len() + 1 + end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::all_cases;

    fn case(id: &str) -> Case {
        let case = all_cases().into_iter().find(|case| case.id == id);
        case.expect("the case exists")
    }

    #[test]
    fn a_rejection_is_not_described_as_an_acceptance() {
        let case = case("sig.empty");
        let accepted = diagnose(&case, FailureKind::AsDescribed);
        assert_eq!(accepted.rationale, case.rationale);
        for kind in [
            FailureKind::ChallengeDetails,
            FailureKind::WrongStatus,
            FailureKind::ServerError,
            FailureKind::Disconnected,
            FailureKind::TimedOut,
            FailureKind::Crashed,
        ] {
            let rejected = diagnose(&case, kind);
            assert!(rejected.rationale.starts_with("the token is not accepted"));
            assert_ne!(rejected.hint, accepted.hint, "{kind:?}");
            assert!(rejected.severity > Severity::Critical, "{kind:?}");
        }
    }

    #[test]
    fn failures_are_grouped_by_cause() {
        let cause = |id: &str, kind, got: &str| super::cause(&case(id), kind, got);
        let no_challenge = "401 Unauthorized, no WWW-Authenticate";
        let details = FailureKind::ChallengeDetails;
        assert_eq!(
            cause("sig.empty", details, no_challenge),
            cause("iss.other", details, no_challenge)
        );
        assert_ne!(
            cause("sig.empty", details, no_challenge),
            cause(
                "sig.empty",
                details,
                "401 Unauthorized, two Bearer challenges"
            )
        );
        let described = FailureKind::AsDescribed;
        for (one, other, is_same) in [
            ("header.crit-unknown", "header.crit-b64", true),
            ("claims.aud.missing", "claims.aud.null", true),
            ("claims.aud.missing", "claims.exp.missing", false),
            ("outage.known-key", "outage.refused", true),
            ("outage.known-key", "slow.known-key", false),
            ("outage.known-key", "outage.hammering", false),
            ("header.alg-twice-escaped", "header.unknown-twice", true),
            ("header.alg-twice-escaped", "claims.twice.sub", true),
            ("header.alg-twice-escaped", "header.crit-b64", false),
            ("iss.missing", "iss.null", true),
            ("iss.missing", "iss.other", false),
            ("jwks.short-rsa", "jwks.symmetric", false),
        ] {
            let causes = [one, other].map(|id| cause(id, described, "200 OK"));
            assert_eq!(causes[0] == causes[1], is_same, "{one} {other}");
        }
    }
}
