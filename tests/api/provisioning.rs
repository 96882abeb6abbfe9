//! Creation of accounts, and updates from token claims.

use std::time::Duration;

use serde_json::json;
use test_support::database::query_number;

use crate::test_app::TestApp;

#[tokio::test]
async fn the_first_request_creates_the_account_from_the_claims() {
    let app = TestApp::start().await;
    let token = app
        .token("ada")
        .claim("email", "ada@example.com")
        .claim("email_verified", true);
    let token = token
        .claim(
            "user_metadata",
            json!({"full_name": "Ada", "avatar_url": "https://x.example/ada.png"}),
        )
        .sign();
    let me = app.get("/api/auth/me", &token).await.expect_status(200);
    assert_eq!(me["subject"], "ada");
    assert_eq!(me["issuer"], app.idp.issuer());
    assert_eq!(me["email"], "ada@example.com");
    assert_eq!(me["email_verified"], true);
    assert_eq!(me["name"], "Ada");
    assert_eq!(me["picture"], "https://x.example/ada.png");
    assert_eq!(me["is_active"], true);
    assert_eq!(me["created_at"], me["last_login"]);
    assert!(me["id"].as_str().is_some_and(|id| id.len() == 36));
}

#[tokio::test]
async fn later_requests_use_the_same_account() {
    let app = TestApp::start().await;
    let first = app
        .get("/api/auth/me", &app.token("ada").sign())
        .await
        .expect_status(200);
    let second = app
        .get("/api/auth/me", &app.token("ada").aal("aal2").sign())
        .await
        .expect_status(200);
    assert_eq!(first["id"], second["id"]);
    assert_eq!(
        query_number(&app.database, "SELECT COUNT(*) FROM users").await,
        1
    );
}

#[tokio::test]
async fn the_same_subject_of_another_issuer_is_another_account() {
    let app = TestApp::start().await;
    let account = app
        .get("/api/auth/me", &app.token("ada").sign())
        .await
        .expect_status(200);
    let other_account = app
        .get("/api/auth/me", &app.other.token().sub("ada").sign())
        .await
        .expect_status(200);
    assert_ne!(account["id"], other_account["id"]);
    assert_ne!(account["issuer"], other_account["issuer"]);
}

#[tokio::test]
async fn subjects_are_compared_exactly() {
    let app = TestApp::start().await;
    let mut ids = std::collections::HashSet::new();
    for subject in ["ada", "Ada", "ada ", "ADA", "áda"] {
        let me = app
            .get("/api/auth/me", &app.token(subject).sign())
            .await
            .expect_status(200);
        assert!(
            ids.insert(me["id"].to_string()),
            "{subject:?} shares an account"
        );
    }
}

#[tokio::test]
async fn accounts_are_not_linked_by_email() {
    let app = TestApp::start().await;
    let ada = app.token("ada").claim("email", "same@example.com").sign();
    let bob = app.token("bob").claim("email", "same@example.com").sign();
    let (ada, bob) = (
        app.get("/api/auth/me", &ada).await.expect_status(200),
        app.get("/api/auth/me", &bob).await.expect_status(200),
    );
    assert_ne!(ada["id"], bob["id"]);
}

#[tokio::test]
async fn changed_claims_update_the_account() {
    let app = TestApp::start().await;
    let before = app
        .get(
            "/api/auth/me",
            &app.token("ada").claim("name", "Ada").sign(),
        )
        .await
        .expect_status(200);
    app.clock.advance(Duration::from_secs(5));
    let after = app
        .token("ada")
        .claim("name", "Ada Lovelace")
        .claim("email", "new@example.com")
        .sign();
    let after = app.get("/api/auth/me", &after).await.expect_status(200);
    assert_eq!(
        (after["id"].clone(), after["name"].clone()),
        (before["id"].clone(), json!("Ada Lovelace"))
    );
    assert_eq!(after["email"], "new@example.com");
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str());
    assert_eq!(after["created_at"], before["created_at"]);
}

