//! Logout tokens: each rule of `OpenID` Connect Back-Channel Logout 1.0 with the nearest accepted
//! case.

use std::time::Duration;

use bearward::{Algorithm, AuthError, LogoutToken, Revocation, RevocationKind, Timestamp};
use bearward_testing::{FORGERIES, MockIdp, TokenBuilder};
use futures_util::FutureExt;
use serde_json::{Value, json};

use crate::fixture::{Fixture, ISSUER, NOW, issuer_with_jwks, jwks};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn logout(fixture: &Fixture) -> TokenBuilder {
    TokenBuilder::logout(ISSUER, fixture.key.clone(), Timestamp::from_unix(NOW)).claim("sid", "s1")
}

fn verify(fixture: &Fixture, token: &str) -> Result<LogoutToken, AuthError> {
    let result = fixture.auth.verify_logout_token(token).now_or_never();
    result
        .expect("fixed keys are never fetched")
        .map_err(|failure| failure.error)
}

fn code(fixture: &Fixture, token: &str) -> &'static str {
    verify(fixture, token).map_or_else(|error| error.code(), |_| "accepted")
}

#[test]
fn a_logout_token_names_a_session_or_a_subject() {
    let fixture = Fixture::new();
    let session = verify(&fixture, &logout(&fixture).sign()).unwrap();
    assert_eq!(session.revocation(), Revocation::session(ISSUER, "s1"));
    assert_eq!(
        (session.session_id(), session.subject()),
        (Some("s1"), None)
    );
    assert_eq!(session.canonical_issuer(), ISSUER);
    assert_eq!(session.expires_at(), Timestamp::from_unix(NOW + 120));

    let both = logout(&fixture).sub("ada");
    let token = verify(&fixture, &both.clone().sign()).unwrap();
    assert_eq!(token.revocation().kind(), RevocationKind::Session);
    assert_eq!(token.subject(), Some("ada"));

    let subject = both.without("sid").claim("iat", NOW - 7).sign();
    let token = verify(&fixture, &subject).unwrap();
    let issued_before = Timestamp::from_unix(NOW - 7);
    assert_eq!(
        token.revocation(),
        Revocation::subject(ISSUER, "ada", issued_before)
    );
    assert_eq!(
        code(&fixture, &logout(&fixture).without("sid").sign()),
        "MISSING_CLAIM"
    );
}

#[test]
fn claims_follow_the_specification() {
    let fixture = Fixture::new();
    let with =
        |name: &str, value: Value| code(&fixture, &logout(&fixture).claim(name, value).sign());
    for (name, value, expected) in [
        // events
        ("events", json!({ EVENT: {} }), "accepted"),
        (
            "events",
            json!({ EVENT: { "reason": "ended" }, "other": 1 }),
            "accepted",
        ),
        ("events", json!({ EVENT: true }), "INVALID_CLAIM"),
        ("events", json!({ EVENT: [] }), "INVALID_CLAIM"),
        ("events", json!({ EVENT: null }), "INVALID_CLAIM"),
        (
            "events",
            json!({ "https://schemas.openid.net/event/backchannel-logout": {} }),
            "INVALID_CLAIM",
        ),
        ("events", json!({}), "INVALID_CLAIM"),
        ("events", json!([EVENT]), "INVALID_CLAIM"),
        ("events", json!(EVENT), "INVALID_CLAIM"),
        // aud
        ("aud", json!("authenticated"), "accepted"),
        ("aud", json!(["other", "authenticated"]), "accepted"),
        ("aud", json!("other"), "INVALID_AUDIENCE"),
        ("aud", json!([]), "INVALID_AUDIENCE"),
        ("aud", json!(7), "INVALID_CLAIM"),
        // nonce
        ("nonce", json!("n"), "INVALID_CLAIM"),
        ("nonce", Value::Null, "INVALID_CLAIM"),
        ("Nonce", json!("n"), "accepted"),
        // jti and sid
        ("jti", json!("j"), "accepted"),
        ("jti", json!("a".repeat(255)), "accepted"),
        ("jti", json!("a".repeat(256)), "INVALID_CLAIM"),
        ("jti", json!(""), "INVALID_CLAIM"),
        ("jti", json!(7), "INVALID_CLAIM"),
        ("sid", json!("a".repeat(255)), "accepted"),
        ("sid", json!("a".repeat(256)), "INVALID_CLAIM"),
        ("sid", json!(""), "INVALID_CLAIM"),
        ("sid", json!(["s1"]), "INVALID_CLAIM"),
        ("sub", json!(7), "INVALID_CLAIM"),
        // Times; the leeway is 30 s.
        ("exp", json!(NOW - 29), "accepted"),
        ("exp", json!(NOW - 30), "TOKEN_EXPIRED"),
        ("exp", json!("2000000000"), "INVALID_CLAIM"),
        ("iat", json!(NOW + 30), "accepted"),
        ("iat", json!(NOW + 31), "TOKEN_NOT_YET_VALID"),
        // iss
        ("iss", json!("https://elsewhere.example"), "UNKNOWN_ISSUER"),
    ] {
        assert_eq!(with(name, value.clone()), expected, "{name}: {value}");
    }
    for name in ["iss", "aud", "exp", "iat", "jti", "events"] {
        assert_eq!(
            code(&fixture, &logout(&fixture).without(name).sign()),
            "MISSING_CLAIM",
            "{name}"
        );
    }
}

