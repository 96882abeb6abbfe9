//! Tokens of the OAuth server that are bound to a key (`DPoP`, RFC 9449 §5).

use bearward_testing::{PROOF_FORGERIES, ProofBuilder, ProofKey};
use serde_json::Value;

use super::{consent::FORM, oauth_server::Client};
use crate::fixture::{TestResponse, text};

const TOKEN: &str = "/auth/v1/oauth/token";

fn proof(client: &Client, key: &ProofKey) -> ProofBuilder {
    let url = format!("{}/oauth/token", client.idp.issuer());
    key.proof("POST", &url)
        .issued_at(bearward::Clock::now(&client.clock))
}

async fn send(client: &Client, form: &[(&str, &str)], proofs: &[&str]) -> TestResponse {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form).append_pair("client_id", &client.id);
    let mut headers = vec![FORM];
    headers.extend(proofs.iter().map(|proof| ("dpop", *proof)));
    client
        .idp
        .send(&format!("POST {TOKEN}"), &headers, &body.finish())
        .await
}

async fn exchange(client: &Client, proofs: &[&str]) -> TestResponse {
    let code = client.code(&[]).await;
    exchange_code(client, &code, proofs).await
}

async fn exchange_code(client: &Client, code: &str, proofs: &[&str]) -> TestResponse {
    let verifier = super::oauth_server::VERIFIER;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("code_verifier", verifier),
    ];
    send(client, &form, proofs).await
}

async fn refresh(client: &Client, token: &str, proofs: &[&str]) -> TestResponse {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    send(client, &form, proofs).await
}

fn jkt(tokens: &Value) -> Option<String> {
    let payload = text(tokens, "access_token").split('.').nth(1).unwrap();
    let payload = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(payload).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    claims["cnf"]["jkt"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn a_proof_binds_the_access_token_and_the_refresh_token() {
    let (client, key) = (Client::new().await, ProofKey::generate());
    let response = exchange(&client, &[&proof(&client, &key).sign()]).await;
    assert_eq!(response.status, 200, "{}", response.body);
    let tokens = response.json();
    assert_eq!(text(&tokens, "token_type"), "DPoP");
    assert_eq!(jkt(&tokens), Some(key.thumbprint()));

    let token = text(&tokens, "refresh_token");
    let other = proof(&client, &ProofKey::generate()).sign();
    for proofs in [&[][..], &[other.as_str()]] {
        let response = refresh(&client, token, proofs).await;
        assert_eq!(response.status, 400);
        assert_eq!(text(&response.json(), "error"), "invalid_dpop_proof");
    }
    let response = refresh(&client, token, &[&proof(&client, &key).sign()]).await;
    assert_eq!(response.status, 200, "{}", response.body);
    assert_eq!(jkt(&response.json()), Some(key.thumbprint()));
}

#[tokio::test]
async fn without_a_proof_the_token_is_a_bearer_token() {
    let client = Client::new().await;
    let tokens = exchange(&client, &[]).await.json();
    assert_eq!(text(&tokens, "token_type"), "bearer");
    assert_eq!(jkt(&tokens), None);
}

#[tokio::test]
async fn invalid_and_repeated_proofs_are_rejected() {
    let (client, key) = (Client::new().await, ProofKey::generate());
    // A proof of a token request has no access token, and any key is accepted.
    let other_rules = ["another_key", "no_ath", "wrong_token"];
    for name in PROOF_FORGERIES {
        if other_rules.contains(&name) {
            continue;
        }
        let forged = proof(&client, &key).forged(name).unwrap();
        let response = exchange(&client, &[&forged]).await;
        assert_eq!(response.status, 400, "{name}");
        assert_eq!(text(&response.json(), "error"), "invalid_dpop_proof");
    }
    let used = proof(&client, &key).sign();
    assert_eq!(exchange(&client, &[&used]).await.status, 200);
    assert_eq!(exchange(&client, &[&used]).await.status, 400, "a replay");
    let [one, two] = [(); 2].map(|()| proof(&client, &key).sign());
    assert_eq!(exchange(&client, &[&one, &two]).await.status, 400);
}

#[tokio::test]
async fn a_code_is_bound_to_the_key_of_the_authorization_request() {
    let (client, key) = (Client::new().await, ProofKey::generate());
    let thumbprint = key.thumbprint();
    let code = client.code(&[("dpop_jkt", &thumbprint)]).await;
    let other = proof(&client, &ProofKey::generate()).sign();
    for proofs in [&[][..], &[other.as_str()]] {
        let response = exchange_code(&client, &code, proofs).await;
        assert_eq!(response.status, 400);
        let body = response.json();
        assert_eq!(text(&body, "error"), "invalid_grant");
        assert!(
            text(&body, "error_description").contains("dpop_jkt"),
            "{body}"
        );
    }
    // The failed attempts have not used the code.
    let own = proof(&client, &key).sign();
    let response = exchange_code(&client, &code, &[&own]).await;
    assert_eq!(response.status, 200, "{}", response.body);
    assert_eq!(jkt(&response.json()), Some(thumbprint));
}

#[tokio::test]
async fn dpop_jkt_must_be_a_thumbprint() {
    let client = Client::new().await;
    let thumbprint = ProofKey::generate().thumbprint();
    for (value, is_valid) in [
        (thumbprint.as_str(), true),
        (&thumbprint[1..], false),
        (&format!("{thumbprint}="), false),
        ("a+b/", false),
    ] {
        let url = client.authorize_url(&[("dpop_jkt", value)]);
        let response = client.idp.get(&url).await;
        assert_eq!(response.status, 302, "{value}");
        let location = response.header("location").unwrap();
        assert_eq!(
            location.contains("error=invalid_request"),
            !is_valid,
            "{location}"
        );
    }
}

#[tokio::test]
async fn the_metadata_lists_the_algorithms_of_proofs() {
    let client = Client::new().await;
    let path = "/auth/v1/.well-known/oauth-authorization-server";
    let metadata = client.idp.get(path).await.json();
    let algorithms = metadata["dpop_signing_alg_values_supported"].as_array();
    assert!(algorithms.unwrap().contains(&"ES256".into()));
}
