//! Selection of the verification key from a set.

use bearward::Algorithm;
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
async fn without_kid_several_matching_keys_are_tried() {
    let fixture = Fixture::start().await;
    let old_token = fixture.token().without_header("kid").sign();
    assert_eq!(fixture.result_code(&old_token).await, "OK");
    fixture.idp.rotate();
    fixture.refresh().await;
    for token in [old_token, fixture.token().without_header("kid").sign()] {
        assert_eq!(fixture.result_code(&token).await, "OK");
    }
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
async fn a_key_published_twice_at_a_refresh_rejects_no_token() {
    let fixture = Fixture::start().await;
    let (cached, uncached) = (fixture.token().sign(), fixture.token().sub("other").sign());
    assert_eq!(fixture.result_code(&cached).await, "OK");
    let jwk = fixture.idp.key().jwk();
    let set = json!({ "keys": [jwk, jwk] });
    fixture.idp.set_faults(Faults::body(set.to_string()));
    fixture.refresh().await;
    assert_eq!(fixture.result_code(&cached).await, "OK");
    assert_eq!(fixture.result_code(&uncached).await, "OK");
    let status = fixture.status();
    assert_eq!(
        (status.keys, status.generation),
        (1, 1),
        "the set is unchanged"
    );
}

#[tokio::test]
async fn a_removed_candidate_rejects_its_cached_tokens_only() {
    let [kept, removed] = [0, 1].map(|_| KeyPair::generate(Algorithm::EdDSA).with_kid("shared"));
    let fixture = publishing(&[&kept, &removed]).await;
    let tokens = [&kept, &removed].map(|key| fixture.token().key(key.clone()).sign());
    for token in &tokens {
        assert_eq!(fixture.result_code(token).await, "OK");
    }
    assert_eq!(fixture.auth.cached_tokens(), 2);
    let set = json!({ "keys": [kept.jwk()] });
    fixture.idp.set_faults(Faults::body(set.to_string()));
    fixture.refresh().await;
    assert_eq!(fixture.result_code(&tokens[0]).await, "OK");
    assert_eq!(fixture.result_code(&tokens[1]).await, "INVALID_SIGNATURE");
}

#[tokio::test]
async fn another_order_of_the_same_keys_changes_what_is_tried() {
    let keys = [0, 1, 2, 3].map(|_| KeyPair::generate(Algorithm::EdDSA));
    let fixture = publishing(&keys.each_ref()).await;
    let without_kid = |key: &KeyPair| {
        let token = fixture.token().key(key.clone());
        token.without_header("kid").sign()
    };
    assert_eq!(
        fixture.result_code(&without_kid(&keys[0])).await,
        "INVALID_SIGNATURE"
    );
    let cached = without_kid(&keys[3]);
    assert_eq!(fixture.result_code(&cached).await, "OK");
    let reversed: Vec<_> = keys.iter().rev().map(KeyPair::jwk).collect();
    let set = json!({ "keys": reversed });
    fixture.idp.set_faults(Faults::body(set.to_string()));
    fixture.refresh().await;
    assert_eq!(fixture.status().generation, 1);
    assert_eq!(fixture.result_code(&without_kid(&keys[0])).await, "OK");
    assert_eq!(
        fixture.result_code(&cached).await,
        "OK",
        "its key is still published"
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
    assert!(fixture.status().kids().eq([None]));
}
