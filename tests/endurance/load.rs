//! Concurrent writers that run until stopped, and a summary of the responses.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bearward_testing::MockIdp;
use reqwest::{Client, Response};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use test_support::{TEST_TIMEOUT, database};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Number of users that the writers act for.
const USERS: usize = 16;

pub(crate) struct Load {
    shared: Arc<Shared>,
    writers: Vec<JoinHandle<LoadResult>>,
}

#[derive(Default)]
struct Shared {
    is_stopping: AtomicBool,
    acknowledged: AtomicUsize,
}

/// Outcome of the requests.
#[derive(Default)]
pub(crate) struct LoadResult {
    /// Ids of the acknowledged rows.
    pub(crate) acknowledged: Vec<Uuid>,
    /// Number of valid 503 responses.
    pub(crate) unavailable: usize,
    /// Number of requests without a response.
    pub(crate) interrupted: usize,
    /// All other responses.
    pub(crate) unexpected: Vec<String>,
}

impl Load {
    /// Starts the writers, distributed over the servers.
    pub(crate) fn start(writers: usize, idp: &MockIdp, servers: &[&str]) -> Self {
        let shared = Arc::<Shared>::default();
        let tokens: Vec<String> = (0..USERS)
            .map(|user| idp.token().sub(&format!("user-{user}")).sign())
            .collect();
        let client = Client::builder()
            .no_proxy()
            .timeout(TEST_TIMEOUT)
            .build()
            .unwrap();
        let writers = (0..writers).map(|writer| {
            let url = format!("{}/api/status", servers[writer % servers.len()]);
            tokio::spawn(run_writer(
                Arc::clone(&shared),
                client.clone(),
                url,
                tokens[writer % USERS].clone(),
                writer,
            ))
        });
        Self {
            writers: writers.collect(),
            shared,
        }
    }

    /// Waits for this many more acknowledged rows.
    pub(crate) async fn wait_for_acknowledged(&self, more: usize) {
        let (since, acknowledged) = (
            Instant::now(),
            self.shared.acknowledged.load(Ordering::Relaxed),
        );
        while self.shared.acknowledged.load(Ordering::Relaxed) < acknowledged + more {
            assert!(
                since.elapsed() < TEST_TIMEOUT,
                "only {} acknowledged rows",
                self.shared.acknowledged.load(Ordering::Relaxed)
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Stops the writers after their current requests.
    pub(crate) async fn stop(self) -> LoadResult {
        self.shared.is_stopping.store(true, Ordering::Relaxed);
        let mut all = LoadResult::default();
        for result in futures_util::future::try_join_all(self.writers)
            .await
            .unwrap()
        {
            all.acknowledged.extend(result.acknowledged);
            all.unavailable += result.unavailable;
            all.interrupted += result.interrupted;
            all.unexpected.extend(result.unexpected);
        }
        all
    }
}

impl LoadResult {
    /// Asserts that every acknowledged row is stored once, and that there are no other rows.
    #[track_caller]
    pub(crate) fn assert_stored(&self, rows: &HashSet<Uuid>) {
        assert_eq!(self.unexpected, Vec::<String>::new());
        let acknowledged: HashSet<Uuid> = self.acknowledged.iter().copied().collect();
        assert_eq!(
            acknowledged.len(),
            self.acknowledged.len(),
            "ids are unique"
        );
        let lost = acknowledged.difference(rows).count();
        assert_eq!(lost, 0, "of {} acknowledged rows", acknowledged.len());
        let unknown = self.interrupted + self.unavailable;
        assert!(
            rows.len() <= acknowledged.len() + unknown,
            "{} rows, but {} acknowledged and {unknown} unknown",
            rows.len(),
            acknowledged.len()
        );
    }
}

/// Returns the ids of all rows.
pub(crate) async fn rows(url: &str) -> HashSet<Uuid> {
    let database = database::connect(url).await;
    let statement = Statement::from_string(
        database.get_database_backend(),
        "SELECT id FROM status_checks",
    );
    let rows = database.query_all_raw(statement).await.unwrap();
    database.close().await.unwrap();
    rows.iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect()
}

async fn run_writer(
    shared: Arc<Shared>,
    client: Client,
    url: String,
    token: String,
    writer: usize,
) -> LoadResult {
    let mut result = LoadResult::default();
    let mut n = 0;
    while !shared.is_stopping.load(Ordering::Relaxed) {
        n += 1;
        let body = json!({ "client_name": format!("{writer}-{n}") }).to_string();
        let request = client
            .post(&url)
            .bearer_auth(&token)
            .header("content-type", "application/json")
            .body(body);
        let Ok(response) = request.send().await else {
            result.interrupted += 1;
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        match read_response(response).await {
            Some((201, body, _)) => {
                result
                    .acknowledged
                    .push(body["id"].as_str().unwrap().parse().unwrap());
                shared.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            Some((503, body, true)) if body["error"]["code"] == "DATABASE_UNAVAILABLE" => {
                result.unavailable += 1;
            }
            Some((status, body, _)) => result.unexpected.push(format!("{status}: {body}")),
            None => result.interrupted += 1,
        }
    }
    result
}

/// Returns the status, the body, and whether there is a `Retry-After`.
async fn read_response(response: Response) -> Option<(u16, Value, bool)> {
    let (status, has_retry_after) = (
        response.status().as_u16(),
        response.headers().contains_key("retry-after"),
    );
    let text = response.text().await.ok()?;
    Some((
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
        has_retry_after,
    ))
}
