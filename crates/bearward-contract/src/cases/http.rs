//! The request around the token, and the manners of the answer.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;

use super::{Group, manners};
use crate::{
    case::{Case, Expectation, Severity, StepError},
    harness::{Harness, accepted, refused},
    target::Request,
};

pub(super) const GROUP: Group = Group {
    name: "http",
    title: "one credential, in one place, and an answer that clients understand",
    hint: "let the framework's bearer middleware read the header, send its challenge through, and believe no identity in another header \
           unless a proxy of yours sets it and removes the client's",
    timed: false,
    cases,
};

fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::request(
            "http.scheme.lower-case",
            "the scheme in lower case",
            Expectation::Accepted,
            |f| Request::bare().authorization(format!("bearer {}", f.token().sign())),
        )
        .rationale("schemes know no case", "RFC 9110 §11.1"),
        Case::request(
            "http.scheme.upper-case",
            "the scheme in upper case",
            Expectation::Accepted,
            |f| Request::bare().authorization(format!("BEARER {}", f.token().sign())),
        )
        .rationale("schemes know no case", "RFC 9110 §11.1"),
        Case::request(
            "http.scheme.basic",
            "user and password",
            Expectation::RefusedRequest,
            |_| Request::bare().authorization("Basic YWRtaW46YWRtaW4="),
        )
        .rationale("another scheme is no token", "RFC 6750 §2.1"),
        Case::request(
            "http.scheme.alone",
            "the scheme, and nothing after it",
            Expectation::RefusedRequest,
            |_| Request::bare().authorization("Bearer"),
        )
        .rationale("a scheme is no token", "RFC 6750 §2.1"),
        Case::request(
            "http.comma",
            "a good token, a comma, a bad one",
            Expectation::RefusedRequest,
            |f| Request::bare().authorization(format!("Bearer {}, Bearer x", f.token().sign())),
        )
        .severity(Severity::Medium)
        .rationale("two readers see two tokens", "RFC 6750 §2.1"),
        Case::request(
            "http.identity-headers",
            "no token, and headers that name a user",
            Expectation::Unauthenticated,
            |_| {
                let names = [
                    "x-user-id",
                    "x-forwarded-user",
                    "x-auth-subject",
                    "x-auth-request-user",
                    "x-remote-user",
                    "x-authenticated-userid",
                ];
                names.into_iter().fold(Request::bare(), |request, name| {
                    request.header(name, "admin")
                })
            },
        )
        .rationale(
            "whoever reaches the server past its proxy is whoever he says",
            "CVE-2026-40575, CVE-2026-42274",
        ),
        Case::request(
            "http.internal-headers",
            "no token, and headers of an inner network",
            Expectation::Unauthenticated,
            |_| {
                Request::bare()
                    .header("x-forwarded-for", "127.0.0.1")
                    .header("x-real-ip", "127.0.0.1")
                    .header(
                        "x-middleware-subrequest",
                        "middleware:middleware:middleware:middleware:middleware",
                    )
                    .header("x-original-url", "/")
            },
        )
        .rationale("a header makes nobody an inner client", "CVE-2025-29927"),
        Case::request(
            "http.method.head",
            "HEAD without a token",
            Expectation::NotServed,
            |_| Request::bare().method(Method::HEAD),
        )
        .rationale(
            "every method of a protected URL is protected",
            "RFC 9110 §9.3.2",
        ),
        Case::request(
            "http.method.post",
            "POST without a token",
            Expectation::NotServed,
            |_| Request::bare().method(Method::POST),
        )
        .rationale(
            "every method of a protected URL is protected",
            "RFC 9110 §9",
        ),
        Case::steps(
            "http.keep-alive",
            "a good token and a bad one, in turn on one connection",
            Severity::Critical,
            "2xx, then 401 or 403, twice",
            |bench| {
                Box::pin(async move {
                    for _ in 0..2 {
                        accepted(
                            bench.send(&bench.forge.token().sign()).await,
                            "2xx for the good token",
                        )?;
                        refused(
                            bench.send(&bench.forge.token().tampered()).await,
                            "401 or 403 for the bad token after a good one",
                        )?;
                        refused(
                            bench.ask(&Request::bare()).await,
                            "401 or 403 without a token after a good one",
                        )?;
                    }
                    Ok(())
                })
            },
        )
        .rationale(
            "a connection is not a session: behind a proxy, others share it",
            "RFC 9110 §3.3",
        ),
        Case::steps(
            "http.parallel",
            "twenty good and twenty bad tokens at once",
            Severity::Critical,
            "2xx for the good, 401 or 403 for the bad",
            |bench| Box::pin(parallel(bench)),
        )
        .rationale(
            "what one request leaves behind must not judge another",
            "GHSA-rp9m-7r4c-75qg",
        ),
    ];
    cases.extend(manners::cases());
    cases
}

async fn parallel(bench: Arc<Harness>) -> Result<(), StepError> {
    let tokens: Vec<(bool, String)> = (0..40)
        .map(|n| {
            if n % 2 == 0 {
                (true, bench.forge.token().sign())
            } else {
                (false, bench.forge.token().tampered())
            }
        })
        .collect();
    let answers = join_all(tokens.iter().map(|(_, token)| bench.send(token))).await;
    for ((good, _), answer) in tokens.iter().zip(answers) {
        match good {
            true => accepted(answer, "2xx for the good tokens")?,
            false => refused(answer, "401 or 403 for the bad tokens")?,
        }
    }
    Ok(())
}
