//! The request around the token, and the manners of the answer.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;

use super::Group;
use crate::contract::{
    bench::{Bench, accepted, found, refused},
    case::{Case, Expectation, Severity, Stop},
    challenge::Bearer,
    forge::Forge,
    target::{NoAnswer, Request},
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
        Case::request("http.scheme.lower-case", "the scheme in lower case", Expectation::Accepted, |f| {
            Request::bare().authorization(format!("bearer {}", f.token().sign()))
        })
        .because("schemes know no case", "RFC 9110 §11.1"),
        Case::request("http.scheme.upper-case", "the scheme in upper case", Expectation::Accepted, |f| {
            Request::bare().authorization(format!("BEARER {}", f.token().sign()))
        })
        .because("schemes know no case", "RFC 9110 §11.1"),
        Case::request("http.scheme.basic", "user and password", Expectation::Unauthenticated, |_| {
            Request::bare().authorization("Basic YWRtaW46YWRtaW4=")
        })
        .because("another scheme is no token", "RFC 6750 §2.1"),
        Case::request("http.scheme.alone", "the scheme, and nothing after it", Expectation::Refused, |_| {
            Request::bare().authorization("Bearer")
        })
        .because("a scheme is no token", "RFC 6750 §2.1"),
        Case::request("http.comma", "a good token, a comma, a bad one", Expectation::Refused, |f| {
            Request::bare().authorization(format!("Bearer {}, Bearer x", f.token().sign()))
        })
        .severity(Severity::Medium)
        .because("two readers see two tokens", "RFC 6750 §2.1"),
        Case::request("http.identity-headers", "no token, and headers that name a user", Expectation::Unauthenticated, |_| {
            let names = [
                "x-user-id",
                "x-forwarded-user",
                "x-auth-subject",
                "x-auth-request-user",
                "x-remote-user",
                "x-authenticated-userid",
            ];
            names.into_iter().fold(Request::bare(), |request, name| request.header(name, "admin"))
        })
        .because("whoever reaches the server past its proxy is whoever he says", "CVE-2026-40575, CVE-2026-42274"),
        Case::request("http.internal-headers", "no token, and headers of an inner network", Expectation::Unauthenticated, |_| {
            Request::bare()
                .header("x-forwarded-for", "127.0.0.1")
                .header("x-real-ip", "127.0.0.1")
                .header("x-middleware-subrequest", "middleware:middleware:middleware:middleware:middleware")
                .header("x-original-url", "/")
        })
        .because("a header makes nobody an inner client", "CVE-2025-29927"),
        Case::request("http.method.head", "HEAD without a token", Expectation::NotServed, |_| {
            Request::bare().method(Method::HEAD)
        })
        .because("every method of a protected URL is protected", "RFC 9110 §9.3.2"),
        Case::request("http.method.post", "POST without a token", Expectation::NotServed, |_| {
            Request::bare().method(Method::POST)
        })
        .because("every method of a protected URL is protected", "RFC 9110 §9"),
        Case::steps(
            "http.keep-alive",
            "a good token and a bad one, in turn on one connection",
            Severity::Critical,
            "2xx, then 401 or 403, twice",
            |bench| {
                Box::pin(async move {
                    for _ in 0..2 {
                        accepted(bench.send(&bench.forge.token().sign()).await, "2xx for the good token")?;
                        refused(
                            bench.send(&bench.forge.token().tampered()).await,
                            "401 or 403 for the bad token after a good one",
                        )?;
                        refused(bench.ask(&Request::bare()).await, "401 or 403 without a token after a good one")?;
                    }
                    Ok(())
                })
            },
        )
        .because("a connection is not a session: behind a proxy, others share it", "RFC 9110 §3.3"),
        Case::steps(
            "http.parallel",
            "twenty good and twenty bad tokens at once",
            Severity::Critical,
            "2xx for the good, 401 or 403 for the bad",
            |bench| Box::pin(parallel(bench)),
        )
        .because("what one request leaves behind must not judge another", "GHSA-rp9m-7r4c-75qg"),
    ];
    cases.extend(strict());
    cases
}

