//! Cost of a ping before each use of a connection, compared with a ping only after idle time.

use std::time::{Duration, Instant};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};

use crate::{Plan, client::median, databases::Databases};

pub async fn measure(databases: &Databases, plan: &Plan) {
    println!(
        "\n## `SELECT 1` through the pool, {} rounds of {} s, interleaved\n",
        plan.rounds,
        plan.seconds / 4.0
    );
    println!("| | ping before each use, µs | ping after 1 s idle, µs | ratio |\n|---|---|---|---|");
    for kind in databases.kinds() {
        let url = databases.fresh(kind).await;
        let url = if kind == "sqlite" {
            format!("{url}?mode=rwc")
        } else {
            url
        };
        let pools = [connect(&url, true).await, connect(&url, false).await];
        let mut measured = [Vec::new(), Vec::new()];
        for _ in 0..plan.rounds {
            for (row, pool) in measured.iter_mut().zip(&pools) {
                row.push(query(pool, Duration::from_secs_f64(plan.seconds / 4.0)).await);
            }
        }
        let ratio = median(
            measured[1]
                .iter()
                .zip(&measured[0])
                .map(|(idle, each)| idle / each),
        );
        let [each, idle] = measured.map(|row| median(row.into_iter()));
        println!("| {kind} | {each:.0} | {idle:.0} | {ratio:.2} |");
    }
}

async fn connect(url: &str, ping_each: bool) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(2).sqlx_logging(false);
    if ping_each {
        options.test_before_acquire(true);
    } else {
        options.test_before_acquire_if_idle_for(Duration::from_secs(1));
    }
    Database::connect(options).await.unwrap()
}

async fn query(pool: &DatabaseConnection, duration: Duration) -> f64 {
    let (since, mut latencies) = (Instant::now(), Vec::new());
    while since.elapsed() < duration {
        let start = Instant::now();
        pool.query_one_raw(Statement::from_string(
            pool.get_database_backend(),
            "SELECT 1",
        ))
        .await
        .unwrap();
        latencies.push(start.elapsed().as_secs_f64() * 1e6);
    }
    median(latencies.into_iter())
}
