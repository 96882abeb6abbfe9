//! Tokens to order: any claims, any header, any lifetime, and forgeries by name.

use std::time::{SystemTime, UNIX_EPOCH};

use bearward::Algorithm;
use bearward_idp::{Idp, Options};
use bearward_testing::FORGERIES;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::{Value, json};

use crate::{
    code,
    http::{get, json, mint, send},
    options, start, trusting,
};

#[tokio::test]
async fn an_order_without_wishes_is_a_signed_in_persons_token() {
    let idp = start();
    for order in [
        json(&idp, "POST /admin/tokens", "{}").await,
        send(&idp, "POST /admin/tokens", &[], "").await,
    ] {
        let answer = order.json();
        assert_eq!(
            (order.status, order.header("cache-control")),
            (200, Some("no-store"))
        );
        assert_eq!(
            (&answer["token_type"], &answer["expires_in"]),
            (&json!("bearer"), &json!(3600))
        );
        assert_eq!(answer["expires_at"], answer["claims"]["exp"]);
        let verified = trusting(&idp)
            .await
            .verify(answer["access_token"].as_str().unwrap())
            .await
            .unwrap();
        assert_eq!(
            (verified.issuer(), verified.email()),
            (&*idp.issuer(), Some("ada@example.com"))
        );
    }
}

#[tokio::test]
async fn claims_and_header_are_as_ordered_and_null_leaves_one_out() {
    let idp = start();
    let order = r#"{"claims": {"sub": "grace", "app_metadata": {"roles": ["admin"]}, "phone": null}, "header": {"typ": "at+jwt", "kid": null}}"#;
    let answer = json(&idp, "POST /admin/tokens", order).await.json();
    let token = answer["access_token"].as_str().unwrap();
    let header = decode_header(token).unwrap();
    assert_eq!((header.typ.as_deref(), header.kid), (Some("at+jwt"), None));
    let claims = payload(token);
    assert_eq!(
        claims, answer["claims"],
        "the answer shows the claims of the token"
    );
    assert_eq!(
        (&claims["sub"], &claims["app_metadata"], claims.get("phone")),
        (&json!("grace"), &json!({"roles": ["admin"]}), None)
    );
    assert_eq!(
        trusting(&idp).await.verify(token).await.unwrap().subject(),
        "grace"
    );
}

#[tokio::test]
async fn a_lifetime_counts_from_now_and_a_negative_one_has_ended() {
    let idp = start();
    let auth = trusting(&idp).await;
    let answer = json(&idp, "POST /admin/tokens", r#"{"expires_in": 600}"#)
        .await
        .json();
    let now = i64::try_from(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs(),
    )
    .unwrap();
    let exp = answer["claims"]["exp"].as_i64().unwrap();
    assert!((now + 595..=now + 600).contains(&exp), "{exp} at {now}");
    let ended = mint(&idp, r#"{"expires_in": -600}"#).await;
    assert!(
        payload(&ended)["iat"].as_i64() <= payload(&ended)["exp"].as_i64(),
        "issued before it ended"
    );
    assert_eq!(code(&auth, &ended).await, "TOKEN_EXPIRED");
}

#[tokio::test]
async fn no_lifetime_and_no_claim_is_too_strange_to_be_minted() {
    let idp = start();
    let (least, most) = (i64::MIN, i64::MAX);
    for order in [
        format!(r#"{{"expires_in": {least}}}"#),
        format!(r#"{{"expires_in": {most}}}"#),
        format!(r#"{{"claims": {{"exp": {least}}}}}"#),
        r#"{"claims": {"exp": "tomorrow", "aud": [1, null], "": {}}}"#.to_owned(),
        r#"{"claims": {"iss": null, "sub": null, "aud": null, "exp": null}}"#.to_owned(),
        r#"{"header": {"alg": 5, "typ": null, "crit": ["x"]}}"#.to_owned(),
    ] {
        assert_eq!(mint(&idp, &order).await.split('.').count(), 3, "{order}");
    }
}

#[tokio::test]
async fn every_forgery_is_made_by_its_name_and_refused_for_the_right_reason() {
    let idp = start();
    let auth = trusting(&idp).await;
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
        let forged = mint(
            &idp,
            &json!({ "forge": name, "claims": { "sub": "grace" } }).to_string(),
        )
        .await;
        assert_eq!(code(&auth, &forged).await, *reason, "{name}");
        assert!(!accepted_by_jsonwebtoken(&idp, &forged).await, "{name}");
    }
    assert!(
        auth.verify(&mint(&idp, r#"{"claims": {"sub": "grace"}}"#).await)
            .await
            .is_ok(),
        "the same, honestly"
    );
}

#[tokio::test]
async fn an_order_can_break_each_rule_that_a_resource_server_has() {
    let idp = start();
    let auth = trusting(&idp).await;
    for (order, reason) in [
        (r#"{"claims": {"aud": "another-api"}}"#, "INVALID_AUDIENCE"),
        (
            r#"{"claims": {"iss": "https://attacker.invalid"}}"#,
            "UNKNOWN_ISSUER",
        ),
        (r#"{"claims": {"sub": null}}"#, "MISSING_CLAIM"),
        (r#"{"claims": {"sub": 5}}"#, "INVALID_CLAIM"),
        (r#"{"claims": {"nbf": 4102444800}}"#, "TOKEN_NOT_YET_VALID"),
        (r#"{"claims": {"cnf": {"jkt": "x"}}}"#, "INVALID_CLAIM"),
        (r#"{"header": {"kid": "nobody"}}"#, "UNKNOWN_KEY"),
        (r#"{"header": {"typ": "logout+jwt"}}"#, "INVALID_TOKEN_TYPE"),
        (r#"{"header": {"crit": ["exp"]}}"#, "MALFORMED_TOKEN"),
        (r#"{"header": {"alg": "ES256"}}"#, "UNKNOWN_KEY"),
    ] {
        assert_eq!(
            code(&auth, &mint(&idp, order).await).await,
            reason,
            "{order}"
        );
    }
}

#[tokio::test]
async fn another_library_accepts_the_tokens_of_every_algorithm() {
    for algorithm in Algorithm::ALL {
        let idp = Idp::start(Options {
            algorithm,
            ..options()
        })
        .unwrap();
        let token = mint(&idp, r#"{"claims": {"sub": "grace"}}"#).await;
        assert!(accepted_by_jsonwebtoken(&idp, &token).await, "{algorithm}");
        assert!(
            trusting(&idp).await.verify(&token).await.is_ok(),
            "{algorithm}"
        );
    }
}

/// By the published key set and the usual rules, strictly.
async fn accepted_by_jsonwebtoken(idp: &Idp, token: &str) -> bool {
    let set: JwkSet =
        serde_json::from_value(get(idp, "/.well-known/jwks.json").await.json()).unwrap();
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
