//! Challenges in `WWW-Authenticate`: RFC 6750, RFC 9110, RFC 9470 and RFC 9728. `TestServer` checks
//! every response against the requirements that apply to all of them.

use actix_web::web;
use bearward::{AuthError, CookieSource, NoCustomClaims, Require, Requirement, Verified};
use bearward_testing::challenge::{Challenge, parse_challenges};
use test_support::raw_http::{get, post};

use crate::{principals::invalid_tokens, requirements::routes, test_app::TestApp};

/// Returns the name and value of each attribute in order.
fn attributes(challenge: &Challenge) -> Vec<(&str, &str)> {
    challenge
        .parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

async fn app_with_resource(resource: &str) -> TestApp {
    TestApp::start_with(|builder| builder.realm("orders").resource(resource.parse().unwrap())).await
}

#[actix_web::test]
async fn without_credentials_the_challenge_has_no_error() {
    let test_app = TestApp::start().await;
    let response = test_app.serve_default().send(get("/me")).await;
    assert_eq!(response.status, 401);
    assert_eq!(
        response.header("www-authenticate"),
        Some("Bearer realm=\"bearward\"")
    );
}

#[actix_web::test]
async fn an_invalid_token_has_the_error_invalid_token() {
    let test_app = TestApp::start().await;
    let response = test_app
        .serve_default()
        .send(get("/me").bearer(&test_app.token().expired().sign()))
        .await;
    let challenge = response.challenge().unwrap();
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
async fn repeated_credentials_have_the_error_invalid_request() {
    let test_app = TestApp::start_with(|builder| {
        builder.cookie(CookieSource::new("session", ["https://app.example.com"]))
    })
    .await;
    let valid_token = test_app.valid_token();
    for request in [
        get("/me").bearer(&valid_token).bearer(&valid_token),
        get("/me")
            .bearer(&valid_token)
            .header("cookie", format!("session={valid_token}")),
    ] {
        let response = test_app.serve_default().send(request).await;
        assert_eq!(response.error(), (400, "INVALID_REQUEST".to_owned()));
        assert_eq!(
            response.challenge().unwrap().parameter("error"),
            Some("invalid_request")
        );
    }
}

#[actix_web::test]
async fn insufficient_scope_names_the_required_scope() {
    let test_app = TestApp::start().await;
    let response = test_app
        .serve(routes)
        .send(get("/reader").bearer(&test_app.valid_token()))
        .await;
    assert_eq!(response.status, 403);
    let challenge = response.challenge().unwrap();
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
async fn an_insufficient_assurance_level_follows_rfc_9470() {
    let test_app = app_with_resource("https://api.example.com").await;
    let response = test_app
        .serve(routes)
        .send(get("/two-factors").bearer(&test_app.valid_token()))
        .await;
    assert_eq!(response.error(), (401, "STEP_UP_REQUIRED".to_owned()));
    let challenge = response.challenge().unwrap();
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
async fn every_challenge_includes_the_resource_metadata() {
    let test_app = app_with_resource("https://api.example.com/").await;
    let server = test_app.serve(routes);
    let metadata = Some("https://api.example.com/.well-known/oauth-protected-resource");
    let valid_token = test_app.valid_token();
    let mut requests = vec![
        get("/me"),
        get("/reader").bearer(&valid_token),
        get("/two-factors").bearer(&valid_token),
        get("/me").bearer(&valid_token).bearer(&valid_token),
    ];
    requests.extend(
        invalid_tokens(&test_app)
            .iter()
            .map(|(token, _)| get("/me").bearer(token)),
    );
    for request in requests {
        // The metadata URL does not depend on the host that the client uses.
        let response = server
            .send(
                request
                    .header("x-forwarded-host", "evil.example")
                    .header("forwarded", "host=evil.example"),
            )
            .await;
        let challenge = response.challenge().unwrap();
        assert_eq!(
            challenge.parameter("resource_metadata"),
            metadata,
            "{response:?}"
        );
        assert_eq!(challenge.parameter("realm"), Some("orders"));
    }
}

#[actix_web::test]
async fn the_resource_path_follows_the_well_known_path() {
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
        let response = app_with_resource(resource)
            .await
            .serve_default()
            .send(get("/me"))
            .await;
        assert_eq!(
            response.challenge().unwrap().parameter("resource_metadata"),
            Some(metadata)
        );
    }
}

#[actix_web::test]
async fn a_resource_that_is_not_an_http_url_has_no_metadata() {
    let response = app_with_resource("urn:example:orders")
        .await
        .serve_default()
        .send(get("/me"))
        .await;
    assert_eq!(
        attributes(&response.challenge().unwrap()),
        [("realm", "orders")]
    );
}

#[actix_web::test]
async fn the_realm_cannot_break_out_of_its_quotes() {
    for (realm, expected) in [
        ("a \"b\", error=\"x", "a b, error=x"),
        ("back\\slash\\", "backslash"),
        ("line\r\nX-Injected: yes", "lineX-Injected: yes"),
        ("M\u{fc}nchen \u{1f43b}", "Mnchen "),
        ("", ""),
    ] {
        let test_app = TestApp::start_with(|builder| builder.realm(realm)).await;
        let response = test_app.serve_default().send(get("/me")).await;
        assert_eq!(
            attributes(&response.challenge().unwrap()),
            [("realm", expected)]
        );
        assert_eq!(response.header("x-injected"), None);
    }
}

/// A requirement with characters that a quoted string cannot contain.
struct UnquotableScope;

impl Requirement for UnquotableScope {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_scope("read\", realm=\"x \u{1f43b}\\ all\r\nX-Injected: yes")
    }
}

struct UnquotableLevel;

impl Requirement for UnquotableLevel {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_aal("gold\"\r\nX-Injected: yes\u{e4}")
    }
}

#[actix_web::test]
async fn a_requirement_cannot_break_out_of_its_quotes() {
    let test_app = TestApp::start().await;
    let server = test_app.serve(|config| {
        config
            .route(
                "/scope",
                web::get().to(|_: Require<UnquotableScope>| async { "" }),
            )
            .route(
                "/level",
                web::get().to(|_: Require<UnquotableLevel>| async { "" }),
            );
    });
    for (path, status) in [("/scope", 403), ("/level", 401)] {
        let response = server.send(get(path).bearer(&test_app.valid_token())).await;
        assert_eq!(response.status, status);
        assert!(
            response.challenge().is_some() && response.header("x-injected").is_none(),
            "{response:?}"
        );
    }
}

#[actix_web::test]
async fn the_challenge_parses_next_to_other_schemes() {
    // RFC 9110 §11.6.1: proxies and middleware may combine challenges into one field.
    let test_app = app_with_resource("https://api.example.com/orders").await;
    let response = test_app
        .serve_default()
        .send(get("/me").bearer(&test_app.token().expired().sign()))
        .await;
    let challenge = response.header("www-authenticate").unwrap();
    let expected = response.challenge().unwrap();
    for joined in [
        format!("Basic realm=\"x\", {challenge}"),
        format!("{challenge}, Basic realm=\"x\""),
        format!("Negotiate, {challenge}, Negotiate YWJj=="),
        format!("DPoP algs=\"ES256 RS256\",{challenge} , Basic realm=x"),
    ] {
        let parsed = parse_challenges(&joined).unwrap();
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
async fn rejections_are_not_cacheable() {
    // `TestServer` checks every rejection. Successful responses are left to their handler.
    let test_app = TestApp::start().await;
    let server = test_app.serve_default();
    assert_eq!(
        server.send(get("/me")).await.header("cache-control"),
        Some("no-store")
    );
    assert_eq!(
        server
            .send(get("/me").bearer(&test_app.valid_token()))
            .await
            .header("cache-control"),
        None
    );
}

#[actix_web::test]
async fn the_request_body_does_not_affect_the_challenge() {
    let test_app = TestApp::start().await;
    let server = test_app.serve_default();
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
