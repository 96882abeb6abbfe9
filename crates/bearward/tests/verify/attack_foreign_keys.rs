//! The token brings its own key, or an address to fetch one from (CVE-2018-0114, CVE-2026-32301,
//! GHSA-f5mr-q85p-6hh6, CVE-2026-48524).

use std::sync::Arc;

use {Algorithm, AuthError, Bearward};
use bearward_testing::{Faults, KeyPair, MockIdp, Token, encode};
use serde_json::{Value, json};

use crate::stand::{self, Stand, refused};

async fn trusting(idp: &MockIdp) -> Bearward {
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
fn cve_2018_0114_a_key_in_the_header_verifies_nothing() {
    let stand = Stand::new();
    let stranger = KeyPair::shared(Algorithm::ES256, 1);
    let with = |header: Value| {
        let mut members = header.as_object().unwrap().clone();
        members.insert("jwk".to_owned(), stranger.jwk().into());
        Token::new(&members, stand.token().claims()).sign(&stranger)
    };
    // Under its own kid, the issuer's, or none.
    refused!(
        stand,
        with(json!({ "alg": "ES256", "kid": stranger.kid() })),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
    refused!(
        stand,
        with(json!({ "alg": "ES256", "kid": stand.key.kid() })),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    refused!(
        stand,
        with(json!({ "alg": "ES256" })),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn an_embedded_key_does_no_harm_to_a_token_that_the_issuer_signed() {
    let stand = Stand::new();
    let stranger = KeyPair::shared(Algorithm::ES256, 1);
    stand.accepts(&stand.token().header("jwk", stranger.jwk()).sign());
    stand.accepts(&stand.token().header("jwk", stand.key.jwk()).sign());
}

#[tokio::test]
async fn an_address_in_the_header_is_never_fetched_and_what_lies_there_verifies_nothing() {
    let (idp, attacker) = (
        MockIdp::start().await.with_movable_clock(),
        MockIdp::start().await,
    );
    let auth = trusting(&idp).await;
    // Two providers of one process start with the same key under two kids.
    attacker.rotate();
    let address = attacker.jwks_url();
    for name in ["jku", "x5u", "jwks_uri", "iss", "url", "issuer"] {
        let token = idp
            .token()
            .key(attacker.key())
            .header(name, address.as_str());
        let refusal = auth.verify(&token.clone().sign()).await.unwrap_err();
        assert_eq!(refusal.error, AuthError::UnknownKey, "{name}");
        let refusal = auth
            .verify(&token.kid(idp.key().kid()).sign())
            .await
            .unwrap_err();
        assert_eq!(refusal.error, AuthError::InvalidSignature, "{name}");
        // The same member on the issuer's own token is ignored.
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
fn certificates_in_the_header_verify_nothing() {
    let stand = Stand::new();
    let stranger = KeyPair::shared(Algorithm::ES256, 1);
    let der = stranger
        .public_encodings()
        .into_iter()
        .find(|(name, _)| *name == "der")
        .unwrap()
        .1;
    for chain in [json!([encode(&der)]), json!([]), json!(encode(&der))] {
        let token = stand
            .token()
            .key(stranger.clone())
            .kid(stand.key.kid())
            .header("x5c", chain)
            .sign();
        refused!(
            stand,
            token,
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[tokio::test]
async fn cve_2026_32301_an_issuer_of_the_tokens_choice_is_never_asked_for_keys() {
    let (idp, attacker) = (
        MockIdp::start().await.with_movable_clock(),
        MockIdp::start().await,
    );
    let auth = trusting(&idp).await;
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
        let refusal = auth.verify(&token).await.unwrap_err();
        assert!(
            matches!(refusal.error, AuthError::UnknownIssuer { .. }),
            "{iss}: {refusal:?}"
        );
    }
    assert_eq!((attacker.fetches(), idp.fetches()), (0, 1));
}

#[tokio::test]
async fn ghsa_f5mr_q85p_6hh6_a_redirect_of_the_key_endpoint_is_not_followed() {
    let (idp, inner) = (
        MockIdp::start().await.with_movable_clock(),
        MockIdp::start().await,
    );
    idp.set_faults(Faults::redirect(inner.jwks_url()));
    let auth = trusting(&idp).await;
    let token = inner.token().issuer(&idp.issuer()).sign();
    let refusal = stand::moving(&idp.clock(), auth.verify(&token))
        .await
        .unwrap_err();
    assert!(
        matches!(refusal.error, AuthError::KeysUnavailable { .. }),
        "{refusal:?}"
    );
    assert_eq!(inner.fetches(), 0);
}

#[tokio::test]
async fn cve_2026_48524_random_kids_cause_no_more_fetches_than_the_burst() {
    let idp = MockIdp::start().await.with_movable_clock();
    let auth = trusting(&idp).await;
    for number in 0..200 {
        let refusal = auth
            .verify(&idp.token().kid(&format!("kid-{number}")).sign())
            .await
            .unwrap_err();
        assert_eq!(refusal.error, AuthError::UnknownKey);
    }
    assert!(
        idp.fetches() <= 1 + 2,
        "the first, and a burst of 2: {}",
        idp.fetches()
    );
    assert!(auth.verify(&idp.token().sign()).await.is_ok());
}

#[tokio::test]
async fn tokens_that_cannot_be_good_cause_no_fetch_at_all() {
    let idp = MockIdp::start().await.with_movable_clock();
    let auth = trusting(&idp).await;
    let unknown = || idp.token().kid("nobody");
    let hopeless = [
        unknown().expired().sign(),
        unknown().issuer("https://evil.example").sign(),
        unknown().header("alg", "HS256").sign(),
        unknown().header("crit", json!(["x"])).sign(),
        unknown().header("typ", "logout+jwt").sign(),
        unknown().kid(&"k".repeat(257)).sign(),
        unknown().unsigned(),
        idp.token().signed_by_stranger(),
    ];
    for token in hopeless {
        assert!(auth.verify(&token).await.is_err());
    }
    assert_eq!(idp.fetches(), 1);
}
