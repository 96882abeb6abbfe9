//! Rule 3: a remembered token is found by every byte of it, and asked again for its times and its
//! key at each hit.
//!
//! Caches that were not so have let people in (GHSA-rp9m-7r4c-75qg, GHSA-qvp4-rpmr-xwrr).

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use {Algorithm, AuthError, Bearward, Issuer, Timestamp, TokenUse};
use bearward_testing::{KeyPair, MockIdp};
use metrics::{
    Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use crate::stand::{self, ISSUER, NOW, Stand, decode, parts, refused};

/// Counts `bearward_verifications_total{outcome="accepted_from_cache"}` alone.
#[derive(Default)]
struct Hits(Arc<Hit>);

#[derive(Default)]
struct Hit(AtomicU64);

impl CounterFn for Hit {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

impl Recorder for Hits {
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

/// A stand and how often its cache has answered.
struct Counted {
    stand: Stand,
    hits: Hits,
}

impl Counted {
    fn new(entries: usize) -> Self {
        let hits = Hits::default();
        let key = KeyPair::shared(Algorithm::EdDSA, 0);
        let build = || {
            Stand::built(
                &key,
                |issuer| issuer,
                |builder| builder.token_cache(entries),
            )
        };
        let stand = metrics::with_local_recorder(&hits, build);
        Self { stand, hits }
    }

    fn hits(&self) -> u64 {
        self.stand.auth.publish_metrics();
        self.hits.0.0.load(Ordering::Relaxed)
    }
}

#[test]
fn the_same_token_again_is_answered_from_the_cache_with_the_same_evidence() {
    let counted = Counted::new(100);
    let token = counted.stand.token().sub("u").role("admin").sign();
    assert_eq!((counted.hits(), counted.stand.auth.cached_tokens()), (0, 0));
    let first = counted.stand.accepts(&token);
    assert_eq!((counted.hits(), counted.stand.auth.cached_tokens()), (0, 1));
    for again in 1..=5 {
        let user = counted.stand.accepts(&token);
        assert_eq!(user.claims(), first.claims());
        assert_eq!(
            (user.issuer(), user.kid(), user.algorithm()),
            (first.issuer(), first.kid(), first.algorithm())
        );
        assert_eq!(counted.hits(), again);
    }
}

#[test]
fn one_altered_byte_in_any_part_never_hits() {
    let counted = Counted::new(100);
    let token = counted.stand.token().sign();
    // Three times, so that the thread's own copies hold it too.
    (0..3).for_each(|_| drop(counted.stand.accepts(&token)));
    let before = counted.hits();
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        assert!(
            counted
                .stand
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
        assert!(counted.stand.verify(&longer).is_err());
    }
    assert_eq!(counted.hits(), before);
}

#[test]
fn two_tokens_that_end_alike_are_two_entries() {
    let counted = Counted::new(100);
    let token = counted.stand.token().sign();
    counted.stand.accepts(&token);
    let [_, payload, signature] = parts(&token);
    // Another header, the very same signature: it hashes alike and must not be taken for it.
    let other = format!(
        "{}.{payload}.{signature}",
        bearward_testing::encode(br#"{"alg":"EdDSA"}"#)
    );
    refused!(
        counted.stand,
        other,
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn a_remembered_token_dies_at_exp_plus_leeway_and_is_forgotten() {
    let counted = Counted::new(100);
    let stand = &counted.stand;
    let token = stand.token().claim("exp", NOW + 60).sign();
    (0..3).for_each(|_| drop(stand.accepts(&token)));
    stand
        .clock
        .set_wall_clock(Timestamp::from_millis((NOW + 90) * 1000 - 1));
    stand.accepts(&token);
    assert_eq!(counted.hits(), 3);
    stand.clock.set_wall_clock(Timestamp::from_unix(NOW + 90));
    refused!(
        stand,
        token.clone(),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
    assert_eq!(stand.auth.cached_tokens(), 0);
    // Once forgotten, it is refused by the whole pipeline, for the same reason.
    refused!(stand, token, "TOKEN_EXPIRED", AuthError::Expired { .. });
}

#[test]
fn a_clock_that_is_set_back_stops_a_remembered_token_before_its_nbf_and_iat() {
    for claim in ["nbf", "iat"] {
        let counted = Counted::new(100);
        let stand = &counted.stand;
        let token = stand.token().without("iat").claim(claim, NOW).sign();
        stand.accepts(&token);
        stand
            .clock
            .set_wall_clock(Timestamp::from_millis((NOW - 30) * 1000 - 1));
        refused!(
            stand,
            token.clone(),
            "TOKEN_NOT_YET_VALID",
            AuthError::NotYetValid { .. }
        );
        stand.clock.set_wall_clock(Timestamp::from_unix(NOW - 30));
        stand.accepts(&token);
    }
}

#[test]
fn with_room_for_0_tokens_nothing_is_remembered() {
    let counted = Counted::new(0);
    let token = counted.stand.token().sign();
    for _ in 0..3 {
        counted.stand.accepts(&token);
    }
    assert_eq!((counted.hits(), counted.stand.auth.cached_tokens()), (0, 0));
}

#[test]
fn the_cache_keeps_to_its_bound() {
    let counted = Counted::new(16);
    for number in 0..200 {
        counted
            .stand
            .accepts(&counted.stand.token().sub(&format!("user-{number}")).sign());
    }
    assert!(counted.stand.auth.cached_tokens() <= 16);
}

#[test]
fn refused_tokens_are_not_remembered() {
    let counted = Counted::new(100);
    let stand = &counted.stand;
    for token in [
        stand.token().expired().sign(),
        stand.token().signed_by_stranger(),
        stand.token().audience("x").sign(),
    ] {
        stand.refusal(&token);
        stand.refusal(&token);
    }
    assert_eq!((counted.hits(), stand.auth.cached_tokens()), (0, 0));
}

#[test]
fn one_subject_of_two_issuers_is_two_people() {
    let [one, two] = [0, 1].map(|which| KeyPair::shared(Algorithm::ES256, which).with_kid("same"));
    let issuers = [("https://one.example", &one), ("https://two.example", &two)];
    let builder = issuers
        .iter()
        .fold(Bearward::builder(), |builder, (iss, key)| {
            builder.issuer(stand::trusting(iss, &stand::set([*key])))
        });
    let stand = Stand {
        auth: stand::build(builder, &stand::clock()),
        clock: stand::clock(),
        key: one.clone(),
    };
    for _ in 0..3 {
        for (iss, key) in issuers {
            let token = stand.token().key(key.clone()).issuer(iss).sub("u").sign();
            let user = stand.accepts(&token);
            assert_eq!((user.issuer(), user.subject()), (iss, "u"));
        }
    }
    assert_eq!(
        stand.auth.cached_tokens(),
        6,
        "ECDSA signs the same claims differently each time"
    );
}

#[tokio::test]
async fn a_token_of_a_credential_issuer_never_passes_as_a_bearer_token_nor_the_other_way_round_remembered_or_not()
 {
    let [bearer, credential] = [0, 1].map(|which| KeyPair::shared(Algorithm::EdDSA, which));
    let clock = stand::clock();
    let sign_in = stand::trusting("https://accounts.example", &stand::set([&credential]))
        .token_use(TokenUse::IdToken);
    let builder = Bearward::builder()
        .issuer(stand::trusting(ISSUER, &stand::set([&bearer])))
        .issuer(sign_in);
    let stand = Stand {
        auth: stand::build(builder, &clock),
        clock,
        key: bearer,
    };
    let access = stand.token().sign();
    let id_token = stand
        .token()
        .key(credential)
        .issuer("https://accounts.example")
        .sign();
    for _ in 0..4 {
        stand.accepts(&access);
        assert_eq!(
            stand
                .auth
                .verify_credential(&id_token)
                .await
                .unwrap()
                .issuer(),
            "https://accounts.example"
        );
        refused!(
            stand,
            id_token.clone(),
            "UNKNOWN_ISSUER",
            AuthError::UnknownIssuer { .. }
        );
        let refusal = stand.auth.verify_credential(&access).await.unwrap_err();
        assert!(
            matches!(refusal.error, AuthError::UnknownIssuer { .. }),
            "{refusal:?}"
        );
    }
}

/// A verifier over HTTP whose clock stands, so that only requests cause fetches.
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
async fn a_remembered_token_is_asked_again_for_its_key_when_the_set_has_another_generation() {
    let idp = MockIdp::start().await.with_movable_clock();
    let auth = remote(&idp).await;
    let (revoked, kept) = (
        idp.token().sub("revoked").sign(),
        idp.key().kid().to_owned(),
    );
    for _ in 0..3 {
        auth.verify(&revoked).await.unwrap();
    }
    idp.rotate();
    assert!(idp.revoke(&kept));
    // Another user's new token brings the new set: the old key dies with it.
    auth.verify(&idp.token().sign()).await.unwrap();
    let refusal = auth.verify(&revoked).await.unwrap_err();
    assert_eq!(refusal.error, AuthError::UnknownKey);
}

#[tokio::test]
async fn a_remembered_token_whose_key_is_in_the_new_set_too_lives_on() {
    let idp = MockIdp::start().await.with_movable_clock();
    let auth = remote(&idp).await;
    let old = idp.token().sub("kept").sign();
    auth.verify(&old).await.unwrap();
    let generation = auth.key_set_statuses()[0].generation;
    idp.rotate();
    auth.verify(&idp.token().sign()).await.unwrap();
    assert_ne!(auth.key_set_statuses()[0].generation, generation);
    for _ in 0..2 {
        assert_eq!(auth.verify(&old).await.unwrap().subject(), "kept");
    }
}

#[tokio::test]
async fn a_remembered_token_is_not_served_from_an_expired_set() {
    let idp = MockIdp::start().await.with_movable_clock();
    let auth = remote(&idp).await;
    let token = idp.token().expires_in(Duration::from_hours(48)).sign();
    auth.verify(&token).await.unwrap();
    idp.outage();
    idp.clock().advance(Duration::from_hours(7));
    let refusal = stand::moving(&idp.clock(), auth.verify(&token))
        .await
        .unwrap_err();
    assert!(
        matches!(refusal.error, AuthError::KeysUnavailable { .. }),
        "{refusal:?}"
    );
}

#[test]
fn evidence_keeps_the_configured_spelling_that_the_token_used() {
    let stand = Stand::with(|issuer: Issuer| issuer.issuer_alias("id.example.com"));
    let token = stand.token().issuer("id.example.com").sign();
    for _ in 0..3 {
        assert_eq!(stand.accepts(&token).issuer(), "id.example.com");
    }
    assert!(
        String::from_utf8(decode(parts(&token)[1]))
            .unwrap()
            .contains("\"id.example.com\"")
    );
}
