//! Invalid signatures with a known kid.

use bearward_testing::{Faults, KeyPair, KeyRing};

use crate::fixture::{Fixture, result_code, secs, wait_until};

#[tokio::test]
async fn a_bad_signature_does_not_refetch_a_recent_set() {
    let fixture = Fixture::start().await;
    fixture.advance(secs(10)).await;
    for n in 0..100 {
        assert_eq!(
            fixture
                .result_code(&fixture.token().sub(&n.to_string()).signed_by_stranger())
                .await,
            "INVALID_SIGNATURE"
        );
    }
    assert_eq!(fixture.idp.fetches(), 1);
}

#[tokio::test]
async fn bad_signatures_refetch_at_most_once_per_cooldown() {
    let fixture = Fixture::start().await;
    for round in 1..=5 {
        fixture.advance(secs(31)).await;
        for n in 0..100 {
            let forged = fixture
                .token()
                .sub(&format!("{round}-{n}"))
                .signed_by_stranger();
            assert_eq!(fixture.result_code(&forged).await, "INVALID_SIGNATURE");
        }
        assert_eq!(fixture.idp.fetches(), 1 + round);
    }
}

#[tokio::test]
async fn bad_signatures_and_unknown_kids_share_a_token_bucket() {
    let fixture = Fixture::start().await;
    fixture.advance(secs(31)).await;
    for n in 0..10 {
        assert_eq!(
            fixture
                .result_code(&fixture.token().kid(&format!("unknown-{n}")).sign())
                .await,
            if n < 2 {
                "UNKNOWN_KEY"
            } else {
                "KEYS_UNAVAILABLE"
            }
        );
    }
    assert_eq!(fixture.idp.fetches(), 3, "the burst");
    // The set is old enough now, and the cooldown allows one fetch, which the unknown kid uses.
    fixture.advance(secs(31)).await;
    assert_eq!(
        fixture
            .result_code(&fixture.token().kid("unknown").sign())
            .await,
        "UNKNOWN_KEY"
    );
    assert_eq!(
        fixture
            .result_code(&fixture.token().signed_by_stranger())
            .await,
        "INVALID_SIGNATURE"
    );
    assert_eq!(fixture.idp.fetches(), 4);
}

#[tokio::test]
async fn a_key_replaced_under_the_same_kid_is_found() {
    let fixture = Fixture::start().await;
    let before = fixture.token().sign();
    assert_eq!(fixture.result_code(&before).await, "OK");
    let old = fixture.idp.key();
    fixture.idp.replace_keys(KeyRing::with_key(
        KeyPair::generate(old.algorithm()).with_kid(old.kid()),
    ));
    assert_eq!(
        fixture.result_code(&fixture.token().sign()).await,
        "INVALID_SIGNATURE",
        "the set is too recent to be fetched again"
    );
    fixture.advance(secs(31)).await;
    assert_eq!(
        fixture
            .result_code(&fixture.token().sub("new").sign())
            .await,
        "OK",
        "the request that triggered the fetch"
    );
    assert_eq!((fixture.idp.fetches(), fixture.status().generation), (2, 2));
    assert_eq!(
        fixture.result_code(&before).await,
        "INVALID_SIGNATURE",
        "also for a cached token"
    );
}

#[tokio::test]
async fn a_bad_signature_stays_401_when_the_fetch_for_it_fails() {
    let fixture = Fixture::start().await;
    fixture.advance(secs(31)).await;
    fixture.idp.outage();
    assert_eq!(
        fixture
            .result_code(&fixture.token().signed_by_stranger())
            .await,
        "INVALID_SIGNATURE"
    );
    assert_eq!(fixture.fetch_outcomes("status"), 1);
    for _ in 0..50 {
        assert_eq!(
            fixture
                .result_code(&fixture.token().signed_by_stranger())
                .await,
            "INVALID_SIGNATURE"
        );
    }
    assert_eq!(
        fixture.fetch_outcomes("status"),
        1,
        "the backoff is not bypassed"
    );
    assert_eq!(fixture.result_code(&fixture.token().sign()).await, "OK");
}

#[tokio::test]
async fn a_bad_signature_stays_401_when_the_fetch_for_it_is_slow() {
    let fixture = Fixture::start().await;
    fixture.advance(secs(31)).await;
    fixture.idp.set_faults(Faults::hang());
    let (auth, forged) = (fixture.auth.clone(), fixture.token().signed_by_stranger());
    let request = tokio::spawn(async move { auth.verify(&forged).await });
    wait_until("the request waits", || {
        fixture.clock.sleepers() == 1 && fixture.idp.fetches() == 2
    })
    .await;
    fixture.clock.advance(secs(2));
    assert_eq!(result_code(&request.await.unwrap()), "INVALID_SIGNATURE");
}

#[tokio::test]
async fn an_expired_token_with_a_bad_signature_causes_no_fetch() {
    let fixture = Fixture::start().await;
    fixture.advance(secs(31)).await;
    assert_eq!(
        fixture
            .result_code(&fixture.idp.token().expired().signed_by_stranger())
            .await,
        "INVALID_SIGNATURE"
    );
    assert_eq!(fixture.idp.fetches(), 1);
}
