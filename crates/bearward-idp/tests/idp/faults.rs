//! The key endpoint breaks on command, and mends.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    http::{get, json, send},
    start, trusting,
};

const JWKS: &str = "/.well-known/jwks.json";

#[tokio::test]
async fn faults_are_set_shown_and_cleared() {
    let idp = start();
    let none = get(&idp, "/admin/faults").await.json();
    assert!(
        none.as_object()
            .unwrap()
            .values()
            .all(|value| value.is_null() || *value == false),
        "{none}"
    );
    let set = json(
        &idp,
        "PUT /admin/faults",
        r#"{"status": 503, "retry_after": 7}"#,
    )
    .await;
    assert_eq!((set.status, &set.json()["status"]), (200, &json!(503)));
    assert_eq!(get(&idp, "/admin/faults").await.json(), set.json());
    let broken = get(&idp, JWKS).await;
    assert_eq!(
        (broken.status, broken.header("retry-after")),
        (503, Some("7"))
    );
    assert_eq!(
        send(&idp, "DELETE /admin/faults", &[], "").await.status,
        204
    );
    assert_eq!(get(&idp, "/admin/faults").await.json(), none);
    assert_eq!(get(&idp, JWKS).await.status, 200);
}

#[tokio::test]
async fn each_fault_does_what_it_says() {
    let idp = start();
    let sound = get(&idp, JWKS).await;
    put(&idp, json!({ "body": "{\"keys\":[]}" })).await;
    assert_eq!(get(&idp, JWKS).await.body, r#"{"keys":[]}"#);
    put(
        &idp,
        json!({ "status": 302, "redirect_to": "http://127.0.0.1:1/keys" }),
    )
    .await;
    let redirect = get(&idp, JWKS).await;
    assert_eq!(
        (redirect.status, redirect.header("location")),
        (302, Some("http://127.0.0.1:1/keys"))
    );
    put(&idp, json!({ "padding_bytes": 200_000 })).await;
    let padded = get(&idp, JWKS).await;
    assert_eq!(
        (padded.body.len(), padded.json()),
        (sound.body.len() + 200_000, sound.json())
    );
    put(
        &idp,
        json!({ "cache_control": "no-store", "age": 60, "no_etag": true }),
    )
    .await;
    let cached = get(&idp, JWKS).await;
    assert_eq!(
        (
            cached.header("cache-control"),
            cached.header("age"),
            cached.header("etag")
        ),
        (Some("no-store"), Some("60"), None)
    );
    put(&idp, json!({ "cache_control": "" })).await;
    assert_eq!(get(&idp, JWKS).await.header("cache-control"), None);
}

#[tokio::test]
async fn a_counted_fault_wears_off() {
    let idp = start();
    put(&idp, json!({ "status": 500, "times": 2 })).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(get(&idp, JWKS).await.status);
    }
    assert_eq!(statuses, [500, 500, 200, 200]);
}

#[tokio::test]
async fn a_delay_is_waited_for_and_a_cut_breaks_off() {
    let idp = start();
    put(&idp, json!({ "delay_ms": 200 })).await;
    let asked = Instant::now();
    assert_eq!(get(&idp, JWKS).await.status, 200);
    assert!(
        asked.elapsed() >= Duration::from_millis(200),
        "{:?}",
        asked.elapsed()
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
    let broke = match cut {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(broke);
}

#[tokio::test]
async fn whoever_a_hang_holds_is_let_go_when_the_faults_are_cleared() {
    let idp = std::sync::Arc::new(start());
    put(&idp, json!({ "hang": true })).await;
    let held = tokio::spawn({
        let idp = std::sync::Arc::clone(&idp);
        async move { get(&idp, JWKS).await.status }
    });
    // The admin API answers while the key endpoint hangs.
    assert_eq!(get(&idp, "/admin/faults").await.json()["hang"], json!(true));
    assert_eq!(
        send(&idp, "DELETE /admin/faults", &[], "").await.status,
        204
    );
    assert_eq!(
        tokio::time::timeout(Duration::from_secs(20), held)
            .await
            .expect("let go")
            .unwrap(),
        200
    );
}

#[tokio::test]
async fn an_outage_of_the_key_endpoint_costs_a_running_server_nothing() {
    let idp = start();
    let auth = trusting(&idp).await;
    auth.wait_for_initial_fetch().await;
    put(&idp, json!({ "status": 503 })).await;
    assert!(
        auth.verify(&crate::http::mint(&idp, "{}").await)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_server_that_starts_into_an_outage_says_that_the_keys_are_missing() {
    let idp = start();
    put(&idp, json!({ "body": "{\"keys\":[]}" })).await;
    let auth = trusting(&idp).await;
    auth.wait_for_initial_fetch().await;
    assert_eq!(
        crate::code(&auth, &crate::http::mint(&idp, "{}").await).await,
        "KEYS_UNAVAILABLE"
    );
    assert!(
        auth.key_set_statuses()[0]
            .last_error
            .as_ref()
            .is_some_and(|error| error.message.contains("asymmetric"))
    );
}

async fn put(idp: &bearward_idp::Idp, faults: Value) {
    assert_eq!(
        json(idp, "PUT /admin/faults", &faults.to_string())
            .await
            .status,
        200,
        "{faults}"
    );
}
