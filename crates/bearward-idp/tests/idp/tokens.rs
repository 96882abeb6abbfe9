//! `POST /admin/tokens`: claims, headers, lifetimes and forgeries.

use std::time::{SystemTime, UNIX_EPOCH};

use bearward::Algorithm;
use bearward_idp::Options;
use bearward_testing::FORGERIES;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::{Value, json};

use crate::fixture::{TestIdp, options, rejection_code};

#[tokio::test]
async fn empty_request_issues_a_valid_user_token() {
    let idp = TestIdp::start();
    for request in [
        idp.send_json("POST /admin/tokens", "{}").await,
        idp.send("POST /admin/tokens", &[], "").await,
    ] {
        let response = request.json();
        assert_eq!(
            (request.status, request.header("cache-control")),
            (200, Some("no-store"))
        );
        assert_eq!(
            (&response["token_type"], &response["expires_in"]),
            (&json!("bearer"), &json!(3600))
        );
        assert_eq!(response["expires_at"], response["claims"]["exp"]);
        let verified = idp
            .verifier()
            .await
            .verify(response["access_token"].as_str().unwrap())
            .await
            .unwrap();
        assert_eq!(
            (verified.issuer(), verified.email()),
            (&*idp.issuer(), Some("ada@example.com"))
        );
    }
}

#[tokio::test]
async fn claims_and_headers_are_set_and_null_removes_one() {
    let idp = TestIdp::start();
    let request = r#"{"claims": {"sub": "grace", "app_metadata": {"roles": ["admin"]}, "phone": null}, "header": {"typ": "at+jwt", "kid": null}}"#;
    let response = idp.send_json("POST /admin/tokens", request).await.json();
    let token = response["access_token"].as_str().unwrap();
    let header = decode_header(token).unwrap();
    assert_eq!((header.typ.as_deref(), header.kid), (Some("at+jwt"), None));
    let claims = payload(token);
    assert_eq!(
        claims, response["claims"],
        "the response contains the claims of the token"
    );
    assert_eq!(
        (&claims["sub"], &claims["app_metadata"], claims.get("phone")),
        (&json!("grace"), &json!({"roles": ["admin"]}), None)
    );
    assert_eq!(
        idp.verifier().await.verify(token).await.unwrap().subject(),
        "grace"
    );
}

