//! A gateway's question is judged by the request that it is about: no preflight opens it, and a
//! cookie needs its Origin.

use reqwest::{Method, RequestBuilder};

use crate::stand::Bearward;

const APP: &str = "https://app.example.com";
const LISTED: (&str, &str) = ("BEARWARD_SERVER__CORS_ORIGINS", APP);

#[actix_web::test]
async fn a_preflight_request_of_a_listed_origin_is_not_let_through() {
    let bearward = Bearward::start(&[LISTED]).await;
    let preflight = |request: RequestBuilder| {
        request
            .header("origin", APP)
            .header("access-control-request-method", "GET")
    };
    let answer = bearward
        .send(Method::OPTIONS, "/protected", preflight)
        .await;
    assert_eq!(
        answer.status, 200,
        "which the server itself answers elsewhere"
    );
    for path in ["/api/auth/verify", "/api/auth/%76erify"] {
        let answer = bearward.send(Method::OPTIONS, path, preflight).await;
        assert_eq!(
            answer.refusal(),
            (401, "MISSING_TOKEN".to_owned()),
            "{path}"
        );
        let told =
            |request: RequestBuilder| preflight(request).header("x-forwarded-method", "OPTIONS");
        assert_eq!(
            bearward.send(Method::OPTIONS, path, told).await.status,
            401,
            "{path}"
        );
    }
}

#[actix_web::test]
async fn a_token_in_a_cookie_needs_a_listed_origin_unless_the_request_is_known_to_change_nothing() {
    let bearward = Bearward::start(&[LISTED, ("BEARWARD_TOKENS__COOKIE", "session")]).await;
    let token = bearward.token().sign();
    let ask = async |method: Method, headers: &[(&str, &str)]| {
        let with = |request: RequestBuilder| {
            let request = request.header("cookie", format!("session={token}"));
            headers.iter().fold(request, |request, (name, value)| {
                request.header(*name, *value)
            })
        };
        bearward.send(method, "/api/auth/verify", with).await.status
    };
    for (headers, status) in [
        (&[("x-forwarded-method", "GET")][..], 200),
        (&[("x-forwarded-method", "HEAD")], 200),
        (&[("x-forwarded-method", "POST")], 403),
        (&[("x-forwarded-method", "POST"), ("origin", APP)], 200),
        (
            &[
                ("x-forwarded-method", "POST"),
                ("origin", "https://evil.example"),
            ],
            403,
        ),
        (&[("origin", APP)], 200),
        // Many gateways ask with GET about everything.
        (&[], 403),
        (&[("x-forwarded-method", "get")], 403),
        (
            &[
                ("x-forwarded-method", "GET"),
                ("x-forwarded-method", "POST"),
            ],
            403,
        ),
        // A WebSocket of another site: gateways keep the Upgrade header to themselves.
        (
            &[
                ("x-forwarded-method", "GET"),
                ("origin", "https://evil.example"),
            ],
            403,
        ),
    ] {
        assert_eq!(ask(Method::GET, headers).await, status, "{headers:?}");
        assert_eq!(ask(Method::POST, headers).await, status, "{headers:?}");
    }
}
