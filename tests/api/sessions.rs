//! The sessions of a user: list and end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::test_app::{TestApp, send};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const MINUTE: Duration = Duration::from_secs(60);

fn token(app: &TestApp, subject: &str, session: &str) -> String {
    app.token(subject).claim("session_id", session).sign()
}

/// Calls the API from a client with this `User-Agent`.
async fn visit(app: &TestApp, token: &str, user_agent: &str) {
    let request = app.request(reqwest::Method::GET, "/api/auth/me");
    let request = request.bearer_auth(token).header("user-agent", user_agent);
    send(request).await.expect_status(200);
}

async fn sessions(app: &TestApp, token: &str) -> Vec<Value> {
    let list = app
        .get("/api/auth/sessions", token)
        .await
        .expect_status(200);
    list["items"].as_array().expect("a list").clone()
}

async fn user_agents(app: &TestApp, token: &str) -> Vec<Value> {
    let items = sessions(app, token).await;
    items
        .iter()
        .map(|item| item["user_agent"].clone())
        .collect()
}

fn path(session: &Value) -> String {
    format!("/api/auth/sessions/{}", session["id"].as_str().unwrap())
}

#[tokio::test]
async fn sessions_are_listed_with_their_clients() {
    let app = TestApp::start().await;
    let (laptop, phone) = (token(&app, "ada", "laptop"), token(&app, "ada", "phone"));
    visit(&app, &laptop, FIREFOX).await;
    app.clock.advance(MINUTE);
    visit(&app, &phone, "phone/1.0").await;
    let items = sessions(&app, &laptop).await;
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["user_agent"], "phone/1.0", "the last used first");
    assert_eq!(items[1]["user_agent"], FIREFOX);
    assert_eq!(
        (&items[0]["is_current"], &items[1]["is_current"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(items[1]["first_used_at"], items[1]["last_used_at"]);
    let members: Vec<&String> = items[0].as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        [
            "first_used_at",
            "id",
            "is_current",
            "last_used_at",
            "user_agent"
        ],
        "no session id of the issuer"
    );
    // A refreshed token belongs to the same session, one without a session id to none.
    visit(
        &app,
        &app.newer_token("ada").claim("session_id", "phone").sign(),
        "phone/1.0",
    )
    .await;
    let without = app.token("ada").without("session_id").sign();
    visit(&app, &without, "cron/1.0").await;
    let items = sessions(&app, &without).await;
    assert_eq!(items.len(), 2);
    assert!(items.iter().all(|item| item["is_current"] == false));
}

#[tokio::test]
async fn last_use_is_recorded_every_five_minutes() {
    let app = TestApp::start().await;
    let token = app
        .token("ada")
        .claim("session_id", "laptop")
        .expires_in(Duration::from_secs(3600))
        .sign();
    visit(&app, &token, FIREFOX).await;
    let first = sessions(&app, &token).await.remove(0);
    app.clock.advance(5 * MINUTE - Duration::from_secs(1));
    visit(&app, &token, "Firefox/146.0").await;
    assert_eq!(sessions(&app, &token).await, vec![first.clone()]);
    app.clock.advance(Duration::from_secs(1));
    visit(&app, &token, "Firefox/146.0").await;
    let second = sessions(&app, &token).await.remove(0);
    assert_eq!(second["id"], first["id"]);
    assert_eq!(second["first_used_at"], first["first_used_at"]);
    assert_ne!(second["last_used_at"], first["last_used_at"]);
    assert_eq!(second["user_agent"], "Firefox/146.0");
}

#[tokio::test]
async fn session_that_is_ended_is_rejected_at_once() {
    let app = TestApp::start().await;
    let (laptop, phone) = (token(&app, "ada", "laptop"), token(&app, "ada", "phone"));
    visit(&app, &laptop, FIREFOX).await;
    visit(&app, &phone, "phone/1.0").await;
    let items = sessions(&app, &laptop).await;
    let session = items.iter().find(|item| item["is_current"] == false);
    let path = path(session.unwrap());
    for _ in 0..2 {
        app.delete(&path, &laptop).await.expect_status(204);
    }
    let refreshed = app.newer_token("ada").claim("session_id", "phone").sign();
    for token in [&phone, &refreshed] {
        for path in ["/protected", "/api/auth/me", "/api/auth/sessions"] {
            app.get(path, token)
                .await
                .assert_error(401, "TOKEN_REVOKED");
        }
    }
    assert_eq!(user_agents(&app, &laptop).await, [FIREFOX]);
}

#[tokio::test]
async fn session_stays_ended_when_the_revocation_has_expired() {
    let app = TestApp::start_with(&[("revocation.retention", "2h")]).await;
    let phone = token(&app, "ada", "phone");
    visit(&app, &phone, "phone/1.0").await;
    let session = sessions(&app, &phone).await.remove(0);
    app.delete(&path(&session), &phone).await.expect_status(204);
    app.clock.advance(Duration::from_secs(3 * 3600));
    let refreshed = token(&app, "ada", "phone");
    // It needs no database, so it learns of the session from the next route.
    app.get("/protected", &refreshed).await.expect_status(200);
    for path in ["/api/auth/me", "/protected", "/api/auth/me"] {
        app.get(path, &refreshed)
            .await
            .assert_error(401, "TOKEN_REVOKED");
    }
    let laptop = token(&app, "ada", "laptop");
    visit(&app, &laptop, FIREFOX).await;
    assert_eq!(user_agents(&app, &laptop).await, [FIREFOX]);
}

#[tokio::test]
async fn user_sees_and_ends_only_own_sessions() {
    let app = TestApp::start().await;
    // The last one is the same subject and session id of another issuer.
    let ada = token(&app, "ada", "laptop");
    let bob = token(&app, "bob", "laptop of bob");
    let other = app.other.token().sub("ada").claim("session_id", "laptop");
    let other = other.sign();
    for (token, client) in [(&ada, "ada/1"), (&bob, "bob/1"), (&other, "other/1")] {
        visit(&app, token, client).await;
    }
    for (token, client) in [(&ada, "ada/1"), (&bob, "bob/1"), (&other, "other/1")] {
        assert_eq!(user_agents(&app, token).await, [client]);
    }
    let of_ada = path(&sessions(&app, &ada).await[0]);
    for other_user in [&bob, &other, &app.admin_token()] {
        app.delete(&of_ada, other_user)
            .await
            .assert_error(404, "NOT_FOUND");
    }
    for unknown in ["laptop", "00000000-0000-4000-8000-000000000000", "%00"] {
        app.delete(&format!("/api/auth/sessions/{unknown}"), &ada)
            .await
            .assert_error(404, "NOT_FOUND");
    }
    let request = app.request(reqwest::Method::DELETE, &of_ada);
    send(request).await.assert_error(401, "MISSING_TOKEN");
    visit(&app, &ada, "ada/1").await;

    let of_bob = path(&sessions(&app, &bob).await[0]);
    app.delete(&of_bob, &bob).await.expect_status(204);
    app.get("/protected", &bob)
        .await
        .assert_error(401, "TOKEN_REVOKED");
    // Another issuer's session of the same id is another session.
    let of_other = path(&sessions(&app, &other).await[0]);
    app.delete(&of_other, &other).await.expect_status(204);
    app.get("/protected", &ada).await.expect_status(200);
}

#[tokio::test]
async fn sign_out_removes_sessions_from_the_list() {
    let app = TestApp::start().await;
    let sign_out = async |token: &str, scope: &str| {
        app.post("/api/auth/sign-out", token, &json!({ "scope": scope }))
            .await
            .expect_status(204);
        app.clock.advance(Duration::from_secs(1));
    };
    let session = |name: &str| token(&app, "ada", name);
    let (a, b, c) = (session("a"), session("b"), session("c"));
    for (token, client) in [(&a, "a"), (&b, "b"), (&c, "c")] {
        visit(&app, token, client).await;
    }
    sign_out(&a, "local").await;
    let mut clients = user_agents(&app, &b).await;
    clients.sort_by_key(Value::to_string);
    assert_eq!(clients, ["b", "c"]);
    sign_out(&b, "others").await;
    assert_eq!(user_agents(&app, &b).await, ["b"]);
    // The provider continues the session: the sign-out concerned tokens until then.
    visit(&app, &session("c"), "c again").await;
    assert_eq!(user_agents(&app, &b).await.len(), 2);
    sign_out(&b, "global").await;
    let d = session("d");
    visit(&app, &d, "d").await;
    assert_eq!(user_agents(&app, &d).await, ["d"]);
}

#[tokio::test]
async fn session_that_the_provider_ends_is_not_listed() {
    let app = TestApp::start().await;
    let (laptop, phone) = (token(&app, "ada", "laptop"), token(&app, "ada", "phone"));
    visit(&app, &laptop, FIREFOX).await;
    visit(&app, &phone, "phone/1.0").await;
    let body = json!({"kind": "session", "issuer": app.idp.issuer(), "target": "phone"});
    app.post("/api/admin/revocations", &app.admin_token(), &body)
        .await
        .expect_status(201);
    assert_eq!(user_agents(&app, &laptop).await, [FIREFOX]);
}

#[tokio::test]
async fn sessions_are_deleted_with_their_account_and_when_unused() {
    let app = TestApp::start().await;
    let count = async || {
        let count = "SELECT COUNT(*) FROM user_sessions";
        test_support::database::query_number(&app.database, count).await
    };
    visit(&app, &token(&app, "ada", "old"), "old").await;
    app.clock.advance(Duration::from_secs(31 * 24 * 3600));
    let new = token(&app, "ada", "new");
    visit(&app, &new, "new").await;
    assert_eq!(user_agents(&app, &new).await, ["new"]);
    assert_eq!(count().await, 1);
    // At most 100 of a user.
    let last = token(&app, "ada", "100");
    for number in 1..=100 {
        visit(&app, &token(&app, "ada", &number.to_string()), "many").await;
    }
    assert_eq!(count().await, 100);
    assert_eq!(sessions(&app, &last).await.len(), 100);
    app.delete("/api/user", &last).await.expect_status(204);
    assert_eq!(count().await, 0);
}

#[tokio::test]
async fn nothing_is_recorded_without_the_revocation_list() {
    let app = TestApp::start_with(&[("revocation.enabled", "false")]).await;
    let token = token(&app, "ada", "laptop");
    visit(&app, &token, FIREFOX).await;
    assert_eq!(sessions(&app, &token).await, Vec::<Value>::new());
}
