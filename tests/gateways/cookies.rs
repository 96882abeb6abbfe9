//! Through a gateway that asks with GET about everything: another site cannot use the session
//! cookie of a visitor.

use reqwest::Method;
use rstest::rstest;

use crate::{
    gateway::Gateway::{self, Caddy, Nginx, Traefik},
    stand::{Bearward, Stand},
};

#[rstest]
#[actix_web::test]
async fn a_cookie_opens_what_changes_nothing_and_the_rest_for_listed_origins_alone(
    #[values(Nginx, Caddy, Traefik)] gateway: Gateway,
) {
    if gateway.program().is_none() {
        return;
    }
    let cookie = [
        ("BEARWARD_TOKENS__COOKIE", "session"),
        ("BEARWARD_SERVER__CORS_ORIGINS", "https://app.example.com"),
    ];
    let Some(stand) = Stand::before(gateway, Bearward::start(&cookie).await, |text| text) else {
        return;
    };
    let session = format!("session={}", stand.token().sign());
    let ask = async |method: Method, headers: &[(&str, &str)]| {
        let with = |request: reqwest::RequestBuilder| {
            headers.iter().fold(
                request.header("cookie", &session),
                |request, (name, value)| request.header(*name, *value),
            )
        };
        stand.send(method, "/orders", with).await.status
    };
    assert_eq!(ask(Method::GET, &[]).await, 200);
    assert_eq!(
        ask(Method::POST, &[("origin", "https://app.example.com")]).await,
        200
    );
    assert_eq!(stand.backend.seen(), 2);
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        assert_eq!(ask(method.clone(), &[]).await, 403, "{method}");
        assert_eq!(
            ask(method.clone(), &[("origin", "https://evil.example")]).await,
            403,
            "{method}"
        );
    }
    let handshake = [
        ("origin", "https://evil.example"),
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
    ];
    assert_eq!(ask(Method::GET, &handshake).await, 403);
    assert_eq!(stand.backend.seen(), 2);
}
