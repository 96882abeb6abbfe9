//! The HTTP request that carries the token, and the response.
#![allow(clippy::too_many_lines, reason = "a list of cases")]

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;

use super::strict_http;
use crate::{
    case::{Case, Expectation, Severity},
    error::StepError,
    group::Group,
    harness::{Harness, expect_accepted, expect_rejected},
    target::Request,
};

pub(crate) const GROUP: Group = Group {
    name: "http",
    title: "one credential in one place, and a response that clients understand",
    hint: "let the framework's bearer middleware parse the header and send its challenge; trust identity headers only if your own proxy \
           sets them and removes those of the client",
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
        .rationale(
            "authentication schemes are case-insensitive",
            "RFC 9110 §11.1",
        ),
        Case::request(
            "http.scheme.upper-case",
            "the scheme in upper case",
            Expectation::Accepted,
            |f| Request::bare().authorization(format!("BEARER {}", f.token().sign())),
        )
        .rationale(
            "authentication schemes are case-insensitive",
            "RFC 9110 §11.1",
        ),
        Case::request(
            "http.scheme.basic",
            "user name and password (Basic)",
            Expectation::RejectedRequest,
            |_| Request::bare().authorization("Basic YWRtaW46YWRtaW4="),
        )
        .rationale(
            "credentials of another scheme are not a token",
            "RFC 6750 §2.1",
        ),
        Case::request(
            "http.scheme.only",
            "the scheme without a token",
            Expectation::RejectedRequest,
            |_| Request::bare().authorization("Bearer"),
        )
        .rationale("a scheme is no token", "RFC 6750 §2.1"),
        Case::request(
            "http.comma",
            "a valid token, a comma, an invalid token",
            Expectation::RejectedRequest,
            |f| Request::bare().authorization(format!("Bearer {}, Bearer x", f.token().sign())),
        )
        .severity(Severity::Medium)
        .rationale("two parsers read different tokens", "RFC 6750 §2.1"),
        Case::request(
            "http.identity-headers",
            "no token, with headers that name a user",
            Expectation::Unauthenticated,
            |_| {
                let headers = [
                    "x-user-id",
                    "x-forwarded-user",
                    "x-auth-subject",
                    "x-auth-request-user",
                    "x-remote-user",
                    "x-authenticated-userid",
                ];
                headers.into_iter().fold(Request::bare(), |request, name| {
                    request.header(name, "admin")
                })
            },
        )
        .rationale(
            "a client that bypasses the proxy can impersonate any user",
            "CVE-2026-40575, CVE-2026-42274",
        ),
        Case::request(
            "http.internal-headers",
            "no token, with headers of internal requests",
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
        .rationale(
            "a request header does not make a client internal",
            "CVE-2025-29927",
        ),
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
            "valid and invalid tokens in turn on one connection",
            Severity::Critical,
            "2xx, then 401 or 403, twice",
            |harness| {
                Box::pin(async move {
                    for _ in 0..2 {
                        expect_accepted(
                            harness.send_token(&harness.forge.token().sign()).await,
                            "2xx for the valid token",
                        )?;
                        expect_rejected(
                            harness.send_token(&harness.forge.token().tampered()).await,
                            "401 or 403 for the invalid token after a valid one",
                        )?;
                        expect_rejected(
                            harness.send_request(&Request::bare()).await,
                            "401 or 403 without a token after a valid one",
                        )?;
                    }
                    Ok(())
                })
            },
        )
        .rationale(
            "a connection is not a session: behind a proxy it is shared by several clients",
            "RFC 9110 §3.3",
        ),
        Case::steps(
            "http.parallel",
            "20 valid and 20 invalid tokens concurrently",
            Severity::Critical,
            "2xx for the valid, 401 or 403 for the invalid tokens",
            |harness| Box::pin(parallel(harness)),
        )
        .rationale(
            "the state of one request must not affect another",
            "GHSA-rp9m-7r4c-75qg",
        ),
    ];
    cases.extend(strict_http::cases());
    cases
}

async fn parallel(harness: Arc<Harness>) -> Result<(), StepError> {
    let tokens: Vec<(bool, String)> = (0..40)
        .map(|n| {
            if n % 2 == 0 {
                (true, harness.forge.token().sign())
            } else {
                (false, harness.forge.token().tampered())
            }
        })
        .collect();
    let responses = join_all(tokens.iter().map(|(_, token)| harness.send_token(token))).await;
    for ((is_valid, _), response) in tokens.iter().zip(responses) {
        match is_valid {
            true => expect_accepted(response, "2xx for the valid tokens")?,
            false => expect_rejected(response, "401 or 403 for the invalid tokens")?,
        }
    }
    Ok(())
}
