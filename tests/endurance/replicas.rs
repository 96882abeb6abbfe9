//! Two servers on one database.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use bearward_testing::MockIdp;
use reqwest::Method;
use serde_json::{Value, json};
use test_support::{
    database,
    http::{Response, send},
};

use crate::{
    load::{Load, rows},
    nginx::Nginx,
    print_skipped, run_long,
    test_server::{TestServer, post_status_check, request, with_body},
};

struct Fixture {
    idp: MockIdp,
    database: String,
    one: TestServer,
    other: TestServer,
}

async fn fixture() -> Fixture {
    let (idp, database) = (MockIdp::start().await, database::create().await);
    let one = TestServer::start(&idp, &database).await;
    let other = TestServer::start(&idp, &database).await;
    Fixture {
        idp,
        database,
        one,
        other,
    }
}

async fn get_profile(server: &TestServer, token: &str) -> Value {
    server.get("/api/auth/me", token).await.expect(200)
}

async fn patch_profile(server: &TestServer, token: &str, body: &Value) {
    send(with_body(
        request(&server.api, Method::PATCH, "/api/user").bearer_auth(token),
        body,
    ))
    .await
    .expect(200);
}

async fn delete_account(server: &TestServer, token: &str) {
    send(request(&server.api, Method::DELETE, "/api/user").bearer_auth(token))
        .await
        .expect(204);
}

async fn list_status_checks(server: &TestServer, token: &str) -> Vec<String> {
    let page = server.get("/api/status", token).await.expect(200);
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["client_name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_see_each_others_changes() {
    let Fixture {
        idp, one, other, ..
    } = fixture().await;
    let token = idp.token().sub("ada").sign();
    let first = get_profile(&one, &token).await;
    assert_eq!(get_profile(&other, &token).await["id"], first["id"]);
    patch_profile(&one, &token, &json!({"name": "Countess"})).await;
    assert_eq!(get_profile(&other, &token).await["name"], "Countess");
    one.post_status_check(&token, "from one").await.expect(201);
    assert_eq!(list_status_checks(&other, &token).await, ["from one"]);

    // Both have cached the account; one deletes it and creates a new one.
    delete_account(&one, &token).await;
    // Deleting the account has signed the session out.
    let token = idp.token().sub("ada").claim("session_id", "new").sign();
    let second = get_profile(&one, &token).await;
    assert_ne!(second["id"], first["id"]);
    assert_eq!(get_profile(&other, &token).await["id"], second["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replica_replaces_a_cached_deleted_account() {
    let Fixture {
        idp,
        database,
        one,
        other,
    } = fixture().await;
    for (n, operation) in ["read", "add", "update", "delete"].into_iter().enumerate() {
        let token = idp.token().sub(&format!("user {n}")).sign();
        get_profile(&other, &token).await;
        delete_account(&one, &token).await;
        let token = idp.token().sub(&format!("user {n}"));
        let token = token.claim("session_id", format!("new {n}")).sign();
        one.post_status_check(&token, "new").await.expect(201);
        match operation {
            "read" => assert_eq!(list_status_checks(&other, &token).await, ["new"]),
            "add" => {
                other.post_status_check(&token, "newer").await.expect(201);
                assert_eq!(list_status_checks(&one, &token).await, ["newer", "new"]);
            }
            "update" => {
                patch_profile(&other, &token, &json!({"name": "Countess"})).await;
                assert_eq!(get_profile(&one, &token).await["name"], "Countess");
            }
            _ => {
                delete_account(&other, &token).await;
                let remaining = format!("SELECT COUNT(*) FROM users WHERE subject = 'user {n}'");
                assert_eq!(
                    database::query_number(&database, &remaining).await,
                    0,
                    "no row remains"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idempotency_key_on_both_replicas_creates_one_row() {
    let Fixture {
        idp,
        database,
        one,
        other,
    } = fixture().await;
    let token = idp.token().sub("ada").sign();
    for key in 0..if run_long() { 20 } else { 5 } {
        let key = format!("key {key}").replace(' ', "-");
        let copies = (0..10).map(|n| {
            let api = if n % 2 == 0 { &one.api } else { &other.api };
            post_status_check(api, &token, "web", Some(&key))
        });
        let responses: Vec<Response> = futures_util::future::join_all(copies).await;
        let ids: HashSet<String> = responses
            .iter()
            .map(|response| response.expect(201)["id"].to_string())
            .collect();
        assert_eq!(ids.len(), 1);
        let query = format!("SELECT COUNT(*) FROM status_checks WHERE idempotency_key = '{key}'");
        assert_eq!(database::query_number(&database, &query).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disabled_account_is_rejected_by_all_replicas_within_30_s() {
    let Fixture {
        idp, one, other, ..
    } = fixture().await;
    let (token, admin) = (
        idp.token().sub("ada").sign(),
        idp.token().sub("root").roles(["admin"]).sign(),
    );
    let id = get_profile(&one, &token).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    get_profile(&other, &token).await;
    let disable =
        request(&one.api, Method::PATCH, &format!("/api/admin/users/{id}")).bearer_auth(&admin);
    send(with_body(disable, &json!({"is_active": false})))
        .await
        .expect(200);
    assert_eq!(
        one.get("/api/auth/me", &token).await.expect(401)["error"]["code"],
        "TOKEN_REVOKED"
    );
    let issued_at = idp.token().claims()["iat"].as_i64().unwrap();
    let newer = idp.token().sub("ada").claim("iat", issued_at + 5).sign();
    assert_eq!(
        one.get("/api/auth/me", &newer).await.expect(403)["error"]["code"],
        "ACCOUNT_DISABLED"
    );
    if !run_long() {
        println!("skipped: set BEARWARD_TEST_LONG=1 to wait 30 s for the other replica");
        return;
    }
    let since = Instant::now();
    while other.get("/api/auth/me", &newer).await.status != 403 {
        assert!(since.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_behind_nginx() {
    let Fixture {
        idp,
        database,
        one,
        other,
    } = fixture().await;
    let Some(nginx) = Nginx::start(&[&one.api, &other.api]).await else {
        return print_skipped("nginx is not installed (Debian: apt-get install nginx)");
    };
    let token = idp.token().sub("countess").sign();
    let (mut ids, mut servers) = (HashSet::new(), HashSet::new());
    for n in 0..10 {
        let response =
            send(request(&nginx.api, Method::GET, "/api/auth/me").bearer_auth(&token)).await;
        ids.insert(response.expect(200)["id"].to_string());
        servers.insert(response.headers["x-served-by"].clone());
        post_status_check(
            &nginx.api,
            &token,
            &format!("{n}"),
            Some(&format!("key-{n}")),
        )
        .await
        .expect(201);
        post_status_check(
            &nginx.api,
            &token,
            &format!("{n}"),
            Some(&format!("key-{n}")),
        )
        .await
        .expect(201);
    }
    assert_eq!(
        (ids.len(), servers.len()),
        (1, 2),
        "one account, two servers"
    );
    let page = send(request(&nginx.api, Method::GET, "/api/status").bearer_auth(&token))
        .await
        .expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 10);

    let before = rows(&database).await;
    let load = Load::start(32, &idp, &[&nginx.api]);
    tokio::time::sleep(Duration::from_secs(if run_long() { 10 } else { 1 })).await;
    let result = load.stop().await;
    assert_eq!((result.unavailable, result.interrupted), (0, 0));
    assert!(!result.acknowledged.is_empty());
    result.assert_stored(&rows(&database).await.difference(&before).copied().collect());
}
