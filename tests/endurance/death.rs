//! Many writers, and a server that ends under them: nothing that was acknowledged is lost.

use std::time::Duration;

use bearward_testing::MockIdp;
use rustix::process::Signal;

use crate::{
    database, is_all,
    load::{Load, rows},
    serving::Serving,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_writers_lose_nothing_and_are_never_refused() {
    let (idp, database) = (MockIdp::start().await, database::fresh().await);
    let server = Serving::start(&idp, &database).await;
    let load = Load::start(64, &idp, &[&server.api]);
    tokio::time::sleep(Duration::from_secs(if is_all() { 30 } else { 2 })).await;
    let told = load.end().await;
    println!("{} rows", told.kept.len());
    assert_eq!((told.unavailable, told.cut), (0, 0));
    assert!(told.kept.len() >= 64, "every writer wrote");
    told.is_in(&rows(&database).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_loses_nothing_that_it_acknowledged() {
    let (idp, database) = (MockIdp::start().await, database::fresh().await);
    let mut all = crate::load::Told::default();
    for round in 0..if is_all() { 10 } else { 3 } {
        let mut server = Serving::start(&idp, &database).await;
        let load = Load::start(16, &idp, &[&server.api]);
        // Each round at another moment of the work.
        load.until_kept(50 + 37 * round).await;
        server.process.signal(Signal::KILL);
        server.process.ended().await;
        let told = load.end().await;
        all.kept.extend(told.kept);
        all.cut += told.cut;
        all.unavailable += told.unavailable;
        all.faults.extend(told.faults);
        // The first look at the file is the next server's, which finds a journal without an owner.
        let next = Serving::start(&idp, &database).await;
        all.is_in(&rows(&database).await);
        drop(next);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_told_to_stop_keeps_what_it_acknowledged_and_ends_well() {
    let (idp, database) = (MockIdp::start().await, database::fresh().await);
    let mut server = Serving::start(&idp, &database).await;
    let load = Load::start(16, &idp, &[&server.api]);
    load.until_kept(100).await;
    server.process.signal(Signal::TERM);
    assert_eq!(
        server.process.ended().await.code(),
        Some(0),
        "{}",
        server.process.output()
    );
    let told = load.end().await;
    assert_eq!(told.unavailable, 0);
    told.is_in(&rows(&database).await);
}
