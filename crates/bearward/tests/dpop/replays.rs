//! A proof is accepted once.

use std::{sync::Arc, time::Duration};

use bearward::{AuthError, DpopMode, ProofError};
use bearward_testing::ProofKey;

use crate::fixture::{Fixture, URL, assert_rejected};

#[tokio::test]
async fn a_proof_is_rejected_the_second_time() {
    let fixture = Fixture::new().await;
    let token = fixture.bound_token();
    let proof = fixture.proof(&token).sign();
    assert!(fixture.send(&token, &proof).await.is_ok());
    for seconds in [0, 1, 59] {
        fixture.clock.advance(Duration::from_secs(seconds));
        let result = fixture.send(&token, &proof).await;
        assert_rejected(result, ProofError::Replayed, "within the window");
    }
    fixture.clock.advance(Duration::from_millis(1));
    let result = fixture.send(&token, &proof).await;
    assert_rejected(result, ProofError::TooOld, "after the window");
}

#[tokio::test]
async fn a_proof_of_the_future_is_remembered_until_it_ends() {
    let fixture = Fixture::new().await;
    let token = fixture.bound_token();
    let minute = Duration::from_secs(60);
    let at = fixture.auth.clock().now().plus(minute);
    let proof = fixture.proof(&token).issued_at(at).sign();
    assert!(fixture.send(&token, &proof).await.is_ok());
    fixture.clock.advance(minute * 2);
    let result = fixture.send(&token, &proof).await;
    assert_rejected(result, ProofError::Replayed, "after 120 s");
    fixture.clock.advance(Duration::from_millis(1));
    let result = fixture.send(&token, &proof).await;
    assert_rejected(result, ProofError::TooOld, "after 120.001 s");
}

#[tokio::test]
async fn another_proof_with_the_same_jti_is_a_replay() {
    let fixture = Fixture::new().await;
    let token = fixture.bound_token();
    let proof = || fixture.proof(&token).claim("jti", "same");
    assert!(fixture.send(&token, &proof().sign()).await.is_ok());
    fixture.clock.advance(Duration::from_secs(30));
    let later = proof().issued_at(fixture.auth.clock().now()).sign();
    let result = fixture.send(&token, &later).await;
    assert_rejected(result, ProofError::Replayed, "another time");
}

#[tokio::test]
async fn keys_do_not_share_ids() {
    let fixture = Fixture::new().await;
    let now = fixture.auth.clock().now();
    for key in [ProofKey::generate(), ProofKey::generate()] {
        let token = fixture.token().bound_to(&key).sign();
        let proof = key.proof("GET", URL).for_token(&token).issued_at(now);
        let proof = proof.claim("jti", "same").sign();
        assert!(fixture.send(&token, &proof).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_concurrent_requests_one_is_accepted() {
    let fixture = Arc::new(Fixture::new().await);
    let token = fixture.bound_token();
    for _ in 0..20 {
        let proof = fixture.proof(&token).sign();
        let requests = (0..8).map(|_| {
            let (fixture, token, proof) = (Arc::clone(&fixture), token.clone(), proof.clone());
            tokio::spawn(async move { fixture.send(&token, &proof).await.is_ok() })
        });
        let requests: Vec<_> = requests.collect();
        let mut accepted = 0;
        for request in requests {
            accepted += usize::from(request.await.unwrap());
        }
        assert_eq!(accepted, 1);
    }
}

#[tokio::test]
async fn a_full_memory_is_503_until_proofs_have_ended() {
    let config = |config: bearward::DpopConfig| config.replay_entries(2);
    let fixture = Fixture::with(DpopMode::Accepted, config).await;
    let token = fixture.bound_token();
    for _ in 0..2 {
        let proof = fixture.proof(&token).sign();
        assert!(fixture.send(&token, &proof).await.is_ok());
    }
    let error = fixture
        .send(&token, &fixture.proof(&token).sign())
        .await
        .unwrap_err();
    let minute = Duration::from_secs(60);
    assert_eq!(
        error,
        AuthError::TooManyProofs {
            retry_after: minute
        }
    );
    assert_eq!((error.status(), error.retry_after()), (503, Some(minute)));
    assert_eq!(error.challenge(&fixture.auth), None);
    fixture.clock.advance(minute * 2);
    let proof = fixture.proof(&token).sign();
    assert!(fixture.send(&token, &proof).await.is_ok());
}

#[tokio::test]
async fn a_client_that_sends_many_proofs_does_not_exclude_the_others() {
    let config = |config: bearward::DpopConfig| config.replay_entries(10);
    let fixture = Fixture::with(DpopMode::Accepted, config).await;
    let now = fixture.auth.clock().now();
    let send = async |key: &ProofKey| {
        let token = fixture.token().bound_to(key).sign();
        let proof = key.proof("GET", URL).for_token(&token).issued_at(now);
        fixture.send(&token, &proof.sign()).await.map(drop)
    };
    let (greedy, other) = (ProofKey::generate(), ProofKey::generate());
    for number in 0..8 {
        assert_eq!(send(&greedy).await, Ok(()), "{number}");
    }
    let error = send(&greedy).await.unwrap_err();
    assert_eq!(
        (error.status(), error.code()),
        (503, "TOO_MANY_DPOP_PROOFS")
    );
    assert_eq!(send(&other).await, Ok(()));
}
