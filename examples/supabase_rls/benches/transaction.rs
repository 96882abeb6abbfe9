//! What a transaction with the caller's role and claims costs, compared with a plain one.
//!
//! `cargo bench -p supabase-rls`: PostgreSQL runs on this machine, over TCP; the pool has one
//! connection. Plain and scoped transactions alternate.
#![cfg(unix)]
#![allow(clippy::unwrap_used, missing_docs, dead_code, reason = "a measurement")]

#[path = "../tests/row_security/fixture.rs"]
mod fixture;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use fixture::Fixture;
use sqlx::raw_sql;

const TRANSACTIONS: u32 = 5000;
const STATEMENTS: u32 = 20_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let (pool, user) = (fixture.pool(1), fixture.user(0).await);
    let (mut plain, mut scoped) = (Vec::new(), Vec::new());
    for _ in 0..TRANSACTIONS {
        let start = Instant::now();
        let mut tx = pool.begin().await.unwrap();
        raw_sql("select 1").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        plain.push(start.elapsed());
        fixture::wait_until_idle(&pool).await;

        let start = Instant::now();
        let mut tx = user.begin(&pool).await.unwrap();
        raw_sql("select 1").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        scoped.push(start.elapsed());
        fixture::wait_until_idle(&pool).await;
    }
    let (plain, scoped) = (Quantiles::new(plain), Quantiles::new(scoped));
    println!("plain transaction:  {plain}");
    println!("scoped transaction: {scoped}");
    println!(
        "difference of the medians: {:?}",
        scoped.median.saturating_sub(plain.median)
    );

    let start = Instant::now();
    for _ in 0..STATEMENTS {
        black_box(user.transaction_settings(&pool).unwrap());
    }
    println!(
        "composing the statement: {:?}",
        start.elapsed() / STATEMENTS
    );
    println!(
        "its length: {} bytes",
        user.transaction_settings(&pool).unwrap().len()
    );
}

struct Quantiles {
    tenth: Duration,
    median: Duration,
    ninetieth: Duration,
}

impl Quantiles {
    fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| times[times.len() * percent / 100];
        Self {
            tenth: at(10),
            median: at(50),
            ninetieth: at(90),
        }
    }
}

impl std::fmt::Display for Quantiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "p10 {:?}, median {:?}, p90 {:?}",
            self.tenth, self.median, self.ninetieth
        )
    }
}
