//! Which key of a set a token is checked with.

use bearward::{Algorithm, AuthError};
use bearward_testing::{Faults, KeyPair, KeyRing};
use serde_json::json;

use crate::stack::{Stack, idp};

async fn publishing(keys: &[&KeyPair]) -> Stack {
    let idp = idp().await;
    let set = json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() });
    idp.set_faults(Faults::body(set.to_string()));
    Stack::warm_at(idp).await
}

#[tokio::test]
async fn a_token_without_kid_is_accepted_when_exactly_one_key_fits_its_algorithm() {
    let (ed, es) = (
        KeyPair::generate(Algorithm::EdDSA),
        KeyPair::generate(Algorithm::ES256),
    );
    let stack = publishing(&[&ed, &es]).await;
    for key in [&ed, &es] {
        let token = stack.token().key(key.clone()).without_header("kid").sign();
        assert_eq!(stack.code(&token).await, "OK", "{key:?}");
    }
    let stranger = stack
        .token()
        .key(ed)
        .without_header("kid")
        .signed_by_stranger();
    assert_eq!(stack.code(&stranger).await, "INVALID_SIGNATURE");
}

#[tokio::test]
async fn with_two_keys_that_fit_it_is_refused_and_nothing_is_fetched() {
    let stack = Stack::warm().await;
    let token = stack.token().without_header("kid").sign();
    assert_eq!(stack.code(&token).await, "OK");
    let old = stack.idp.key();
    stack.idp.rotate();
    stack.refresh().await;
    for token in [token, stack.token().without_header("kid").sign()] {
        let refusal = stack.verify(&token).await.unwrap_err();
        assert_eq!(
            (&refusal.error, refusal.error.code()),
            (&AuthError::AmbiguousKey, "UNKNOWN_KEY")
        );
    }
    assert_eq!(
        stack.code(&stack.token().sign()).await,
        "OK",
        "with its kid"
    );
    assert_eq!(
        stack.code(&stack.token().key(old).sign()).await,
        "OK",
        "and so the old one"
    );
    assert_eq!(stack.idp.fetches(), 2);
}

#[tokio::test]
async fn a_token_without_kid_may_cause_a_fetch_when_no_key_fits() {
    let stack = Stack::warm().await;
    stack.idp.rotate_to(Algorithm::ES256);
    assert_eq!(
        stack
            .code(&stack.token().without_header("kid").sign())
            .await,
        "OK"
    );
    assert_eq!(stack.idp.fetches(), 2);
}

#[tokio::test]
async fn two_keys_with_one_kid_and_different_algorithms_both_serve() {
    let ed = KeyPair::generate(Algorithm::EdDSA).with_kid("shared");
    let es = KeyPair::generate(Algorithm::ES256).with_kid("shared");
    let stack = publishing(&[&ed, &es]).await;
    for key in [&ed, &es] {
        assert_eq!(
            stack.code(&stack.token().key(key.clone()).sign()).await,
            "OK",
            "{key:?}"
        );
        assert_eq!(
            stack
                .code(&stack.token().key(key.clone()).signed_by_stranger())
                .await,
            "INVALID_SIGNATURE",
            "{key:?}"
        );
    }
    assert_eq!(stack.status().keys, 2);
}

#[tokio::test]
async fn of_two_keys_with_one_kid_and_one_algorithm_neither_serves() {
    let one = KeyPair::generate(Algorithm::EdDSA).with_kid("shared");
    let other = KeyPair::generate(Algorithm::EdDSA).with_kid("shared");
    let third = KeyPair::generate(Algorithm::EdDSA);
    let stack = publishing(&[&one, &third, &other]).await;
    for key in [one, other] {
        assert_eq!(
            stack.code(&stack.token().key(key).sign()).await,
            "UNKNOWN_KEY"
        );
    }
    assert_eq!(
        stack.code(&stack.token().key(third).sign()).await,
        "OK",
        "the rest of the set is not harmed"
    );
    let skipped: Vec<String> = stack
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
async fn a_key_serves_its_own_algorithm_alone() {
    let rsa = KeyPair::shared(Algorithm::RS256, 0);
    let stack = publishing(&[&rsa]).await;
    assert_eq!(
        stack.code(&stack.token().key(rsa.clone()).sign()).await,
        "OK"
    );
    for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        let other = rsa.clone().with_algorithm(algorithm);
        assert_eq!(
            stack.code(&stack.token().key(other).sign()).await,
            "UNKNOWN_KEY",
            "{algorithm:?}"
        );
    }
}

#[tokio::test]
async fn a_key_without_kid_serves_tokens_without_one() {
    let key = KeyPair::generate(Algorithm::EdDSA);
    let mut jwk = key.jwk();
    jwk.remove("kid");
    let idp = idp().await;
    idp.set_faults(Faults::body(json!({ "keys": [jwk] }).to_string()));
    idp.replace_keys(KeyRing::of(key));
    let stack = Stack::warm_at(idp).await;
    assert_eq!(
        stack
            .code(&stack.token().without_header("kid").sign())
            .await,
        "OK"
    );
    assert_eq!(
        stack.code(&stack.token().sign()).await,
        "UNKNOWN_KEY",
        "a kid that no key has"
    );
    assert_eq!(stack.status().kids, [None]);
}
