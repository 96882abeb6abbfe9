//! Selection of the verification key from a set.

use bearward::{Algorithm, AuthError};
use bearward_testing::{Faults, KeyPair, KeyRing};
use serde_json::json;

use crate::fixture::{Fixture, idp, secs};

async fn publishing(keys: &[&KeyPair]) -> Fixture {
    let idp = idp().await;
    let set = json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() });
    idp.set_faults(Faults::body(set.to_string()));
    Fixture::start_with_idp(idp).await
}

#[tokio::test]
async fn without_kid_a_single_matching_key_is_used() {
    let (ed, es) = (
        KeyPair::generate(Algorithm::EdDSA),
        KeyPair::generate(Algorithm::ES256),
    );
    let fixture = publishing(&[&ed, &es]).await;
    for key in [&ed, &es] {
        let token = fixture
            .token()
            .key(key.clone())
            .without_header("kid")
            .sign();
        assert_eq!(fixture.result_code(&token).await, "OK", "{key:?}");
    }
    let forged = fixture
        .token()
        .key(ed)
        .without_header("kid")
        .signed_by_stranger();
    assert_eq!(fixture.result_code(&forged).await, "INVALID_SIGNATURE");
}

#[tokio::test]
async fn without_kid_several_matching_keys_are_ambiguous() {
    let fixture = Fixture::start().await;
    let token = fixture.token().without_header("kid").sign();
    assert_eq!(fixture.result_code(&token).await, "OK");
    let old = fixture.idp.key();
    fixture.idp.rotate();
    fixture.refresh().await;
    for token in [token, fixture.token().without_header("kid").sign()] {
        let failure = fixture.verify(&token).await.unwrap_err();
        assert_eq!(
            (&failure.error, failure.error.code()),
            (&AuthError::AmbiguousKey, "UNKNOWN_KEY")
        );
    }
    assert_eq!(
        fixture.result_code(&fixture.token().sign()).await,
        "OK",
        "the new key by its kid"
    );
    assert_eq!(
        fixture.result_code(&fixture.token().key(old).sign()).await,
        "OK",
        "the old key by its kid"
    );
    assert_eq!(fixture.idp.fetches(), 2);
}

#[tokio::test]
async fn without_kid_and_matching_key_a_fetch_is_triggered() {
    let fixture = Fixture::start().await;
    fixture.idp.rotate_to(Algorithm::ES256);
    assert_eq!(
        fixture
            .result_code(&fixture.token().without_header("kid").sign())
            .await,
        "OK"
    );
    assert_eq!(fixture.idp.fetches(), 2);
}

#[tokio::test]
async fn keys_with_the_same_kid_may_differ_in_algorithm() {
    let ed = KeyPair::generate(Algorithm::EdDSA).with_kid("shared");
    let es = KeyPair::generate(Algorithm::ES256).with_kid("shared");
    let fixture = publishing(&[&ed, &es]).await;
    for key in [&ed, &es] {
        assert_eq!(
            fixture
                .result_code(&fixture.token().key(key.clone()).sign())
                .await,
            "OK",
            "{key:?}"
        );
        assert_eq!(
            fixture
                .result_code(&fixture.token().key(key.clone()).signed_by_stranger())
                .await,
            "INVALID_SIGNATURE",
            "{key:?}"
        );
    }
    assert_eq!(fixture.status().keys, 2);
}

#[tokio::test]
async fn keys_with_the_same_kid_and_algorithm_are_both_ignored() {
    let one = KeyPair::generate(Algorithm::EdDSA).with_kid("shared");
    let other = KeyPair::generate(Algorithm::EdDSA).with_kid("shared");
    let third = KeyPair::generate(Algorithm::EdDSA);
    let fixture = publishing(&[&one, &third, &other]).await;
    for key in [one, other] {
        assert_eq!(
            fixture.result_code(&fixture.token().key(key).sign()).await,
            "UNKNOWN_KEY"
        );
    }
    assert_eq!(
        fixture
            .result_code(&fixture.token().key(third).sign())
            .await,
        "OK",
        "other keys of the set are used"
    );
    let skipped: Vec<String> = fixture
        .status()
        .ignored
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        skipped,
        ["shared: another key of the set has the same kid and algorithm"; 2]
    );
}

#[tokio::test]
async fn a_key_verifies_only_its_own_algorithm() {
    let rsa = KeyPair::cached(Algorithm::RS256, 0);
    let fixture = publishing(&[&rsa]).await;
    assert_eq!(
        fixture
            .result_code(&fixture.token().key(rsa.clone()).sign())
            .await,
        "OK"
    );
    for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        let other = rsa.clone().with_algorithm(algorithm);
        // Refills the token bucket.
        fixture.clock.advance(secs(10));
        assert_eq!(
            fixture
                .result_code(&fixture.token().key(other).sign())
                .await,
            "UNKNOWN_KEY",
            "{algorithm:?}"
        );
    }
}

#[tokio::test]
async fn a_key_without_kid_verifies_only_tokens_without_kid() {
    let key = KeyPair::generate(Algorithm::EdDSA);
    let mut jwk = key.jwk();
    jwk.remove("kid");
    let idp = idp().await;
    idp.set_faults(Faults::body(json!({ "keys": [jwk] }).to_string()));
    idp.replace_keys(KeyRing::with_key(key));
    let fixture = Fixture::start_with_idp(idp).await;
    assert_eq!(
        fixture
            .result_code(&fixture.token().without_header("kid").sign())
            .await,
        "OK"
    );
    assert_eq!(
        fixture.result_code(&fixture.token().sign()).await,
        "UNKNOWN_KEY",
        "no key has this kid"
    );
    assert_eq!(fixture.status().kids, [None]);
}