#[tokio::test]
async fn older_tokens_do_not_overwrite_newer_claims() {
    let app = TestApp::start().await;
    let older = app.token("ada").claim("name", "Before").sign();
    app.clock.advance(Duration::from_secs(5));
    let newer = app.token("ada").claim("name", "After").sign();
    app.get("/api/auth/me", &newer).await.expect_status(200);
    let me = app.get("/api/auth/me", &older).await.expect_status(200);
    assert_eq!(me["name"], "After");
}

#[tokio::test]
async fn only_a_new_session_updates_last_login() {
    let app = TestApp::start().await;
    let first = app.token("ada").claim("session_id", "one").sign();
    let before = app.get("/api/auth/me", &first).await.expect_status(200);
    app.clock.advance(Duration::from_secs(3600 - 60));
    let same_session = app.token("ada").claim("session_id", "one").sign();
    let refreshed = app
        .get("/api/auth/me", &same_session)
        .await
        .expect_status(200);
    assert_eq!(
        refreshed["last_login"], before["last_login"],
        "a refreshed token of the same session is not a login"
    );
    app.clock.advance(Duration::from_secs(1));
    let second = app.token("ada").claim("session_id", "two").sign();
    let after = app.get("/api/auth/me", &second).await.expect_status(200);
    assert!(
        after["last_login"].as_str() > before["last_login"].as_str(),
        "{after}"
    );
    assert_eq!(
        after["updated_at"], before["updated_at"],
        "nothing else changes"
    );
}

#[tokio::test]
async fn without_session_id_a_new_iat_is_a_new_session() {
    let app = TestApp::start().await;
    let token = |app: &TestApp| app.token("ada").without("session_id").sign();
    let before = app
        .get("/api/auth/me", &token(&app))
        .await
        .expect_status(200);
    app.clock.advance(Duration::from_secs(60));
    let after = app
        .get("/api/auth/me", &token(&app))
        .await
        .expect_status(200);
    assert!(
        after["last_login"].as_str() > before["last_login"].as_str(),
        "{after}"
    );
}

#[tokio::test]
async fn alternating_sessions_do_not_write_on_each_request() {
    let app = TestApp::start().await;
    let [phone, laptop] =
        ["phone", "laptop"].map(|session| app.token("ada").claim("session_id", session).sign());
    app.get("/api/auth/me", &phone).await.expect_status(200);
    let before = app.get("/api/auth/me", &laptop).await.expect_status(200);
    app.clock.advance(Duration::from_secs(1));
    for token in [&phone, &laptop, &phone, &laptop] {
        let me = app.get("/api/auth/me", token).await.expect_status(200);
        assert_eq!(me["last_login"], before["last_login"]);
    }
}

