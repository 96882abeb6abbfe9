//! Tokens whose kid the set does not have: what they may cost, and whom.

use {Algorithm, Verification};
use bearward_testing::{Faults, KeyPair, encode};
use futures_util::future::join_all;

use crate::stack::{Stack, builder, builder_of, code, idp, policy, s, until};

#[tokio::test]
async fn five_thousand_random_kids_make_no_more_fetches_than_the_burst_and_one_a_cooldown() {
    let stack = Stack::warm().await;
    let cached = stack.token().sign();
    let mut fetched_at = Vec::new();
    for second in 0..100_usize {
        let before = stack.idp.fetches();
        let flood: Vec<String> = (0..50)
            .map(|n| stack.token().kid(&format!("random-{second}-{n}")).sign())
            .collect();
        for refused in join_all(flood.iter().map(|token| stack.verify(token))).await {
            assert_eq!(code(&refused), "UNKNOWN_KEY");
        }
        assert_eq!(stack.code(&cached).await, "OK");
        assert_eq!(
            stack
                .code(&stack.token().sub(&format!("user-{second}")).sign())
                .await,
            "OK"
        );
        fetched_at.extend(vec![second; stack.idp.fetches() - before]);
        stack.clock.advance(s(1));
    }
    assert_eq!(fetched_at, [0, 1, 30, 60, 90]);
    let outcomes: u64 = ["negative", "limited", "refreshed", "missing", "unavailable"]
        .map(|name| stack.unknown(name))
        .iter()
        .sum();
    assert_eq!(outcomes, 5000, "each was counted once");
    assert_eq!(
        (stack.unknown("refreshed"), stack.unknown("unavailable")),
        (0, 0)
    );
}

#[tokio::test]
async fn with_an_empty_bucket_and_a_healthy_set_the_answer_is_401_at_once() {
    let stack = Stack::warm().await;
    for n in 0..2 {
        assert_eq!(
            stack
                .code(&stack.token().kid(&format!("random-{n}")).sign())
                .await,
            "UNKNOWN_KEY"
        );
    }
    let token = stack.token().kid("random-2").sign();
    let Verification::Ready(refused) = stack.auth.try_verify(&token) else {
        panic!("it must not wait")
    };
    assert_eq!(
        (code(&refused), stack.unknown("limited")),
        ("UNKNOWN_KEY", 1)
    );
    stack.clock.advance(s(30));
    assert!(
        matches!(stack.auth.try_verify(&token), Verification::Pending(_)),
        "a cooldown later there is one fetch more"
    );
}

#[tokio::test]
async fn the_scheduled_refresh_is_not_drawn_from_the_bucket() {
    let stack = Stack::warm_with(idp().await, policy().refetch_burst(0)).await;
    stack.idp.rotate();
    let token = stack.token().sign();
    assert_eq!(stack.code(&token).await, "UNKNOWN_KEY", "an empty bucket");
    assert_eq!(stack.idp.fetches(), 1);
    stack.refresh().await;
    assert_eq!(stack.code(&token).await, "OK");
}

#[tokio::test]
async fn the_same_unknown_kid_makes_no_second_fetch_within_thirty_seconds() {
    let stack = Stack::warm_with(idp().await, policy().refetch_burst(100)).await;
    let token = stack.token().kid("nobody").sign();
    assert_eq!(stack.code(&token).await, "UNKNOWN_KEY");
    assert_eq!((stack.idp.fetches(), stack.unknown("missing")), (2, 1));
    for _ in 0..29 {
        stack.advance(s(1)).await;
        let Verification::Ready(refused) = stack.auth.try_verify(&token) else {
            panic!("it must not wait")
        };
        assert_eq!(code(&refused), "UNKNOWN_KEY");
    }
    assert_eq!((stack.idp.fetches(), stack.unknown("negative")), (2, 29));
    stack.advance(s(1)).await;
    assert_eq!(stack.code(&token).await, "UNKNOWN_KEY");
    assert_eq!(stack.idp.fetches(), 3);
}

#[tokio::test]
async fn a_new_generation_forgets_which_kids_were_unknown() {
    let stack = Stack::warm_with(idp().await, policy().refetch_burst(100)).await;
    let token = stack.token().kid("nobody").sign();
    assert_eq!(stack.code(&token).await, "UNKNOWN_KEY");
    stack.idp.rotate();
    assert_eq!(stack.code(&stack.token().sign()).await, "OK");
    assert_eq!((stack.idp.fetches(), stack.status().generation), (3, 2));
    assert_eq!(stack.code(&token).await, "UNKNOWN_KEY");
    assert_eq!(
        stack.idp.fetches(),
        4,
        "it was asked for again, in the same second"
    );
}

#[tokio::test]
async fn a_kid_that_was_unknown_is_found_once_it_is_published() {
    let stack = Stack::warm().await;
    let key = KeyPair::generate(Algorithm::EdDSA);
    let token = stack.token().key(key.clone()).sign();
    assert_eq!(stack.code(&token).await, "UNKNOWN_KEY");
    let set = serde_json::json!({"keys": [stack.idp.key().jwk(), key.jwk()]});
    stack.idp.set_faults(Faults::body(set.to_string()));
    assert_eq!(
        stack.code(&token).await,
        "UNKNOWN_KEY",
        "not for half a minute"
    );
    stack.advance(s(30)).await;
    assert_eq!(stack.code(&token).await, "OK");
}

