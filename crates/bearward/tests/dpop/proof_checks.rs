//! RFC 9449 §4.3, check by check: the nearest accepted proof and the rejected one.

use std::time::Duration;

use bearward::{Algorithm, DpopMode, ProofError, keys::IgnoreReason};
use bearward_testing::{PROOF_FORGERIES, ProofBuilder, ProofKey};
use serde_json::json;

use crate::fixture::{Fixture, URL, assert_rejected};

/// Asserts that a changed proof is rejected, and an unchanged one accepted.
async fn rejects(change: impl FnOnce(ProofBuilder) -> ProofBuilder, expected: ProofError) {
    let fixture = Fixture::new().await;
    let token = fixture.bound_token();
    let changed = change(fixture.proof(&token)).sign();
    assert_rejected(fixture.send(&token, &changed).await, expected, "changed");
    let valid = fixture.proof(&token).sign();
    assert!(fixture.send(&token, &valid).await.is_ok());
}

async fn accepts(change: impl FnOnce(ProofBuilder) -> ProofBuilder) {
    let fixture = Fixture::new().await;
    let token = fixture.bound_token();
    let proof = change(fixture.proof(&token)).sign();
    let user = fixture.send(&token, &proof).await.unwrap();
    assert_eq!(user.subject(), "ada");
    assert_eq!(
        user.bound_key().unwrap().to_string(),
        fixture.key.thumbprint()
    );
}

#[tokio::test]
async fn check_1_the_request_has_one_dpop_header() {
    let fixture = Fixture::new().await;
    let token = fixture.bound_token();
    let authorization = format!("DPoP {token}");
    let authorization = ("authorization", authorization.as_str());
    let [one, two] = [(); 2].map(|()| fixture.proof(&token).sign());
    assert_rejected(
        fixture.authenticate(&[authorization]).await,
        ProofError::Missing,
        "none",
    );
    let both = [
        authorization,
        ("dpop", one.as_str()),
        ("DPoP", two.as_str()),
    ];
    assert_rejected(
        fixture.authenticate(&both).await,
        ProofError::SeveralHeaders,
        "two",
    );
    let listed = format!("{one}, {two}");
    assert_rejected(
        fixture.send(&token, &listed).await,
        ProofError::Malformed,
        "two in one field",
    );
    assert!(fixture.send(&token, &one).await.is_ok());
}

#[tokio::test]
async fn check_2_the_proof_is_one_well_formed_jws() {
    let fixture = Fixture::new().await;
    let token = fixture.bound_token();
    let valid = fixture.proof(&token).sign();
    let (header, rest) = valid.split_once('.').unwrap();
    for malformed in [
        String::new(),
        "a".to_owned(),
        header.to_owned(),
        rest.to_owned(),
        format!("{valid}."),
        format!("{valid}.a.b"),
        format!("{valid}="),
        format!("{header}=.{rest}"),
    ] {
        let result = fixture.send(&token, &malformed).await;
        assert_rejected(result, ProofError::Malformed, &malformed);
    }
    assert!(fixture.send(&token, &valid).await.is_ok());
}

#[tokio::test]
async fn check_2_a_proof_has_at_most_8192_bytes() {
    let fixture = Fixture::new().await;
    let token = fixture.bound_token();
    // 3 characters of a claim take 4 characters of the proof.
    let with_padding = |padding: usize| {
        fixture
            .proof(&token)
            .claim("padding", "x".repeat(padding))
            .sign()
    };
    let length = (0..8192)
        .rev()
        .find(|&padding| with_padding(padding).len() <= 8192)
        .unwrap();
    assert!(fixture.send(&token, &with_padding(length)).await.is_ok());
    let long = with_padding(length + 3);
    let limit = ProofError::TooLong { limit: 8192 };
    assert_rejected(fixture.send(&token, &long).await, limit, "too long");
}

#[tokio::test]
async fn check_3_all_required_claims_are_present() {
    for claim in ["jti", "htm", "htu", "iat", "ath"] {
        let error = ProofError::Claim(claim);
        rejects(|proof| proof.without(claim), error).await;
        rejects(|proof| proof.claim(claim, json!(["a"])), error).await;
        rejects(|proof| proof.claim(claim, json!(null)), error).await;
        if claim != "iat" {
            rejects(|proof| proof.claim(claim, ""), error).await;
        }
    }
    accepts(|proof| proof.claim("jti", "j".repeat(256))).await;
    let long = "j".repeat(257);
    rejects(|proof| proof.claim("jti", long), ProofError::Claim("jti")).await;
    accepts(|proof| proof.claim("other", 1)).await;
}

