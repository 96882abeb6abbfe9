//! RFC details of requests and responses in which secure servers differ. All cases are strict.
#![allow(clippy::too_many_lines, reason = "a list of cases")]

use reqwest::header::HeaderValue;

use crate::{
    case::{Case, Expectation, Severity},
    challenge::BearerChallenge,
    error::StepError,
    finding::{Failure, FailureKind},
    forge::Forge,
    harness::failure,
    target::{Request, RequestError},
};

pub(super) fn cases() -> Vec<Case> {
    requests()
        .into_iter()
        .chain(responses())
        .map(Case::strict)
        .collect()
}

fn requests() -> Vec<Case> {
    let ambiguous = "a component that logs, caches or checks one header may see another token than the one that is verified";
    vec![
        Case::request(
            "http.two-headers.good-first",
            "two Authorization headers, the valid token first",
            Expectation::RejectedRequest,
            |f| Request::bearer(&f.token().sign()).authorization("Bearer x"),
        )
        .severity(Severity::Medium)
        .rationale(ambiguous, "RFC 6750 §2, RFC 9110 §5.3"),
        Case::request(
            "http.two-headers.good-last",
            "two Authorization headers, the valid token last",
            Expectation::RejectedRequest,
            |f| {
                Request::bare()
                    .authorization("Bearer x")
                    .authorization(format!("Bearer {}", f.token().sign()))
            },
        )
        .severity(Severity::Medium)
        .rationale(ambiguous, "RFC 6750 §2, RFC 9110 §5.3"),
        Case::request(
            "http.query",
            "a valid token in the query string",
            Expectation::Unauthenticated,
            |f| Request::bare().query(format!("access_token={}", f.token().sign())),
        )
        .severity(Severity::Medium)
        .rationale(
            "URLs appear in logs, browser histories and Referer headers",
            "RFC 9700 §4.3.2, RFC 6750 §2.3",
        ),
        Case::request(
            "http.no-scheme",
            "a valid token without the scheme",
            Expectation::RejectedRequest,
            |f| Request::bare().authorization(f.token().sign()),
        )
        .severity(Severity::Low)
        .rationale("only Bearer credentials may be accepted", "RFC 6750 §2.1"),
        Case::request(
            "http.scheme.other",
            "a valid token with another scheme",
            Expectation::RejectedRequest,
            |f| Request::bare().authorization(format!("Token {}", f.token().sign())),
        )
        .severity(Severity::Low)
        .rationale("only Bearer credentials may be accepted", "RFC 6750 §2.1"),
        Case::request(
            "http.quoted",
            "a valid token in quotes",
            Expectation::RejectedRequest,
            |f| Request::bare().authorization(format!("Bearer \"{}\"", f.token().sign())),
        )
        .severity(Severity::Low)
        .rationale(
            "a token contains no quotes: the verified text differs from the one that was sent",
            "RFC 6750 §2.1",
        ),
        Case::request(
            "http.spaces",
            "two spaces after the scheme",
            Expectation::Accepted,
            |f| Request::bare().authorization(format!("Bearer  {}", f.token().sign())),
        )
        .severity(Severity::Low)
        .rationale(
            "the scheme is followed by one or more spaces",
            "RFC 6750 §2.1",
        ),
    ]
}

fn responses() -> Vec<Case> {
    vec![
        Case::steps(
            "http.challenge.grammar",
            "no token, then an invalid token",
            Severity::Low,
            "well-formed challenges without duplicate attributes",
            |harness| {
                Box::pin(async move {
                    for request in [
                        Request::bare(),
                        Request::bearer(&harness.forge.token().tampered()),
                    ] {
                        let response = expect_response(harness.send_request(&request).await)?;
                        let problem = BearerChallenge::from_headers(&response.headers)
                            .map_or_else(Some, |challenge| challenge.problem());
                        if let Some(problem) = problem {
                            return Err(StepError::Failed(Failure {
                                expected: "well-formed challenges without duplicate attributes"
                                    .to_owned(),
                                got: format!("{}, {problem}", response.describe()),
                                kind: FailureKind::ChallengeDetails,
                            }));
                        }
                    }
                    Ok(())
                })
            },
        )
        .rationale(
            "a client that cannot parse the challenge does not know that it must sign in again",
            "RFC 9110 §11.6.1, RFC 6750 §3",
        ),
        Case::steps(
            "http.echo",
            "an invalid token with a marker in every part",
            Severity::Low,
            "a response that does not echo the marker",
            |harness| {
                Box::pin(async move {
                    let response = expect_response(
                        harness.send_request(&marked_request(&harness.forge)).await,
                    )?;
                    let received = response
                        .headers
                        .values()
                        .map(HeaderValue::as_bytes)
                        .chain([response.body.as_slice()]);
                    let echoes = received
                        .filter(|text| {
                            String::from_utf8_lossy(text)
                                .to_lowercase()
                                .contains("canary")
                        })
                        .count();
                    if echoes == 0 {
                        Ok(())
                    } else {
                        Err(failure(
                            "a response that does not echo the marker",
                            "the response echoes the marker",
                        ))
                    }
                })
            },
        )
        .rationale(
            "echoed input ends up in pages or logs of other users",
            "CWE-79, CWE-117",
        ),
        Case::steps(
            "http.no-store",
            "an invalid token",
            Severity::Low,
            "Cache-Control: no-store, or no freshness information",
            |harness| {
                Box::pin(async move {
                    let response = expect_response(
                        harness.send_token(&harness.forge.token().tampered()).await,
                    )?;
                    let control = response
                        .headers
                        .get("cache-control")
                        .and_then(|value| value.to_str().ok())
                        .unwrap_or_default();
                    let is_cacheable = ["public", "max-age", "s-maxage"]
                        .iter()
                        .any(|word| control.contains(word))
                        && !control.contains("max-age=0");
                    if is_cacheable {
                        Err(failure(
                            "a response that shared caches do not store",
                            format!("Cache-Control: {control}"),
                        ))
                    } else {
                        Ok(())
                    }
                })
            },
        )
        .rationale(
            "a cached rejection is served to clients with a valid token",
            "RFC 9111 §3.5",
        ),
    ]
}

pub(super) fn expect_response<T>(response: Result<T, RequestError>) -> Result<T, StepError> {
    response.map_err(|error| match error {
        RequestError::Connect(error) => StepError::Connect(error),
        error => failure("a response", error.describe()),
    })
}

fn marked_request(f: &Forge) -> Request {
    let token = f
        .token()
        .kid("canary\"\r\nX-Canary: 1")
        .header("typ", "canary")
        .issuer("https://canary.example");
    Request::bearer(&token.sub("canary").claim("aud", "canary").sign())
        .query("canary=canary")
        .header("x-request-id", "canary;")
}