#[tokio::test]
async fn five_hundred_concurrent_first_requests_create_one_account() {
    let app = TestApp::start().await;
    let token = app.token("ada").sign();
    let responses =
        futures_util::future::join_all((0..500).map(|_| app.get("/api/auth/me", &token))).await;
    let ids: std::collections::HashSet<String> = responses
        .iter()
        .map(|response| response.expect_status(200)["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(
        query_number(&app.database, "SELECT COUNT(*) FROM users").await,
        1
    );
}

#[tokio::test]
async fn the_protected_route_creates_no_account() {
    let app = TestApp::start().await;
    app.get("/protected", &app.token("ada").sign())
        .await
        .expect_status(200);
    assert_eq!(
        query_number(&app.database, "SELECT COUNT(*) FROM users").await,
        0
    );
}

#[tokio::test]
async fn invalid_profile_claims_are_ignored() {
    let app = TestApp::start().await;
    let token = app
        .token("ada")
        .claim("email", 7)
        .claim("name", "a\nb")
        .claim("picture", "javascript:alert(1)")
        .claim("user_metadata", "x");
    let me = app
        .get("/api/auth/me", &token.sign())
        .await
        .expect_status(200);
    assert_eq!(
        (&me["email"], &me["name"], &me["picture"]),
        (&json!(null), &json!(null), &json!(null))
    );
}

#[tokio::test]
async fn deep_user_metadata_does_not_lock_its_owner_out() {
    let app = TestApp::start().await;
    let nested = (0..300).fold(json!(1), |inner, _| json!([inner]));
    let token = app
        .token("ada")
        .claim("user_metadata", json!({"x": nested, "full_name": "Ada"}))
        .sign();
    let me = app.get("/api/auth/me", &token).await.expect_status(200);
    assert_eq!(me["name"], "Ada");
}

#[tokio::test]
async fn a_lone_surrogate_does_not_lock_its_owner_out() {
    let app = TestApp::start().await;
    let token = app.token("ada").claim(
        "user_metadata",
        json!({"x": "SURROGATE", "full_name": "Ada"}),
    );
    let payload = serde_json::to_string(token.claims())
        .unwrap()
        .replace("SURROGATE", r"\ud800");
    let header = serde_json::to_string(token.header_members()).unwrap();
    let token = bearward_testing::Token::raw(header, payload).sign(&app.idp.key());
    let me = app.get("/api/auth/me", &token).await.expect_status(200);
    assert_eq!(me["name"], "Ada");
}

#[tokio::test]
async fn nine_sessions_of_one_second_do_not_write_on_each_request() {
    let app = TestApp::start().await;
    let tokens: Vec<String> = (0..9)
        .map(|session| {
            let token = app.token("ada");
            token.claim("session_id", session.to_string()).sign()
        })
        .collect();
    let before = app.get("/api/auth/me", &tokens[0]).await.expect_status(200);
    for _ in 0..3 {
        app.clock.advance(Duration::from_secs(61));
        for token in &tokens {
            let me = app.get("/api/auth/me", token).await.expect_status(200);
            assert_eq!(me["last_login"], before["last_login"]);
        }
    }
}

#[tokio::test]
async fn last_login_moves_at_most_once_a_minute() {
    let app = TestApp::start().await;
    let last_login = async |session: &str| {
        let token = app.token("ada").claim("session_id", session).sign();
        let me = app.get("/api/auth/me", &token).await.expect_status(200);
        me["last_login"].as_str().unwrap().to_owned()
    };
    let first = last_login("one").await;
    app.clock.advance(Duration::from_secs(59));
    assert_eq!(last_login("two").await, first);
    app.clock.advance(Duration::from_secs(1));
    assert!(last_login("three").await > first);
}

#[tokio::test]
async fn forward_auth_names_the_canonical_issuer() {
    let app = TestApp::start().await;
    let canonical = "https://canonical.example";
    let spellings = format!("{canonical},{}", app.idp.issuer());
    let replica = app
        .replica_with(&[("issuers.main.issuer", &spellings)])
        .await;
    let token = app.token("ada");
    for token in [token.clone().sign(), token.issuer(canonical).sign()] {
        let response = app.get_from(replica, "/api/auth/verify", &token).await;
        response.expect_status(200);
        assert_eq!(response.header("x-auth-issuer"), canonical);
    }
}

#[tokio::test]
async fn email_verified_is_null_if_the_issuer_does_not_say() {
    let app = TestApp::start().await;
    let token = app.token("ada").without("email_verified");
    for (verified, expected) in [(None, json!(null)), (Some(false), json!(false))] {
        app.clock.advance(Duration::from_secs(61));
        let token = token.clone().email("ada@example.com");
        let iat = app.token("ada").claims()["iat"].clone();
        let token = token.without("email_verified").claim("iat", iat);
        let token = match verified {
            Some(verified) => token.claim("email_verified", verified),
            None => token,
        };
        let me = app.get("/api/auth/me", &token.sign()).await;
        assert_eq!(me.expect_status(200)["email_verified"], expected);
    }
}
