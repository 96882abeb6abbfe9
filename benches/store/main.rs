//! What the database costs a request: `cargo bench --bench store`, on SQLite, PostgreSQL and
//! MariaDB, each where it is installed.
//!
//! Servers and databases are processes of this run, and writes reach the disk. Rows that are
//! compared take turns, round after round; the ratios mean something, the microseconds belong to
//! the machine. Variables: `STORE_SECONDS` a measurement, `STORE_ROUNDS`, `STORE_ROWS` of others in
//! the crowded database, `STORE_KINDS` (sqlite,postgres,mariadb), `STORE_ONLY` parts
//! (pool,hot,write,list).

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod client;
#[path = "../../tests/endurance/database_server.rs"]
#[allow(dead_code, reason = "tests stop it too")]
mod database_server;
mod databases;
#[path = "../../tests/endurance/fill.rs"]
mod fill;
mod pool;
mod routes;
#[path = "../../tests/endurance/serving.rs"]
#[allow(dead_code, reason = "tests ask for more")]
mod serving;

use std::{env, fs, time::Duration};

use self::databases::Databases;

/// Longer than anything here takes on a busy machine.
const GUARD: Duration = Duration::from_secs(90);

/// How long and how much.
pub struct Plan {
    pub seconds: f64,
    pub rounds: usize,
    pub rows: u32,
}

fn left_out(what: &str) {
    println!("left out: {what}");
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
        .unwrap_or_else(|_| panic!("{name}={text} is no number"))
}
