//! What a refusal says in `WWW-Authenticate`: the statements of RFC 6750, RFC 9110, RFC 9470 and
//! RFC 9728. Those that hold for every answer are checked with every answer (`wire`).

use actix_web::web;
use bearward::{AuthError, CookieSource, NoCustomClaims, Require, Requirement, Verified};

use crate::{
    challenge_grammar::{Challenge, challenges},
    principals::bad_tokens,
    requirements::routes,
    wire::{get, post},
    world::{World, world, world_with},
};

/// `name="value"` of each attribute, in their order.
fn attributes(challenge: &Challenge) -> Vec<(&str, &str)> {
    challenge
        .parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

async fn world_of(resource: &str) -> World {
    world_with(|builder| builder.realm("orders").resource(resource.parse().unwrap())).await
}

#[actix_web::test]
async fn without_credentials_the_challenge_names_the_realm_and_no_error() {
    let world = world().await;
    let answer = world.plain().send(get("/me")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer realm=\"bearward\"")
    );
}

#[actix_web::test]
async fn a_bad_token_is_an_invalid_token() {
    let world = world().await;
    let answer = world
        .plain()
        .send(get("/me").bearer(&world.token().expired().sign()))
        .await;
    let challenge = answer.challenge().unwrap();
    assert_eq!(
        attributes(&challenge),
        [
            ("realm", "bearward"),
            ("error", "invalid_token"),
            (
                "error_description",
                "the token has expired; get a new one from the issuer"
            )
        ]
    );
}

#[actix_web::test]
async fn a_repeated_credential_is_an_invalid_request() {
    let world = world_with(|builder| {
        builder.cookie(CookieSource::new("session", ["https://app.example.com"]))
    })
    .await;
    let good = world.good();
    for request in [
        get("/me").bearer(&good).bearer(&good),
        get("/me")
            .bearer(&good)
            .header("cookie", format!("session={good}")),
    ] {
        let answer = world.plain().send(request).await;
        assert_eq!(answer.refusal(), (400, "INVALID_REQUEST".to_owned()));
        assert_eq!(
            answer.challenge().unwrap().attribute("error"),
            Some("invalid_request")
        );
    }
}

#[actix_web::test]
async fn a_missing_scope_is_named() {
    let world = world().await;
    let answer = world
        .serve(routes)
        .send(get("/reader").bearer(&world.good()))
        .await;
    assert_eq!(answer.status, 403);
    let challenge = answer.challenge().unwrap();
    assert_eq!(
        attributes(&challenge),
        [
            ("realm", "bearward"),
            ("error", "insufficient_scope"),
            (
                "error_description",
                "missing scope 'orders:read orders:list'"
            ),
            ("scope", "orders:read orders:list"),
        ]
    );
}

#[actix_web::test]
async fn a_level_that_is_too_low_is_answered_as_rfc_9470_says() {
    let world = world_of("https://api.example.com").await;
    let answer = world
        .serve(routes)
        .send(get("/two-factors").bearer(&world.good()))
        .await;
    assert_eq!(answer.refusal(), (401, "STEP_UP_REQUIRED".to_owned()));
    let challenge = answer.challenge().unwrap();
    assert_eq!(
        attributes(&challenge),
        [
            ("realm", "orders"),
            ("error", "insufficient_user_authentication"),
            (
                "error_description",
                "stronger authentication required: aal2"
            ),
            ("acr_values", "aal2"),
            (
                "resource_metadata",
                "https://api.example.com/.well-known/oauth-protected-resource"
            ),
        ]
    );
}

#[actix_web::test]
async fn every_challenge_carries_the_resource_metadata_where_a_resource_is_configured() {
    let world = world_of("https://api.example.com/").await;
    let server = world.serve(routes);
    let metadata = Some("https://api.example.com/.well-known/oauth-protected-resource");
    let good = world.good();
    let mut requests = vec![
        get("/me"),
        get("/reader").bearer(&good),
        get("/two-factors").bearer(&good),
        get("/me").bearer(&good).bearer(&good),
    ];
    requests.extend(
        bad_tokens(&world)
            .iter()
            .map(|(token, _)| get("/me").bearer(token)),
    );
    for request in requests {
        // Whatever name the client calls the server by.
        let answer = server
            .send(
                request
                    .header("x-forwarded-host", "evil.example")
                    .header("forwarded", "host=evil.example"),
            )
            .await;
        let challenge = answer.challenge().unwrap();
        assert_eq!(
            challenge.attribute("resource_metadata"),
            metadata,
            "{answer:?}"
        );
        assert_eq!(challenge.attribute("realm"), Some("orders"));
    }
}

