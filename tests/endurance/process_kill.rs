//! A server that is killed or stopped under load loses no acknowledged row.

use std::time::Duration;

use bearward_testing::MockIdp;
use rustix::process::Signal;
use test_support::database;

use crate::{
    load::{Load, rows},
    run_long,
    test_server::TestServer,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writers_lose_no_rows() {
    let (idp, database) = (MockIdp::start().await, database::create().await);
    let server = TestServer::start(&idp, &database).await;
    let load = Load::start(64, &idp, &[&server.api]);
    tokio::time::sleep(Duration::from_secs(if run_long() { 30 } else { 2 })).await;
    let result = load.stop().await;
    println!("{} rows", result.acknowledged.len());
    assert_eq!((result.unavailable, result.interrupted), (0, 0));
    assert!(result.acknowledged.len() >= 64, "every writer stored a row");
    result.assert_stored(&rows(&database).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_server_loses_no_acknowledged_row() {
    let (idp, database) = (MockIdp::start().await, database::create().await);
    let mut all = crate::load::LoadResult::default();
    for round in 0..if run_long() { 10 } else { 3 } {
        let mut server = TestServer::start(&idp, &database).await;
        let load = Load::start(16, &idp, &[&server.api]);
        // Kill at a different point in each round.
        load.wait_for_acknowledged(50 + 37 * round).await;
        server.process.signal(Signal::KILL);
        server.process.wait().await;
        let result = load.stop().await;
        all.acknowledged.extend(result.acknowledged);
        all.interrupted += result.interrupted;
        all.unavailable += result.unavailable;
        all.unexpected.extend(result.unexpected);
        // The next server opens the file first, and recovers from the journal.
        let next = TestServer::start(&idp, &database).await;
        all.assert_stored(&rows(&database).await);
        drop(next);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_server_keeps_acknowledged_rows_and_exits_0() {
    let (idp, database) = (MockIdp::start().await, database::create().await);
    let mut server = TestServer::start(&idp, &database).await;
    let load = Load::start(16, &idp, &[&server.api]);
    load.wait_for_acknowledged(100).await;
    server.process.signal(Signal::TERM);
    assert_eq!(
        server.process.wait().await.code(),
        Some(0),
        "{}",
        server.process.output()
    );
    let result = load.stop().await;
    assert_eq!(result.unavailable, 0);
    result.assert_stored(&rows(&database).await);
}
