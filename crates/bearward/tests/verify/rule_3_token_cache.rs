//! Rule 3: cached tokens are looked up by all of their bytes; times and key are checked again on
//! every hit.
//!
//! Weaker caches have led to authentication bypasses (GHSA-rp9m-7r4c-75qg, GHSA-qvp4-rpmr-xwrr).

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bearward::{Algorithm, AuthError, Bearward, Issuer, Timestamp, TokenUse};
use bearward_testing::{KeyPair, MockIdp};
use metrics::{
    Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use crate::fixture::{self, Fixture, ISSUER, NOW, assert_rejected, decode, split_token};

/// Records only `bearward_verifications_total{outcome="accepted_from_cache"}`.
#[derive(Default)]
struct HitRecorder(Arc<HitCounter>);

#[derive(Default)]
struct HitCounter(AtomicU64);

impl CounterFn for HitCounter {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

impl Recorder for HitRecorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        if key
            .labels()
            .any(|label| label.value() == "accepted_from_cache")
        {
            Counter::from_arc(Arc::clone(&self.0))
        } else {
            Counter::noop()
        }
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// A fixture that counts cache hits.
struct CacheFixture {
    fixture: Fixture,
    hits: HitRecorder,
}

impl CacheFixture {
    fn new(entries: usize) -> Self {
        let hits = HitRecorder::default();
        let key = KeyPair::cached(Algorithm::EdDSA, 0);
        let build = || {
            Fixture::with_builder(
                &key,
                |issuer| issuer,
                |builder| builder.token_cache(entries),
            )
        };
        let fixture = metrics::with_local_recorder(&hits, build);
        Self { fixture, hits }
    }

    fn hits(&self) -> u64 {
        self.fixture.auth.publish_metrics();
        self.hits.0.0.load(Ordering::Relaxed)
    }
}

#[test]
fn a_repeated_token_is_verified_from_the_cache() {
    let cache = CacheFixture::new(100);
    let token = cache.fixture.token().sub("u").role("admin").sign();
    assert_eq!((cache.hits(), cache.fixture.auth.cached_tokens()), (0, 0));
    let first = cache.fixture.verify_ok(&token);
    assert_eq!((cache.hits(), cache.fixture.auth.cached_tokens()), (0, 1));
    for again in 1..=5 {
        let user = cache.fixture.verify_ok(&token);
        assert_eq!(user.claims(), first.claims());
        assert_eq!(
            (user.issuer(), user.kid(), user.algorithm()),
            (first.issuer(), first.kid(), first.algorithm())
        );
        assert_eq!(cache.hits(), again);
    }
}

#[test]
fn a_token_with_an_altered_byte_is_never_a_cache_hit() {
    let cache = CacheFixture::new(100);
    let token = cache.fixture.token().sign();
    // Three times, so that the thread-local cache holds it too.
    (0..3).for_each(|_| drop(cache.fixture.verify_ok(&token)));
    let before = cache.hits();
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        assert!(
            cache
                .fixture
                .verify(&String::from_utf8(bytes).unwrap())
                .is_err(),
            "byte {at}"
        );
    }
    for longer in [
        format!("{token}A"),
        format!("A{token}"),
        token[1..].to_owned(),
        token[..token.len() - 1].to_owned(),
    ] {
        assert!(cache.fixture.verify(&longer).is_err());
    }
    assert_eq!(cache.hits(), before);
}

#[test]
fn tokens_with_the_same_signature_are_separate_entries() {
    let cache = CacheFixture::new(100);
    let token = cache.fixture.token().sign();
    cache.fixture.verify_ok(&token);
    let [_, payload, signature] = split_token(&token);
    // Another header with the same signature has the same hash but must not match.
    let other = format!(
        "{}.{payload}.{signature}",
        bearward_testing::encode(br#"{"alg":"EdDSA"}"#)
    );
    assert_rejected!(
        cache.fixture,
        other,
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn a_cached_token_expires_at_exp_plus_leeway_and_is_evicted() {
    let cache = CacheFixture::new(100);
    let fixture = &cache.fixture;
    let token = fixture.token().claim("exp", NOW + 60).sign();
    (0..3).for_each(|_| drop(fixture.verify_ok(&token)));
    fixture
        .clock
        .set_wall_clock(Timestamp::from_millis((NOW + 90) * 1000 - 1));
    fixture.verify_ok(&token);
    assert_eq!(cache.hits(), 3);
    fixture.clock.set_wall_clock(Timestamp::from_unix(NOW + 90));
    assert_rejected!(
        fixture,
        token.clone(),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
    assert_eq!(fixture.auth.cached_tokens(), 0);
    // After eviction, the full verification rejects it with the same error.
    assert_rejected!(fixture, token, "TOKEN_EXPIRED", AuthError::Expired { .. });
}

#[test]
fn a_cached_token_is_rejected_when_the_clock_moves_before_nbf() {
    for claim in ["nbf", "iat"] {
        let cache = CacheFixture::new(100);
        let fixture = &cache.fixture;
        let token = fixture.token().without("iat").claim(claim, NOW).sign();
        fixture.verify_ok(&token);
        fixture
            .clock
            .set_wall_clock(Timestamp::from_millis((NOW - 30) * 1000 - 1));
        assert_rejected!(
            fixture,
            token.clone(),
            "TOKEN_NOT_YET_VALID",
            AuthError::NotYetValid { .. }
        );
        fixture.clock.set_wall_clock(Timestamp::from_unix(NOW - 30));
        fixture.verify_ok(&token);
    }
}

#[test]
fn a_capacity_of_0_disables_the_cache() {
    let cache = CacheFixture::new(0);
    let token = cache.fixture.token().sign();
    for _ in 0..3 {
        cache.fixture.verify_ok(&token);
    }
    assert_eq!((cache.hits(), cache.fixture.auth.cached_tokens()), (0, 0));
}

#[test]
fn the_cache_does_not_exceed_its_capacity() {
    let cache = CacheFixture::new(16);
    for number in 0..200 {
        cache
            .fixture
            .verify_ok(&cache.fixture.token().sub(&format!("user-{number}")).sign());
    }
    assert!(cache.fixture.auth.cached_tokens() <= 16);
}

#[test]
fn rejected_tokens_are_not_cached() {
    let cache = CacheFixture::new(100);
    let fixture = &cache.fixture;
    for token in [
        fixture.token().expired().sign(),
        fixture.token().signed_by_stranger(),
        fixture.token().audience("x").sign(),
    ] {
        fixture.verify_err(&token);
        fixture.verify_err(&token);
    }
    assert_eq!((cache.hits(), fixture.auth.cached_tokens()), (0, 0));
}

#[test]
fn the_same_subject_of_two_issuers_is_kept_apart() {
    let [one, two] = [0, 1].map(|which| KeyPair::cached(Algorithm::ES256, which).with_kid("same"));
    let issuers = [("https://one.example", &one), ("https://two.example", &two)];
    let builder = issuers
        .iter()
        .fold(Bearward::builder(), |builder, (iss, key)| {
            builder.issuer(fixture::issuer_with_jwks(iss, &fixture::jwks([*key])))
        });
    let fixture = Fixture {
        auth: fixture::build(builder, &fixture::clock()),
        clock: fixture::clock(),
        key: one.clone(),
    };
    for _ in 0..3 {
        for (iss, key) in issuers {
            let token = fixture.token().key(key.clone()).issuer(iss).sub("u").sign();
            let user = fixture.verify_ok(&token);
            assert_eq!((user.issuer(), user.subject()), (iss, "u"));
        }
    }
    assert_eq!(
        fixture.auth.cached_tokens(),
        6,
        "ECDSA signatures are randomized, so every token differs"
    );
}

#[tokio::test]
async fn id_tokens_and_access_tokens_are_never_interchangeable() {
    let [bearer, credential] = [0, 1].map(|which| KeyPair::cached(Algorithm::EdDSA, which));
    let clock = fixture::clock();
    let id_issuer =
        fixture::issuer_with_jwks("https://accounts.example", &fixture::jwks([&credential]))
            .token_use(TokenUse::IdToken);
    let builder = Bearward::builder()
        .issuer(fixture::issuer_with_jwks(ISSUER, &fixture::jwks([&bearer])))
        .issuer(id_issuer);
    let fixture = Fixture {
        auth: fixture::build(builder, &clock),
        clock,
        key: bearer,
    };
    let access = fixture.token().sign();
    let id_token = fixture
        .token()
        .key(credential)
        .issuer("https://accounts.example")
        .sign();
    for _ in 0..4 {
        fixture.verify_ok(&access);
        assert_eq!(
            fixture
                .auth
                .verify_credential(&id_token)
                .await
                .unwrap()
                .issuer(),
            "https://accounts.example"
        );
        assert_rejected!(
            fixture,
            id_token.clone(),
            "UNKNOWN_ISSUER",
            AuthError::UnknownIssuer { .. }
        );
        let failure = fixture.auth.verify_credential(&access).await.unwrap_err();
        assert!(
            matches!(failure.error, AuthError::UnknownIssuer { .. }),
            "{failure:?}"
        );
    }
}

/// Returns a verifier that fetches keys over HTTP with a stopped clock, so that only requests cause
/// fetches.
async fn remote(idp: &MockIdp) -> Bearward {
    let auth = Bearward::builder()
        .issuer(idp.as_issuer())
        .clock(Arc::new(idp.clock()))
        .build()
        .await
        .unwrap();
    auth.wait_for_initial_fetch().await;
    auth
}

#[tokio::test]
async fn a_cached_token_is_rejected_after_its_key_is_removed() {
    let idp = MockIdp::start().await.with_movable_clock();
    let auth = remote(&idp).await;
    let (revoked, old_kid) = (
        idp.token().sub("revoked").sign(),
        idp.key().kid().to_owned(),
    );
    for _ in 0..3 {
        auth.verify(&revoked).await.unwrap();
    }
    idp.rotate();
    assert!(idp.revoke(&old_kid));
    // A token with the new key triggers a fetch; the new set does not contain the old key.
    auth.verify(&idp.token().sign()).await.unwrap();
    let failure = auth.verify(&revoked).await.unwrap_err();
    assert_eq!(failure.error, AuthError::UnknownKey);
}

#[tokio::test]
async fn a_cached_token_survives_a_rotation_that_keeps_its_key() {
    let idp = MockIdp::start().await.with_movable_clock();
    let auth = remote(&idp).await;
    let old = idp.token().sub("ada").sign();
    auth.verify(&old).await.unwrap();
    let generation = auth.key_set_statuses()[0].generation;
    idp.rotate();
    auth.verify(&idp.token().sign()).await.unwrap();
    assert_ne!(auth.key_set_statuses()[0].generation, generation);
    for _ in 0..2 {
        assert_eq!(auth.verify(&old).await.unwrap().subject(), "ada");
    }
}

#[tokio::test]
async fn a_cached_token_is_rejected_when_the_key_set_has_expired() {
    let idp = MockIdp::start().await.with_movable_clock();
    let auth = remote(&idp).await;
    let token = idp.token().expires_in(Duration::from_hours(48)).sign();
    auth.verify(&token).await.unwrap();
    idp.outage();
    idp.clock().advance(Duration::from_hours(7));
    let failure = fixture::advance_until_done(&idp.clock(), auth.verify(&token))
        .await
        .unwrap_err();
    assert!(
        matches!(failure.error, AuthError::KeysUnavailable { .. }),
        "{failure:?}"
    );
}

#[test]
fn the_issuer_alias_used_by_the_token_is_reported() {
    let fixture = Fixture::with_issuer(|issuer: Issuer| issuer.issuer_alias("id.example.com"));
    let token = fixture.token().issuer("id.example.com").sign();
    for _ in 0..3 {
        assert_eq!(fixture.verify_ok(&token).issuer(), "id.example.com");
    }
    assert!(
        String::from_utf8(decode(split_token(&token)[1]))
            .unwrap()
            .contains("\"id.example.com\"")
    );
}
