//! Which token is accepted under which scheme.

use bearward::{
    AuthError, Bound, ClientCertificate, DpopMode, Issuer, KeySource, ProofError, RequestHead,
    Requirement,
};
use bearward_testing::ProofKey;
use serde_json::json;

use crate::fixture::{Fixture, assert_rejected};

async fn bearer(fixture: &Fixture, token: &str) -> Result<(), &'static str> {
    let authorization = format!("Bearer {token}");
    let result = fixture
        .authenticate(&[("authorization", &authorization)])
        .await;
    result.map(drop).map_err(|error| error.code())
}

async fn bound(fixture: &Fixture, token: &str) -> Result<(), &'static str> {
    let proof = fixture.proof(token).sign();
    let result = fixture.send(token, &proof).await;
    result.map(drop).map_err(|error| error.code())
}

#[tokio::test]
async fn each_mode_accepts_its_tokens() {
    for (mode, plain_bearer, bound_bearer, plain_dpop, bound_dpop) in [
        (
            DpopMode::Off,
            Ok(()),
            Err("INVALID_CLAIM"),
            Err("MISSING_TOKEN"),
            Err("MISSING_TOKEN"),
        ),
        (
            DpopMode::Accepted,
            Ok(()),
            Err("INVALID_CLAIM"),
            Err("MISSING_CLAIM"),
            Ok(()),
        ),
        (
            DpopMode::Required,
            Err("MISSING_CLAIM"),
            Err("INVALID_CLAIM"),
            Err("MISSING_CLAIM"),
            Ok(()),
        ),
    ] {
        let fixture = Fixture::with(mode, |config| config).await;
        let (plain_token, bound_token) = (fixture.token().sign(), fixture.bound_token());
        // The second time the token is cached.
        for round in 0..2 {
            let what = format!("{mode:?}, round {round}");
            assert_eq!(bearer(&fixture, &plain_token).await, plain_bearer, "{what}");
            assert_eq!(bearer(&fixture, &bound_token).await, bound_bearer, "{what}");
            assert_eq!(bound(&fixture, &plain_token).await, plain_dpop, "{what}");
            assert_eq!(bound(&fixture, &bound_token).await, bound_dpop, "{what}");
        }
    }
}

#[tokio::test]
async fn a_proof_does_not_make_a_bearer_token_bound() {
    let fixture = Fixture::new().await;
    let token = fixture.bound_token();
    let proof = fixture.proof(&token).sign();
    let authorization = format!("Bearer {token}");
    let result = fixture
        .authenticate(&[("authorization", &authorization), ("dpop", &proof)])
        .await;
    assert_eq!(result.unwrap_err().code(), "INVALID_CLAIM");
    let failure = fixture.auth.verify(&token).await.unwrap_err();
    assert_eq!(failure.error.code(), "INVALID_CLAIM");
}

#[tokio::test]
async fn two_schemes_in_one_request_are_400() {
    let fixture = Fixture::new().await;
    let (plain, bound) = (fixture.token().sign(), fixture.bound_token());
    let proof = fixture.proof(&bound).sign();
    let (bearer, dpop) = (format!("Bearer {plain}"), format!("DPoP {bound}"));
    let error = fixture
        .authenticate(&[
            ("authorization", &dpop),
            ("authorization", &bearer),
            ("dpop", &proof),
        ])
        .await
        .unwrap_err();
    assert_eq!((error.status(), error.code()), (400, "INVALID_REQUEST"));
    for header in [format!("{dpop}, {bearer}"), format!("{bearer}, {dpop}")] {
        let headers = [("authorization", header.as_str()), ("dpop", &proof)];
        let error = fixture.authenticate(&headers).await.unwrap_err();
        assert_eq!(error, AuthError::BadAuthorization);
    }
}

#[tokio::test]
async fn the_scheme_is_matched_without_case() {
    let fixture = Fixture::new().await;
    let token = fixture.bound_token();
    for scheme in ["DPoP", "dpop", "DPOP"] {
        let authorization = format!("{scheme} {token}");
        let proof = fixture.proof(&token).sign();
        let headers = [("authorization", authorization.as_str()), ("dpop", &proof)];
        assert!(fixture.authenticate(&headers).await.is_ok(), "{scheme}");
    }
    for header in ["DPoP", "DPoP ", "DPoP a b", "DPoP:a"] {
        let error = fixture
            .authenticate(&[("authorization", header)])
            .await
            .unwrap_err();
        assert_eq!(error, AuthError::BadAuthorization, "{header}");
    }
}

