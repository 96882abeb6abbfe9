//! The challenges of the schemes `Bearer` and `DPoP` (RFC 9449 §7.1 and §7.2).

use bearward::{AuthError, DpopMode, ProofError};
use bearward_testing::challenge::{Challenge, parse_challenges};

use crate::fixture::Fixture;

const ALGORITHMS: &str = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519";

async fn challenges(mode: DpopMode, error: AuthError) -> Vec<Challenge> {
    let fixture = Fixture::with(mode, |config| config).await;
    parse_challenges(&error.challenge(&fixture.auth).unwrap()).unwrap()
}

fn schemes(challenges: &[Challenge]) -> Vec<&str> {
    let schemes = challenges.iter().map(|challenge| challenge.scheme.as_str());
    schemes.collect()
}

#[tokio::test]
async fn the_accepted_schemes_are_offered() {
    for (mode, expected) in [
        (DpopMode::Off, vec!["Bearer"]),
        (DpopMode::Accepted, vec!["Bearer", "DPoP"]),
        (DpopMode::Required, vec!["DPoP"]),
    ] {
        for error in [AuthError::NoToken, AuthError::InvalidSignature] {
            let is_token_sent = error != AuthError::NoToken;
            let found = challenges(mode, error).await;
            assert_eq!(schemes(&found), expected);
            for challenge in &found {
                let error = is_token_sent.then_some("invalid_token");
                assert_eq!(challenge.parameter("error"), error);
                assert_eq!(challenge.parameter("realm"), Some("bearward"));
                let algorithms = (challenge.scheme == "DPoP").then_some(ALGORITHMS);
                assert_eq!(challenge.parameter("algs"), algorithms);
            }
        }
    }
}

#[tokio::test]
async fn an_error_of_a_proof_has_only_the_dpop_challenge() {
    let invalid = AuthError::InvalidProof(ProofError::Replayed);
    let nonce = AuthError::ProofNonceRequired {
        nonce: "abc".into(),
    };
    for (error, expected) in [(invalid, "invalid_dpop_proof"), (nonce, "use_dpop_nonce")] {
        let found = challenges(DpopMode::Accepted, error).await;
        assert_eq!(schemes(&found), ["DPoP"]);
        assert_eq!(found[0].parameter("error"), Some(expected));
        assert_eq!(found[0].parameter("algs"), Some(ALGORITHMS));
    }
}

#[tokio::test]
async fn the_nonce_is_in_its_header_field() {
    let fixture = Fixture::new().await;
    let nonce = AuthError::ProofNonceRequired {
        nonce: "abc".into(),
    };
    let parts = fixture.auth.error_parts(&nonce.into(), None);
    assert_eq!(parts.status, 401);
    assert!(parts.headers.contains(&("dpop-nonce", "abc".to_owned())));
    let other = AuthError::InvalidProof(ProofError::Replayed);
    let parts = fixture.auth.error_parts(&other.into(), None);
    assert!(parts.headers.iter().all(|(name, _)| *name != "dpop-nonce"));
}

#[tokio::test]
async fn an_invalid_proof_is_an_invalid_credential() {
    assert!(AuthError::InvalidProof(ProofError::Signature).is_invalid_token());
    let nonce = AuthError::ProofNonceRequired {
        nonce: "abc".into(),
    };
    assert!(!nonce.is_invalid_token());
}
