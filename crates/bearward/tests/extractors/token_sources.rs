//! Other authentication schemes and other places for the token; exactly one credential per request.

use bearward::{Bearward, BuildError, Builder, CookieSource, RequestHead, TokenSource};
use test_support::raw_http::{Request, get};

use crate::test_app::TestApp;

const APP: &str = "https://app.example.com";

fn query_token<'r>(request: &RequestHead<'r>) -> Option<&'r str> {
    let (_, query) = request.target().split_once('?')?;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix("access_token="))
}

fn all_sources(builder: Builder) -> Builder {
    builder
        .source(TokenSource::header("X-Access-Token"))
        .source(TokenSource::cookie(CookieSource::new("session", [APP])))
        .source(TokenSource::web_socket_protocol("bearer."))
        .source(TokenSource::custom(query_token))
}

/// Puts a token into each place.
fn places(token: &str) -> Vec<(&'static str, Request)> {
    vec![
        ("authorization", get("/me").bearer(token)),
        ("header", get("/me").header("x-access-token", token)),
        (
            "cookie",
            get("/me").header("cookie", format!("session={token}")),
        ),
        (
            "protocol",
            get("/me").header("sec-websocket-protocol", format!("chat.v1, bearer.{token}")),
        ),
        ("query", get(&format!("/me?access_token={token}"))),
    ]
}

#[actix_web::test]
async fn each_source_may_carry_the_token() {
    let app = TestApp::start_with(all_sources).await;
    let server = app.serve_default();
    for (place, request) in places(&app.valid_token()) {
        assert_eq!(server.send(request).await.body, "ada", "{place}");
    }
    for (place, request) in places(&app.token().tampered()) {
        assert_eq!(server.send(request).await.status, 401, "{place}");
    }
    assert_eq!(server.send(get("/me")).await.status, 401);
}

#[actix_web::test]
async fn a_source_that_is_not_configured_is_ignored() {
    let app = TestApp::start().await;
    let server = app.serve_default();
    for (place, request) in places(&app.valid_token()).into_iter().skip(1) {
        assert_eq!(server.send(request).await.status, 401, "{place}");
    }
}

#[actix_web::test]
async fn two_credentials_are_rejected_in_every_combination() {
    let app = TestApp::start_with(all_sources).await;
    let server = app.serve_default();
    let token = app.valid_token();
    let add: [fn(Request, &str) -> Request; 4] = [
        |request, token| request.bearer(token),
        |request, token| request.header("x-access-token", token),
        |request, token| request.header("cookie", format!("session={token}")),
        |request, token| request.header("sec-websocket-protocol", format!("bearer.{token}")),
    ];
    for (first, add_first) in add.iter().enumerate() {
        for (second, add_second) in add.iter().enumerate() {
            let request = add_second(add_first(get("/me"), &token), &token);
            let response = server.send(request).await;
            assert_eq!(response.status, 400, "{first} and {second}");
        }
        let request = add_first(get(&format!("/me?access_token={token}")), &token);
        assert_eq!(server.send(request).await.status, 400, "{first} and query");
    }
}

#[actix_web::test]
async fn empty_values_are_no_token() {
    let app = TestApp::start_with(all_sources).await;
    let server = app.serve_default();
    let token = app.valid_token();
    for empty in [
        get("/me").header("x-access-token", ""),
        get("/me").header("cookie", "session="),
        get("/me").header("sec-websocket-protocol", "chat.v1"),
        get("/me?access_token="),
    ] {
        assert_eq!(server.send(empty.clone()).await.error().1, "MISSING_TOKEN");
        assert_eq!(server.send(empty.bearer(&token)).await.status, 200);
    }
}

#[actix_web::test]
async fn only_the_cookie_of_a_handshake_needs_an_origin() {
    let app = TestApp::start_with(all_sources).await;
    let server = app.serve_default();
    for (place, request) in places(&app.valid_token()) {
        let handshake = request.header("upgrade", "websocket");
        let expected = if place == "cookie" { 403 } else { 200 };
        assert_eq!(
            server.send(handshake.clone()).await.status,
            expected,
            "{place}"
        );
        let from_app = handshake.header("origin", APP);
        assert_eq!(server.send(from_app).await.status, 200, "{place}");
    }
}

#[actix_web::test]
async fn another_scheme_replaces_bearer() {
    let app = TestApp::start_with(|builder| builder.scheme("Token")).await;
    let server = app.serve_default();
    let token = app.valid_token();
    for accepted in ["Token", "token"] {
        let request = get("/me").header("authorization", format!("{accepted} {token}"));
        assert_eq!(server.send(request).await.body, "ada");
    }
    let response = server.send_unchecked(get("/me").bearer(&token)).await;
    assert_eq!(response.error(), (401, "MISSING_TOKEN".to_owned()));
    assert_eq!(
        response.header("www-authenticate"),
        Some("Token realm=\"bearward\"")
    );
    assert!(
        response.body.contains("Authorization: Token TOKEN"),
        "{}",
        response.body
    );
    let response = server
        .send_unchecked(get("/me").header("authorization", "Token"))
        .await;
    assert_eq!(response.error(), (401, "MALFORMED_TOKEN".to_owned()));
    assert!(
        response.body.contains("\\\"Token TOKEN\\\""),
        "{}",
        response.body
    );
}

#[actix_web::test]
async fn invalid_schemes_and_sources_are_errors() {
    let app = TestApp::start().await;
    let build = |change: fn(Builder) -> Builder| {
        change(Bearward::builder().issuer(app.idp.as_issuer())).build()
    };
    for invalid in [
        (|builder| builder.scheme("")) as fn(Builder) -> Builder,
        |builder| builder.scheme("To ken"),
    ] {
        assert!(matches!(build(invalid).await, Err(BuildError::Scheme(_))));
    }
    for invalid in [
        (|builder| builder.source(TokenSource::header("authorization"))) as fn(Builder) -> Builder,
        |builder| builder.source(TokenSource::web_socket_protocol("a b")),
    ] {
        assert!(matches!(build(invalid).await, Err(BuildError::Source(_))));
    }
}
