//! What the RFCs want of requests and answers, and sound servers differ in: asked of those who want
//! the letter.

use reqwest::header::HeaderValue;

use crate::{
    case::{Case, Expectation, Severity, StepError},
    challenge::Bearer,
    forge::Forge,
    harness::found,
    target::{NoAnswer, Request},
};

pub(super) fn cases() -> Vec<Case> {
    requests()
        .into_iter()
        .chain(answers())
        .map(Case::strict)
        .collect()
}

fn requests() -> Vec<Case> {
    let once = "whoever logs, caches or checks one of them sees another than whoever lets in";
    vec![
        Case::request(
            "http.two-headers.good-first",
            "two Authorization headers, the good token first",
            Expectation::RefusedRequest,
            |f| Request::bearer(&f.token().sign()).authorization("Bearer x"),
        )
        .severity(Severity::Medium)
        .rationale(once, "RFC 6750 §2, RFC 9110 §5.3"),
        Case::request(
            "http.two-headers.good-last",
            "two Authorization headers, the good token last",
            Expectation::RefusedRequest,
            |f| {
                Request::bare()
                    .authorization("Bearer x")
                    .authorization(format!("Bearer {}", f.token().sign()))
            },
        )
        .severity(Severity::Medium)
        .rationale(once, "RFC 6750 §2, RFC 9110 §5.3"),
        Case::request(
            "http.query",
            "a good token in the query",
            Expectation::Unauthenticated,
            |f| Request::bare().query(format!("access_token={}", f.token().sign())),
        )
        .severity(Severity::Medium)
        .rationale(
            "addresses stand in logs, histories and Referer headers",
            "RFC 9700 §4.3.2, RFC 6750 §2.3",
        ),
        Case::request(
            "http.no-scheme",
            "a good token without the scheme",
            Expectation::RefusedRequest,
            |f| Request::bare().authorization(f.token().sign()),
        )
        .severity(Severity::Low)
        .rationale(
            "what is no bearer credential is not read as one",
            "RFC 6750 §2.1",
        ),
        Case::request(
            "http.scheme.other",
            "a good token under another scheme",
            Expectation::RefusedRequest,
            |f| Request::bare().authorization(format!("Token {}", f.token().sign())),
        )
        .severity(Severity::Low)
        .rationale(
            "what is no bearer credential is not read as one",
            "RFC 6750 §2.1",
        ),
        Case::request(
            "http.quoted",
            "a good token in quotes",
            Expectation::RefusedRequest,
            |f| Request::bare().authorization(format!("Bearer \"{}\"", f.token().sign())),
        )
        .severity(Severity::Low)
        .rationale(
            "a token has no quotes; whatever was checked, it was not what was sent",
            "RFC 6750 §2.1",
        ),
        Case::request(
            "http.spaces",
            "two spaces after the scheme",
            Expectation::Accepted,
            |f| Request::bare().authorization(format!("Bearer  {}", f.token().sign())),
        )
        .severity(Severity::Low)
        .rationale("one space or more", "RFC 6750 §2.1"),
    ]
}

fn answers() -> Vec<Case> {
    vec![
        Case::steps(
            "http.challenge.grammar",
            "no token, then a bad one",
            Severity::Low,
            "challenges within the grammar, no attribute twice",
            |bench| {
                Box::pin(async move {
                    for request in [
                        Request::bare(),
                        Request::bearer(&bench.forge.token().tampered()),
                    ] {
                        let answer = answered(bench.ask(&request).await)?;
                        let problem = Bearer::of(&answer.headers)
                            .map_or_else(Some, |challenge| challenge.problem());
                        if let Some(problem) = problem {
                            return Err(found(
                                "challenges within the grammar, no attribute twice",
                                problem,
                            ));
                        }
                    }
                    Ok(())
                })
            },
        )
        .rationale(
            "a client that cannot read why does not know to sign in again",
            "RFC 9110 §11.6.1, RFC 6750 §3",
        ),
        Case::steps(
            "http.echo",
            "a bad token whose every part says canary",
            Severity::Low,
            "an answer that repeats nothing of it",
            |bench| {
                Box::pin(async move {
                    let answer = answered(bench.ask(&canaries(&bench.forge)).await)?;
                    let sent = answer
                        .headers
                        .values()
                        .map(HeaderValue::as_bytes)
                        .chain([answer.body.as_slice()]);
                    let echoes = sent
                        .filter(|text| {
                            String::from_utf8_lossy(text)
                                .to_lowercase()
                                .contains("canary")
                        })
                        .count();
                    if echoes == 0 {
                        Ok(())
                    } else {
                        Err(found(
                            "an answer that repeats nothing of it",
                            "what was sent came back",
                        ))
                    }
                })
            },
        )
        .rationale(
            "what a stranger sends comes back into somebody's page or log",
            "CWE-79, CWE-117",
        ),
        Case::steps(
            "http.no-store",
            "a bad token",
            Severity::Low,
            "Cache-Control: no-store, or nothing that a cache may keep",
            |bench| {
                Box::pin(async move {
                    let answer = answered(bench.send(&bench.forge.token().tampered()).await)?;
                    let control = answer
                        .headers
                        .get("cache-control")
                        .and_then(|value| value.to_str().ok())
                        .unwrap_or_default();
                    let kept = ["public", "max-age", "s-maxage"]
                        .iter()
                        .any(|word| control.contains(word))
                        && !control.contains("max-age=0");
                    if kept {
                        Err(found(
                            "no refusal that a shared cache keeps",
                            format!("Cache-Control: {control}"),
                        ))
                    } else {
                        Ok(())
                    }
                })
            },
        )
        .rationale(
            "a cache that keeps a refusal refuses the next one, whose token is good",
            "RFC 9111 §3.5",
        ),
    ]
}

fn answered<T>(answer: Result<T, NoAnswer>) -> Result<T, StepError> {
    answer.map_err(|none| match none {
        NoAnswer::Down(why) => StepError::Down(why),
        none => found("an answer", none.words()),
    })
}

fn canaries(f: &Forge) -> Request {
    let token = f
        .token()
        .kid("canary\"\r\nX-Canary: 1")
        .header("typ", "canary")
        .issuer("https://canary.example");
    Request::bearer(&token.sub("canary").claim("aud", "canary").sign())
        .query("canary=canary")
        .header("x-request-id", "canary;")
}