#[tokio::test]
async fn check_4_typ_is_dpop_jwt() {
    for typ in [
        "JWT",
        "at+jwt",
        "DPoP+JWT",
        "application/dpop+jwt",
        "dpop+jwt ",
    ] {
        rejects(|proof| proof.header("typ", typ), ProofError::Type).await;
    }
    rejects(|proof| proof.without_header("typ"), ProofError::Type).await;
    rejects(|proof| proof.header("typ", 1), ProofError::Malformed).await;
}

#[tokio::test]
async fn check_5_alg_is_asymmetric_and_accepted() {
    for alg in ["none", "HS256", "ES256K", "es256"] {
        rejects(|proof| proof.header("alg", alg), ProofError::Algorithm).await;
    }
    // An accepted algorithm of another key type.
    for alg in ["RS256", "ES384", "EdDSA"] {
        rejects(|proof| proof.header("alg", alg), ProofError::Algorithm).await;
    }
    rejects(|proof| proof.without_header("alg"), ProofError::Malformed).await;
    let only_es384 = |config: bearward::DpopConfig| config.algorithms([Algorithm::ES384]);
    let mut fixture = Fixture::with(DpopMode::Accepted, only_es384).await;
    let token = fixture.bound_token();
    let result = fixture.send(&token, &fixture.proof(&token).sign()).await;
    assert_rejected(result, ProofError::Algorithm, "not listed");
    fixture.key = ProofKey::with_algorithm(Algorithm::ES384);
    let token = fixture.bound_token();
    let proof = fixture.proof(&token).sign();
    assert!(fixture.send(&token, &proof).await.is_ok());
}

#[tokio::test]
async fn every_algorithm_signs_proofs() {
    for &algorithm in Algorithm::ALL {
        let mut fixture = Fixture::new().await;
        fixture.key = ProofKey::with_algorithm(algorithm);
        let token = fixture.bound_token();
        let proof = fixture.proof(&token).sign();
        assert!(fixture.send(&token, &proof).await.is_ok(), "{algorithm}");
    }
}

#[tokio::test]
async fn check_6_the_signature_verifies_with_jwk() {
    let fixture = Fixture::new().await;
    let token = fixture.bound_token();
    for name in ["tampered", "signed_by_another_key"] {
        let forged = fixture.proof(&token).forged(name).unwrap();
        let result = fixture.send(&token, &forged).await;
        assert_rejected(result, ProofError::Signature, name);
    }
}

#[tokio::test]
async fn check_7_jwk_is_a_public_key_under_the_rules_of_key_sets() {
    let key = ProofKey::generate();
    let with = |name: &str, value: serde_json::Value| {
        let mut jwk = key.jwk();
        jwk.insert(name.to_owned(), value);
        jwk
    };
    for (jwk, reason) in [
        (with("d", json!("AA")), IgnoreReason::Private),
        (with("use", json!("enc")), IgnoreReason::Use),
        (with("key_ops", json!(["sign"])), IgnoreReason::KeyOps),
        (with("crv", json!("P-224")), IgnoreReason::Curve),
        (with("x", json!("AA")), IgnoreReason::Point),
        (with("kty", json!("oct")), IgnoreReason::Symmetric),
        (with("kty", json!("other")), IgnoreReason::KeyType),
        (with("alg", json!("HS256")), IgnoreReason::Algorithm),
        // The thumbprint hashes the text, so a key has only one spelling.
        (
            with("x", json!(format!("{}=", key.jwk()["x"].as_str().unwrap()))),
            IgnoreReason::Malformed,
        ),
    ] {
        rejects(|proof| proof.header("jwk", jwk), ProofError::Key(reason)).await;
    }
    let missing = ProofError::Key(IgnoreReason::Malformed);
    rejects(|proof| proof.without_header("jwk"), missing).await;
    rejects(|proof| proof.header("jwk", "text"), missing).await;
    let mut fixture = Fixture::new().await;
    fixture.key = key.clone();
    let token = fixture.bound_token();
    let proof = fixture
        .proof(&token)
        .header("jwk", with("use", json!("sig")));
    assert!(fixture.send(&token, &proof.sign()).await.is_ok());
}

