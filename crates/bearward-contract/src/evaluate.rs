//! Compares a response with the expectation of a case.

use super::{
    case::Expectation,
    challenge::{BearerChallenge, dpop_challenge, proof_challenge_problem},
    finding::{Failure, FailureKind},
    target::{RequestError, Response},
};

/// Returns a [`Failure`] if the response does not meet the expectation.
pub(super) fn evaluate(
    expectation: Expectation,
    strict: bool,
    response: &Result<Response, RequestError>,
) -> Result<(), Failure> {
    let failure = |got: String, kind| {
        Err(Failure {
            expected: expectation.describe(strict).to_owned(),
            got,
            kind,
        })
    };
    let kind = FailureKind::from_response(response);
    let response = match response {
        Ok(response) => response,
        // A server may close the connection if it does not read the request.
        Err(RequestError::Disconnected(_))
            if matches!(
                expectation,
                Expectation::NotServed | Expectation::SurvivesOversize
            ) =>
        {
            return Ok(());
        }
        // The target verifies the certificate of a client before it reads the token.
        Err(RequestError::CertificateRefused(_)) if expectation.is_rejected() => return Ok(()),
        Err(error) => return failure(error.describe(), kind),
    };
    let is_expected = match expectation {
        Expectation::Accepted => response.is_accepted(),
        Expectation::Rejected | Expectation::Unauthenticated => {
            matches!(response.status, 401 | 403)
        }
        Expectation::RejectedUnknownKey => {
            matches!(response.status, 401 | 403) || response.is_key_unavailable()
        }
        Expectation::RejectedRequest
        | Expectation::RejectedProof
        | Expectation::RejectedProofCount => matches!(response.status, 400 | 401 | 403),
        Expectation::NotServed => (300..500).contains(&response.status) || response.status == 501,
        Expectation::Survives | Expectation::SurvivesOversize => response.status < 500,
        Expectation::Steps(_) => true,
    };
    if !is_expected {
        return failure(response.describe(), kind);
    }
    if strict && let Some(problem) = challenge_problem(expectation, response) {
        return failure(
            format!("{}, {problem}", response.describe()),
            FailureKind::ChallengeDetails,
        );
    }
    Ok(())
}

/// Returns how the response deviates from RFC 6750 §3.
fn challenge_problem(expectation: Expectation, response: &Response) -> Option<String> {
    let expected_code = match expectation {
        Expectation::RejectedUnknownKey if response.is_key_unavailable() => return None,
        Expectation::Rejected | Expectation::RejectedUnknownKey => Some("invalid_token"),
        Expectation::Unauthenticated => None,
        Expectation::RejectedProof if response.status == 401 => {
            return proof_challenge_problem(&response.headers);
        }
        Expectation::RejectedProof => {
            return Some("instead of 401 (RFC 9449 §7.1)".to_owned());
        }
        Expectation::RejectedRequest | Expectation::RejectedProofCount
            if response.status == 400 =>
        {
            return None;
        }
        Expectation::RejectedProofCount if response.status == 401 => {
            return dpop_challenge(&response.headers).err();
        }
        Expectation::RejectedRequest if response.status == 401 => {
            return BearerChallenge::from_headers(&response.headers).err();
        }
        Expectation::RejectedRequest | Expectation::RejectedProofCount => {
            return Some("which means that the client is authenticated".to_owned());
        }
        _ => return None,
    };
    if response.status != 401 {
        return Some(
            "which means that the client is authenticated but not authorized (RFC 9110 §15.5.4)"
                .to_owned(),
        );
    }
    let challenge = match BearerChallenge::from_headers(&response.headers) {
        Ok(challenge) => challenge,
        Err(problem) => return Some(problem),
    };
    match (challenge.problem(), challenge.parameter("error")) {
        (Some(problem), _) => Some(problem),
        (None, code) if code == expected_code => None,
        (None, Some(code)) => Some(format!(
            "a challenge with error={:?}",
            code.chars().take(40).collect::<String>()
        )),
        (None, None) => Some("a challenge without an error code".to_owned()),
    }
}
