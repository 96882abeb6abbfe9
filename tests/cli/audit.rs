//! The audit log of `bearward serve`.

use bearward_testing::MockIdp;
use reqwest::Method;
use serde_json::{Value, json};
use test_support::{
    http::{client, send},
    process::TestProcess,
};

use crate::bearward;

const VAULT_KEY: &str = "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const API_KEY: &str = "sk-audit-0123456789abcdef";

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::too_many_lines, reason = "one event after the other")]
async fn changes_and_rejections_are_recorded() {
    let idp = MockIdp::start().await;
    let base = idp.base();
    let server = TestProcess::start(bearward(
        &["serve", "--bind", "127.0.0.1:0"],
        &[
            ("SUPABASE_URL", &base),
            ("DATABASE_URL", "sqlite::memory:"),
            ("BEARWARD_TELEMETRY__FORMAT", "json"),
            ("BEARWARD_VAULT__KEYS", VAULT_KEY),
            ("BEARWARD_ADMIN__ISSUERS", "supabase"),
            ("BEARWARD_SERVER__TRUSTED_PROXIES", "127.0.0.1/32"),
        ],
    ));
    let started: Value = serde_json::from_str(&server.line("\"address\"")).unwrap();
    let address = started["address"].as_str().unwrap().to_owned();
    let call = async |method: Method, path: &str, token: &str, body: Option<Value>| {
        let request = client()
            .request(method, format!("http://{address}{path}"))
            .header("x-request-id", "audit-1")
            .header("x-forwarded-for", "192.0.2.7")
            .bearer_auth(token);
        send(match body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(body.to_string()),
            None => request,
        })
        .await
    };
    let event = |name: &str| -> Value {
        let line = server.line(&format!("\"event\":\"{name}\""));
        let event: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(event["target"], "bearward::audit", "{line}");
        assert_eq!(event["request_id"], "audit-1", "{line}");
        assert_eq!(event["client"], "192.0.2.7", "{line}");
        event
    };

    let ada = idp.token().sub("ada").sign();
    let me = call(Method::GET, "/api/auth/me", &ada, None).await;
    let id = me.json()["id"].clone();
    let created = event("account.created");
    assert_eq!(created["subject"], "ada");
    assert_eq!(created["issuer"], idp.issuer());
    assert_eq!(created["object"], id);

    let keys = "/api/user/api-keys";
    let body = json!({"togetherAI": API_KEY});
    call(Method::POST, keys, &ada, Some(body)).await.expect(200);
    assert_eq!(event("api_key.stored")["object"], "togetherAI");
    let removed = call(Method::DELETE, &format!("{keys}/togetherAI"), &ada, None).await;
    removed.expect(200);
    assert_eq!(event("api_key.removed")["subject"], "ada");

    let root = idp.token().sub("root").roles(["admin"]).sign();
    let account = format!("/api/admin/users/{}", id.as_str().unwrap());
    for (is_active, name) in [(false, "account.disabled"), (true, "account.enabled")] {
        let body = json!({"is_active": is_active});
        call(Method::PATCH, &account, &root, Some(body))
            .await
            .expect(200);
        let event = event(name);
        assert_eq!((&event["subject"], &event["object"]), (&"root".into(), &id));
    }

    let revocations = "/api/admin/revocations";
    let body = json!({"kind": "session", "issuer": idp.issuer(), "target": "secret-session"});
    let added = call(Method::POST, revocations, &root, Some(body)).await;
    let entry = added.expect(201)["id"].clone();
    let path = format!("{revocations}/{}", entry.as_str().unwrap());
    call(Method::DELETE, &path, &root, None).await.expect(204);
    for name in ["revocation.added", "revocation.removed"] {
        let event = event(name);
        assert_eq!(
            (&event["subject"], &event["object"]),
            (&"root".into(), &entry)
        );
    }

    // Disabling the account has revoked the older tokens.
    let issued_at = idp.token().claims()["iat"].as_i64().unwrap();
    let ada = idp.token().sub("ada").claim("iat", issued_at + 5).sign();
    let sign_out = idp
        .token()
        .sub("bob")
        .claim("session_id", "secret-session-2")
        .sign();
    let body = json!({"scope": "local"});
    call(Method::POST, "/api/auth/sign-out", &sign_out, Some(body))
        .await
        .expect(204);
    let signed_out = event("user.signed_out");
    assert_eq!(
        (&signed_out["subject"], &signed_out["object"]),
        (&"bob".into(), &"local".into())
    );

    call(Method::DELETE, "/api/user", &ada, None)
        .await
        .expect(204);
    assert_eq!(event("account.deleted")["object"], id);

    let forged = idp.token().sub("ada").signed_by_stranger();
    call(Method::GET, "/protected", &forged, None)
        .await
        .expect(401);
    let rejected = event("token.rejected");
    assert_eq!(rejected["reason"], "signature");
    assert_eq!(rejected["issuer"], "supabase");
    assert!(rejected["kid"].is_string());
    assert_eq!(rejected["route"], "/protected");

    let output = server.output();
    for secret in [&*ada, &root, &forged, API_KEY, VAULT_KEY, "secret-session"] {
        assert!(!output.contains(secret), "a secret is in the log");
    }
}
