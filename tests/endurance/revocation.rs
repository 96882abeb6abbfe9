//! Revocations reach all replicas, and nothing takes them back.

use std::time::{Duration, Instant};

use bearward_testing::MockIdp;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use test_support::http::{Response, send};

use crate::{
    database_server::{Kind, Shutdown, TestDatabaseServer},
    test_server::{ResponseExt, TestServer, request, serve, wait_for_status, with_body},
};

/// The product's promise: `revocation.interval`.
const PROMISE: Duration = Duration::from_secs(2);

struct Cluster {
    idp: MockIdp,
    database: TestDatabaseServer,
    url: String,
    replicas: Vec<TestServer>,
}

impl Cluster {
    async fn start(kind: Kind) -> Option<Self> {
        let mut database = TestDatabaseServer::create(kind)?;
        database.start();
        database.wait_until_ready().await;
        let url = database.create_database("bearward").await;
        let idp = MockIdp::start().await;
        let mut replicas = Vec::new();
        for _ in 0..3 {
            replicas.push(TestServer::start(&idp, &url).await);
        }
        Some(Self {
            idp,
            database,
            url,
            replicas,
        })
    }

    fn admin(&self) -> String {
        self.idp.token().sub("root").roles(["admin"]).sign()
    }

    fn token(&self, subject: &str, session: &str) -> String {
        // Sessions of different users are never the same.
        let session = format!("{session} of {subject}");
        let token = self.idp.token().sub(subject).claim("session_id", &*session);
        token.claim("jti", format!("jti of {session}")).sign()
    }

    /// Verifies a token at every replica, so that each of them has cached it.
    async fn cache(&self, token: &str) {
        for replica in &self.replicas {
            replica.get("/protected", token).await.expect(200);
        }
    }

    async fn revoke(&self, replica: usize, kind: &str, target: &str) {
        let body = json!({"kind": kind, "issuer": self.idp.issuer(), "target": target});
        let path = "/api/admin/revocations";
        post(&self.replicas[replica], path, &self.admin(), &body)
            .await
            .expect(201);
    }

    /// Returns the longest time from `since` until a replica rejects the token.
    async fn rejected_by_all(&self, token: &str, since: Instant) -> Duration {
        let times = self
            .replicas
            .iter()
            .map(|replica| rejected(replica, token, since));
        join_all(times).await.into_iter().max().unwrap_or_default()
    }
}

async fn post(server: &TestServer, path: &str, token: &str, body: &Value) -> Response {
    send(with_body(
        request(&server.api, Method::POST, path).bearer_auth(token),
        body,
    ))
    .await
}