async fn parallel(bench: Arc<Bench>) -> Result<(), Stop> {
    let tokens: Vec<(bool, String)> = (0..40)
        .map(|n| if n % 2 == 0 { (true, bench.forge.token().sign()) } else { (false, bench.forge.token().tampered()) })
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

fn strict() -> Vec<Case> {
    let once = "whoever logs, caches or checks one of them sees another than whoever lets in";
    let cases = [
        Case::request(
            "http.two-headers.good-first",
            "two Authorization headers, the good token first",
            Expectation::RefusedRequest,
            |f| Request::bearer(&f.token().sign()).authorization("Bearer x"),
        )
        .severity(Severity::Medium)
        .because(once, "RFC 6750 §2, RFC 9110 §5.3"),
        Case::request(
            "http.two-headers.good-last",
            "two Authorization headers, the good token last",
            Expectation::RefusedRequest,
            |f| Request::bare().authorization("Bearer x").authorization(format!("Bearer {}", f.token().sign())),
        )
        .severity(Severity::Medium)
        .because(once, "RFC 6750 §2, RFC 9110 §5.3"),
        Case::request("http.query", "a good token in the query", Expectation::Unauthenticated, |f| {
            Request::bare().query(format!("access_token={}", f.token().sign()))
        })
        .severity(Severity::Medium)
        .because("addresses stand in logs, histories and Referer headers", "RFC 9700 §4.3.2, RFC 6750 §2.3"),
        Case::request("http.no-scheme", "a good token without the scheme", Expectation::RefusedRequest, |f| {
            Request::bare().authorization(f.token().sign())
        })
        .severity(Severity::Low)
        .because("what is no bearer credential is not read as one", "RFC 6750 §2.1"),
        Case::request("http.scheme.other", "a good token under another scheme", Expectation::RefusedRequest, |f| {
            Request::bare().authorization(format!("Token {}", f.token().sign()))
        })
        .severity(Severity::Low)
        .because("what is no bearer credential is not read as one", "RFC 6750 §2.1"),
        Case::request("http.quoted", "a good token in quotes", Expectation::RefusedRequest, |f| {
            Request::bare().authorization(format!("Bearer \"{}\"", f.token().sign()))
        })
        .severity(Severity::Low)
        .because("a token has no quotes; whatever was checked, it was not what was sent", "RFC 6750 §2.1"),
        Case::request("http.spaces", "two spaces after the scheme", Expectation::Accepted, |f| {
            Request::bare().authorization(format!("Bearer  {}", f.token().sign()))
        })
        .severity(Severity::Low)
        .because("one space or more", "RFC 6750 §2.1"),
        Case::steps(
            "http.challenge.grammar",
            "no token, then a bad one",
            Severity::Low,
            "challenges within the grammar, no attribute twice",
            |bench| {
                Box::pin(async move {
                    for request in [Request::bare(), Request::bearer(&bench.forge.token().tampered())] {
                        let answer = answered(bench.ask(&request).await)?;
                        let problem = Bearer::of(&answer.headers).map_or_else(Some, |challenge| challenge.problem());
                        if let Some(problem) = problem {
                            return Err(found("challenges within the grammar, no attribute twice", problem));
                        }
                    }
                    Ok(())
                })
            },
        )
        .because("a client that cannot read why does not know to sign in again", "RFC 9110 §11.6.1, RFC 6750 §3"),
        Case::steps(
            "http.echo",
            "a bad token whose every part says canary",
            Severity::Low,
            "an answer that repeats nothing of it",
            |bench| {
                Box::pin(async move {
                    let answer = answered(bench.ask(&canaries(&bench.forge)).await)?;
                    let sent = answer.headers.values().map(|value| value.as_bytes()).chain([answer.body.as_slice()]);
                    let echoes = sent.filter(|text| String::from_utf8_lossy(text).to_lowercase().contains("canary")).count();
                    if echoes == 0 {
                        Ok(())
                    } else {
                        Err(found("an answer that repeats nothing of it", "what was sent came back"))
                    }
                })
            },
        )
        .because("what a stranger sends comes back into somebody's page or log", "CWE-79, CWE-117"),
        Case::steps(
            "http.no-store",
            "a bad token",
            Severity::Low,
            "Cache-Control: no-store, or nothing that a cache may keep",
            |bench| {
                Box::pin(async move {
                    let answer = answered(bench.send(&bench.forge.token().tampered()).await)?;
                    let control = answer.headers.get("cache-control").and_then(|value| value.to_str().ok()).unwrap_or_default();
                    let kept = ["public", "max-age", "s-maxage"].iter().any(|word| control.contains(word))
                        && !control.contains("max-age=0");
                    if kept {
                        Err(found("no refusal that a shared cache keeps", format!("Cache-Control: {control}")))
                    } else {
                        Ok(())
                    }
                })
            },
        )
        .because("a cache that keeps a refusal refuses the next one, whose token is good", "RFC 9111 §3.5"),
    ];
    cases.map(Case::strict).into()
}

fn answered<T>(answer: Result<T, NoAnswer>) -> Result<T, Stop> {
    answer.map_err(|none| match none {
        NoAnswer::Down(why) => Stop::Down(why),
        none => found("an answer", none.words()),
    })
}

fn canaries(f: &Forge) -> Request {
    let token = f.token().kid("canary\"\r\nX-Canary: 1").header("typ", "canary").issuer("https://canary.example");
    Request::bearer(&token.sub("canary").claim("aud", "canary").sign()).query("canary=canary").header("x-request-id", "canary;")
}
