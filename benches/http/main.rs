//! Benchmarks over loopback: `cargo bench --bench http`.
//!
//! wrk loads one route after the other in interleaved rounds. The server's CPU time per request is
//! read from /proc. Ratios within one run are comparable; absolute times depend on the machine.
//!
//! Environment variables: `HTTP_SECONDS` (duration of a measurement), `HTTP_ROUNDS`, `HTTP_TOKENS`
//! (tokens in rotation), `HTTP_DISTINCT` (tokens of the memory test), `HTTP_ONLY` (comma-separated
//! parts: routes,serve,memory,start), `HTTP_BEARWARD` (another build of `bearward` to measure). A run
//! of ten seconds: `HTTP_ROUNDS=1 HTTP_SECONDS=1 HTTP_TOKENS=500 HTTP_ONLY=routes cargo bench
//! --bench http`.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod load;
mod memory;
mod process;
mod routes;
mod server;
mod start;
#[path = "../../crates/bearward/benches/support/mod.rs"]
mod support;
mod table;

use std::{env, fs};

use support::TokenFixture;

/// Parameters of a run.
pub struct Plan {
    pub seconds: u32,
    pub rounds: usize,
    pub tokens: usize,
    pub distinct: usize,
}

fn main() {
    let args: Vec<String> = env::args().collect();
    if args.get(1).is_some_and(|arg| arg == server::COMMAND) {
        return server::serve(&args[2]);
    }
    if !args.iter().any(|arg| arg == "--bench") {
        return println!("http: measures only under `cargo bench --bench http`");
    }
    if !load::is_installed() {
        return println!("http: skipped, wrk is not installed (Debian: apt-get install wrk)");
    }
    let plan = Plan {
        seconds: number("HTTP_SECONDS", 4),
        rounds: number("HTTP_ROUNDS", 3),
        tokens: number("HTTP_TOKENS", 20_000),
        distinct: number("HTTP_DISTINCT", 1_000_000),
    };
    let parts = env::var("HTTP_ONLY").unwrap_or_else(|_| "routes,serve,memory,start".to_owned());
    let chosen = |part: &str| parts.split(',').any(|chosen| chosen == part);
    println!(
        "load average before: {}",
        fs::read_to_string("/proc/loadavg").unwrap().trim()
    );
    if chosen("routes") || chosen("serve") {
        let fixture = routes::Fixture::new(&TokenFixture::new(), &plan);
        if chosen("routes") {
            routes::compare(&fixture, &plan);
        }
        if chosen("serve") {
            routes::compare_serve(&fixture, &plan);
        }
    }
    if chosen("memory") {
        memory::measure(&plan);
    }
    if chosen("start") {
        start::measure(&plan);
    }
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
