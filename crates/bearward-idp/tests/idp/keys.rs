//! Keys turn on command, and what is published follows.

use bearward_idp::Idp;
use serde_json::Value;

use crate::{
    code,
    http::{get, json, mint, send},
    start, trusting,
};

#[tokio::test]
async fn a_rotation_signs_with_a_new_key_and_keeps_the_old_one_published() {
    let idp = start();
    let auth = trusting(&idp).await;
    let before = mint(&idp, "{}").await;
    let old = in_use(&idp).await;
    let rotated = send(&idp, "POST /admin/keys/rotate", &[], "").await;
    assert_eq!(rotated.status, 200);
    assert_eq!(states(&rotated.json()), ["in_use", "previously_used"]);
    assert_ne!(in_use(&idp).await, old);
    assert_eq!(published(&idp).await.len(), 2);
    let after = mint(&idp, "{}").await;
    assert!(
        auth.verify(&before).await.is_ok() && auth.verify(&after).await.is_ok(),
        "both keys verify"
    );
}

#[tokio::test]
async fn a_rotation_may_change_the_algorithm() {
    let idp = start();
    let rotated = json(&idp, "POST /admin/keys/rotate", r#"{"algorithm": "ES256"}"#)
        .await
        .json();
    assert_eq!(
        (
            &rotated["keys"][0]["algorithm"],
            &rotated["keys"][0]["state"]
        ),
        (&"ES256".into(), &"in_use".into())
    );
    assert!(
        trusting(&idp)
            .await
            .verify(&mint(&idp, "{}").await)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_standby_key_is_published_first_and_signs_after_the_next_rotation() {
    let idp = start();
    let first = in_use(&idp).await;
    let standby = json(
        &idp,
        "POST /admin/keys/standby",
        r#"{"algorithm": "EdDSA"}"#,
    )
    .await
    .json();
    assert_eq!(states(&standby), ["in_use", "standby"]);
    assert_eq!(in_use(&idp).await, first, "it does not sign yet");
    let waiting = standby["keys"][1]["kid"].clone();
    assert!(published(&idp).await.contains(&waiting));
    assert_eq!(
        send(&idp, "POST /admin/keys/rotate", &[], "").await.status,
        200
    );
    assert_eq!(in_use(&idp).await, waiting);
}

#[tokio::test]
async fn a_rotation_to_another_algorithm_than_the_standby_keys_is_refused() {
    let idp = start();
    json(
        &idp,
        "POST /admin/keys/standby",
        r#"{"algorithm": "EdDSA"}"#,
    )
    .await;
    let refused = json(&idp, "POST /admin/keys/rotate", r#"{"algorithm": "ES256"}"#).await;
    assert_eq!(refused.refusal(), (422, "VALIDATION_FAILED".to_owned()));
    assert!(refused.body.contains("EdDSA"), "{}", refused.body);
    assert_eq!(
        json(&idp, "POST /admin/keys/rotate", r#"{"algorithm": "EdDSA"}"#)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_revoked_key_is_gone_and_its_tokens_die_with_it() {
    let idp = start();
    let (token, old) = (mint(&idp, "{}").await, in_use(&idp).await);
    let revoked = send(
        &idp,
        &format!("POST /admin/keys/{}/revoke", old.as_str().unwrap()),
        &[],
        "",
    )
    .await;
    assert_eq!(
        states(&revoked.json()),
        ["in_use"],
        "the key in use gives way to a new one"
    );
    assert!(!published(&idp).await.contains(&old));
    assert_eq!(code(&trusting(&idp).await, &token).await, "UNKNOWN_KEY");
    let again = send(
        &idp,
        &format!("POST /admin/keys/{}/revoke", old.as_str().unwrap()),
        &[],
        "",
    )
    .await;
    assert_eq!(again.refusal(), (404, "NOT_FOUND".to_owned()));
    assert!(again.body.contains("GET /admin/keys"), "{}", again.body);
}

#[tokio::test]
async fn the_list_of_keys_holds_what_is_published_and_nothing_private() {
    let idp = start();
    send(&idp, "POST /admin/keys/rotate", &[], "").await;
    send(&idp, "POST /admin/keys/standby", &[], "").await;
    let list = get(&idp, "/admin/keys").await.json();
    let kids: Vec<Value> = list["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["kid"].clone())
        .collect();
    assert_eq!(kids, published(&idp).await);
    for key in list["keys"].as_array().unwrap() {
        let members: Vec<_> = key.as_object().unwrap().keys().collect();
        assert_eq!(members, ["algorithm", "kid", "state"]);
    }
}

async fn in_use(idp: &Idp) -> Value {
    let list = get(idp, "/admin/keys").await.json();
    let mut keys = list["keys"].as_array().unwrap().iter();
    keys.find(|key| key["state"] == "in_use")
        .expect("a key in use")["kid"]
        .clone()
}

async fn published(idp: &Idp) -> Vec<Value> {
    let set = get(idp, "/.well-known/jwks.json").await.json();
    set["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["kid"].clone())
        .collect()
}

fn states(list: &Value) -> Vec<&str> {
    list["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["state"].as_str().unwrap())
        .collect()
}
