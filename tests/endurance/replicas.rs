//! Two servers on one database are one service.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use bearward_testing::MockIdp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    database, is_all, left_out,
    load::{Load, rows},
    nginx::Nginx,
    serving::{Answer, Serving, report, request, send, with_body},
};

struct Pair {
    idp: MockIdp,
    database: String,
    one: Serving,
    other: Serving,
}

async fn pair() -> Pair {
    let (idp, database) = (MockIdp::start().await, database::fresh().await);
    let one = Serving::start(&idp, &database).await;
    let other = Serving::start(&idp, &database).await;
    Pair {
        idp,
        database,
        one,
        other,
    }
}

async fn me(server: &Serving, token: &str) -> Value {
    server.get("/api/auth/me", token).await.expect(200)
}

async fn change(server: &Serving, token: &str, body: &Value) {
    send(with_body(
        request(&server.api, Method::PATCH, "/api/user").bearer_auth(token),
        body,
    ))
    .await
    .expect(200);
}

async fn erase(server: &Serving, token: &str) {
    send(request(&server.api, Method::DELETE, "/api/user").bearer_auth(token))
        .await
        .expect(204);
}

async fn reports(server: &Serving, token: &str) -> Vec<String> {
    let page = server.get("/api/status", token).await.expect(200);
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["client_name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_replica_does_the_other_knows_at_once() {
    let Pair {
        idp, one, other, ..
    } = pair().await;
    let token = idp.token().sub("ada").sign();
    let first = me(&one, &token).await;
    assert_eq!(me(&other, &token).await["id"], first["id"]);
    change(&one, &token, &json!({"name": "Countess"})).await;
    assert_eq!(me(&other, &token).await["name"], "Countess");
    one.report(&token, "from one").await.expect(201);
    assert_eq!(reports(&other, &token).await, ["from one"]);

    // Both remember the account; one erases it, and makes the user a new one.
    erase(&one, &token).await;
    let second = me(&one, &token).await;
    assert_ne!(second["id"], first["id"]);
    assert_eq!(me(&other, &token).await["id"], second["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_remembers_an_erased_account_works_on_the_one_that_the_user_has_now() {
    let Pair {
        idp,
        database,
        one,
        other,
    } = pair().await;
    for (n, what) in ["read", "add", "change", "erase"].into_iter().enumerate() {
        let token = idp.token().sub(&format!("user {n}")).sign();
        me(&other, &token).await;
        erase(&one, &token).await;
        one.report(&token, "new").await.expect(201);
        match what {
            "read" => assert_eq!(reports(&other, &token).await, ["new"]),
            "add" => {
                other.report(&token, "newer").await.expect(201);
                assert_eq!(reports(&one, &token).await, ["newer", "new"]);
            }
            "change" => {
                change(&other, &token, &json!({"name": "Countess"})).await;
                assert_eq!(me(&one, &token).await["name"], "Countess");
            }
            _ => {
                erase(&other, &token).await;
                let left = format!("SELECT COUNT(*) FROM users WHERE subject = 'user {n}'");
                assert_eq!(
                    database::number(&database, &left).await,
                    0,
                    "and nothing of it"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_idempotency_key_on_both_replicas_makes_one_row() {
    let Pair {
        idp,
        database,
        one,
        other,
    } = pair().await;
    let token = idp.token().sub("ada").sign();
    for key in 0..if is_all() { 20 } else { 5 } {
        let key = format!("key {key}").replace(' ', "-");
        let copies = (0..10).map(|n| {
            let api = if n % 2 == 0 { &one.api } else { &other.api };
            report(api, &token, "web", Some(&key))
        });
        let answers: Vec<Answer> = futures_util::future::join_all(copies).await;
        let ids: HashSet<String> = answers
            .iter()
            .map(|answer| answer.expect(201)["id"].to_string())
            .collect();
        assert_eq!(ids.len(), 1);
        let query = format!("SELECT COUNT(*) FROM status_checks WHERE idempotency_key = '{key}'");
        assert_eq!(database::number(&database, &query).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_account_is_refused_here_at_once_and_there_within_thirty_seconds() {
    let Pair {
        idp, one, other, ..
    } = pair().await;
    let (token, admin) = (
        idp.token().sub("ada").sign(),
        idp.token().sub("root").roles(["admin"]).sign(),
    );
    let id = me(&one, &token).await["id"].as_str().unwrap().to_owned();
    me(&other, &token).await;
    let disable =
        request(&one.api, Method::PATCH, &format!("/api/admin/users/{id}")).bearer_auth(&admin);
    send(with_body(disable, &json!({"is_active": false})))
        .await
        .expect(200);
    assert_eq!(
        one.get("/api/auth/me", &token).await.expect(403)["error"]["code"],
        "ACCOUNT_DISABLED"
    );
    if !is_all() {
        return left_out("30 s of waiting for the other replica");
    }
    let since = Instant::now();
    while other.get("/api/auth/me", &token).await.status != 403 {
        assert!(since.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_nginx_two_replicas_are_one_service() {
    let Pair {
        idp,
        database,
        one,
        other,
    } = pair().await;
    let Some(nginx) = Nginx::before(&[&one.api, &other.api]).await else {
        return left_out("nginx is not installed (Debian: apt-get install nginx)");
    };
    let token = idp.token().sub("countess").sign();
    let (mut ids, mut servers) = (HashSet::new(), HashSet::new());
    for n in 0..10 {
        let answer =
            send(request(&nginx.api, Method::GET, "/api/auth/me").bearer_auth(&token)).await;
        ids.insert(answer.expect(200)["id"].to_string());
        servers.insert(answer.headers["x-served-by"].clone());
        report(
            &nginx.api,
            &token,
            &format!("{n}"),
            Some(&format!("key-{n}")),
        )
        .await
        .expect(201);
        report(
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
    tokio::time::sleep(Duration::from_secs(if is_all() { 10 } else { 1 })).await;
    let told = load.end().await;
    assert_eq!((told.unavailable, told.cut), (0, 0));
    assert!(!told.kept.is_empty());
    told.is_in(&rows(&database).await.difference(&before).copied().collect());
}
