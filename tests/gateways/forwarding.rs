//! Through a gateway: an authorized request reaches the backend unchanged, with identity headers.

use reqwest::Method;
use rstest::rstest;

use crate::{
    fixture::{BackendResponse, Fixture},
    gateway::Gateway::{self, Caddy, Envoy, Nginx, Traefik},
};

#[rstest]
#[actix_web::test]
async fn backend_gets_identity_headers_without_the_token(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    let Some(fixture) = Fixture::start(gateway).await else {
        return;
    };
    let token = fixture
        .token()
        .email("ada@example.com")
        .role("authenticated")
        .scope("orders:read orders:write")
        .claim(
            "app_metadata",
            serde_json::json!({"roles": ["reader", "writer"], "tenant_id": "acme"}),
        )
        .claim("azp", "web")
        .sign();
    let response = fixture.get(&token).await;
    assert_eq!(response.status, 200, "{response:?}");
    let issuer = fixture.server.idp.issuer();
    let expected = [
        ("x-auth-client", "web"),
        ("x-auth-email", "ada@example.com"),
        ("x-auth-issuer", &issuer),
        ("x-auth-role", "authenticated"),
        ("x-auth-roles", "reader,writer"),
        ("x-auth-scopes", "orders:read orders:write"),
        ("x-auth-subject", "ada"),
        ("x-auth-tenant", "acme"),
    ];
    assert_eq!(
        response.backend_headers("x-auth-"),
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(response.backend_headers("authorization"), []);
    assert!(!response.body.contains(&token));
    assert_eq!(response.json()["target"], "/orders");
}

#[rstest]
#[actix_web::test]
async fn request_is_forwarded_unchanged(#[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway) {
    let Some(fixture) = Fixture::start(gateway).await else {
        return;
    };
    let token = fixture.token().sign();
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        for length in [0, 10, 300_000] {
            let body: String = "0123456789".chars().cycle().take(length).collect();
            let with = |request: reqwest::RequestBuilder| {
                request
                    .bearer_auth(&token)
                    .header("content-type", "text/plain")
                    .body(body.clone())
            };
            let response = fixture
                .send(method.clone(), "/orders/17?x=1&role=admin", with)
                .await;
            assert_eq!(response.status, 200, "{method} {length}: {response:?}");
            let echoed = response.json();
            assert!(echoed["body"] == body, "{method} {length}");
            assert_eq!(
                (&echoed["method"], &echoed["target"]),
                (&method.as_str().into(), &"/orders/17?x=1&role=admin".into())
            );
        }
    }
}

#[rstest]
#[actix_web::test]
async fn long_claims_reach_the_backend(#[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway) {
    let Some(fixture) = Fixture::start(gateway).await else {
        return;
    };
    let scopes: Vec<String> = (0..150).map(|number| format!("Größe:{number}")).collect();
    let response = fixture
        .get(&fixture.token().scope(&scopes.join(" ")).sign())
        .await;
    assert_eq!(response.status, 200, "{response:?}");
    let [(_, scopes)] = &response.backend_headers("x-auth-scopes")[..] else {
        panic!("one header: {response:?}")
    };
    assert_eq!(scopes.split(' ').count(), 150);
    assert!(scopes.ends_with("Gr%C3%B6%C3%9Fe:149"), "{scopes}");
}