#[tokio::test]
async fn negative_lifetime_issues_an_expired_token() {
    let idp = TestIdp::start();
    let auth = idp.verifier().await;
    let response = idp
        .send_json("POST /admin/tokens", r#"{"expires_in": 600}"#)
        .await
        .json();
    let now = i64::try_from(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs(),
    )
    .unwrap();
    let exp = response["claims"]["exp"].as_i64().unwrap();
    assert!((now + 595..=now + 600).contains(&exp), "{exp} at {now}");
    let expired = idp.mint(r#"{"expires_in": -600}"#).await;
    assert!(
        payload(&expired)["iat"].as_i64() <= payload(&expired)["exp"].as_i64(),
        "iat is not after exp"
    );
    assert_eq!(rejection_code(&auth, &expired).await, "TOKEN_EXPIRED");
}

#[tokio::test]
async fn extreme_lifetimes_and_claims_can_be_issued() {
    let idp = TestIdp::start();
    let (least, most) = (i64::MIN, i64::MAX);
    for request in [
        format!(r#"{{"expires_in": {least}}}"#),
        format!(r#"{{"expires_in": {most}}}"#),
        format!(r#"{{"claims": {{"exp": {least}}}}}"#),
        r#"{"claims": {"exp": "tomorrow", "aud": [1, null], "": {}}}"#.to_owned(),
        r#"{"claims": {"iss": null, "sub": null, "aud": null, "exp": null}}"#.to_owned(),
        r#"{"header": {"alg": 5, "typ": null, "crit": ["x"]}}"#.to_owned(),
    ] {
        assert_eq!(idp.mint(&request).await.split('.').count(), 3, "{request}");
    }
}

#[tokio::test]
async fn every_forgery_is_rejected_with_its_code() {
    let idp = TestIdp::start();
    let auth = idp.verifier().await;
    let reasons = [
        ("tampered", "INVALID_SIGNATURE"),
        ("signed_by_stranger", "INVALID_SIGNATURE"),
        ("embedded_jwk", "INVALID_SIGNATURE"),
        ("alg_none", "MALFORMED_TOKEN"),
        ("stripped_signature", "MALFORMED_TOKEN"),
        ("hmac_with_public_key", "UNSUPPORTED_ALGORITHM"),
    ];
    assert_eq!(reasons.len(), FORGERIES.len());
    for name in FORGERIES {
        let (_, reason) = reasons
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("{name} has a reason"));
        let forged = idp
            .mint(&json!({ "forge": name, "claims": { "sub": "grace" } }).to_string())
            .await;
        assert_eq!(rejection_code(&auth, &forged).await, *reason, "{name}");
        assert!(!accepted_by_jsonwebtoken(&idp, &forged).await, "{name}");
    }
    assert!(
        auth.verify(&idp.mint(r#"{"claims": {"sub": "grace"}}"#).await)
            .await
            .is_ok(),
        "the same token without the forgery is accepted"
    );
}

#[tokio::test]
async fn tokens_can_violate_each_verification_rule() {
    let idp = TestIdp::start();
    let auth = idp.verifier().await;
    for (request, reason) in [
        (r#"{"claims": {"aud": "another-api"}}"#, "INVALID_AUDIENCE"),
        (
            r#"{"claims": {"iss": "https://attacker.invalid"}}"#,
            "UNKNOWN_ISSUER",
        ),
        (r#"{"claims": {"sub": null}}"#, "MISSING_CLAIM"),
        (r#"{"claims": {"sub": 5}}"#, "INVALID_CLAIM"),
        (r#"{"claims": {"nbf": 4102444800}}"#, "TOKEN_NOT_YET_VALID"),
        (r#"{"claims": {"cnf": {"jkt": "x"}}}"#, "INVALID_CLAIM"),
        (r#"{"header": {"kid": "unknown"}}"#, "UNKNOWN_KEY"),
        (r#"{"header": {"typ": "logout+jwt"}}"#, "INVALID_TOKEN_TYPE"),
        (r#"{"header": {"crit": ["exp"]}}"#, "MALFORMED_TOKEN"),
        (r#"{"header": {"alg": "ES256"}}"#, "UNKNOWN_KEY"),
    ] {
        assert_eq!(
            rejection_code(&auth, &idp.mint(request).await).await,
            reason,
            "{request}"
        );
    }
}

#[tokio::test]
async fn jsonwebtoken_accepts_every_algorithm() {
    // jsonwebtoken does not implement ES512.
    for algorithm in Algorithm::ALL
        .iter()
        .copied()
        .filter(|&algorithm| algorithm != Algorithm::ES512)
    {
        let idp = TestIdp::with_options(Options {
            algorithm,
            ..options()
        });
        let token = idp.mint(r#"{"claims": {"sub": "grace"}}"#).await;
        assert!(accepted_by_jsonwebtoken(&idp, &token).await, "{algorithm}");
        assert!(
            idp.verifier().await.verify(&token).await.is_ok(),
            "{algorithm}"
        );
    }
}

/// Whether jsonwebtoken accepts the token with the published key set, audience and issuer.
async fn accepted_by_jsonwebtoken(idp: &TestIdp, token: &str) -> bool {
    let set: JwkSet =
        serde_json::from_value(idp.get("/.well-known/jwks.json").await.json()).unwrap();
    let jwk = &set.keys[0];
    let name = jwk.common.key_algorithm.expect("an algorithm").to_string();
    let mut rules = Validation::new(name.parse().unwrap());
    rules.set_audience(&[idp.audience()]);
    rules.set_issuer(&[idp.issuer()]);
    decode::<Value>(token, &DecodingKey::from_jwk(jwk).unwrap(), &rules).is_ok()
}

fn payload(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64_simd::URL_SAFE_NO_PAD.decode_to_vec(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_replaced_token_has_exactly_the_given_members() {
    let idp = TestIdp::start();
    let request = serde_json::json!({
        "replace": true, "header": { "alg": "RS256", "own": 1 }, "claims": { "sub": "x", "exp": 4_102_444_800_u64 },
    });
    let token = idp.mint(&request.to_string()).await;
    let part = |index: usize| -> serde_json::Value {
        let part = token.split('.').nth(index).unwrap();
        let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(part).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    assert_eq!(part(0), request["header"]);
    assert_eq!(part(1), request["claims"]);
}
