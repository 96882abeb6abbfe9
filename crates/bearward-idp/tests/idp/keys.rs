//! `/admin/keys`: rotation, standby keys and revocation.

use serde_json::Value;

use crate::fixture::{TestIdp, rejection_code};

#[tokio::test]
async fn rotation_keeps_the_old_key_published() {
    let idp = TestIdp::start();
    let auth = idp.verifier().await;
    let before = idp.mint("{}").await;
    let old = current_kid(&idp).await;
    let rotated = idp.send("POST /admin/keys/rotate", &[], "").await;
    assert_eq!(rotated.status, 200);
    assert_eq!(states(&rotated.json()), ["in_use", "previously_used"]);
    assert_ne!(current_kid(&idp).await, old);
    assert_eq!(published_kids(&idp).await.len(), 2);
    let after = idp.mint("{}").await;
    assert!(
        auth.verify(&before).await.is_ok() && auth.verify(&after).await.is_ok(),
        "both keys verify"
    );
}

#[tokio::test]
async fn rotation_can_change_the_algorithm() {
    let idp = TestIdp::start();
    let rotated = idp
        .send_json("POST /admin/keys/rotate", r#"{"algorithm": "ES256"}"#)
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
        idp.verifier()
            .await
            .verify(&idp.mint("{}").await)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn standby_key_signs_after_the_next_rotation() {
    let idp = TestIdp::start();
    let first = current_kid(&idp).await;
    let standby = idp
        .send_json("POST /admin/keys/standby", r#"{"algorithm": "EdDSA"}"#)
        .await
        .json();
    assert_eq!(states(&standby), ["in_use", "standby"]);
    assert_eq!(
        current_kid(&idp).await,
        first,
        "the standby key does not sign yet"
    );
    let standby_kid = standby["keys"][1]["kid"].clone();
    assert!(published_kids(&idp).await.contains(&standby_kid));
    assert_eq!(
        idp.send("POST /admin/keys/rotate", &[], "").await.status,
        200
    );
    assert_eq!(current_kid(&idp).await, standby_kid);
}

#[tokio::test]
async fn rotation_must_match_the_standby_algorithm() {
    let idp = TestIdp::start();
    idp.send_json("POST /admin/keys/standby", r#"{"algorithm": "EdDSA"}"#)
        .await;
    let rejected = idp
        .send_json("POST /admin/keys/rotate", r#"{"algorithm": "ES256"}"#)
        .await;
    assert_eq!(rejected.error(), (422, "VALIDATION_FAILED".to_owned()));
    assert!(rejected.body.contains("EdDSA"), "{}", rejected.body);
    assert_eq!(
        idp.send_json("POST /admin/keys/rotate", r#"{"algorithm": "EdDSA"}"#)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn revoked_key_is_removed_and_its_tokens_rejected() {
    let idp = TestIdp::start();
    let (token, old) = (idp.mint("{}").await, current_kid(&idp).await);
    let revoked = idp
        .send(
            &format!("POST /admin/keys/{}/revoke", old.as_str().unwrap()),
            &[],
            "",
        )
        .await;
    assert_eq!(
        states(&revoked.json()),
        ["in_use"],
        "a new key replaces the revoked key"
    );
    assert!(!published_kids(&idp).await.contains(&old));
    assert_eq!(
        rejection_code(&idp.verifier().await, &token).await,
        "UNKNOWN_KEY"
    );
    let again = idp
        .send(
            &format!("POST /admin/keys/{}/revoke", old.as_str().unwrap()),
            &[],
            "",
        )
        .await;
    assert_eq!(again.error(), (404, "NOT_FOUND".to_owned()));
    assert!(again.body.contains("GET /admin/keys"), "{}", again.body);
}

#[tokio::test]
async fn key_list_contains_published_keys_only() {
    let idp = TestIdp::start();
    idp.send("POST /admin/keys/rotate", &[], "").await;
    idp.send("POST /admin/keys/standby", &[], "").await;
    let list = idp.get("/admin/keys").await.json();
    let kids: Vec<Value> = list["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["kid"].clone())
        .collect();
    assert_eq!(kids, published_kids(&idp).await);
    for key in list["keys"].as_array().unwrap() {
        let members: Vec<_> = key.as_object().unwrap().keys().collect();
        assert_eq!(members, ["algorithm", "kid", "state"]);
    }
}

async fn current_kid(idp: &TestIdp) -> Value {
    let list = idp.get("/admin/keys").await.json();
    let mut keys = list["keys"].as_array().unwrap().iter();
    keys.find(|key| key["state"] == "in_use")
        .expect("a key in use")["kid"]
        .clone()
}

async fn published_kids(idp: &TestIdp) -> Vec<Value> {
    let set = idp.get("/.well-known/jwks.json").await.json();
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
