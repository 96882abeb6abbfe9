//! Writers that go on until they are told to stop, and what they were told.

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
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{GUARD, database};

/// How many users the writers are.
const USERS: usize = 16;

pub(crate) struct Load {
    shared: Arc<Shared>,
    writers: Vec<JoinHandle<Told>>,
}

#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    kept: AtomicUsize,
}

/// What became of the requests.
#[derive(Default)]
pub(crate) struct Told {
    /// The rows whose writing was acknowledged.
    pub(crate) kept: Vec<Uuid>,
    /// How often the answer was 503 as it should be.
    pub(crate) unavailable: usize,
    /// How often there was no answer.
    pub(crate) cut: usize,
    /// Every other answer.
    pub(crate) faults: Vec<String>,
}

impl Load {
    /// So many writers, which take the servers in turn.
    pub(crate) fn start(writers: usize, idp: &MockIdp, servers: &[&str]) -> Self {
        let shared = Arc::<Shared>::default();
        let tokens: Vec<String> = (0..USERS)
            .map(|user| idp.token().sub(&format!("user-{user}")).sign())
            .collect();
        let client = Client::builder().no_proxy().timeout(GUARD).build().unwrap();
        let writers = (0..writers).map(|writer| {
            let url = format!("{}/api/status", servers[writer % servers.len()]);
            tokio::spawn(write(
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

    /// Waits for so many more acknowledged rows.
    pub(crate) async fn until_kept(&self, more: usize) {
        let (since, kept) = (Instant::now(), self.shared.kept.load(Ordering::Relaxed));
        while self.shared.kept.load(Ordering::Relaxed) < kept + more {
            assert!(
                since.elapsed() < GUARD,
                "{} rows, and no more",
                self.shared.kept.load(Ordering::Relaxed)
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Lets every request under way come to its end.
    pub(crate) async fn end(self) -> Told {
        self.shared.is_over.store(true, Ordering::Relaxed);
        let mut all = Told::default();
        for told in futures_util::future::try_join_all(self.writers)
            .await
            .unwrap()
        {
            all.kept.extend(told.kept);
            all.unavailable += told.unavailable;
            all.cut += told.cut;
            all.faults.extend(told.faults);
        }
        all
    }
}

impl Told {
    /// Whatever was acknowledged is a row, once; and there is no row that nobody asked for.
    #[track_caller]
    pub(crate) fn is_in(&self, rows: &HashSet<Uuid>) {
        assert_eq!(self.faults, Vec::<String>::new());
        let kept: HashSet<Uuid> = self.kept.iter().copied().collect();
        assert_eq!(kept.len(), self.kept.len(), "each row has an id of its own");
        let lost = kept.difference(rows).count();
        assert_eq!(lost, 0, "of {} acknowledged rows", kept.len());
        let unknown = self.cut + self.unavailable;
        assert!(
            rows.len() <= kept.len() + unknown,
            "{} rows of {} and {unknown} without an answer",
            rows.len(),
            kept.len()
        );
    }
}

/// Every row of the database, by its id.
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

async fn write(
    shared: Arc<Shared>,
    client: Client,
    url: String,
    token: String,
    writer: usize,
) -> Told {
    let mut told = Told::default();
    let mut n = 0;
    while !shared.is_over.load(Ordering::Relaxed) {
        n += 1;
        let body = json!({ "client_name": format!("{writer}-{n}") }).to_string();
        let request = client
            .post(&url)
            .bearer_auth(&token)
            .header("content-type", "application/json")
            .body(body);
        let Ok(response) = request.send().await else {
            told.cut += 1;
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        match answer(response).await {
            Some((201, body, _)) => {
                told.kept
                    .push(body["id"].as_str().unwrap().parse().unwrap());
                shared.kept.fetch_add(1, Ordering::Relaxed);
            }
            Some((503, body, true)) if body["error"]["code"] == "DATABASE_UNAVAILABLE" => {
                told.unavailable += 1
            }
            Some((status, body, _)) => told.faults.push(format!("{status}: {body}")),
            None => told.cut += 1,
        }
    }
    told
}

/// Status, body, and whether it says when to come again.
async fn answer(response: Response) -> Option<(u16, Value, bool)> {
    let (status, retry) = (
        response.status().as_u16(),
        response.headers().contains_key("retry-after"),
    );
    let text = response.text().await.ok()?;
    Some((
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
        retry,
    ))
}
