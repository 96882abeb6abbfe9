//! Cost of the database per request, on SQLite and, if installed, on PostgreSQL and MariaDB:
//! `cargo bench --bench store`.
//!
//! Servers and databases are child processes, and writes are synced to disk. Cases run in interleaved
//! rounds. Ratios within one run are comparable; absolute times depend on the machine.
//!
//! Environment variables: `STORE_SECONDS` (duration of a measurement), `STORE_ROUNDS`, `STORE_ROWS`
//! (rows of other users in the large database), `STORE_KINDS` (sqlite,postgres,mariadb),
//! `STORE_ONLY` (comma-separated parts: pool,hot,write,list).

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod client;
#[path = "../../tests/endurance/database_server.rs"]
#[allow(dead_code, reason = "tests use more of it")]
mod database_server;
mod databases;
#[path = "../../tests/endurance/large_tables.rs"]
mod large_tables;
mod pool;
mod routes;
#[path = "../../tests/endurance/test_server.rs"]
#[allow(dead_code, reason = "tests use more of it")]
mod test_server;

use std::{env, fs};

use self::databases::Databases;

/// Parameters of a run.
pub struct Plan {
    pub seconds: f64,
    pub rounds: usize,
    pub rows: u32,
}

fn print_skipped(what: &str) {
    println!("skipped: {what}");
}

fn main() {
    if !env::args().any(|arg| arg == "--bench") {
        return println!("store: measures only under `cargo bench --bench store`");
    }
    let plan = Plan {
        seconds: number("STORE_SECONDS", 2.0),
        rounds: number("STORE_ROUNDS", 5),
        rows: number("STORE_ROWS", 1_000_000),
    };
    let parts = env::var("STORE_ONLY").unwrap_or_else(|_| "pool,hot,write,list".to_owned());
    let chosen = |part: &str| parts.split(',').any(|chosen| chosen == part);
    println!(
        "load average before: {}",
        fs::read_to_string("/proc/loadavg").unwrap().trim()
    );
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let databases = Databases::start().await;
        if chosen("pool") {
            pool::measure(&databases, &plan).await;
        }
        if chosen("hot") {
            routes::hot(&databases, &plan).await;
        }
        if chosen("write") {
            routes::write(&databases, &plan).await;
        }
        if chosen("list") {
            routes::list(&databases, &plan).await;
        }
    });
    println!(
        "\nload average after: {}",
        fs::read_to_string("/proc/loadavg").unwrap().trim()
    );
}

fn number<N: std::str::FromStr>(name: &str, default: N) -> N {
    let Ok(text) = env::var(name) else {
        return default;
    };
    text.parse()
        .unwrap_or_else(|_| panic!("{name}={text} is not a number"))
}
