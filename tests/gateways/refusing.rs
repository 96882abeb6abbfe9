//! Through a gateway: a refusal reaches the client as bearward says it, and the backend sees
//! nothing.

use bearward::Algorithm;
use bearward_testing::MockIdp;
use reqwest::Method;
use rstest::rstest;

use crate::{
    gateway::Gateway::{self, Caddy, Envoy, Nginx, Traefik},
    stand::{Bearward, Stand},
};

#[rstest]
#[actix_web::test]
async fn a_401_reaches_the_client_with_its_challenge(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    let Some(stand) = Stand::start(gateway).await else {
        return;
    };
    let nobody = stand.send(Method::GET, "/orders", |request| request).await;
    assert_eq!(nobody.status, 401, "{nobody:?}");
    let challenge = nobody.header("www-authenticate").unwrap();
    assert!(
        challenge.starts_with("Bearer realm=") && !challenge.contains("error="),
        "{challenge}"
    );
    for token in [
        stand.token().tampered(),
        stand.token().expired().sign(),
        "x".to_owned(),
    ] {
        let refused = stand.get(&token).await;
        assert_eq!(refused.status, 401, "{refused:?}");
        let challenge = refused.header("www-authenticate").unwrap();
        assert!(
            challenge.contains("error=\"invalid_token\"")
                && challenge.contains("resource_metadata=\""),
            "{challenge}"
        );
        assert_eq!(refused.header("cache-control"), Some("no-store"));
    }
    let posted = stand
        .send(Method::POST, "/orders", |request| request.body("x"))
        .await;
    assert_eq!(posted.status, 401);
    let preflight = stand.send(Method::OPTIONS, "/orders", |request| {
        request
            .header("origin", "http://localhost:3000")
            .header("access-control-request-method", "GET")
    });
    assert_eq!(preflight.await.status, 401);
    assert_eq!(stand.backend.seen(), 0);
}

#[rstest]
#[actix_web::test]
async fn a_place_for_administrators_is_403_for_everybody_else(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    if gateway.program().is_none() {
        return;
    }
    let narrowed = |text: String| {
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
    let Some(stand) = Stand::before(gateway, Bearward::start(&[]).await, narrowed) else {
        return;
    };
    let no_admin = stand
        .get(&stand.token().roles(["staff"]).scope("orders:read").sign())
        .await;
    assert_eq!(no_admin.status, 403, "{no_admin:?}");
    assert_eq!(no_admin.header("www-authenticate"), None);
    let no_scope = stand.get(&stand.token().roles(["admin"]).sign()).await;
    assert_eq!(no_scope.status, 403, "{no_scope:?}");
    let challenge = no_scope.header("www-authenticate").unwrap();
    assert!(challenge.contains("scope=\"orders:read\""), "{challenge}");
    // A query of the client's own widens nothing.
    let with = |request: reqwest::RequestBuilder| request.bearer_auth(stand.token().sign());
    assert_eq!(
        stand
            .send(Method::GET, "/orders?role=authenticated", with)
            .await
            .status,
        403
    );
    assert_eq!(stand.backend.seen(), 0);
    assert_eq!(
        stand
            .get(&stand.token().roles(["admin"]).scope("orders:read").sign())
            .await
            .status,
        200
    );
}

#[rstest]
#[actix_web::test]
async fn an_outage_of_the_keys_is_503_and_when_to_try_again(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    if gateway.program().is_none() {
        return;
    }
    let idp = MockIdp::start_with(Algorithm::ES256).await;
    idp.outage();
    let Some(stand) = Stand::before(gateway, Bearward::start_with(idp, &[]).await, |text| text)
    else {
        return;
    };
    let answer = stand.get(&stand.token().sign()).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    let seconds: u64 = answer
        .header("retry-after")
        .unwrap_or_else(|| panic!("{answer:?}"))
        .parse()
        .unwrap();
    assert!((1..=600).contains(&seconds), "{seconds}");
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(stand.backend.seen(), 0);
}

#[rstest]
#[actix_web::test]
async fn without_bearward_nobody_passes(#[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway) {
    if gateway.program().is_none() {
        return;
    }
    let bearward = Bearward::start(&[]).await;
    let port = bearward.address.port().to_string();
    let Some(stand) = Stand::before(gateway, bearward, |text| text.replace(&port, "1")) else {
        return;
    };
    let answer = stand.get(&stand.token().sign()).await;
    // Traefik cannot be told another status for it.
    assert!(
        if gateway == Traefik {
            answer.status == 500
        } else {
            [502, 503].contains(&answer.status)
        },
        "{answer:?}"
    );
    assert_eq!(stand.backend.seen(), 0);
}

#[rstest]
#[actix_web::test]
async fn too_many_refused_tokens_are_429_and_when_to_try_again_and_a_good_one_passes(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    if gateway.program().is_none() {
        return;
    }
    let few = [
        ("BEARWARD_RATE_LIMIT__PER_ADDRESS", "1"),
        ("BEARWARD_RATE_LIMIT__BURST", "2"),
    ];
    let Some(stand) = Stand::before(gateway, Bearward::start(&few).await, |text| text) else {
        return;
    };
    let bad = stand.token().tampered();
    for _ in 0..2 {
        assert_eq!(stand.get(&bad).await.status, 401);
    }
    let answer = stand.get(&bad).await;
    assert_eq!(answer.status, 429, "{answer:?}");
    let seconds: u64 = answer
        .header("retry-after")
        .unwrap_or_else(|| panic!("{answer:?}"))
        .parse()
        .unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(stand.get(&stand.token().sign()).await.status, 200);
}

/// Other systems have no second loopback address to come from.
#[cfg(target_os = "linux")]
#[rstest]
#[actix_web::test]
async fn refused_tokens_count_against_the_client_and_not_against_the_gateway_or_whom_the_client_names(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    if gateway.program().is_none() {
        return;
    }
    let few = [
        ("BEARWARD_RATE_LIMIT__PER_ADDRESS", "1"),
        ("BEARWARD_RATE_LIMIT__BURST", "2"),
    ];
    let Some(stand) = Stand::before(gateway, Bearward::start(&few).await, |text| text) else {
        return;
    };
    let bad = stand.token().tampered();
    for (claimed, status) in [
        ("198.51.100.1", 401),
        ("198.51.100.2", 401),
        ("198.51.100.3", 429),
        ("127.0.0.3", 429),
    ] {
        assert_eq!(
            stand.get_from("127.0.0.2", claimed, &bad).await.status,
            status,
            "{claimed}"
        );
    }
    assert_eq!(
        stand.get_from("127.0.0.3", "127.0.0.2", &bad).await.status,
        401,
        "another client"
    );
}

#[rstest]
#[actix_web::test]
async fn two_credentials_never_pass(#[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway) {
    let Some(stand) = Stand::start(gateway).await else {
        return;
    };
    let line = format!("Authorization: Bearer {}", stand.token().sign());
    let answer = stand.write(&[&line, &line]).await;
    assert!(
        answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 401"),
        "{answer}"
    );
    assert_eq!(stand.backend.seen(), 0);
}
