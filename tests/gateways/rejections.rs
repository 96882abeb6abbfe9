//! Through a gateway: rejections reach the client with status and headers, and not the backend.

use bearward::Algorithm;
use bearward_testing::MockIdp;
use reqwest::Method;
use rstest::rstest;

use crate::{
    fixture::{Fixture, TestServer},
    gateway::Gateway::{self, Caddy, Envoy, Nginx, Traefik},
};

#[rstest]
#[actix_web::test]
async fn status_401_reaches_the_client_with_its_challenge(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    let Some(fixture) = Fixture::start(gateway).await else {
        return;
    };
    let without_token = fixture
        .send(Method::GET, "/orders", |request| request)
        .await;
    assert_eq!(without_token.status, 401, "{without_token:?}");
    let challenge = without_token.header("www-authenticate").unwrap();
    assert!(
        challenge.starts_with("Bearer realm=") && !challenge.contains("error="),
        "{challenge}"
    );
    for token in [
        fixture.token().tampered(),
        fixture.token().expired().sign(),
        "x".to_owned(),
    ] {
        let rejected = fixture.get(&token).await;
        assert_eq!(rejected.status, 401, "{rejected:?}");
        let challenge = rejected.header("www-authenticate").unwrap();
        assert!(
            challenge.contains("error=\"invalid_token\"")
                && challenge.contains("resource_metadata=\""),
            "{challenge}"
        );
        assert_eq!(rejected.header("cache-control"), Some("no-store"));
    }
    let posted = fixture
        .send(Method::POST, "/orders", |request| request.body("x"))
        .await;
    assert_eq!(posted.status, 401);
    let preflight = fixture.send(Method::OPTIONS, "/orders", |request| {
        request
            .header("origin", "http://localhost:3000")
            .header("access-control-request-method", "GET")
    });
    assert_eq!(preflight.await.status, 401);
    assert_eq!(fixture.backend.request_count(), 0);
}

#[rstest]
#[actix_web::test]
async fn unmet_requirement_is_403(#[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway) {
    if gateway.program().is_none() {
        return;
    }
    let add_requirements = |text: String| {
        let text = text.replace(
            "/api/auth/verify;",
            "/api/auth/verify?role=admin&scope=orders:read;",
        );
        let text = text.replace(
            "uri /api/auth/verify?\n",
            "uri /api/auth/verify?role=admin&scope=orders:read\n",
        );
        let text = text.replace(
            "/api/auth/verify\"\n",
            "/api/auth/verify?role=admin&scope=orders:read\"\n",
        );
        text.replace(
            "path_override: /api/auth/verify\n",
            "path_override: /api/auth/verify?role=admin&scope=orders:read\n",
        )
    };
    let Some(fixture) =
        Fixture::start_with(gateway, TestServer::start(&[]).await, add_requirements)
    else {
        return;
    };
    let no_admin = fixture
        .get(&fixture.token().roles(["staff"]).scope("orders:read").sign())
        .await;
    assert_eq!(no_admin.status, 403, "{no_admin:?}");
    assert_eq!(no_admin.header("www-authenticate"), None);
    let no_scope = fixture.get(&fixture.token().roles(["admin"]).sign()).await;
    assert_eq!(no_scope.status, 403, "{no_scope:?}");
    let challenge = no_scope.header("www-authenticate").unwrap();
    assert!(challenge.contains("scope=\"orders:read\""), "{challenge}");
    // The client's query does not change the requirements.
    let with = |request: reqwest::RequestBuilder| request.bearer_auth(fixture.token().sign());
    assert_eq!(
        fixture
            .send(Method::GET, "/orders?role=authenticated", with)
            .await
            .status,
        403
    );
    assert_eq!(fixture.backend.request_count(), 0);
    assert_eq!(
        fixture
            .get(&fixture.token().roles(["admin"]).scope("orders:read").sign())
            .await
            .status,
        200
    );
}

