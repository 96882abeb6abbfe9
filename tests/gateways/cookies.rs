//! Gateways that send every authorization request as GET: other sites cannot use a visitor's session
//! cookie.

use reqwest::Method;
use rstest::rstest;

use crate::{
    fixture::{Fixture, TestServer},
    gateway::Gateway::{self, Caddy, Nginx, Traefik},
};

#[rstest]
#[actix_web::test]
async fn cookie_needs_a_listed_origin_for_unsafe_methods(
    #[values(Nginx, Caddy, Traefik)] gateway: Gateway,
) {
    if gateway.program().is_none() {
        return;
    }
    let cookie = [
        ("BEARWARD_TOKENS__COOKIE", "session"),
        ("BEARWARD_SERVER__CORS_ORIGINS", "https://app.example.com"),
    ];
    let Some(fixture) = Fixture::start_with(gateway, TestServer::start(&cookie).await, |text| text)
    else {
        return;
    };
    let session = format!("session={}", fixture.token().sign());
    let send = async |method: Method, headers: &[(&str, &str)]| {
        let with = |request: reqwest::RequestBuilder| {
            headers.iter().fold(
                request.header("cookie", &session),
                |request, (name, value)| request.header(*name, *value),
            )
        };
        fixture.send(method, "/orders", with).await.status
    };
    assert_eq!(send(Method::GET, &[]).await, 200);
    assert_eq!(
        send(Method::POST, &[("origin", "https://app.example.com")]).await,
        200
    );
    assert_eq!(fixture.backend.request_count(), 2);
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        assert_eq!(send(method.clone(), &[]).await, 403, "{method}");
        assert_eq!(
            send(method.clone(), &[("origin", "https://evil.example")]).await,
            403,
            "{method}"
        );
    }
    let handshake = [
        ("origin", "https://evil.example"),
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
    ];
    assert_eq!(send(Method::GET, &handshake).await, 403);
    assert_eq!(fixture.backend.request_count(), 2);
}
