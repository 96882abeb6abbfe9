//! Keys supplied by the token: embedded keys, or URLs to fetch them from (CVE-2018-0114,
//! CVE-2026-32301, GHSA-f5mr-q85p-6hh6, CVE-2026-48524).

use std::sync::Arc;

use bearward::{Algorithm, AuthError, Bearward};
use bearward_testing::{Faults, KeyPair, MockIdp, Token, encode};
use serde_json::{Value, json};

use crate::fixture::{self, Fixture, assert_rejected};

async fn verifier_for(idp: &MockIdp) -> Bearward {
    let auth = Bearward::builder()
        .issuer(idp.as_issuer())
        .clock(Arc::new(idp.clock()))
        .build()
        .await
        .unwrap();
    auth.wait_for_initial_fetch().await;
    auth
}

#[test]
fn cve_2018_0114_an_embedded_key_is_not_used() {
    let fixture = Fixture::new();
    let foreign_key = KeyPair::cached(Algorithm::ES256, 1);
    let with = |header: Value| {
        let mut members = header.as_object().unwrap().clone();
        members.insert("jwk".to_owned(), foreign_key.jwk().into());
        Token::new(&members, fixture.token().claims()).sign(&foreign_key)
    };
    // With its own kid, with the kid of the issuer, and without kid.
    assert_rejected!(
        fixture,
        with(json!({ "alg": "ES256", "kid": foreign_key.kid() })),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
    assert_rejected!(
        fixture,
        with(json!({ "alg": "ES256", "kid": fixture.key.kid() })),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    assert_rejected!(
        fixture,
        with(json!({ "alg": "ES256" })),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn an_embedded_key_is_ignored_in_a_valid_token() {
    let fixture = Fixture::new();
    let foreign_key = KeyPair::cached(Algorithm::ES256, 1);
    fixture.verify_ok(&fixture.token().header("jwk", foreign_key.jwk()).sign());
    fixture.verify_ok(&fixture.token().header("jwk", fixture.key.jwk()).sign());
}

#[tokio::test]
async fn urls_in_the_header_are_never_fetched() {
    let (idp, attacker) = (
        MockIdp::start().await.with_movable_clock(),
        MockIdp::start().await,
    );
    let auth = verifier_for(&idp).await;
    // Two mock providers in one process start with the same key under different kids.
    attacker.rotate();
    let address = attacker.jwks_url();
    for name in ["jku", "x5u", "jwks_uri", "iss", "url", "issuer"] {
        let token = idp
            .token()
            .key(attacker.key())
            .header(name, address.as_str());
        let failure = auth.verify(&token.clone().sign()).await.unwrap_err();
        assert_eq!(failure.error, AuthError::UnknownKey, "{name}");
        let failure = auth
            .verify(&token.kid(idp.key().kid()).sign())
            .await
            .unwrap_err();
        assert_eq!(failure.error, AuthError::InvalidSignature, "{name}");
        // The member is ignored in a token of the issuer.
        assert!(
            auth.verify(&idp.token().header(name, address.as_str()).sign())
                .await
                .is_ok(),
            "{name}"
        );
    }
    assert_eq!(attacker.fetches(), 0);
}

#[test]
fn certificates_in_the_header_are_not_used() {
    let fixture = Fixture::new();
    let foreign_key = KeyPair::cached(Algorithm::ES256, 1);
    let der = foreign_key
        .public_encodings()
        .into_iter()
        .find(|(name, _)| *name == "der")
        .unwrap()
        .1;
    for chain in [json!([encode(&der)]), json!([]), json!(encode(&der))] {
        let token = fixture
            .token()
            .key(foreign_key.clone())
            .kid(fixture.key.kid())
            .header("x5c", chain)
            .sign();
        assert_rejected!(
            fixture,
            token,
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[tokio::test]
async fn cve_2026_32301_untrusted_issuers_are_never_contacted() {
    let (idp, attacker) = (
        MockIdp::start().await.with_movable_clock(),
        MockIdp::start().await,
    );
    let auth = verifier_for(&idp).await;
    let host = attacker.issuer().replace("http://", "");
    for iss in [
        attacker.issuer(),
        format!("{}@{host}", idp.issuer()),
        format!("{}/../../{host}", idp.issuer()),
        format!("{}#{host}", idp.issuer()),
    ] {
        let token = attacker
            .token()
            .issuer(&iss)
            .claim("tenant", host.as_str())
            .claim("tid", host.as_str())
            .sign();
        let failure = auth.verify(&token).await.unwrap_err();
        assert!(
            matches!(failure.error, AuthError::UnknownIssuer { .. }),
            "{iss}: {failure:?}"
        );
    }
    assert_eq!((attacker.fetches(), idp.fetches()), (0, 1));
}

#[tokio::test]
async fn ghsa_f5mr_q85p_6hh6_jwks_redirects_are_not_followed() {
    let (idp, inner) = (
        MockIdp::start().await.with_movable_clock(),
        MockIdp::start().await,
    );
    idp.set_faults(Faults::redirect(inner.jwks_url()));
    let auth = verifier_for(&idp).await;
    let token = inner.token().issuer(&idp.issuer()).sign();
    let failure = fixture::advance_until_done(&idp.clock(), auth.verify(&token))
        .await
        .unwrap_err();
    assert!(
        matches!(failure.error, AuthError::KeysUnavailable { .. }),
        "{failure:?}"
    );
    assert_eq!(inner.fetches(), 0);
}

#[tokio::test]
async fn cve_2026_48524_random_kids_cannot_exceed_the_fetch_burst() {
    let idp = MockIdp::start().await.with_movable_clock();
    let auth = verifier_for(&idp).await;
    for number in 0..200 {
        let failure = auth
            .verify(&idp.token().kid(&format!("kid-{number}")).sign())
            .await
            .unwrap_err();
        if number < 2 {
            assert_eq!(failure.error, AuthError::UnknownKey);
        } else {
            assert!(
                matches!(failure.error, AuthError::KeysUnavailable { .. }),
                "{failure:?}"
            );
        }
    }
    assert!(
        idp.fetches() <= 1 + 2,
        "the initial fetch and a burst of 2: {}",
        idp.fetches()
    );
    assert!(auth.verify(&idp.token().sign()).await.is_ok());
}

#[tokio::test]
async fn tokens_rejected_without_a_key_cause_no_fetch() {
    let idp = MockIdp::start().await.with_movable_clock();
    let auth = verifier_for(&idp).await;
    let unknown = || idp.token().kid("unknown");
    let rejected_early = [
        unknown().expired().sign(),
        unknown().issuer("https://evil.example").sign(),
        unknown().header("alg", "HS256").sign(),
        unknown().header("crit", json!(["x"])).sign(),
        unknown().header("typ", "logout+jwt").sign(),
        unknown().kid(&"k".repeat(257)).sign(),
        unknown().unsigned(),
        idp.token().signed_by_stranger(),
    ];
    for token in rejected_early {
        assert!(auth.verify(&token).await.is_err());
    }
    assert_eq!(idp.fetches(), 1);
}
