//! Sign-out, and what else revokes tokens.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::test_app::{ApiResponse, GOOGLE, JsonBody, TestApp, send};

/// The interval in which replicas read the list, shorter than by default.
const SETTINGS: [(&str, &str); 1] = [("revocation.interval", "200ms")];

async fn start() -> TestApp {
    TestApp::start_with(&SETTINGS).await
}

fn token(app: &TestApp, subject: &str, session: &str) -> String {
    app.token(subject).claim("session_id", session).sign()
}

async fn sign_out(app: &TestApp, token: &str, scope: &str) -> ApiResponse {
    app.post("/api/auth/sign-out", token, &json!({ "scope": scope }))
        .await
}

async fn revoke(app: &TestApp, kind: &str, target: &str) -> Value {
    let body = json!({"kind": kind, "issuer": app.idp.issuer(), "target": target});
    app.post("/api/admin/revocations", &app.admin_token(), &body)
        .await
        .expect_status(201)
}

async fn is_revoked(app: &TestApp, token: &str) -> bool {
    match app.get("/protected", token).await {
        response if response.status == 200 => false,
        response => {
            response.assert_error(401, "TOKEN_REVOKED");
            let challenge = response.header("www-authenticate");
            assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
            true
        }
    }
}

/// Waits until a replica has learned of a change.
async fn wait_until(what: &str, check: impl AsyncFn() -> bool) {
    let since = Instant::now();
    while !check().await {
        assert!(since.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn local_sign_out_ends_the_session_only() {
    let app = start().await;
    let (laptop, phone) = (token(&app, "ada", "laptop"), token(&app, "ada", "phone"));
    let refreshed = app
        .token("ada")
        .claim("session_id", "laptop")
        .claim("n", 2)
        .sign();
    for token in [&laptop, &phone] {
        assert!(!is_revoked(&app, token).await);
    }
    sign_out(&app, &laptop, "local").await.expect_status(204);
    assert!(is_revoked(&app, &laptop).await, "although it was cached");
    assert!(is_revoked(&app, &refreshed).await);
    assert!(!is_revoked(&app, &phone).await);
    sign_out(&app, &laptop, "local")
        .await
        .assert_error(401, "TOKEN_REVOKED");
    for path in ["/api/auth/me", "/api/auth/verify", "/api/status"] {
        app.get(path, &laptop)
            .await
            .assert_error(401, "TOKEN_REVOKED");
    }
}

#[tokio::test]
async fn tokens_that_expire_at_the_end_of_the_year_9999_are_revoked() {
    /// The latest `exp` that is accepted.
    const LAST: i64 = 253_402_300_799;
    let app = start().await;
    // An entry expires 300 s, the longest leeway, after the token.
    for (user, exp) in [("ada", LAST - 300), ("bob", LAST - 299), ("eve", LAST)] {
        for scope in ["local", "global"] {
            let session = format!("{scope} session of {user}");
            let token = app.token(user).claim("session_id", session);
            let token = token.claim("exp", exp).sign();
            sign_out(&app, &token, scope).await.expect_status(204);
            assert!(is_revoked(&app, &token).await, "{user} {scope}");
        }
    }
}

#[tokio::test]
async fn signing_out_others_keeps_the_session() {
    let app = start().await;
    let (laptop, phone) = (token(&app, "ada", "laptop"), token(&app, "ada", "phone"));
    let bob = token(&app, "bob", "phone of bob");
    sign_out(&app, &laptop, "others").await.expect_status(204);
    assert!(!is_revoked(&app, &laptop).await);
    assert!(is_revoked(&app, &phone).await);
    assert!(!is_revoked(&app, &bob).await);

    app.clock.advance(Duration::from_secs(1));
    let phone_again = token(&app, "ada", "phone");
    assert!(!is_revoked(&app, &phone_again).await);
    // Now the phone signs the laptop out.
    sign_out(&app, &phone_again, "others")
        .await
        .expect_status(204);
    assert!(is_revoked(&app, &laptop).await);
    assert!(!is_revoked(&app, &phone_again).await);
    assert!(
        is_revoked(&app, &phone).await,
        "its older token is not accepted again"
    );
}

#[tokio::test]
async fn global_sign_out_ends_all_sessions() {
    let app = start().await;
    let tokens = [
        token(&app, "ada", "laptop"),
        token(&app, "ada", "phone"),
        app.token("ada").sign(),
        app.token("ada").without("iat").sign(),
    ];
    let other_issuer = app.other.token().sub("ada").sign();
    sign_out(&app, &tokens[0], "global")
        .await
        .expect_status(204);
    for token in &tokens {
        assert!(is_revoked(&app, token).await);
    }
    assert!(
        !is_revoked(&app, &other_issuer).await,
        "the subject of another issuer"
    );
    app.clock.advance(Duration::from_secs(1));
    assert!(!is_revoked(&app, &token(&app, "ada", "new")).await);
    // The session that has signed out stays revoked, whenever its tokens are issued.
    assert!(is_revoked(&app, &token(&app, "ada", "laptop")).await);
}

#[tokio::test]
async fn sign_in_after_the_response_is_accepted() {
    let app = start().await;
    // In the middle of a second, which the response outlasts.
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    app.clock.set_wall_clock(
        bearward::Timestamp::from_unix(i64::try_from(now.as_secs()).unwrap() + 1)
            .plus(Duration::from_millis(600)),
    );
    let since = Instant::now();
    sign_out(&app, &token(&app, "ada", "laptop"), "global")
        .await
        .expect_status(204);
    assert!(since.elapsed() >= Duration::from_millis(400));
    // By the issuer's clock, the second has passed.
    app.clock.advance(Duration::from_millis(400));
    assert!(!is_revoked(&app, &token(&app, "ada", "phone")).await);
}

#[tokio::test]
async fn sign_out_needs_what_identifies_the_session() {
    let app = start().await;
    let without = app.token("ada").without("session_id").sign();
    for scope in ["local", "others"] {
        let errors = sign_out(&app, &without, scope).await.field_errors();
        assert!(errors[0].1.contains("use \"global\""), "{errors:?}");
    }
    assert!(!is_revoked(&app, &without).await);
    let with_jti = app
        .token("ada")
        .without("session_id")
        .claim("jti", "one")
        .sign();
    let another = app
        .token("ada")
        .without("session_id")
        .claim("jti", "two")
        .sign();
    sign_out(&app, &with_jti, "local").await.expect_status(204);
    assert!(is_revoked(&app, &with_jti).await);
    assert!(!is_revoked(&app, &another).await);

    for body in [
        json!({}),
        json!({"scope": "everyone"}),
        json!({"scope": null}),
        json!({"scope": "local", "subject": "bob"}),
        json!({"scope": "global", "session_id": "x"}),
    ] {
        app.post("/api/auth/sign-out", &without, &body)
            .await
            .field_errors();
    }
    app.post("/api/auth/sign-out", "", &json!({"scope": "global"}))
        .await;
    let anonymous = app
        .request(Method::POST, "/api/auth/sign-out")
        .json_body(&json!({"scope": "global"}));
    send(anonymous).await.assert_error(401, "MISSING_TOKEN");
}

#[tokio::test]
async fn deleted_account_is_not_created_again_by_older_tokens() {
    let app = start().await;
    let replica = app.replica_with(&SETTINGS).await;
    let tokens = [
        token(&app, "ada", "laptop"),
        token(&app, "ada", "phone"),
        app.token("ada").sign(),
    ];
    for token in &tokens {
        app.get("/api/auth/me", token).await.expect_status(200);
    }
    app.delete("/api/user", &tokens[0]).await.expect_status(204);
    for token in &tokens {
        app.get("/api/auth/me", token)
            .await
            .assert_error(401, "TOKEN_REVOKED");
        // Also before the replica has read the list: it asks the database before it creates a row.
        app.get_from(replica, "/api/auth/me", token)
            .await
            .assert_error(401, "TOKEN_REVOKED");
    }
    let count = "SELECT COUNT(*) FROM users WHERE subject = 'ada'";
    assert_eq!(
        test_support::database::query_number(&app.database, count).await,
        0
    );
    app.clock.advance(Duration::from_secs(1));
    app.get("/api/auth/me", &token(&app, "ada", "new"))
        .await
        .expect_status(200);
}

#[tokio::test]
async fn older_google_credential_does_not_create_a_deleted_account() {
    let app = start().await;
    let google = || app.google.token().sub("g").issuer(GOOGLE[0]);
    let sign_in = async |credential: &str| {
        let body = json!({ "credential": credential });
        send(
            app.request(Method::POST, "/api/auth/google")
                .json_body(&body),
        )
        .await
    };
    let credential = google().claim("iat", app.clock_seconds()).sign();
    let id = sign_in(&credential).await.expect_status(200)["user"]["id"].clone();
    app.patch(
        &format!("/api/admin/users/{}", id.as_str().unwrap()),
        &app.admin_token(),
        &json!({"is_active": false}),
    )
    .await
    .expect_status(200);
    sign_in(&credential)
        .await
        .assert_error(401, "TOKEN_REVOKED");
    let newer = google().claim("iat", app.clock_seconds() + 1).sign();
    sign_in(&newer).await.assert_error(403, "ACCOUNT_DISABLED");
}

#[tokio::test]
async fn administrators_revoke_each_kind() {
    let app = start().await;
    let user = app
        .token("ada")
        .claim("session_id", "laptop")
        .claim("jti", "one");
    let kid = app.idp.key().kid().to_owned();
    for (kind, target) in [
        ("session", "laptop"),
        ("subject", "ada"),
        ("token", "one"),
        ("key", &*kid),
    ] {
        let token = user.clone().sign();
        assert!(!is_revoked(&app, &token).await, "{kind}");
        let entry = revoke(&app, kind, target).await;
        assert_eq!(
            (
                &entry["kind"],
                &entry["target"],
                &entry["reason"],
                &entry["issuer"]
            ),
            (
                &json!(kind),
                &json!(target),
                &json!("administrator"),
                &json!(app.idp.issuer())
            )
        );
        assert_eq!(
            entry["issued_before"].is_null(),
            kind != "subject",
            "{entry}"
        );
        assert!(is_revoked(&app, &token).await, "{kind}");
        if kind == "key" {
            // The administrator's token is signed with the same key.
            let list = app.get("/api/admin/revocations", &app.admin_token()).await;
            list.assert_error(401, "TOKEN_REVOKED");
            break;
        }
        let list = app
            .get("/api/admin/revocations", &app.admin_token())
            .await
            .expect_status(200);
        assert_eq!(list["items"], json!([entry]));
        let path = format!("/api/admin/revocations/{}", entry["id"].as_str().unwrap());
        app.delete(&path, &app.admin_token())
            .await
            .expect_status(204);
        wait_until("the entry is removed", async || {
            !is_revoked(&app, &token).await
        })
        .await;
        app.delete(&path, &app.admin_token())
            .await
            .assert_error(404, "NOT_FOUND");
        let list = app
            .get("/api/admin/revocations", &app.admin_token())
            .await
            .expect_status(200);
        assert_eq!(list["items"], json!([]));
    }
}

#[tokio::test]
async fn entry_that_is_added_again_is_one_row_and_comes_back() {
    let app = start().await;
    let replica = app.replica_with(&SETTINGS).await;
    let token = token(&app, "ada", "laptop");
    let on_replica = async || app.get_from(replica, "/protected", &token).await.status == 401;
    for round in 0..2 {
        let first = revoke(&app, "session", "laptop").await;
        app.clock.advance(Duration::from_secs(1));
        let second = revoke(&app, "session", "laptop").await;
        assert_eq!(first["id"], second["id"]);
        assert!(second["expires_at"].as_str() > first["expires_at"].as_str());
        let list = app
            .get("/api/admin/revocations", &app.admin_token())
            .await
            .expect_status(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        wait_until("the replica rejects the token", on_replica).await;
        let path = format!("/api/admin/revocations/{}", first["id"].as_str().unwrap());
        app.delete(&path, &app.admin_token())
            .await
            .expect_status(204);
        wait_until(
            &format!("the replica accepts it, round {round}"),
            async || !on_replica().await,
        )
        .await;
        wait_until("this server accepts it", async || {
            !is_revoked(&app, &token).await
        })
        .await;
    }
}

#[tokio::test]
async fn users_cannot_revoke_or_see_tokens_of_others() {
    let app = start().await;
    let ada = token(&app, "ada", "laptop");
    let body = json!({"kind": "subject", "issuer": app.idp.issuer(), "target": "ada"});
    for bob in [
        token(&app, "bob", "laptop of bob"),
        app.other.token().sub("ada").roles(["admin"]).sign(),
    ] {
        app.post("/api/admin/revocations", &bob, &body)
            .await
            .assert_error(403, "INSUFFICIENT_ROLE");
        app.get("/api/admin/revocations", &bob)
            .await
            .assert_error(403, "INSUFFICIENT_ROLE");
        let path = "/api/admin/revocations/00000000-0000-8000-8000-000000000000";
        app.delete(path, &bob)
            .await
            .assert_error(403, "INSUFFICIENT_ROLE");
        sign_out(&app, &bob, "global").await.expect_status(204);
    }
    // A subject of another issuer with the same name, and a made-up session.
    let same_session = app
        .other
        .token()
        .sub("eve")
        .claim("session_id", "laptop")
        .sign();
    sign_out(&app, &same_session, "local")
        .await
        .expect_status(204);
    assert!(!is_revoked(&app, &ada).await);
}

#[tokio::test]
async fn invalid_entries_are_422() {
    let app = start().await;
    let valid = json!({"kind": "session", "issuer": app.idp.issuer(), "target": "x"});
    let with = |field: &str, value: Value| {
        let mut body = valid.clone();
        body[field] = value;
        body
    };
    let long = "x".repeat(1025);
    for (field, value) in [
        ("kind", json!("everything")),
        ("issuer", json!(app.untrusted.issuer())),
        ("issuer", json!("")),
        ("target", json!("")),
        ("target", json!("a\nb")),
        ("target", json!(long)),
        ("target", json!(1)),
        ("issued_before", json!("2100-01-01T00:00:00Z")),
    ] {
        let response = app
            .post(
                "/api/admin/revocations",
                &app.admin_token(),
                &with(field, value),
            )
            .await;
        let errors = response.field_errors();
        assert_eq!(errors[0].0, field);
    }
    let longest = with("target", json!("x".repeat(1024)));
    app.post("/api/admin/revocations", &app.admin_token(), &longest)
        .await
        .expect_status(201);
    for id in ["x", "00000000-0000-8000-8000-000000000000"] {
        let path = format!("/api/admin/revocations/{id}");
        app.delete(&path, &app.admin_token())
            .await
            .assert_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn full_list_is_503_and_revokes_nothing() {
    let app = TestApp::start_with(&[
        ("revocation.max_entries", "1"),
        ("revocation.interval", "200ms"),
    ])
    .await;
    let (laptop, phone) = (token(&app, "ada", "laptop"), token(&app, "ada", "phone"));
    sign_out(&app, &laptop, "local").await.expect_status(204);
    let full = sign_out(&app, &phone, "local").await;
    full.assert_error(503, "REVOCATIONS_FULL");
    assert_eq!(full.header("retry-after"), "60");
    assert!(is_revoked(&app, &laptop).await);
    assert!(!is_revoked(&app, &phone).await);
    let rows = "SELECT COUNT(*) FROM revocations";
    assert_eq!(
        test_support::database::query_number(&app.database, rows).await,
        1
    );
}

#[tokio::test]
async fn entries_expire() {
    let app = TestApp::start_with(&[
        ("revocation.retention", "1m"),
        ("revocation.interval", "200ms"),
    ])
    .await;
    let long = app
        .token("ada")
        .claim("session_id", "laptop")
        .expires_in(Duration::from_secs(3600));
    let (own, other) = (
        long.clone().sign(),
        long.claim("n", 2)
            .expires_in(Duration::from_secs(30))
            .sign(),
    );
    // The entry lasts as long as the caller's own token, at least.
    sign_out(&app, &own, "local").await.expect_status(204);
    let entry = |list: &Value| list["items"].as_array().unwrap().len();
    let list = async || {
        app.get("/api/admin/revocations", &app.admin_token())
            .await
            .expect_status(200)
    };
    assert!(is_revoked(&app, &other).await);
    app.clock.advance(Duration::from_secs(3599));
    assert!(is_revoked(&app, &own).await);
    assert_eq!(entry(&list().await), 1);
    app.clock.advance(Duration::from_secs(302));
    assert_eq!(entry(&list().await), 0);
    // An administrator's entry lasts for the retention.
    revoke(&app, "session", "phone").await;
    let phone = app
        .token("ada")
        .claim("session_id", "phone")
        .expires_in(Duration::from_secs(3600))
        .sign();
    assert!(is_revoked(&app, &phone).await);
    app.clock.advance(Duration::from_secs(60));
    assert!(!is_revoked(&app, &phone).await);
}

#[tokio::test]
async fn disabled_list_changes_nothing() {
    let app = TestApp::start_with(&[("revocation.enabled", "false")]).await;
    let ada = token(&app, "ada", "laptop");
    sign_out(&app, &ada, "global")
        .await
        .assert_error(404, "NOT_FOUND");
    let body = json!({"kind": "subject", "issuer": app.idp.issuer(), "target": "ada"});
    app.post("/api/admin/revocations", &app.admin_token(), &body)
        .await
        .assert_error(404, "NOT_FOUND");
    app.delete("/api/user", &ada).await.expect_status(204);
    app.get("/api/auth/me", &ada).await.expect_status(200);
    assert!(app.get("/health", "").await.expect_status(200)["revocations"].is_null());
    assert_eq!(app.get("/readyz", "").await.status, 200);
}

#[tokio::test]
async fn health_has_the_size_and_age_of_the_list() {
    let app = start().await;
    revoke(&app, "session", "laptop").await;
    wait_until("the entry is read", async || {
        app.get("/health", "").await.expect_status(200)["revocations"]["entries"] == json!(1)
    })
    .await;
    let health = app.get("/health", "").await.expect_status(200);
    assert_eq!(
        (&health["status"], &health["revocations"]["age_seconds"]),
        (&json!("ok"), &json!(0))
    );
}