#[rstest]
#[actix_web::test]
async fn key_outage_is_503_with_retry_after(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    if gateway.program().is_none() {
        return;
    }
    let idp = MockIdp::start_with(Algorithm::ES256).await;
    idp.outage();
    let Some(fixture) =
        Fixture::start_with(gateway, TestServer::start_with(idp, &[]).await, |text| text)
    else {
        return;
    };
    let response = fixture.get(&fixture.token().sign()).await;
    assert_eq!(response.status, 503, "{response:?}");
    let seconds: u64 = response
        .header("retry-after")
        .unwrap_or_else(|| panic!("{response:?}"))
        .parse()
        .unwrap();
    assert!((1..=600).contains(&seconds), "{seconds}");
    assert_eq!(response.header("www-authenticate"), None);
    assert_eq!(fixture.backend.request_count(), 0);
}

#[rstest]
#[actix_web::test]
async fn request_is_rejected_if_bearward_is_down(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    if gateway.program().is_none() {
        return;
    }
    let server = TestServer::start(&[]).await;
    let port = server.address.port().to_string();
    let Some(fixture) = Fixture::start_with(gateway, server, |text| text.replace(&port, "1"))
    else {
        return;
    };
    let response = fixture.get(&fixture.token().sign()).await;
    // The status cannot be configured in Traefik.
    assert!(
        if gateway == Traefik {
            response.status == 500
        } else {
            [502, 503].contains(&response.status)
        },
        "{response:?}"
    );
    assert_eq!(fixture.backend.request_count(), 0);
}

#[rstest]
#[actix_web::test]
async fn too_many_invalid_tokens_are_429_with_retry_after(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    if gateway.program().is_none() {
        return;
    }
    let few = [
        ("BEARWARD_RATE_LIMIT__PER_ADDRESS", "1"),
        ("BEARWARD_RATE_LIMIT__BURST", "2"),
    ];
    let Some(fixture) = Fixture::start_with(gateway, TestServer::start(&few).await, |text| text)
    else {
        return;
    };
    let bad = fixture.token().tampered();
    for _ in 0..2 {
        assert_eq!(fixture.get(&bad).await.status, 401);
    }
    let response = fixture.get(&bad).await;
    assert_eq!(response.status, 429, "{response:?}");
    let seconds: u64 = response
        .header("retry-after")
        .unwrap_or_else(|| panic!("{response:?}"))
        .parse()
        .unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(fixture.get(&fixture.token().sign()).await.status, 200);
}

/// Other systems have only one loopback address by default.
#[cfg(target_os = "linux")]
#[rstest]
#[actix_web::test]
async fn invalid_tokens_count_against_the_client_address(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    if gateway.program().is_none() {
        return;
    }
    let few = [
        ("BEARWARD_RATE_LIMIT__PER_ADDRESS", "1"),
        ("BEARWARD_RATE_LIMIT__BURST", "2"),
    ];
    let Some(fixture) = Fixture::start_with(gateway, TestServer::start(&few).await, |text| text)
    else {
        return;
    };
    let bad = fixture.token().tampered();
    for (claimed, status) in [
        ("198.51.100.1", 401),
        ("198.51.100.2", 401),
        ("198.51.100.3", 429),
        ("127.0.0.3", 429),
    ] {
        assert_eq!(
            fixture.get_from("127.0.0.2", claimed, &bad).await.status,
            status,
            "{claimed}"
        );
    }
    assert_eq!(
        fixture
            .get_from("127.0.0.3", "127.0.0.2", &bad)
            .await
            .status,
        401,
        "another client"
    );
}

#[rstest]
#[actix_web::test]
async fn two_credentials_are_rejected(#[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway) {
    let Some(fixture) = Fixture::start(gateway).await else {
        return;
    };
    let line = format!("Authorization: Bearer {}", fixture.token().sign());
    let response = fixture.send_raw(&[&line, &line]).await;
    assert!(
        response.starts_with("HTTP/1.1 400") || response.starts_with("HTTP/1.1 401"),
        "{response}"
    );
    assert_eq!(fixture.backend.request_count(), 0);
}
