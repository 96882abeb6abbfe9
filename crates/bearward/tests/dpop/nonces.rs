//! Nonces of the server (RFC 9449 §9).

use std::time::Duration;

use bearward::{AuthError, DpopConfig, DpopMode, Verified};

use crate::fixture::Fixture;

const OLD: [u8; 32] = [1; 32];
const NEW: [u8; 32] = [2; 32];

async fn with_keys(keys: &[[u8; 32]]) -> Fixture {
    let config = |config: DpopConfig| config.nonce_keys(keys);
    Fixture::with(DpopMode::Accepted, config).await
}

async fn send(fixture: &Fixture, nonce: Option<&str>) -> Result<Verified, AuthError> {
    let token = fixture.bound_token();
    let proof = fixture.proof(&token);
    let proof = match nonce {
        Some(nonce) => proof.nonce(nonce),
        None => proof,
    };
    fixture.send(&token, &proof.sign()).await
}

/// Returns the nonce of the rejection.
#[track_caller]
fn required_nonce(result: Result<Verified, AuthError>) -> String {
    let error = result.expect_err("a nonce is required");
    assert_eq!((error.status(), error.code()), (401, "DPOP_NONCE_REQUIRED"));
    match error {
        AuthError::ProofNonceRequired { nonce } => nonce.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_rejection_has_the_nonce_for_the_next_proof() {
    let fixture = with_keys(&[OLD]).await;
    let nonce = required_nonce(send(&fixture, None).await);
    assert!(send(&fixture, Some(&nonce)).await.is_ok());
    assert!(send(&fixture, Some(&nonce)).await.is_ok(), "not used up");
    for other in ["", "other"] {
        let result = send(&fixture, Some(other)).await;
        assert!(result.is_err(), "{other:?}");
    }
}

#[tokio::test]
async fn a_nonce_ends_after_one_to_two_minutes() {
    let fixture = with_keys(&[OLD]).await;
    let nonce = fixture.auth.dpop_nonce().unwrap();
    // The clock of the fixture is at the start of a minute.
    fixture.clock.advance(Duration::from_millis(119_999));
    assert!(send(&fixture, Some(&nonce)).await.is_ok());
    fixture.clock.advance(Duration::from_millis(1));
    let next = required_nonce(send(&fixture, Some(&nonce)).await);
    assert!(send(&fixture, Some(&next)).await.is_ok());
}

#[tokio::test]
async fn replicas_share_keys_and_keys_rotate() {
    let [old, both, new] = [
        with_keys(&[OLD]).await,
        with_keys(&[NEW, OLD]).await,
        with_keys(&[NEW]).await,
    ];
    let nonce = old.auth.dpop_nonce().unwrap();
    assert!(send(&both, Some(&nonce)).await.is_ok());
    required_nonce(send(&new, Some(&nonce)).await);
    let nonce = both.auth.dpop_nonce().unwrap();
    assert!(send(&new, Some(&nonce)).await.is_ok());
    required_nonce(send(&old, Some(&nonce)).await);
}

#[tokio::test]
async fn a_generated_key_belongs_to_one_process() {
    let config = DpopConfig::require_nonce;
    let fixture = Fixture::with(DpopMode::Accepted, config).await;
    let nonce = fixture.auth.dpop_nonce().unwrap();
    assert!(send(&fixture, Some(&nonce)).await.is_ok());
    let other = Fixture::with(DpopMode::Accepted, config).await;
    required_nonce(send(&other, Some(&nonce)).await);
}

#[tokio::test]
async fn without_keys_there_is_no_nonce() {
    assert_eq!(Fixture::new().await.auth.dpop_nonce(), None);
}