/// Before any fetch stands a gate: what could not be good anyway asks nobody.
#[tokio::test]
async fn a_token_that_could_not_be_good_makes_no_fetch() {
    let idp = idp().await;
    let issuer = idp.as_issuer().algorithms([Algorithm::EdDSA]).unwrap();
    let auth = builder_of(issuer, &idp).build().await.unwrap();
    auth.wait_for_initial_fetch().await;
    let unknown = || idp.token().kid("nobody");
    let two_parts = unknown().sign().rsplit_once('.').unwrap().0.to_owned();
    let rsa = KeyPair::shared(Algorithm::RS256, 0);
    let cases = [
        ("expired", unknown().expired().sign(), "TOKEN_EXPIRED"),
        (
            "crit",
            unknown().header("crit", serde_json::json!(["exp"])).sign(),
            "MALFORMED_TOKEN",
        ),
        (
            "a kid of 257 bytes",
            unknown().kid(&"k".repeat(257)).sign(),
            "MALFORMED_TOKEN",
        ),
        (
            "an algorithm that is not listed",
            unknown().key(rsa).kid("nobody").sign(),
            "UNSUPPORTED_ALGORITHM",
        ),
        (
            "HMAC",
            unknown().header("alg", "HS256").sign_hmac(b"secret"),
            "UNSUPPORTED_ALGORITHM",
        ),
        ("alg none", unknown().alg_none(), "MALFORMED_TOKEN"),
        (
            "another issuer",
            unknown().issuer("https://evil.example").sign(),
            "UNKNOWN_ISSUER",
        ),
        ("two parts", two_parts, "MALFORMED_TOKEN"),
        (
            "too long",
            unknown().claim("padding", "x".repeat(8192)).sign(),
            "MALFORMED_TOKEN",
        ),
        ("no exp", unknown().without("exp").sign(), "MISSING_CLAIM"),
    ];
    for (what, token, expected) in cases {
        let Verification::Ready(refused) = auth.try_verify(&token) else {
            panic!("{what}: it must not wait")
        };
        assert_eq!(code(&refused), expected, "{what}");
    }
    assert_eq!(idp.fetches(), 1);
    // jku, x5u, x5c and jwk are no reason to fetch anything from anywhere either.
    let jku = unknown()
        .header("jku", idp.jwks_url())
        .header("x5u", idp.jwks_url())
        .kid(&"k".repeat(256))
        .sign();
    assert_eq!(code(&auth.verify(&jku).await), "UNKNOWN_KEY");
    assert_eq!(
        idp.fetches(),
        2,
        "the nearest case that may ask: a kid of 256 bytes, once, at the configured address"
    );
}

#[tokio::test]
async fn an_unknown_kid_during_an_outage_is_503_and_known_ones_do_not_notice() {
    let stack = Stack::warm().await;
    stack.idp.outage();
    assert_eq!(
        stack.code(&stack.token().kid("nobody").sign()).await,
        "KEYS_UNAVAILABLE"
    );
    let asked = stack.idp.fetches();
    for n in 0..100 {
        let token = stack.token().kid(&format!("nobody-{n}")).sign();
        let Verification::Ready(refused) = stack.auth.try_verify(&token) else {
            panic!("it must not wait")
        };
        assert_eq!(code(&refused), "KEYS_UNAVAILABLE");
        assert_eq!(
            stack
                .code(&stack.token().sub(&format!("user-{n}")).sign())
                .await,
            "OK"
        );
    }
    assert_eq!(
        (stack.idp.fetches(), stack.unknown("unavailable")),
        (asked, 101)
    );
}

#[tokio::test]
async fn an_unknown_kid_waits_two_seconds_for_a_slow_identity_provider_and_known_ones_not_at_all() {
    let stack = Stack::warm().await;
    stack.idp.set_faults(Faults::hang());
    let (auth, token) = (stack.auth.clone(), stack.token().kid("nobody").sign());
    let request = tokio::spawn(async move { auth.verify(&token).await });
    stack.asked(2).await;
    until("it waits", || stack.clock.sleepers() == 1).await;
    let good = stack.token().sign();
    assert!(matches!(
        stack.auth.try_verify(&good),
        Verification::Ready(Ok(_))
    ));
    stack.clock.advance(s(2));
    assert_eq!(code(&request.await.unwrap()), "KEYS_UNAVAILABLE");
    assert_eq!(stack.unknown("unavailable"), 1);
}

#[tokio::test]
async fn each_issuer_has_a_bucket_of_its_own() {
    let (one, other) = (idp().await, idp().await);
    let auth = builder(&one)
        .issuer(other.as_issuer().name("other"))
        .build()
        .await
        .unwrap();
    auth.wait_for_initial_fetch().await;
    for n in 0..10 {
        let signature = encode(&[1; 64]);
        let token = one.token().kid(&format!("random-{n}")).sign();
        let forged = format!("{}.{signature}", token.rsplit_once('.').unwrap().0);
        assert_eq!(code(&auth.verify(&forged).await), "UNKNOWN_KEY");
    }
    assert_eq!(one.fetches(), 3);
    other.rotate();
    assert_eq!(
        code(&auth.verify(&other.token().sign()).await),
        "OK",
        "the flood at one costs the other nothing"
    );
}
