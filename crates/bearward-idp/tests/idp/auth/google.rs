//! The fake Google: its ID tokens are Google's to whoever trusts it.

use bearward::{Bearward, Issuer, KeySource, TokenUse};
use bearward_idp::Idp;
use serde_json::{Value, json};

use super::start;
use crate::http::{get, json as post_json, send};

async fn credential(idp: &Idp, order: Value) -> Value {
    let answer = post_json(idp, "POST /google/credential", &order.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// A server that takes its tokens as `POST /api/auth/google` does.
async fn trusting(idp: &Idp) -> Bearward {
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
async fn an_id_token_has_googles_claims_and_is_verified_as_a_credential() {
    let (idp, _) = start();
    let made = credential(
        &idp,
        json!({ "email": "Ada@Example.com", "name": "Ada Lovelace", "hd": "example.com" }),
    )
    .await;
    let verified = trusting(&idp)
        .await
        .verify_credential(made["credential"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(
        (verified.issuer(), verified.email()),
        (&*idp.google_issuer(), Some("ada@example.com"))
    );
    let claims = &made["claims"];
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
        "an address has one id"
    );
}

#[tokio::test]
async fn its_documents_lead_to_its_keys_which_are_not_the_idps() {
    let (idp, _) = start();
    let discovery = get(&idp, "/google/.well-known/openid-configuration")
        .await
        .json();
    assert_eq!(
        (&discovery["issuer"], &discovery["jwks_uri"]),
        (&json!(idp.google_issuer()), &json!(idp.google_jwks_url()))
    );
    let google = get(&idp, "/google/oauth2/v3/certs").await.json();
    let own = get(&idp, "/.well-known/jwks.json").await.json();
    assert_eq!(google["keys"][0]["alg"], "RS256");
    assert_ne!(google["keys"][0]["n"], own["keys"][0]["n"]);
    assert!(google["keys"][0].get("d").is_none());
}

#[tokio::test]
async fn wrong_tokens_can_be_asked_for() {
    let (idp, _) = start();
    let server = trusting(&idp).await;
    for (order, expected) in [
        (
            json!({ "email": "ada@example.com", "audience": "another-client" }),
            "INVALID_AUDIENCE",
        ),
        (
            json!({ "email": "ada@example.com", "expires_in": -60 }),
            "TOKEN_EXPIRED",
        ),
    ] {
        let made = credential(&idp, order).await;
        let refused = server
            .verify_credential(made["credential"].as_str().unwrap())
            .await
            .unwrap_err();
        assert_eq!(refused.error.code(), expected);
    }
}

#[tokio::test]
async fn no_other_page_is_given_an_id_token() {
    let (idp, _) = start();
    let order = r#"{"email": "ada@example.com"}"#;
    for header in [
        ("origin", "https://attacker.invalid"),
        ("host", "attacker.invalid"),
    ] {
        let answer = send(
            &idp,
            "POST /google/credential",
            &[crate::http::JSON, header],
            order,
        )
        .await;
        assert_eq!(answer.refusal(), (403, "ORIGIN_REFUSED".to_owned()));
    }
    assert_eq!(
        send(
            &idp,
            "POST /google/credential",
            &[("content-type", "text/plain")],
            order
        )
        .await
        .status,
        400
    );
}
