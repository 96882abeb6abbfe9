//! `/api/admin/users`, and the effect of disabling an account.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::test_app::{GOOGLE, JsonBody, TestApp, send};

async fn id_of(app: &TestApp, subject: &str) -> String {
    app.get("/api/auth/me", &app.token(subject).sign())
        .await
        .expect_status(200)["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn set_active(app: &TestApp, id: &str, is_active: bool) -> Value {
    app.patch(
        &format!("/api/admin/users/{id}"),
        &app.admin_token(),
        &json!({ "is_active": is_active }),
    )
    .await
    .expect_status(200)
}

#[tokio::test]
async fn administration_requires_the_role_admin() {
    let app = TestApp::start().await;
    let id = id_of(&app, "ada").await;
    for token in [
        app.token("bob").sign(),
        app.token("bob").roles(["Admin", "administrator"]).sign(),
        app.token("bob").claim("role", "admin").sign(),
    ] {
        app.get("/api/admin/users", &token)
            .await
            .assert_error(403, "INSUFFICIENT_ROLE");
        let change = app
            .patch(
                &format!("/api/admin/users/{id}"),
                &token,
                &json!({"is_active": false}),
            )
            .await;
        change.assert_error(403, "INSUFFICIENT_ROLE");
    }
    app.get("/api/admin/users", &app.admin_token())
        .await
        .expect_status(200);
}

#[tokio::test]
async fn only_listed_issuers_have_administrators() {
    let app = TestApp::start().await;
    let token = app.other.token().sub("root").roles(["admin"]).sign();
    app.get("/api/auth/me", &token).await.expect_status(200);
    app.get("/api/admin/users", &token)
        .await
        .assert_error(403, "INSUFFICIENT_ROLE");

    let without_issuers = TestApp::start_with(&[("admin.issuers", "")]).await;
    without_issuers
        .get("/api/admin/users", &without_issuers.admin_token())
        .await
        .assert_error(403, "INSUFFICIENT_ROLE");

    let operators = TestApp::start_with(&[("admin.role", "operator")]).await;
    let operator = operators.token("op").roles(["operator"]).sign();
    operators
        .get("/api/admin/users", &operator)
        .await
        .expect_status(200);
    operators
        .get("/api/admin/users", &operators.admin_token())
        .await
        .assert_error(403, "INSUFFICIENT_ROLE");
}

#[tokio::test]
async fn accounts_are_listed_once_newest_first() {
    let app = TestApp::start().await;
    let mut expected = Vec::new();
    for subject in ["a", "b", "c", "d", "e"] {
        expected.insert(0, id_of(&app, subject).await);
    }
    let root = app
        .get("/api/auth/me", &app.admin_token())
        .await
        .expect_status(200);
    expected.insert(0, root["id"].as_str().unwrap().to_owned());
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app
            .get(
                &format!("/api/admin/users?limit=2{cursor}"),
                &app.admin_token(),
            )
            .await
            .expect_status(200);
        listed.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|user| user["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn disabling_an_account_is_immediate_on_this_replica() {
    let app = TestApp::start().await;
    let older = app.token("ada").sign();
    let token = app.newer_token("ada").sign();
    let id = id_of(&app, "ada").await;
    let disabled = set_active(&app, &id, false).await;
    assert_eq!(disabled["is_active"], false);
    for path in ["/api/auth/me", "/protected"] {
        app.get(path, &older)
            .await
            .assert_error(401, "TOKEN_REVOKED");
    }
    let calls: [(Method, &str, Option<Value>); 5] = [
        (Method::GET, "/api/auth/me", None),
        (Method::GET, "/api/status", None),
        (
            Method::POST,
            "/api/status",
            Some(json!({"client_name": "web"})),
        ),
        (Method::PATCH, "/api/user", Some(json!({"name": "x"}))),
        (Method::DELETE, "/api/user", None),
    ];
    for (method, path, body) in calls {
        let mut request = app.request(method, path).bearer_auth(&token);
        if let Some(body) = body {
            request = request.json_body(&body);
        }
        send(request).await.assert_error(403, "ACCOUNT_DISABLED");
    }
    set_active(&app, &id, true).await;
    assert_eq!(
        app.get("/api/auth/me", &token).await.expect_status(200)["id"],
        id,
        "the account is unchanged"
    );
    app.get("/api/auth/me", &older)
        .await
        .assert_error(401, "TOKEN_REVOKED");
}

#[tokio::test]
async fn disabling_takes_effect_on_other_replicas_within_20_seconds() {
    let app = TestApp::start().await;
    let replica = app.replica().await;
    let token = app.newer_token("ada").sign();
    app.get_from(replica, "/api/status", &token)
        .await
        .expect_status(200);
    let id = id_of(&app, "ada").await;
    set_active(&app, &id, false).await;
    app.clock.advance(Duration::from_millis(19_900));
    app.get_from(replica, "/api/status", &token)
        .await
        .expect_status(200);
    app.clock.advance(Duration::from_millis(100));
    app.get_from(replica, "/api/status", &token)
        .await
        .assert_error(403, "ACCOUNT_DISABLED");
}

#[tokio::test]
async fn a_new_token_does_not_enable_a_disabled_account() {
    let app = TestApp::start().await;
    let id = id_of(&app, "ada").await;
    set_active(&app, &id, false).await;
    app.clock.advance(Duration::from_secs(5));
    app.get(
        "/api/auth/me",
        &app.token("ada").claim("session_id", "new").sign(),
    )
    .await
    .assert_error(403, "ACCOUNT_DISABLED");
}

#[tokio::test]
async fn a_disabled_account_cannot_sign_in_with_google() {
    let app = TestApp::start().await;
    let credential = app.google.token().sub("g").issuer(GOOGLE[0]);
    let credential = credential.claim("iat", app.clock_seconds() + 1).sign();
    let sign_in = async || {
        send(
            app.request(Method::POST, "/api/auth/google")
                .json_body(&json!({ "credential": credential })),
        )
        .await
    };
    let id = sign_in().await.expect_status(200)["user"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    set_active(&app, &id, false).await;
    sign_in().await.assert_error(403, "ACCOUNT_DISABLED");
}

#[tokio::test]
async fn unknown_ids_are_404_and_invalid_bodies_are_422() {
    let app = TestApp::start().await;
    let patch = async |id: &str, body: Value| {
        app.patch(&format!("/api/admin/users/{id}"), &app.admin_token(), &body)
            .await
    };
    for id in ["00000000-0000-7000-8000-000000000000", "x", "%27", "1"] {
        patch(id, json!({"is_active": true}))
            .await
            .assert_error(404, "NOT_FOUND");
    }
    let id = id_of(&app, "ada").await;
    for body in [
        json!({}),
        json!({"is_active": "false"}),
        json!({"is_active": null}),
        json!({"is_active": true, "email": "x"}),
    ] {
        patch(&id, body).await.field_errors();
    }
}

#[tokio::test]
async fn a_disabled_account_cannot_be_deleted_and_recreated() {
    let app = TestApp::start().await;
    let replica = app.replica().await;
    let token = app.newer_token("ada").sign();
    app.get_from(replica, "/api/auth/me", &token)
        .await
        .expect_status(200);
    let id = id_of(&app, "ada").await;
    set_active(&app, &id, false).await;
    // The replica still has the enabled account in its cache.
    let delete = app
        .request_to(replica, Method::DELETE, "/api/user")
        .bearer_auth(&token);
    send(delete).await.assert_error(403, "ACCOUNT_DISABLED");
    for address in [None, Some(replica)] {
        let me = match address {
            None => app.get("/api/auth/me", &token).await,
            Some(address) => app.get_from(address, "/api/auth/me", &token).await,
        };
        me.assert_error(403, "ACCOUNT_DISABLED");
    }
}

#[tokio::test]
async fn administrators_cannot_disable_their_own_account() {
    let app = TestApp::start().await;
    let id = async |token: &str| {
        let me = app.get("/api/auth/me", token).await.expect_status(200);
        format!("/api/admin/users/{}", me["id"].as_str().unwrap())
    };
    let root = app.admin_token();
    let other = app.newer_token("other").roles(["admin"]).sign();
    let (root_path, other_path) = (id(&root).await, id(&other).await);
    let disable = json!({"is_active": false});
    app.patch(&root_path, &root, &disable)
        .await
        .assert_error(409, "LAST_ADMINISTRATOR");
    app.patch(&root_path, &root, &json!({"is_active": true}))
        .await
        .expect_status(200);
    app.patch(&other_path, &root, &disable)
        .await
        .expect_status(200);
    app.get("/api/auth/me", &other)
        .await
        .assert_error(403, "ACCOUNT_DISABLED");
    app.get("/api/auth/me", &root).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_administrators_cannot_disable_each_other() {
    let app = TestApp::start().await;
    let replica = app.replica().await;
    let barrier = tokio::sync::Barrier::new(2);
    let admins = ["one", "two"].map(|name| app.newer_token(name).roles(["admin"]).sign());
    let addresses = [app.address, replica];
    let me = async |admin: usize| {
        let me = app.get_from(addresses[admin], "/api/auth/me", &admins[admin]);
        me.await.expect_status(200)["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    for _ in 0..10 {
        // Each replica has the account of its caller in its cache, which the other one does not
        // change: both requests reach the database.
        let ids = [me(0).await, me(1).await];
        let disable = async |caller: usize| {
            let path = format!("/api/admin/users/{}", ids[1 - caller]);
            let request = app
                .request_to(addresses[caller], Method::PATCH, &path)
                .bearer_auth(&admins[caller])
                .json_body(&json!({"is_active": false}));
            barrier.wait().await;
            send(request).await
        };
        let (one, two) = tokio::join!(disable(0), disable(1));
        let (winner, loser) = if one.status == 200 {
            (0, two)
        } else {
            (1, one)
        };
        loser.assert_error(409, "LAST_ADMINISTRATOR");
        me(winner).await;
        set_active(&app, &ids[1 - winner], true).await;
    }
}
