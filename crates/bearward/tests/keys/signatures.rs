//! A signature that is wrong under a kid that is known.

use bearward_testing::{Faults, KeyPair, KeyRing};

use crate::stack::{Stack, code, s, until};

#[tokio::test]
async fn a_young_set_is_not_fetched_again_for_a_bad_signature() {
    let stack = Stack::warm().await;
    stack.advance(s(30)).await;
    for n in 0..100 {
        assert_eq!(
            stack
                .code(&stack.token().sub(&n.to_string()).signed_by_stranger())
                .await,
            "INVALID_SIGNATURE"
        );
    }
    assert_eq!(stack.idp.fetches(), 1);
}

#[tokio::test]
async fn an_older_one_is_fetched_once_a_cooldown_however_many_come() {
    let stack = Stack::warm().await;
    for round in 1..=5 {
        stack.advance(s(31)).await;
        for n in 0..100 {
            let forged = stack
                .token()
                .sub(&format!("{round}-{n}"))
                .signed_by_stranger();
            assert_eq!(stack.code(&forged).await, "INVALID_SIGNATURE");
        }
        assert_eq!(stack.idp.fetches(), 1 + round);
    }
}

#[tokio::test]
async fn bad_signatures_and_unknown_kids_share_one_bucket() {
    let stack = Stack::warm().await;
    stack.advance(s(31)).await;
    for n in 0..10 {
        assert_eq!(
            stack
                .code(&stack.token().kid(&format!("nobody-{n}")).sign())
                .await,
            "UNKNOWN_KEY"
        );
    }
    assert_eq!(stack.idp.fetches(), 3, "the burst");
    // Old enough by now, and one cooldown has earned one fetch, which an unknown kid takes.
    stack.advance(s(31)).await;
    assert_eq!(
        stack.code(&stack.token().kid("nobody").sign()).await,
        "UNKNOWN_KEY"
    );
    assert_eq!(
        stack.code(&stack.token().signed_by_stranger()).await,
        "INVALID_SIGNATURE"
    );
    assert_eq!(stack.idp.fetches(), 4);
}

#[tokio::test]
async fn a_key_that_was_replaced_in_place_is_found_and_the_old_one_dies() {
    let stack = Stack::warm().await;
    let before = stack.token().sign();
    assert_eq!(stack.code(&before).await, "OK");
    let old = stack.idp.key();
    stack.idp.replace_keys(KeyRing::of(
        KeyPair::generate(old.algorithm()).with_kid(old.kid()),
    ));
    assert_eq!(
        stack.code(&stack.token().sign()).await,
        "INVALID_SIGNATURE",
        "the set is too young to doubt it"
    );
    stack.advance(s(31)).await;
    assert_eq!(
        stack.code(&stack.token().sub("new").sign()).await,
        "OK",
        "the very request that found out"
    );
    assert_eq!((stack.idp.fetches(), stack.status().generation), (2, 2));
    assert_eq!(
        stack.code(&before).await,
        "INVALID_SIGNATURE",
        "also where it was cached"
    );
}

#[tokio::test]
async fn a_bad_signature_stays_401_when_the_fetch_for_it_fails() {
    let stack = Stack::warm().await;
    stack.advance(s(31)).await;
    stack.idp.outage();
    assert_eq!(
        stack.code(&stack.token().signed_by_stranger()).await,
        "INVALID_SIGNATURE"
    );
    assert_eq!(stack.outcome("status"), 1);
    for _ in 0..50 {
        assert_eq!(
            stack.code(&stack.token().signed_by_stranger()).await,
            "INVALID_SIGNATURE"
        );
    }
    assert_eq!(
        stack.outcome("status"),
        1,
        "and the backoff is not cut short"
    );
    assert_eq!(stack.code(&stack.token().sign()).await, "OK");
}

#[tokio::test]
async fn a_bad_signature_stays_401_when_the_fetch_for_it_is_slow() {
    let stack = Stack::warm().await;
    stack.advance(s(31)).await;
    stack.idp.set_faults(Faults::hang());
    let (auth, forged) = (stack.auth.clone(), stack.token().signed_by_stranger());
    let request = tokio::spawn(async move { auth.verify(&forged).await });
    until("it waits", || {
        stack.clock.sleepers() == 1 && stack.idp.fetches() == 2
    })
    .await;
    stack.clock.advance(s(2));
    assert_eq!(code(&request.await.unwrap()), "INVALID_SIGNATURE");
}

#[tokio::test]
async fn an_expired_token_with_a_bad_signature_causes_no_fetch() {
    let stack = Stack::warm().await;
    stack.advance(s(31)).await;
    assert_eq!(
        stack
            .code(&stack.idp.token().expired().signed_by_stranger())
            .await,
        "INVALID_SIGNATURE"
    );
    assert_eq!(stack.idp.fetches(), 1);
}
