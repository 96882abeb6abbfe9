//! Over loopback, as performance.md asks (P1, P2, P5, P6, P7): `cargo bench --bench http`.
//!
//! wrk loads one route after the other, round after round, and the CPU time that the serving
//! process spent on a request is read from /proc. Ratios within one run mean something; the
//! microseconds belong to the machine. Variables: `HTTP_SECONDS` a measurement, `HTTP_ROUNDS`,
//! `HTTP_TOKENS` in rotation, `HTTP_DISTINCT` tokens for P6, `HTTP_ONLY` parts
//! (routes,serve,memory,start). A look in ten seconds: `HTTP_ROUNDS=1 HTTP_SECONDS=1
//! HTTP_TOKENS=500 HTTP_ONLY=routes cargo bench --bench http`.

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
#[path = "../support/mod.rs"]
mod support;
mod table;

use std::{env, fs};

use support::Bench;

/// How long and how much.
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
    if !load::is_there() {
        return println!("http: not run, because wrk is not there (Debian: apt-get install wrk)");
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
        let ground = routes::Ground::new(&Bench::new(), &plan);
        if chosen("routes") {
            routes::compare(&ground, &plan);
        }
        if chosen("serve") {
            routes::compare_serve(&ground, &plan);
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
        .unwrap_or_else(|_| panic!("{name}={text} is no number"))
}