#[tokio::test]
async fn check_8_htm_is_the_method() {
    for method in ["POST", "get", "GET "] {
        rejects(|proof| proof.claim("htm", method), ProofError::Method).await;
    }
}

#[tokio::test]
async fn check_9_htu_is_the_url_in_any_equivalent_spelling() {
    for htu in [
        "HTTPS://API.EXAMPLE.COM/orders",
        "https://api.example.com:443/orders",
        "https://api.example.com/%6Frders",
        "https://api.example.com/a/../orders",
        "https://api.example.com/orders?page=1#top",
    ] {
        accepts(|proof| proof.claim("htu", htu)).await;
    }
    for htu in [
        "http://api.example.com/orders",
        "https://api.example.com:444/orders",
        "https://api.example.org/orders",
        "https://api.example.com/orders/",
        "https://api.example.com/Orders",
        "https://api.example.com/",
        "https://api.example.com@attacker.example/orders",
        "/orders",
        "orders",
    ] {
        rejects(|proof| proof.claim("htu", htu), ProofError::Url).await;
    }
}

#[tokio::test]
async fn check_10_a_nonce_is_ignored_unless_required() {
    accepts(|proof| proof.nonce("any")).await;
}

#[tokio::test]
async fn check_11_iat_is_within_60_seconds() {
    let fixture = Fixture::new().await;
    let token = fixture.bound_token();
    for (offset, expected) in [
        (-61.0, Err(ProofError::TooOld)),
        (-60.001, Err(ProofError::TooOld)),
        (-60.0, Ok(())),
        (60.0, Ok(())),
        (60.001, Err(ProofError::InFuture)),
        (61.0, Err(ProofError::InFuture)),
    ] {
        #[expect(clippy::cast_precision_loss, reason = "the time is below 2^52")]
        let iat = fixture.auth.clock().now().unix() as f64 + offset;
        let proof = fixture.proof(&token).claim("iat", iat).sign();
        let result = fixture.send(&token, &proof).await;
        match expected {
            Ok(()) => assert!(result.is_ok(), "{offset}"),
            Err(error) => assert_rejected(result, error, &offset.to_string()),
        }
    }
}

#[tokio::test]
async fn check_11_the_maximum_age_is_configurable() {
    let config = |config: bearward::DpopConfig| config.max_age(Duration::from_secs(5));
    let fixture = Fixture::with(DpopMode::Accepted, config).await;
    let token = fixture.bound_token();
    let [one, two] = [(); 2].map(|()| fixture.proof(&token).sign());
    fixture.clock.advance(Duration::from_secs(5));
    assert!(fixture.send(&token, &one).await.is_ok());
    fixture.clock.advance(Duration::from_millis(1));
    assert_rejected(fixture.send(&token, &two).await, ProofError::TooOld, "5 s");
}

#[tokio::test]
async fn check_12_ath_and_the_key_belong_to_the_token() {
    let fixture = Fixture::new().await;
    let token = fixture.bound_token();
    let other = fixture.token().sub("eve").bound_to(&fixture.key).sign();
    let proof = fixture.proof(&other).sign();
    let result = fixture.send(&token, &proof).await;
    assert_rejected(result, ProofError::TokenHash, "another token");
    let thief = ProofKey::generate();
    let proof = thief.proof("GET", URL).for_token(&token);
    let proof = proof.issued_at(fixture.auth.clock().now()).sign();
    let result = fixture.send(&token, &proof).await;
    assert_rejected(result, ProofError::KeyMismatch, "another key");
}

#[tokio::test]
async fn every_forgery_is_rejected_and_leaves_no_trace() {
    let fixture = Fixture::new().await;
    let token = fixture.bound_token();
    for name in PROOF_FORGERIES {
        let proof = fixture.proof(&token).claim("jti", "shared");
        let error = fixture.send(&token, &proof.forged(name).unwrap()).await;
        assert_eq!(
            error.expect_err(name).code(),
            "INVALID_DPOP_PROOF",
            "{name}"
        );
    }
    assert!(fixture.proof(&token).forged("other").is_none());
    let proof = fixture.proof(&token).claim("jti", "shared").sign();
    assert!(
        fixture.send(&token, &proof).await.is_ok(),
        "a rejected proof does not use up its jti"
    );
}