#[test]
fn the_type_is_logout_jwt_jwt_or_absent() {
    let fixture = Fixture::new();
    let with = |typ: &str| code(&fixture, &logout(&fixture).header("typ", typ).sign());
    for typ in [
        "logout+jwt",
        "Logout+JWT",
        "application/logout+jwt",
        "JWT",
        "jwt",
        "application/jwt",
    ] {
        assert_eq!(with(typ), "accepted", "{typ}");
    }
    for typ in [
        "at+jwt",
        "dpop+jwt",
        "logout",
        "logout+jwt2",
        "secevent+jwt",
        "",
    ] {
        assert_eq!(with(typ), "INVALID_TOKEN_TYPE", "{typ}");
    }
    let absent = logout(&fixture).without_header("typ").sign();
    assert_eq!(code(&fixture, &absent), "accepted");
}

#[test]
fn forged_and_unsigned_logout_tokens_are_rejected() {
    let fixture = Fixture::new();
    for name in FORGERIES {
        if let Some(forged) = logout(&fixture).sub("ada").forged(name) {
            let result = verify(&fixture, &forged);
            assert!(result.is_err(), "{name}");
        }
    }
    assert_eq!(
        code(&fixture, &logout(&fixture).alg_none()),
        "MALFORMED_TOKEN"
    );
    assert_eq!(
        code(&fixture, &logout(&fixture).unsigned()),
        "MALFORMED_TOKEN"
    );
    assert_eq!(
        code(&fixture, &logout(&fixture).hmac_with_public_key()),
        "UNSUPPORTED_ALGORITHM"
    );
    assert_eq!(
        code(&fixture, &logout(&fixture).sub("ada").tampered()),
        "INVALID_SIGNATURE"
    );
    assert_eq!(code(&fixture, &"a".repeat(8193)), "MALFORMED_TOKEN");

    let only_es256 = Fixture::with_issuer(|issuer| issuer.algorithms([Algorithm::ES256]).unwrap());
    let token = logout(&only_es256);
    let other = token.clone().header("alg", "ES384").sign();
    assert_eq!(code(&only_es256, &other), "UNSUPPORTED_ALGORITHM");
    assert_eq!(code(&only_es256, &token.sign()), "accepted");
}

#[test]
fn access_tokens_and_logout_tokens_are_never_confused() {
    let fixture = Fixture::new();
    let access = fixture.token();
    assert_eq!(code(&fixture, &access.clone().sign()), "MISSING_CLAIM");
    fixture.verify_ok(&access.clone().sign());

    // With every claim of an access token.
    let logout = logout(&fixture).sub("ada");
    for typ in ["JWT", "at+jwt"] {
        let error = fixture.verify_err(&logout.clone().header("typ", typ).sign());
        assert_eq!(error.code(), "INVALID_CLAIM", "{typ}");
    }
    let error = fixture.verify_err(&logout.sign());
    assert_eq!(error.code(), "INVALID_TOKEN_TYPE");

    // Other values of `events` are claims like any other.
    for events in [json!(["signed-in"]), json!({ "signed-in": {} }), json!("x")] {
        fixture.verify_ok(&access.clone().claim("events", events).sign());
    }
}