async fn rejected(server: &TestServer, token: &str, since: Instant) -> Duration {
    loop {
        let response = server.get("/protected", token).await;
        if response.status == 401 {
            assert_eq!(response.expect(401)["error"]["code"], "TOKEN_REVOKED");
            return since.elapsed();
        }
        assert!(since.elapsed() < Duration::from_secs(60), "not revoked");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn print_times(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "{what}: {} revocations, median {median:?}, worst {worst:?}",
        times.len()
    );
    assert!(worst < PROMISE, "{what}: {worst:?}");
}

/// Revokes 200 sessions one after the other at alternating replicas.
async fn propagation(cluster: &Cluster, what: &str) {
    let mut times = Vec::new();
    for number in 0..200 {
        let session = format!("{what} {number}");
        let token = cluster.token("ada", &session);
        cluster.cache(&token).await;
        let since = Instant::now();
        cluster
            .revoke(number % 3, "session", &format!("{session} of ada"))
            .await;
        times.push(cluster.rejected_by_all(&token, since).await);
    }
    print_times(what, times);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_postgres_replicas_learn_of_200_revocations() {
    let Some(cluster) = Cluster::start(Kind::Postgres).await else {
        return;
    };
    propagation(&cluster, "PostgreSQL, notifications").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_mariadb_replicas_learn_of_revocations_by_reading() {
    let Some(cluster) = Cluster::start(Kind::MariaDb).await else {
        return;
    };
    let mut times = Vec::new();
    for number in 0..20 {
        let session = format!("session {number}");
        let token = cluster.token("ada", &session);
        cluster.cache(&token).await;
        let since = Instant::now();
        cluster
            .revoke(number % 3, "session", &format!("{session} of ada"))
            .await;
        times.push(cluster.rejected_by_all(&token, since).await);
    }
    print_times("MariaDB, reading", times);
}

/// Waits until all replicas reject a token, and returns it. Responses that revoke all tokens of a
/// subject are sent at the end of the second.
async fn check(cluster: &Cluster, what: &str, token: String, since: Instant) -> String {
    let time = cluster.rejected_by_all(&token, since).await;
    println!("{what}: {time:?}");
    assert!(time < PROMISE + Duration::from_secs(1), "{what}: {time:?}");
    token
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::too_many_lines, reason = "the steps build on each other")]
async fn each_kind_and_route_reaches_all_replicas_and_survives_an_outage_and_a_restart() {
    let Some(mut cluster) = Cluster::start(Kind::Postgres).await else {
        return;
    };
    let mut revoked = Vec::new();
    for (kind, target) in [
        ("session", "session one of ada"),
        ("token", "jti of token one of ada"),
        ("subject", "subject one"),
    ] {
        let token = match kind {
            "session" => cluster.token("ada", "session one"),
            "token" => cluster.token("ada", "token one"),
            _ => cluster.token(target, "another"),
        };
        cluster.cache(&token).await;
        let since = Instant::now();
        cluster.revoke(0, kind, target).await;
        revoked.push(check(&cluster, kind, token, since).await);
    }
    // The user's own: sign-out in each scope, and deletion.
    for scope in ["local", "others", "global"] {
        let (own, other) = (cluster.token(scope, "own"), cluster.token(scope, "other"));
        let own = if scope == "global" {
            other.clone()
        } else {
            own
        };
        cluster.cache(&own).await;
        cluster.cache(&other).await;
        let since = Instant::now();
        let body = json!({ "scope": scope });
        post(&cluster.replicas[1], "/api/auth/sign-out", &own, &body)
            .await
            .expect(204);
        let rejected = if scope == "others" { other } else { own };
        // The response waits for the end of the second, so the replicas have learned already.
        revoked.push(check(&cluster, scope, rejected, since).await);
    }
    let deleted = cluster.token("deleted", "own");
    cluster.cache(&deleted).await;
    let since = Instant::now();
    let delete =
        request(&cluster.replicas[2].api, Method::DELETE, "/api/user").bearer_auth(&deleted);
    send(delete).await.expect(204);
    revoked.push(check(&cluster, "deletion", deleted, since).await);
    let disabled = cluster.token("disabled", "own");
    let me = cluster.replicas[0]
        .get("/api/auth/me", &disabled)
        .await
        .expect(200);
    cluster.cache(&disabled).await;
    let since = Instant::now();
    let path = format!("/api/admin/users/{}", me["id"].as_str().unwrap());
    let disable =
        request(&cluster.replicas[0].api, Method::PATCH, &path).bearer_auth(cluster.admin());
    send(with_body(disable, &json!({"is_active": false})))
        .await
        .expect(200);
    revoked.push(check(&cluster, "disabling", disabled, since).await);

    // Still accepted: the others did not revoke more than they should.
    let unaffected = cluster.token("bob", "session of bob");
    cluster.cache(&unaffected).await;

    // An outage takes nothing back, and `/health` has the age of the list.
    cluster.database.stop(Shutdown::Crash).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    for replica in &cluster.replicas {
        for token in &revoked {
            replica.get("/protected", token).await.expect(401);
        }
        replica.get("/protected", &unaffected).await.expect(200);
        let health = replica.get("/health", "").await.expect(200);
        assert_eq!(health["status"], "degraded");
        assert!(
            health["revocations"]["age_seconds"].as_u64() >= Some(2),
            "{health}"
        );
    }

    // A replica that starts meanwhile is not ready, and knows no entry.
    let mut process =
        test_support::process::TestProcess::start(serve(&[], &cluster.idp, &cluster.url));
    process
        .wait_for_output("the database is not available yet")
        .await;
    let late = TestServer::listening(process).await;
    assert_eq!(late.get("/livez", "").await.status, 200);
    wait_for_status(&late.api, "/readyz", 503)
        .await
        .assert_database_unavailable();
    wait_for_status(&late.api, "/readyz?check=keys", 200).await;
    let health = late.get("/health", "").await.expect(200);
    assert_eq!(health["revocations"]["age_seconds"], Value::Null);

    cluster.database.start();
    wait_for_status(&late.api, "/readyz", 200).await;
    // Restarted replicas load the list before they are ready.
    let restarted = TestServer::start(&cluster.idp, &cluster.url).await;
    for server in [&late, &restarted] {
        for token in &revoked {
            server.get("/protected", token).await.expect(401);
        }
        server.get("/protected", &unaffected).await.expect(200);
    }

    // The key comes last: it revokes every token of the issuer.
    for replica in &cluster.replicas {
        wait_for_status(&replica.api, "/readyz", 200).await;
    }
    let since = Instant::now();
    let kid = cluster.idp.key().kid().to_owned();
    cluster.revoke(0, "key", &kid).await;
    check(&cluster, "key", unaffected, since).await;
    cluster.idp.rotate();
}
