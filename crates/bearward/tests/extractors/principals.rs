//! `Principal`, `Principal<C>` and `MaybePrincipal`: accepted and rejected tokens.

use actix_web::web;
use bearward::{Algorithm, MaybePrincipal, Principal};
use serde::Deserialize;
use serde_json::json;
use test_support::raw_http::get;

use crate::test_app::TestApp;

#[derive(Debug, Deserialize)]
struct TenantClaims {
    tenant: String,
    #[serde(default)]
    seats: u8,
}

fn custom_claims_routes(config: &mut web::ServiceConfig) {
    config
        .route(
            "/custom",
            web::get().to(|user: Principal<TenantClaims>| async move {
                format!("{} {}", user.custom().tenant, user.custom().seats)
            }),
        )
        .route(
            "/maybe-custom",
            web::get().to(|user: MaybePrincipal<TenantClaims>| async move {
                user.into_inner().map_or_else(
                    || "anonymous".to_owned(),
                    |user| user.custom().tenant.clone(),
                )
            }),
        );
}

/// Returns invalid tokens with their error codes.
pub fn invalid_tokens(test_app: &TestApp) -> Vec<(String, &'static str)> {
    let token = || test_app.token();
    let signed = token().sign();
    let other = token().sub("grace").sign();
    let ((head, _), (_, signature)) = (
        signed.rsplit_once('.').unwrap(),
        other.rsplit_once('.').unwrap(),
    );
    vec![
        (token().expired().sign(), "TOKEN_EXPIRED"),
        (
            token().claim("nbf", 4_000_000_000_u64).sign(),
            "TOKEN_NOT_YET_VALID",
        ),
        (
            token().claim("iat", 4_000_000_000_u64).sign(),
            "TOKEN_NOT_YET_VALID",
        ),
        (
            token().issuer("https://elsewhere.example").sign(),
            "UNKNOWN_ISSUER",
        ),
        (
            token().audience("another-service").sign(),
            "INVALID_AUDIENCE",
        ),
        (token().without("sub").sign(), "MISSING_CLAIM"),
        (token().without("exp").sign(), "MISSING_CLAIM"),
        (token().claim("sub", 7).sign(), "INVALID_CLAIM"),
        (
            token().claim("cnf", json!({ "jkt": "x" })).sign(),
            "INVALID_CLAIM",
        ),
        (
            token().header("typ", "logout+jwt").sign(),
            "INVALID_TOKEN_TYPE",
        ),
        (
            token().header("crit", json!(["exp"])).sign(),
            "MALFORMED_TOKEN",
        ),
        (
            token().header("alg", "HS256").sign(),
            "UNSUPPORTED_ALGORITHM",
        ),
        (token().alg_none(), "MALFORMED_TOKEN"),
        (token().hmac_with_public_key(), "UNSUPPORTED_ALGORITHM"),
        (token().tampered(), "INVALID_SIGNATURE"),
        (token().signed_by_stranger(), "INVALID_SIGNATURE"),
        (format!("{head}.{signature}"), "INVALID_SIGNATURE"),
        (format!("{head}."), "MALFORMED_TOKEN"),
        (format!("{signed}.{signed}"), "MALFORMED_TOKEN"),
        ("x".to_owned(), "MALFORMED_TOKEN"),
        ("..".to_owned(), "MALFORMED_TOKEN"),
        ("null".to_owned(), "MALFORMED_TOKEN"),
        ("undefined".to_owned(), "MALFORMED_TOKEN"),
        (
            "sb_publishable_abcdefghijklmnop".to_owned(),
            "MALFORMED_TOKEN",
        ),
        ("a".repeat(9000), "MALFORMED_TOKEN"),
    ]
}

#[actix_web::test]
async fn a_principal_has_the_claims_of_the_token() {
    let test_app = TestApp::start().await;
    let server = test_app.serve(|config| {
        config.route(
            "/who",
            web::get().to(|user: Principal| async move {
                web::Json(json!({
                    "subject": user.subject(), "issuer": user.issuer(), "email": user.email(), "level": user.claims().aal(),
                    "role": user.claims().role(), "algorithm": user.algorithm().name(), "kid": user.kid(),
                }))
            }),
        );
    });
    let response = server
        .send(get("/who").bearer(&test_app.token().sub("ada").email("ada@example.com").sign()))
        .await;
    assert_eq!(
        response.json(),
        json!({
            "subject": "ada", "issuer": test_app.idp.issuer(), "email": "ada@example.com", "level": "aal1", "role": "authenticated",
            "algorithm": "ES256", "kid": test_app.idp.key().kid(),
        })
    );
}

#[actix_web::test]
async fn principal_and_maybe_principal_reject_every_invalid_token() {
    let test_app = TestApp::start().await;
    let server = test_app.serve_default();
    for (token, code) in invalid_tokens(&test_app) {
        for path in ["/me", "/maybe"] {
            let response = server.send(get(path).bearer(&token)).await;
            assert_eq!(response.error(), (401, code.to_owned()), "{path} {token}");
            assert_eq!(
                response.challenge().unwrap().parameter("error"),
                Some("invalid_token"),
                "{path} {token}"
            );
        }
    }
}

#[actix_web::test]
async fn an_unknown_kid_is_rejected_after_a_fetch() {
    let test_app = TestApp::start().await;
    let server = test_app.serve_default();
    let response = server
        .send(get("/maybe").bearer(&test_app.token().kid("unknown").sign()))
        .await;
    assert_eq!(response.error(), (401, "UNKNOWN_KEY".to_owned()));
    test_app.idp.rotate_to(Algorithm::EdDSA);
    assert_eq!(
        server
            .send(get("/me").bearer(&test_app.valid_token()))
            .await
            .body,
        "ada",
        "a new key is found the same way"
    );
}