#[actix_web::test]
async fn the_path_of_the_resource_follows_the_well_known_path() {
    // RFC 9728 §3.1.
    for (resource, metadata) in [
        (
            "https://api.example.com",
            "https://api.example.com/.well-known/oauth-protected-resource",
        ),
        (
            "https://api.example.com:8443/",
            "https://api.example.com:8443/.well-known/oauth-protected-resource",
        ),
        (
            "https://api.example.com/orders",
            "https://api.example.com/.well-known/oauth-protected-resource/orders",
        ),
        (
            "https://api.example.com/orders/v1/",
            "https://api.example.com/.well-known/oauth-protected-resource/orders/v1/",
        ),
        (
            "https://api.example.com/orders?k=v",
            "https://api.example.com/.well-known/oauth-protected-resource/orders?k=v",
        ),
        (
            "https://api.example.com?k=%22",
            "https://api.example.com/.well-known/oauth-protected-resource?k=%22",
        ),
        (
            "http://[::1]:8000/a b\"",
            "http://[::1]:8000/.well-known/oauth-protected-resource/a%20b%22",
        ),
    ] {
        let answer = world_of(resource).await.plain().send(get("/me")).await;
        assert_eq!(
            answer.challenge().unwrap().attribute("resource_metadata"),
            Some(metadata)
        );
    }
}

#[actix_web::test]
async fn a_resource_that_is_no_web_address_has_no_metadata() {
    let answer = world_of("urn:example:orders")
        .await
        .plain()
        .send(get("/me"))
        .await;
    assert_eq!(
        attributes(&answer.challenge().unwrap()),
        [("realm", "orders")]
    );
}

#[actix_web::test]
async fn the_realm_cannot_break_out_of_its_quotes() {
    for (realm, shown) in [
        ("a \"b\", error=\"x", "a b, error=x"),
        ("back\\slash\\", "backslash"),
        ("line\r\nX-Injected: yes", "lineX-Injected: yes"),
        ("M\u{fc}nchen \u{1f43b}", "Mnchen "),
        ("", ""),
    ] {
        let world = world_with(|builder| builder.realm(realm)).await;
        let answer = world.plain().send(get("/me")).await;
        assert_eq!(attributes(&answer.challenge().unwrap()), [("realm", shown)]);
        assert_eq!(answer.header("x-injected"), None);
    }
}

/// A requirement whose author uses characters that a challenge cannot hold.
struct Careless;

impl Requirement for Careless {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_scope("read\", realm=\"x \u{1f43b}\\ all\r\nX-Injected: yes")
    }
}

struct CarelessLevel;

impl Requirement for CarelessLevel {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_aal("gold\"\r\nX-Injected: yes\u{e4}")
    }
}

#[actix_web::test]
async fn a_requirement_cannot_break_out_of_its_quotes() {
    let world = world().await;
    let server = world.serve(|config| {
        config
            .route("/scope", web::get().to(|_: Require<Careless>| async { "" }))
            .route(
                "/level",
                web::get().to(|_: Require<CarelessLevel>| async { "" }),
            );
    });
    for (path, status) in [("/scope", 403), ("/level", 401)] {
        let answer = server.send(get(path).bearer(&world.good())).await;
        assert_eq!(answer.status, status);
        assert!(
            answer.challenge().is_some() && answer.header("x-injected").is_none(),
            "{answer:?}"
        );
    }
}

#[actix_web::test]
async fn the_challenge_parses_beside_those_of_other_schemes() {
    // RFC 9110 §11.6.1: proxies and middleware may join them into one field.
    let world = world_of("https://api.example.com/orders").await;
    let answer = world
        .plain()
        .send(get("/me").bearer(&world.token().expired().sign()))
        .await;
    let own = answer.header("www-authenticate").unwrap();
    let expected = answer.challenge().unwrap();
    for joined in [
        format!("Basic realm=\"x\", {own}"),
        format!("{own}, Basic realm=\"x\""),
        format!("Negotiate, {own}, Negotiate YWJj=="),
        format!("DPoP algs=\"ES256 RS256\",{own} , Basic realm=x"),
    ] {
        let parsed = challenges(&joined).unwrap();
        assert!(parsed.len() > 1, "{joined}");
        assert_eq!(
            parsed
                .iter()
                .filter(|challenge| **challenge == expected)
                .count(),
            1,
            "{joined}"
        );
    }
}

#[actix_web::test]
async fn no_refusal_may_be_kept_by_a_cache() {
    // The property itself is checked with every refusal; here that an accepted answer is left to
    // its handler.
    let world = world().await;
    let server = world.plain();
    assert_eq!(
        server.send(get("/me")).await.header("cache-control"),
        Some("no-store")
    );
    assert_eq!(
        server
            .send(get("/me").bearer(&world.good()))
            .await
            .header("cache-control"),
        None
    );
}

#[actix_web::test]
async fn the_body_of_a_refused_request_changes_nothing_about_its_challenge() {
    let world = world().await;
    let server = world.plain();
    let bare = server.send(post("/me")).await;
    let full = server
        .send(post("/me").body("application/json", "{\"access_token\": \"x\"}"))
        .await;
    assert_eq!(
        bare.header("www-authenticate"),
        full.header("www-authenticate")
    );
    assert_eq!(bare.body, full.body);
}
