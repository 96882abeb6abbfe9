//! CORS preflights and cookies at the forward-auth endpoint: the original request decides.

use reqwest::{Method, RequestBuilder};

use crate::fixture::TestServer;

const APP: &str = "https://app.example.com";
const LISTED: (&str, &str) = ("BEARWARD_SERVER__CORS_ORIGINS", APP);

#[actix_web::test]
async fn preflight_request_is_not_authorized() {
    let server = TestServer::start(&[LISTED]).await;
    let preflight = |request: RequestBuilder| {
        request
            .header("origin", APP)
            .header("access-control-request-method", "GET")
    };
    let response = server.send(Method::OPTIONS, "/protected", preflight).await;
    assert_eq!(
        response.status, 200,
        "the server answers preflights of other routes"
    );
    for path in ["/api/auth/verify", "/api/auth/%76erify"] {
        let response = server.send(Method::OPTIONS, path, preflight).await;
        assert_eq!(
            response.error(),
            (401, "MISSING_TOKEN".to_owned()),
            "{path}"
        );
        let with_method =
            |request: RequestBuilder| preflight(request).header("x-forwarded-method", "OPTIONS");
        assert_eq!(
            server.send(Method::OPTIONS, path, with_method).await.status,
            401,
            "{path}"
        );
    }
}

#[actix_web::test]
async fn cookie_needs_a_listed_origin_unless_the_method_is_safe() {
    let server = TestServer::start(&[LISTED, ("BEARWARD_TOKENS__COOKIE", "session")]).await;
    let token = server.token().sign();
    let send = async |method: Method, headers: &[(&str, &str)]| {
        let with = |request: RequestBuilder| {
            let request = request.header("cookie", format!("session={token}"));
            headers.iter().fold(request, |request, (name, value)| {
                request.header(*name, *value)
            })
        };
        server.send(method, "/api/auth/verify", with).await.status
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
        // Many gateways send every authorization request as GET.
        (&[], 403),
        (&[("x-forwarded-method", "get")], 403),
        (
            &[
                ("x-forwarded-method", "GET"),
                ("x-forwarded-method", "POST"),
            ],
            403,
        ),
        // A WebSocket from another site: gateways do not forward the Upgrade header.
        (
            &[
                ("x-forwarded-method", "GET"),
                ("origin", "https://evil.example"),
            ],
            403,
        ),
    ] {
        assert_eq!(send(Method::GET, headers).await, status, "{headers:?}");
        assert_eq!(send(Method::POST, headers).await, status, "{headers:?}");
    }
}