#[actix_web::test]
async fn maybe_principal_is_none_only_without_credentials() {
    let test_app = TestApp::start().await;
    let server = test_app.serve_default();
    assert_eq!(server.send(get("/maybe")).await.body, "anonymous");
    assert_eq!(
        server
            .send(get("/maybe").bearer(&test_app.valid_token()))
            .await
            .body,
        "ada"
    );
}

#[actix_web::test]
async fn custom_claims_are_read_from_the_verified_payload() {
    let test_app = TestApp::start().await;
    let server = test_app.serve(custom_claims_routes);
    let token = test_app
        .token()
        .claim("tenant", "acme")
        .claim("seats", 3)
        .sign();
    assert_eq!(
        server.send(get("/custom").bearer(&token)).await.body,
        "acme 3"
    );
    // The second request uses the token cache.
    assert_eq!(
        server.send(get("/custom").bearer(&token)).await.body,
        "acme 3"
    );
    assert_eq!(
        server
            .send(get("/custom").bearer(&test_app.token().claim("tenant", "other").sign()))
            .await
            .body,
        "other 0"
    );
    assert_eq!(server.send(get("/maybe-custom")).await.body, "anonymous");
    assert_eq!(
        server.send(get("/maybe-custom").bearer(&token)).await.body,
        "acme"
    );
}

#[actix_web::test]
async fn mismatched_custom_claims_are_401() {
    let test_app = TestApp::start().await;
    let server = test_app.serve(custom_claims_routes);
    let (token, deep) = (|| test_app.token(), "[".repeat(1000) + &"]".repeat(1000));
    let key = test_app.idp.key();
    let claims = serde_json::to_string(token().claims()).unwrap();
    let nested = format!(
        "{}, \"tenant\": \"acme\", \"deep\": {deep}}}",
        claims.trim_end_matches('}')
    );
    let nested = bearward_testing::Token::raw(
        serde_json::to_string(token().header_members()).unwrap(),
        nested,
    )
    .sign(&key);
    let cases = [
        token().sign(),
        token().claim("tenant", 7).sign(),
        token().claim("tenant", "acme").claim("seats", 300).sign(),
        nested,
    ];
    for token in cases {
        for path in ["/custom", "/maybe-custom"] {
            let response = server.send(get(path).bearer(&token)).await;
            assert_eq!(response.status, 401, "{path} {response:?}");
        }
    }
    let response = server
        .send(get("/custom").bearer(&test_app.valid_token()))
        .await;
    assert_eq!(response.error(), (401, "INVALID_CLAIM".to_owned()));
    assert_eq!(
        response.json()["error"]["message"],
        "the token does not contain the claims this route requires"
    );
    assert_eq!(
        response.challenge().unwrap().parameter("error"),
        Some("invalid_token")
    );
    assert_eq!(
        server
            .send(get("/me").bearer(&test_app.valid_token()))
            .await
            .status,
        200,
        "a route without custom claims accepts the token"
    );
}

#[actix_web::test]
async fn token_errors_take_precedence_over_custom_claims() {
    let test_app = TestApp::start().await;
    let server = test_app.serve(custom_claims_routes);
    let response = server
        .send(get("/custom").bearer(&test_app.token().claim("tenant", "acme").expired().sign()))
        .await;
    assert_eq!(response.error(), (401, "TOKEN_EXPIRED".to_owned()));
}

#[actix_web::test]
async fn the_token_size_limit_is_exact() {
    let limit = TestApp::start().await.valid_token().len();
    for (limit, status) in [(limit, 200), (limit - 1, 401)] {
        let test_app = TestApp::start_with(|builder| builder.max_token_bytes(limit)).await;
        // The port in the issuer may have fewer or more digits, so the length of the token is
        // adjusted by its subject.
        let mut token = test_app.valid_token();
        for length in 1..=64 {
            if token.len() == limit + usize::from(status == 401) {
                break;
            }
            token = test_app.token().sub(&"a".repeat(length)).sign();
        }
        let response = test_app
            .serve_default()
            .send(get("/me").bearer(&token))
            .await;
        assert_eq!(response.status, status, "{} of {limit}", token.len());
    }
}

#[actix_web::test]
async fn claims_of_3_kib_are_accepted() {
    let test_app = TestApp::start().await;
    let token = test_app
        .token()
        .sub("ada")
        .claim("groups", vec!["0123456789"; 250])
        .sign();
    assert!(token.len() > 4000, "{}", token.len());
    assert_eq!(
        test_app
            .serve_default()
            .send(get("/me").bearer(&token))
            .await
            .body,
        "ada"
    );
}

#[actix_web::test]
async fn debug_output_of_a_principal_shows_only_the_subject() {
    let test_app = TestApp::start().await;
    let server = test_app.serve(|config| {
        config.route(
            "/debug",
            web::get().to(|a: Principal<TenantClaims>, b: MaybePrincipal| async move {
                format!("{a:?} {b:?}")
            }),
        );
    });
    let token = test_app
        .token()
        .sub("ada")
        .email("secret@example.com")
        .claim("tenant", "SECRET")
        .sign();
    let response = server.send(get("/debug").bearer(&token)).await;
    assert!(
        response.body.contains("\"ada\"") && !response.body.to_lowercase().contains("secret"),
        "{}",
        response.body
    );
}
