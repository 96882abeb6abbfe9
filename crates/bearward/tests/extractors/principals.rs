//! `Principal`, `Principal<C>` and `MaybePrincipal`: who is let in, as whom, and who is refused.

use actix_web::web;
use bearward::{Algorithm, MaybePrincipal, Principal};
use serde::Deserialize;
use serde_json::json;

use crate::{
    wire::get,
    world::{World, world, world_with},
};

#[derive(Debug, Deserialize)]
struct Own {
    tenant: String,
    #[serde(default)]
    seats: u8,
}

fn own_routes(config: &mut web::ServiceConfig) {
    config
        .route(
            "/own",
            web::get().to(|user: Principal<Own>| async move {
                format!("{} {}", user.custom().tenant, user.custom().seats)
            }),
        )
        .route(
            "/maybe-own",
            web::get().to(|user: MaybePrincipal<Own>| async move {
                user.into_inner()
                    .map_or_else(|| "nobody".to_owned(), |user| user.custom().tenant.clone())
            }),
        );
}

/// Tokens that nobody may let in, each with its code.
pub fn bad_tokens(world: &World) -> Vec<(String, &'static str)> {
    let token = || world.token();
    let signed = token().sign();
    let other = token().sub("somebody-else").sign();
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
        (token().audience("somebody-else").sign(), "INVALID_AUDIENCE"),
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
async fn a_principal_is_who_the_token_says() {
    let world = world().await;
    let server = world.serve(|config| {
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
    let answer = server
        .send(get("/who").bearer(&world.token().sub("ada").email("ada@example.com").sign()))
        .await;
    assert_eq!(
        answer.json(),
        json!({
            "subject": "ada", "issuer": world.idp.issuer(), "email": "ada@example.com", "level": "aal1", "role": "authenticated",
            "algorithm": "ES256", "kid": world.idp.key().kid(),
        })
    );
}

#[actix_web::test]
async fn every_bad_token_is_refused_by_principal_and_by_maybe_principal_alike() {
    let world = world().await;
    let server = world.plain();
    for (token, code) in bad_tokens(&world) {
        for path in ["/me", "/maybe"] {
            let answer = server.send(get(path).bearer(&token)).await;
            assert_eq!(answer.refusal(), (401, code.to_owned()), "{path} {token}");
            assert_eq!(
                answer.challenge().unwrap().attribute("error"),
                Some("invalid_token"),
                "{path} {token}"
            );
        }
    }
}

#[actix_web::test]
async fn an_unknown_kid_is_refused_once_the_keys_were_asked_for_again() {
    let world = world().await;
    let server = world.plain();
    let answer = server
        .send(get("/maybe").bearer(&world.token().kid("unheard-of").sign()))
        .await;
    assert_eq!(answer.refusal(), (401, "UNKNOWN_KEY".to_owned()));
    world.idp.rotate_to(Algorithm::EdDSA);
    assert_eq!(
        server.send(get("/me").bearer(&world.good())).await.body,
        "ada",
        "and a new key is found the same way"
    );
}

#[actix_web::test]
async fn maybe_principal_is_nobody_only_when_nothing_was_sent() {
    let world = world().await;
    let server = world.plain();
    assert_eq!(server.send(get("/maybe")).await.body, "nobody");
    assert_eq!(
        server.send(get("/maybe").bearer(&world.good())).await.body,
        "ada"
    );
}

#[actix_web::test]
async fn own_claims_are_read_from_the_verified_payload() {
    let world = world().await;
    let server = world.serve(own_routes);
    let token = world
        .token()
        .claim("tenant", "acme")
        .claim("seats", 3)
        .sign();
    assert_eq!(server.send(get("/own").bearer(&token)).await.body, "acme 3");
    // The second time from the token cache, with the same claims.
    assert_eq!(server.send(get("/own").bearer(&token)).await.body, "acme 3");
    assert_eq!(
        server
            .send(get("/own").bearer(&world.token().claim("tenant", "other").sign()))
            .await
            .body,
        "other 0"
    );
    assert_eq!(server.send(get("/maybe-own")).await.body, "nobody");
    assert_eq!(
        server.send(get("/maybe-own").bearer(&token)).await.body,
        "acme"
    );
}

#[actix_web::test]
async fn a_payload_that_is_no_such_claims_type_is_refused_with_401_and_not_500() {
    let world = world().await;
    let server = world.serve(own_routes);
    let (token, deep) = (|| world.token(), "[".repeat(1000) + &"]".repeat(1000));
    let key = world.idp.key();
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
        for path in ["/own", "/maybe-own"] {
            let answer = server.send(get(path).bearer(&token)).await;
            assert_eq!(answer.status, 401, "{path} {answer:?}");
        }
    }
    let answer = server.send(get("/own").bearer(&world.good())).await;
    assert_eq!(answer.refusal(), (401, "INVALID_CLAIM".to_owned()));
    assert_eq!(
        answer.json()["error"]["message"],
        "the token does not contain the claims this route requires"
    );
    assert_eq!(
        answer.challenge().unwrap().attribute("error"),
        Some("invalid_token")
    );
    assert_eq!(
        server.send(get("/me").bearer(&world.good())).await.status,
        200,
        "a route that asks for less is content"
    );
}

#[actix_web::test]
async fn own_claims_of_a_bad_token_are_never_looked_at() {
    let world = world().await;
    let server = world.serve(own_routes);
    let answer = server
        .send(get("/own").bearer(&world.token().claim("tenant", "acme").expired().sign()))
        .await;
    assert_eq!(answer.refusal(), (401, "TOKEN_EXPIRED".to_owned()));
}

#[actix_web::test]
async fn a_token_at_the_size_limit_is_accepted_and_one_byte_more_is_not() {
    let idp_token = world().await;
    let token = idp_token.good();
    let limit = token.len();
    for (limit, status) in [(limit, 200), (limit - 1, 401)] {
        let world = world_with(|builder| builder.max_token_bytes(limit)).await;
        // Another issuer's address may be a digit shorter or longer, so the token is stretched or
        // cut to the same length by its subject.
        let mut token = world.good();
        for length in 1..=64 {
            if token.len() == limit + usize::from(status == 401) {
                break;
            }
            token = world.token().sub(&"a".repeat(length)).sign();
        }
        let answer = world.plain().send(get("/me").bearer(&token)).await;
        assert_eq!(answer.status, status, "{} of {limit}", token.len());
    }
}

#[actix_web::test]
async fn claims_of_3_kib_pass() {
    let world = world().await;
    let token = world
        .token()
        .sub("ada")
        .claim("groups", vec!["0123456789"; 250])
        .sign();
    assert!(token.len() > 4000, "{}", token.len());
    assert_eq!(
        world.plain().send(get("/me").bearer(&token)).await.body,
        "ada"
    );
}

#[actix_web::test]
async fn a_principal_shows_its_subject_and_no_other_claim_when_it_is_debugged() {
    let world = world().await;
    let server = world.serve(|config| {
        config.route(
            "/debug",
            web::get()
                .to(|a: Principal<Own>, b: MaybePrincipal| async move { format!("{a:?} {b:?}") }),
        );
    });
    let token = world
        .token()
        .sub("ada")
        .email("secret@example.com")
        .claim("tenant", "SECRET")
        .sign();
    let answer = server.send(get("/debug").bearer(&token)).await;
    assert!(
        answer.body.contains("\"ada\"") && !answer.body.to_lowercase().contains("secret"),
        "{}",
        answer.body
    );
}
