//! Tokens that are bound to a key of the client (`DPoP`, RFC 9449).

use bearward_testing::{PROOF_FORGERIES, ProofBuilder, ProofKey};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::test_app::{ApiResponse, TestApp, send};

const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// Starts a server that accepts bound tokens of the main issuer.
async fn start(settings: &[(&str, &str)]) -> (TestApp, ProofKey) {
    let settings = [&[("issuers.main.dpop", "accepted")], settings].concat();
    (TestApp::start_with(&settings).await, ProofKey::generate())
}

/// Returns a builder for a valid proof of a request to the server.
fn proof(app: &TestApp, key: &ProofKey, method: &str, path: &str, token: &str) -> ProofBuilder {
    key.proof(method, &format!("http://{}{path}", app.address))
        .for_token(token)
        .issued_at(bearward::Clock::now(&app.clock))
}

fn with_proof(request: RequestBuilder, token: &str, proof: &str) -> RequestBuilder {
    request
        .header("authorization", format!("DPoP {token}"))
        .header("dpop", proof)
}

async fn get(app: &TestApp, path: &str, token: &str, proof: &str) -> ApiResponse {
    send(with_proof(app.request(Method::GET, path), token, proof)).await
}

#[tokio::test]
async fn a_bound_token_is_accepted_with_a_proof_on_every_route() {
    let (app, key) = start(&[]).await;
    let token = app.token("ada").bound_to(&key).sign();
    for path in ["/protected", "/api/auth/me", "/api/status"] {
        let valid = proof(&app, &key, "GET", path, &token).sign();
        get(&app, path, &token, &valid).await.expect_status(200);
        let replay = get(&app, path, &token, &valid).await;
        replay.assert_error(401, "INVALID_DPOP_PROOF");
        assert!(
            replay
                .header("www-authenticate")
                .contains("error=\"invalid_dpop_proof\"")
        );
    }
    let path = "/api/status";
    let created = proof(&app, &key, "POST", path, &token).sign();
    let request = app
        .request(Method::POST, path)
        .body(r#"{"client_name":"a"}"#);
    let request = request.header("content-type", "application/json");
    send(with_proof(request, &token, &created))
        .await
        .expect_status(201);
}

#[tokio::test]
async fn forged_proofs_are_rejected() {
    let (app, key) = start(&[]).await;
    let token = app.token("ada").bound_to(&key).sign();
    for name in PROOF_FORGERIES {
        let forged = proof(&app, &key, "GET", "/protected", &token).forged(name);
        let response = get(&app, "/protected", &token, &forged.unwrap()).await;
        response.assert_error(401, "INVALID_DPOP_PROOF");
    }
}

#[tokio::test]
async fn bound_and_bearer_tokens_are_not_interchangeable() {
    let (app, key) = start(&[]).await;
    let bound = app.token("ada").bound_to(&key).sign();
    let plain = app.token("ada").sign();
    let response = app.get("/protected", &bound).await;
    response.assert_error(401, "INVALID_CLAIM");
    let challenge = response.header("www-authenticate");
    assert!(challenge.starts_with("Bearer ") && challenge.contains("DPoP "));
    let valid = proof(&app, &key, "GET", "/protected", &plain).sign();
    let response = get(&app, "/protected", &plain, &valid).await;
    response.assert_error(401, "MISSING_CLAIM");
    app.get("/protected", &plain).await.expect_status(200);
    let both = app
        .request(Method::GET, "/protected")
        .bearer_auth(&plain)
        .header("authorization", format!("DPoP {bound}"));
    send(both).await.assert_error(400, "INVALID_REQUEST");
    // The other issuer does not accept bound tokens.
    let other = app.other.token().bound_to(&key).sign();
    let valid = proof(&app, &key, "GET", "/protected", &other).sign();
    let response = get(&app, "/protected", &other, &valid).await;
    response.assert_error(401, "INVALID_CLAIM");
}

#[tokio::test]
async fn an_issuer_can_require_bound_tokens() {
    let (app, key) = start(&[
        ("issuers.main.dpop", "required"),
        ("issuers.other.dpop", "required"),
    ])
    .await;
    let plain = app.token("ada").sign();
    let response = app.get("/protected", &plain).await;
    response.assert_error(401, "MISSING_CLAIM");
    assert!(response.header("www-authenticate").starts_with("DPoP "));
    let token = app.token("ada").bound_to(&key).sign();
    let valid = proof(&app, &key, "GET", "/protected", &token).sign();
    get(&app, "/protected", &token, &valid)
        .await
        .expect_status(200);
    let path = "/.well-known/oauth-protected-resource";
    let metadata = send(app.request(Method::GET, path))
        .await
        .expect_status(200);
    assert_eq!(metadata["dpop_bound_access_tokens_required"], true);
}

#[tokio::test]
async fn the_metadata_describes_dpop() {
    let path = "/.well-known/oauth-protected-resource";
    let (app, _) = start(&[]).await;
    let metadata = send(app.request(Method::GET, path))
        .await
        .expect_status(200);
    let algorithms = &metadata["dpop_signing_alg_values_supported"];
    assert!(algorithms.as_array().unwrap().contains(&json!("ES256")));
    assert_eq!(metadata["dpop_bound_access_tokens_required"], false);
    let app = TestApp::start().await;
    let metadata = send(app.request(Method::GET, path))
        .await
        .expect_status(200);
    assert_eq!(metadata["dpop_signing_alg_values_supported"], json!(null));
}

#[tokio::test]
async fn replicas_with_the_same_key_accept_each_others_nonces() {
    let nonces = [("dpop.nonce", "required"), ("dpop.nonce_keys", KEY)];
    let (app, key) = start(&nonces).await;
    let replica = [&[("issuers.main.dpop", "accepted")][..], &nonces].concat();
    let replica = app.replica_with(&replica).await;
    let token = app.token("ada").bound_to(&key).sign();
    let without = proof(&app, &key, "GET", "/protected", &token).sign();
    let response = get(&app, "/protected", &token, &without).await;
    response.assert_error(401, "DPOP_NONCE_REQUIRED");
    let challenge = response.header("www-authenticate");
    assert!(
        challenge.contains("error=\"use_dpop_nonce\""),
        "{challenge}"
    );
    let nonce = response.header("dpop-nonce").to_owned();
    for address in [app.address, replica] {
        let url = format!("http://{address}/protected");
        let proof = key.proof("GET", &url).for_token(&token).nonce(&nonce);
        let proof = proof.issued_at(bearward::Clock::now(&app.clock)).sign();
        let request = app.request_to(address, Method::GET, "/protected");
        let response = send(with_proof(request, &token, &proof)).await;
        response.expect_status(200);
    }
    app.clock.advance(std::time::Duration::from_secs(60));
    let old = proof(&app, &key, "GET", "/protected", &token).nonce(&nonce);
    let response = get(&app, "/protected", &token, &old.sign()).await;
    response.expect_status(200);
    let renewed = response.header("dpop-nonce");
    assert!(!renewed.is_empty() && renewed != nonce);
}

#[tokio::test]
async fn the_public_url_decides_about_the_url_of_proofs() {
    let (app, key) = start(&[("server.public_url", "https://api.example.com/v1")]).await;
    let token = app.token("ada").bound_to(&key).sign();
    let now = bearward::Clock::now(&app.clock);
    for (url, status) in [
        ("https://api.example.com/v1/protected", 200),
        ("HTTPS://API.EXAMPLE.COM:443/v1/%70rotected?a=b", 200),
        ("https://api.example.com/protected", 401),
        (&*format!("http://{}/protected", app.address), 401),
    ] {
        let proof = key.proof("GET", url).for_token(&token).issued_at(now);
        let response = get(&app, "/protected", &token, &proof.sign()).await;
        response.expect_status(status);
    }
}

#[tokio::test]
async fn forwarded_urls_are_read_from_trusted_proxies_only() {
    for (trusted, status) in [("127.0.0.1", 200), ("192.0.2.1", 401)] {
        let (app, key) = start(&[("server.trusted_proxies", trusted)]).await;
        let token = app.token("ada").bound_to(&key).sign();
        let proof = key.proof("GET", "https://api.example.com/protected");
        let proof = proof
            .for_token(&token)
            .issued_at(bearward::Clock::now(&app.clock));
        let request = app
            .request(Method::GET, "/protected")
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-host", "api.example.com");
        let response = send(with_proof(request, &token, &proof.sign())).await;
        response.expect_status(status);
    }
}

#[tokio::test]
async fn forwarded_is_read_in_place_of_x_forwarded() {
    for (trusted, headers, status) in [
        ("127.0.0.1", "forwarded", 200),
        ("127.0.0.1", "x-forwarded", 401),
        ("192.0.2.1", "forwarded", 401),
    ] {
        let settings = [
            ("server.trusted_proxies", trusted),
            ("server.proxy_headers", headers),
        ];
        let (app, key) = start(&settings).await;
        let token = app.token("ada").bound_to(&key).sign();
        let proof = key.proof("GET", "https://api.example.com/protected");
        let proof = proof
            .for_token(&token)
            .issued_at(bearward::Clock::now(&app.clock));
        let request = app
            .request(Method::GET, "/protected")
            .header("x-forwarded-host", "other.example")
            .header(
                "forwarded",
                "for=192.0.2.9;proto=https;host=api.example.com",
            );
        let response = send(with_proof(request, &token, &proof.sign())).await;
        response.expect_status(status);
    }
}

#[tokio::test]
async fn a_gateway_forwards_the_request_of_the_proof() {
    for (trusted, status) in [("127.0.0.1", 200), ("192.0.2.1", 401)] {
        let (app, key) = start(&[("server.trusted_proxies", trusted)]).await;
        let token = app.token("ada").bound_to(&key).sign();
        let now = bearward::Clock::now(&app.clock);
        let send_for = async |method: &str| {
            let url = "https://shop.example.com/orders/7";
            let proof = key.proof(method, url).for_token(&token).issued_at(now);
            let request = app
                .request(Method::GET, "/api/auth/verify")
                .header("x-forwarded-method", "DELETE")
                .header("x-forwarded-proto", "https")
                .header("x-forwarded-host", "shop.example.com")
                .header("x-forwarded-uri", "/orders/7?force=1");
            send(with_proof(request, &token, &proof.sign())).await
        };
        send_for("DELETE").await.expect_status(status);
        send_for("GET").await.expect_status(401);
    }
}

#[tokio::test]
async fn browsers_may_send_proofs_and_read_nonces() {
    let (app, _) = start(&[]).await;
    let preflight = app
        .request(Method::OPTIONS, "/api/status")
        .header("origin", "http://localhost:3000")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization,dpop");
    send(preflight).await.expect_status(200);
    let request = app.request(Method::GET, "/api/status");
    let response = send(request.header("origin", "http://localhost:3000")).await;
    let exposed = response.header("access-control-expose-headers");
    assert!(exposed.contains("dpop-nonce"), "{exposed}");
}