#[tokio::test]
async fn other_confirmations_are_rejected() {
    let fixture = Fixture::new().await;
    let jkt = fixture.key.thumbprint();
    for cnf in [
        json!(null),
        json!("text"),
        json!({}),
        json!({ "jkt": null }),
        json!({ "jkt": "" }),
        json!({ "jkt": &jkt[1..] }),
        json!({ "jkt": format!("{jkt}=") }),
        json!({ "jkt": jkt, "x5t#S256": "" }),
        json!({ "jkt": jkt, "jku": "https://id.example.com" }),
        json!({ "jwk": fixture.key.jwk() }),
    ] {
        let token = fixture.token().claim("cnf", cnf.clone()).sign();
        assert_eq!(bound(&fixture, &token).await, Err("INVALID_CLAIM"), "{cnf}");
        assert_eq!(
            bearer(&fixture, &token).await,
            Err("INVALID_CLAIM"),
            "{cnf}"
        );
    }
}

#[tokio::test]
async fn a_token_may_be_bound_to_a_key_and_a_certificate() {
    let fixture = Fixture::new().await;
    let der = [0x30, 0x01, 0x05];
    let token = fixture.token().bound_to(&fixture.key);
    let token = token.bound_to_certificate(&der).sign();
    let certificate = ClientCertificate::from_der(&der).unwrap();
    let other = ClientCertificate::from_thumbprint([0; 32]);
    for (certificate, expected) in [
        (None, Some("CERTIFICATE_MISMATCH")),
        (Some(other), Some("CERTIFICATE_MISMATCH")),
        (Some(certificate), None),
    ] {
        let proof = fixture.proof(&token).sign();
        let authorization = format!("DPoP {token}");
        let headers = [("authorization", authorization.as_str()), ("dpop", &proof)];
        let head = RequestHead::new("GET", "/orders", headers);
        let head = match certificate {
            Some(certificate) => head.client_certificate(certificate),
            None => head,
        };
        let result = fixture.auth.authenticate(&head).await;
        let code = result.err().map(|failure| failure.error.code());
        assert_eq!(code, expected);
    }
    assert_eq!(bound(&fixture, &token).await, Err("CERTIFICATE_MISMATCH"));
    assert_eq!(bearer(&fixture, &token).await, Err("CERTIFICATE_MISMATCH"));
}

#[tokio::test]
async fn a_requirement_demands_a_bound_token() {
    let fixture = Fixture::new().await;
    let plain = fixture.auth.verify(&fixture.token().sign()).await.unwrap();
    let error = <Bound>::check(&plain).unwrap_err();
    assert_eq!((error.status(), error.code()), (401, "MISSING_CLAIM"));
    let token = fixture.bound_token();
    let proof = fixture.proof(&token).sign();
    let bound = fixture.send(&token, &proof).await.unwrap();
    assert_eq!(<Bound>::check(&bound), Ok(()));
    assert_eq!(bound.require_dpop(), Ok(()));
}

#[tokio::test]
async fn a_connection_of_a_bound_token_is_rechecked_without_proof() {
    let fixture = Fixture::new().await;
    let token = fixture.bound_token();
    let proof = fixture.proof(&token).sign();
    let user = fixture.send(&token, &proof).await.unwrap();
    assert!(fixture.auth.recheck(&user).await.is_ok());
    fixture.clock.advance(std::time::Duration::from_secs(3630));
    let failure = fixture.auth.recheck(&user).await.unwrap_err();
    assert_eq!(failure.error.code(), "TOKEN_EXPIRED");
}

#[tokio::test]
async fn the_token_is_cached_and_the_proof_is_not() {
    let fixture = Fixture::new().await;
    let token = fixture.bound_token();
    let proof = fixture.proof(&token).sign();
    assert!(fixture.send(&token, &proof).await.is_ok());
    assert_eq!(fixture.auth.cached_tokens(), 1);
    let result = fixture.send(&token, &proof).await;
    assert_rejected(result, ProofError::Replayed, "the cached token");
    let forged = fixture.proof(&token).forged("tampered").unwrap();
    let result = fixture.send(&token, &forged).await;
    assert_rejected(result, ProofError::Signature, "the cached token");
}

#[tokio::test]
async fn schemes_follow_the_issuers_at_run_time() {
    let fixture = Fixture::with(DpopMode::Off, |config| config).await;
    let key = ProofKey::generate();
    assert_eq!(bound(&fixture, "a.b.c").await, Err("MISSING_TOKEN"));
    let mut issuers = fixture.auth.issuers();
    issuers[0] = issuers[0].clone().dpop(DpopMode::Accepted);
    fixture.auth.replace_issuers(issuers).unwrap();
    let token = fixture.bound_token();
    assert_eq!(bound(&fixture, &token).await, Ok(()));
    let other = Issuer::new("https://other.example", "api").unwrap();
    let jwks = json!({ "keys": [key.jwk()] }).to_string();
    let other = other.keys(KeySource::Fixed(jwks));
    fixture.auth.replace_issuers([other]).unwrap();
    assert_eq!(bound(&fixture, &token).await, Err("MISSING_TOKEN"));
}
