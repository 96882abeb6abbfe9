//! An answer against an expectation.

use super::{
    case::{Expectation, Finding},
    challenge::Bearer,
    failure_kind::FailureKind,
    target::{Answer, NoAnswer},
};

/// What was expected and what came, where the two differ.
pub(super) fn judge(
    expectation: Expectation,
    strict: bool,
    answer: &Result<Answer, NoAnswer>,
) -> Result<(), Finding> {
    let found = |got: String, symptom| {
        Err(Finding {
            expected: expectation.words(strict).to_owned(),
            got,
            symptom,
        })
    };
    let symptom = FailureKind::of(answer);
    let answer = match answer {
        Ok(answer) => answer,
        // Whoever closes the connection on what no server has to read has refused it.
        Err(NoAnswer::Broke(_))
            if matches!(
                expectation,
                Expectation::NotServed | Expectation::SurvivesSize
            ) =>
        {
            return Ok(());
        }
        Err(none) => return found(none.words(), symptom),
    };
    let holds = match expectation {
        Expectation::Accepted => answer.is_accepted(),
        Expectation::Refused | Expectation::Unauthenticated => matches!(answer.status, 401 | 403),
        Expectation::RefusedRequest => matches!(answer.status, 400 | 401 | 403),
        Expectation::NotServed => (300..500).contains(&answer.status) || answer.status == 501,
        Expectation::Survives | Expectation::SurvivesSize => answer.status < 500,
        Expectation::Steps(_) => true,
    };
    if !holds {
        return found(answer.words(), symptom);
    }
    if strict && let Some(lacks) = manners(expectation, answer) {
        return found(format!("{}, {lacks}", answer.words()), FailureKind::Manners);
    }
    Ok(())
}

/// What the letter of RFC 6750 misses.
fn manners(expectation: Expectation, answer: &Answer) -> Option<String> {
    let code = match expectation {
        Expectation::Refused => Some("invalid_token"),
        Expectation::Unauthenticated => None,
        Expectation::RefusedRequest if answer.status == 400 => return None,
        Expectation::RefusedRequest if answer.status == 401 => {
            return Bearer::of(&answer.headers).err();
        }
        Expectation::RefusedRequest => {
            return Some("which says that the client is known".to_owned());
        }
        _ => return None,
    };
    if answer.status != 401 {
        return Some(
            "which says that the client is known and may not (RFC 9110 §15.5.4)".to_owned(),
        );
    }
    let challenge = match Bearer::of(&answer.headers) {
        Ok(challenge) => challenge,
        Err(problem) => return Some(problem),
    };
    match (challenge.problem(), challenge.parameter("error"), code) {
        (Some(problem), _, _) => Some(problem),
        (None, found, code) if found == code => None,
        (None, Some(found), _) => Some(format!(
            "a challenge with error={:?}",
            found.chars().take(40).collect::<String>()
        )),
        (None, None, _) => Some("a challenge without error".to_owned()),
    }
}
