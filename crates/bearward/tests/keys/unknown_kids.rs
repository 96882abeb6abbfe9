//! Tokens with a kid that is not in the set, and the fetches they may cause.

use bearward::{Algorithm, Verification};
use bearward_testing::{Faults, KeyPair, encode};
use futures_util::future::join_all;

use crate::fixture::{
    Fixture, builder, builder_for, cache_config, idp, result_code, secs, wait_until,
};

#[tokio::test]
async fn random_kids_cause_only_the_burst_and_one_fetch_per_cooldown() {
    let fixture = Fixture::start().await;
    let cached = fixture.token().sign();
    let mut fetched_at = Vec::new();
    for second in 0..100_usize {
        let before = fixture.idp.fetches();
        let tokens: Vec<String> = (0..50)
            .map(|n| fixture.token().kid(&format!("random-{second}-{n}")).sign())
            .collect();
        for result in join_all(tokens.iter().map(|token| fixture.verify(token))).await {
            let code = result_code(&result);
            assert!(
                ["UNKNOWN_KEY", "KEYS_UNAVAILABLE"].contains(&code),
                "{code}"
            );
        }
        assert_eq!(fixture.result_code(&cached).await, "OK");
        assert_eq!(
            fixture
                .result_code(&fixture.token().sub(&format!("user-{second}")).sign())
                .await,
            "OK"
        );
        fetched_at.extend(vec![second; fixture.idp.fetches() - before]);
        fixture.clock.advance(secs(1));
    }
    assert_eq!(fetched_at, [0, 1, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    let outcomes: u64 = ["negative", "limited", "refreshed", "missing", "unavailable"]
        .map(|name| fixture.unknown_key_outcomes(name))
        .iter()
        .sum();
    assert_eq!(outcomes, 5000, "each request is counted once");
    assert_eq!(
        (
            fixture.unknown_key_outcomes("refreshed"),
            fixture.unknown_key_outcomes("unavailable")
        ),
        (0, 0)
    );
}

#[tokio::test]
async fn with_an_empty_bucket_unknown_kids_are_503_immediately() {
    let fixture = Fixture::start().await;
    for n in 0..2 {
        assert_eq!(
            fixture
                .result_code(&fixture.token().kid(&format!("random-{n}")).sign())
                .await,
            "UNKNOWN_KEY"
        );
    }
    let token = fixture.token().kid("random-2").sign();
    let Verification::Ready(result) = fixture.auth.try_verify(&token) else {
        panic!("the request must not wait")
    };
    assert_eq!(
        (
            result_code(&result),
            fixture.unknown_key_outcomes("limited")
        ),
        ("KEYS_UNAVAILABLE", 1),
        "without a fetch it is unknown whether the key exists"
    );
    fixture.clock.advance(secs(10));
    assert!(
        matches!(fixture.auth.try_verify(&token), Verification::Pending(_)),
        "one more fetch is allowed after a cooldown"
    );
}

/// Tokens with made-up key ids must not turn a rotation into sign-outs.
#[tokio::test]
async fn a_rotation_under_unknown_kids_never_answers_401() {
    let fixture = Fixture::start().await;
    for n in 0..3 {
        fixture
            .result_code(&fixture.token().kid(&format!("random-{n}")).sign())
            .await;
    }
    fixture.idp.rotate();
    let token = fixture.token().sign();
    let mut seconds = 0;
    loop {
        let code = fixture.result_code(&token).await;
        if code == "OK" {
            break;
        }
        assert_eq!(code, "KEYS_UNAVAILABLE", "after {seconds} s");
        fixture.clock.advance(secs(1));
        seconds += 1;
        if seconds % 10 == 0 {
            fixture
                .result_code(&fixture.token().kid(&format!("more-{seconds}")).sign())
                .await;
        }
    }
    assert!(seconds <= 10, "{seconds} s");
}

#[tokio::test]
async fn scheduled_refreshes_do_not_use_the_token_bucket() {
    let fixture = Fixture::start_with(idp().await, cache_config().refetch_burst(0)).await;
    fixture.idp.rotate();
    let token = fixture.token().sign();
    assert_eq!(
        fixture.result_code(&token).await,
        "KEYS_UNAVAILABLE",
        "the bucket is empty"
    );
    assert_eq!(fixture.idp.fetches(), 1);
    fixture.refresh().await;
    assert_eq!(fixture.result_code(&token).await, "OK");
}

#[tokio::test]
async fn an_unknown_kid_is_cached_for_30_seconds() {
    let fixture = Fixture::start_with(idp().await, cache_config().refetch_burst(100)).await;
    let token = fixture.token().kid("unknown").sign();
    assert_eq!(fixture.result_code(&token).await, "UNKNOWN_KEY");
    assert_eq!(
        (
            fixture.idp.fetches(),
            fixture.unknown_key_outcomes("missing")
        ),
        (2, 1)
    );
    for _ in 0..29 {
        fixture.advance(secs(1)).await;
        let Verification::Ready(result) = fixture.auth.try_verify(&token) else {
            panic!("the request must not wait")
        };
        assert_eq!(result_code(&result), "UNKNOWN_KEY");
    }
    assert_eq!(
        (
            fixture.idp.fetches(),
            fixture.unknown_key_outcomes("negative")
        ),
        (2, 29)
    );
    fixture.advance(secs(1)).await;
    assert_eq!(fixture.result_code(&token).await, "UNKNOWN_KEY");
    assert_eq!(fixture.idp.fetches(), 3);
}

#[tokio::test]
async fn a_new_generation_clears_the_negative_cache() {
    let fixture = Fixture::start_with(idp().await, cache_config().refetch_burst(100)).await;
    let token = fixture.token().kid("unknown").sign();
    assert_eq!(fixture.result_code(&token).await, "UNKNOWN_KEY");
    fixture.idp.rotate();
    assert_eq!(fixture.result_code(&fixture.token().sign()).await, "OK");
    assert_eq!((fixture.idp.fetches(), fixture.status().generation), (3, 2));
    assert_eq!(fixture.result_code(&token).await, "UNKNOWN_KEY");
    assert_eq!(
        fixture.idp.fetches(),
        4,
        "the kid causes a fetch again within the same second"
    );
}

#[tokio::test]
async fn an_unknown_kid_is_found_after_it_is_published() {
    let fixture = Fixture::start().await;
    let key = KeyPair::generate(Algorithm::EdDSA);
    let token = fixture.token().key(key.clone()).sign();
    assert_eq!(fixture.result_code(&token).await, "UNKNOWN_KEY");
    let set = serde_json::json!({"keys": [fixture.idp.key().jwk(), key.jwk()]});
    fixture.idp.set_faults(Faults::body(set.to_string()));
    assert_eq!(
        fixture.result_code(&token).await,
        "UNKNOWN_KEY",
        "the kid is in the negative cache"
    );
    fixture.advance(secs(30)).await;
    assert_eq!(fixture.result_code(&token).await, "OK");
}

/// Tokens that would be rejected with any key do not cause a fetch.
#[tokio::test]
async fn tokens_rejected_without_a_key_cause_no_fetch() {
    let idp = idp().await;
    let issuer = idp.as_issuer().algorithms([Algorithm::EdDSA]).unwrap();
    let auth = builder_for(issuer, &idp).build().await.unwrap();
    auth.wait_for_initial_fetch().await;
    let unknown = || idp.token().kid("unknown");
    let two_parts = unknown().sign().rsplit_once('.').unwrap().0.to_owned();
    let rsa = KeyPair::cached(Algorithm::RS256, 0);
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
            unknown().key(rsa).kid("unknown").sign(),
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
    for (case, token, expected) in cases {
        let Verification::Ready(result) = auth.try_verify(&token) else {
            panic!("{case}: the request must not wait")
        };
        assert_eq!(result_code(&result), expected, "{case}");
    }
    assert_eq!(idp.fetches(), 1);
    // URLs in the header are not fetched; the kid causes one fetch of the configured URL.
    let jku = unknown()
        .header("jku", idp.jwks_url())
        .header("x5u", idp.jwks_url())
        .kid(&"k".repeat(256))
        .sign();
    assert_eq!(result_code(&auth.verify(&jku).await), "UNKNOWN_KEY");
    assert_eq!(
        idp.fetches(),
        2,
        "a kid of 256 bytes causes one fetch of the configured URL"
    );
}

#[tokio::test]
async fn during_an_outage_only_unknown_kids_are_503() {
    let fixture = Fixture::start().await;
    fixture.idp.outage();
    assert_eq!(
        fixture
            .result_code(&fixture.token().kid("unknown").sign())
            .await,
        "KEYS_UNAVAILABLE"
    );
    let fetches = fixture.idp.fetches();
    for n in 0..100 {
        let token = fixture.token().kid(&format!("unknown-{n}")).sign();
        let Verification::Ready(result) = fixture.auth.try_verify(&token) else {
            panic!("the request must not wait")
        };
        assert_eq!(result_code(&result), "KEYS_UNAVAILABLE");
        assert_eq!(
            fixture
                .result_code(&fixture.token().sub(&format!("user-{n}")).sign())
                .await,
            "OK"
        );
    }
    assert_eq!(
        (
            fixture.idp.fetches(),
            fixture.unknown_key_outcomes("unavailable")
        ),
        (fetches, 101)
    );
}

#[tokio::test]
async fn only_unknown_kids_wait_for_a_slow_provider() {
    let fixture = Fixture::start().await;
    fixture.idp.set_faults(Faults::hang());
    let (auth, token) = (fixture.auth.clone(), fixture.token().kid("unknown").sign());
    let request = tokio::spawn(async move { auth.verify(&token).await });
    fixture.wait_for_fetches(2).await;
    wait_until("the request waits", || fixture.clock.sleepers() == 1).await;
    let good = fixture.token().sign();
    assert!(matches!(
        fixture.auth.try_verify(&good),
        Verification::Ready(Ok(_))
    ));
    fixture.clock.advance(secs(2));
    assert_eq!(result_code(&request.await.unwrap()), "KEYS_UNAVAILABLE");
    assert_eq!(fixture.unknown_key_outcomes("unavailable"), 1);
}

#[tokio::test]
async fn each_issuer_has_its_own_token_bucket() {
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
        assert_eq!(
            result_code(&auth.verify(&forged).await),
            if n < 2 {
                "UNKNOWN_KEY"
            } else {
                "KEYS_UNAVAILABLE"
            }
        );
    }
    assert_eq!(one.fetches(), 3);
    other.rotate();
    assert_eq!(
        result_code(&auth.verify(&other.token().sign()).await),
        "OK",
        "the other issuer has its own bucket"
    );
}
