//! `/admin/faults`: failures of the JWKS endpoint.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fixture::{TestIdp, rejection_code};

const JWKS: &str = "/.well-known/jwks.json";

#[tokio::test]
async fn faults_can_be_set_shown_and_cleared() {
    let idp = TestIdp::start();
    let none = idp.get("/admin/faults").await.json();
    assert!(
        none.as_object()
            .unwrap()
            .values()
            .all(|value| value.is_null() || *value == false),
        "{none}"
    );
    let set = idp
        .send_json("PUT /admin/faults", r#"{"status": 503, "retry_after": 7}"#)
        .await;
    assert_eq!((set.status, &set.json()["status"]), (200, &json!(503)));
    assert_eq!(idp.get("/admin/faults").await.json(), set.json());
    let broken = idp.get(JWKS).await;
    assert_eq!(
        (broken.status, broken.header("retry-after")),
        (503, Some("7"))
    );
    assert_eq!(idp.send("DELETE /admin/faults", &[], "").await.status, 204);
    assert_eq!(idp.get("/admin/faults").await.json(), none);
    assert_eq!(idp.get(JWKS).await.status, 200);
}

#[tokio::test]
async fn each_fault_changes_the_response() {
    let idp = TestIdp::start();
    let normal = idp.get(JWKS).await;
    put(&idp, json!({ "body": "{\"keys\":[]}" })).await;
    assert_eq!(idp.get(JWKS).await.body, r#"{"keys":[]}"#);
    put(
        &idp,
        json!({ "status": 302, "redirect_to": "http://127.0.0.1:1/keys" }),
    )
    .await;
    let redirect = idp.get(JWKS).await;
    assert_eq!(
        (redirect.status, redirect.header("location")),
        (302, Some("http://127.0.0.1:1/keys"))
    );
    put(&idp, json!({ "padding_bytes": 200_000 })).await;
    let padded = idp.get(JWKS).await;
    assert_eq!(
        (padded.body.len(), padded.json()),
        (normal.body.len() + 200_000, normal.json())
    );
    put(
        &idp,
        json!({ "cache_control": "no-store", "age": 60, "no_etag": true }),
    )
    .await;
    let cached = idp.get(JWKS).await;
    assert_eq!(
        (
            cached.header("cache-control"),
            cached.header("age"),
            cached.header("etag")
        ),
        (Some("no-store"), Some("60"), None)
    );
    put(&idp, json!({ "cache_control": "" })).await;
    assert_eq!(idp.get(JWKS).await.header("cache-control"), None);
}

#[tokio::test]
async fn counted_faults_end_after_their_count() {
    let idp = TestIdp::start();
    put(&idp, json!({ "status": 500, "times": 2 })).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(idp.get(JWKS).await.status);
    }
    assert_eq!(statuses, [500, 500, 200, 200]);
}

#[tokio::test]
async fn delay_and_cut_affect_the_connection() {
    let idp = TestIdp::start();
    put(&idp, json!({ "delay_ms": 200 })).await;
    let started = Instant::now();
    assert_eq!(idp.get(JWKS).await.status, 200);
    assert!(
        started.elapsed() >= Duration::from_millis(200),
        "{:?}",
        started.elapsed()
    );
    put(&idp, json!({ "cut": true })).await;
    let url = format!("http://{}{JWKS}", idp.address());
    let cut = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(url)
        .send()
        .await;
    let is_broken = match cut {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(is_broken);
}

#[tokio::test]
async fn clearing_faults_releases_hanging_requests() {
    let idp = std::sync::Arc::new(TestIdp::start());
    put(&idp, json!({ "hang": true })).await;
    let held = tokio::spawn({
        let idp = std::sync::Arc::clone(&idp);
        async move { idp.get(JWKS).await.status }
    });
    // The admin API answers while the JWKS endpoint hangs.
    assert_eq!(idp.get("/admin/faults").await.json()["hang"], json!(true));
    assert_eq!(idp.send("DELETE /admin/faults", &[], "").await.status, 204);
    assert_eq!(
        tokio::time::timeout(Duration::from_secs(20), held)
            .await
            .expect("the request is released")
            .unwrap(),
        200
    );
}

#[tokio::test]
async fn outage_does_not_affect_cached_keys() {
    let idp = TestIdp::start();
    let auth = idp.verifier().await;
    auth.wait_for_initial_fetch().await;
    put(&idp, json!({ "status": 503 })).await;
    assert!(auth.verify(&idp.mint("{}").await).await.is_ok());
}

#[tokio::test]
async fn server_without_keys_reports_keys_unavailable() {
    let idp = TestIdp::start();
    put(&idp, json!({ "body": "{\"keys\":[]}" })).await;
    let auth = idp.verifier().await;
    auth.wait_for_initial_fetch().await;
    assert_eq!(
        rejection_code(&auth, &idp.mint("{}").await).await,
        "KEYS_UNAVAILABLE"
    );
    assert!(
        auth.key_set_statuses()[0]
            .last_error
            .as_ref()
            .is_some_and(|error| error.message.contains("asymmetric"))
    );
}

async fn put(idp: &TestIdp, faults: Value) {
    assert_eq!(
        idp.send_json("PUT /admin/faults", &faults.to_string())
            .await
            .status,
        200,
        "{faults}"
    );
}