#[test]
fn the_audience_is_an_audience_or_a_client_of_the_issuer() {
    let fixture = Fixture::with_issuer(|issuer| {
        let issuer = issuer.client_ids(["web"]).unwrap();
        issuer.logout_audiences(["mobile"]).unwrap()
    });
    for (audience, expected) in [
        ("authenticated", "accepted"),
        ("web", "accepted"),
        ("mobile", "accepted"),
        ("Web", "INVALID_AUDIENCE"),
        ("other", "INVALID_AUDIENCE"),
    ] {
        let token = logout(&fixture).audience(audience).sign();
        assert_eq!(code(&fixture, &token), expected, "{audience}");
    }
    assert!(
        issuer_with_jwks(ISSUER, &jwks([&fixture.key]))
            .logout_audiences([""])
            .is_err()
    );
}

#[test]
fn the_revocation_of_a_logout_token_ends_the_session() {
    let fixture = Fixture::new();
    let token = fixture.token().claim("session_id", "s1").sign();
    let other = fixture.token().claim("session_id", "s2").sign();
    fixture.verify_ok(&token);
    let logout = verify(&fixture, &logout(&fixture).sign()).unwrap();
    fixture
        .auth
        .revocations()
        .add(&logout.revocation())
        .unwrap();
    assert_eq!(fixture.verify_err(&token).code(), "TOKEN_REVOKED");
    fixture.verify_ok(&other);
}

#[test]
fn a_replayed_token_does_not_end_later_sessions() {
    let fixture = Fixture::new();
    let replayed = logout(&fixture)
        .without("sid")
        .sub("ada")
        .claim("exp", NOW + 600)
        .sign();
    fixture.clock.advance(Duration::from_secs(60));
    let later = fixture.token().sub("ada").claim("iat", NOW + 1).sign();
    let earlier = fixture.token().sub("ada").claim("iat", NOW).sign();
    let logout = verify(&fixture, &replayed).unwrap();
    fixture
        .auth
        .revocations()
        .add(&logout.revocation())
        .unwrap();
    fixture.verify_ok(&later);
    assert_eq!(fixture.verify_err(&earlier).code(), "TOKEN_REVOKED");
}

#[tokio::test]
async fn a_flood_of_logout_tokens_costs_as_many_fetches_as_one_of_access_tokens() {
    let idp = MockIdp::start_with(Algorithm::ES256).await;
    let auth = bearward::Bearward::builder()
        .issuer(idp.as_issuer())
        .build()
        .await
        .unwrap();
    auth.wait_for_initial_fetch().await;
    let initial = idp.fetches();
    let token = || idp.logout_token().claim("sid", "s1");
    // Tokens that are not logout tokens of this client cause no fetch.
    for index in 0..100 {
        let kid = format!("unknown-{index}");
        for invalid in [
            token().without("jti"),
            token().audience("other"),
            token().claim("nonce", 1),
        ] {
            auth.verify_logout_token(&invalid.kid(&kid).sign())
                .await
                .unwrap_err();
        }
    }
    assert_eq!(idp.fetches(), initial);
    // The others use the fetches for unknown keys: two, then one in 10 s.
    for index in 0..1000 {
        let forged = token().kid(&format!("forged-{index}")).sign();
        auth.verify_logout_token(&forged).await.unwrap_err();
    }
    let fetches = idp.fetches() - initial;
    assert!((1..=3).contains(&fetches), "{fetches}");
    assert!(auth.verify_logout_token(&token().sign()).await.is_ok());
    // A key that the issuer has begun to use is fetched when the limits allow it.
    assert_eq!(auth.cached_tokens(), 0);
}
