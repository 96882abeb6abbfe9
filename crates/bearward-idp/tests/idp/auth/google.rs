//! The fake Google: ID tokens, keys and discovery.

use bearward::{Bearward, Issuer, KeySource, TokenUse};
use serde_json::{Value, json};

use crate::fixture::{JSON, TestIdp};

async fn credential(idp: &TestIdp, request: Value) -> Value {
    let response = idp
        .send_json("POST /google/credential", &request.to_string())
        .await;
    assert_eq!(response.status, 200, "{}", response.body);
    response.json()
}

/// A verifier for ID tokens, configured as for `POST /api/auth/google`.
async fn google_verifier(idp: &TestIdp) -> Bearward {
    let issuer = Issuer::new(idp.google_issuer(), idp.google_client_id())
        .unwrap()
        .token_use(TokenUse::IdToken);
    let keys = KeySource::Url(idp.google_jwks_url().parse().unwrap());
    Bearward::builder()
        .issuer(issuer.keys(keys))
        .build()
        .await
        .unwrap()
}

#[tokio::test]
async fn id_token_has_googles_claims_and_verifies() {
    let (idp, _) = TestIdp::with_clock();
    let issued = credential(
        &idp,
        json!({ "email": "Ada@Example.com", "name": "Ada Lovelace", "hd": "example.com" }),
    )
    .await;
    let verified = google_verifier(&idp)
        .await
        .verify_credential(issued["credential"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(
        (verified.issuer(), verified.email()),
        (&*idp.google_issuer(), Some("ada@example.com"))
    );
    let claims = &issued["claims"];
    assert_eq!(verified.subject(), claims["sub"].as_str().unwrap());
    assert!(
        verified.subject().len() == 21
            && verified.subject().bytes().all(|byte| byte.is_ascii_digit())
    );
    let members: Vec<_> = claims
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected = [
        "aud",
        "azp",
        "email",
        "email_verified",
        "exp",
        "family_name",
        "given_name",
        "hd",
        "iat",
        "iss",
        "jti",
        "name",
        "nbf",
        "picture",
        "sub",
    ];
    assert_eq!(members, expected);
    assert_eq!(
        (&claims["given_name"], &claims["family_name"]),
        (&json!("Ada"), &json!("Lovelace"))
    );
    let again = credential(&idp, json!({ "email": "ada@example.com" })).await;
    assert_eq!(
        again["claims"]["sub"], claims["sub"],
        "the subject depends only on the address"
    );
}

#[tokio::test]
async fn google_documents_publish_separate_keys() {
    let (idp, _) = TestIdp::with_clock();
    let discovery = idp
        .get("/google/.well-known/openid-configuration")
        .await
        .json();
    assert_eq!(
        (&discovery["issuer"], &discovery["jwks_uri"]),
        (&json!(idp.google_issuer()), &json!(idp.google_jwks_url()))
    );
    let google = idp.get("/google/oauth2/v3/certs").await.json();
    let own = idp.get("/.well-known/jwks.json").await.json();
    assert_eq!(google["keys"][0]["alg"], "RS256");
    assert_ne!(google["keys"][0]["n"], own["keys"][0]["n"]);
    assert!(google["keys"][0].get("d").is_none());
}

#[tokio::test]
async fn invalid_tokens_can_be_issued() {
    let (idp, _) = TestIdp::with_clock();
    let verifier = google_verifier(&idp).await;
    for (request, expected) in [
        (
            json!({ "email": "ada@example.com", "audience": "another-client" }),
            "INVALID_AUDIENCE",
        ),
        (
            json!({ "email": "ada@example.com", "expires_in": -60 }),
            "TOKEN_EXPIRED",
        ),
    ] {
        let issued = credential(&idp, request).await;
        let rejected = verifier
            .verify_credential(issued["credential"].as_str().unwrap())
            .await
            .unwrap_err();
        assert_eq!(rejected.error.code(), expected);
    }
}

#[tokio::test]
async fn foreign_origins_and_hosts_get_no_id_token() {
    let (idp, _) = TestIdp::with_clock();
    let request = r#"{"email": "ada@example.com"}"#;
    for header in [
        ("origin", "https://attacker.invalid"),
        ("host", "attacker.invalid"),
    ] {
        let response = idp
            .send("POST /google/credential", &[JSON, header], request)
            .await;
        assert_eq!(response.error(), (403, "ORIGIN_REFUSED".to_owned()));
    }
    assert_eq!(
        idp.send(
            "POST /google/credential",
            &[("content-type", "text/plain")],
            request
        )
        .await
        .status,
        400
    );
}
