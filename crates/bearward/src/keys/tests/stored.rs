//! Restarts with a `snapshot_dir`.

use std::{fs, path::Path};

use super::{super::*, script::*};

fn start(dir: &Path, clock: Arc<TestClock>) -> World {
    World::at(
        remote_keys(),
        &JwksCacheConfig::default().snapshot_dir(dir),
        clock,
    )
}

/// The file is written on a thread of its own, so its end is the only thing here that is waited for
/// in real time.
async fn stored(dir: &Path) -> Vec<u8> {
    loop {
        if let Some(Ok(file)) = fs::read_dir(dir)
            .ok()
            .and_then(|mut files| files.find(|f| f.as_ref().is_ok_and(is_json)))
        {
            return fs::read(file.path()).unwrap();
        }
        tokio::task::yield_now().await;
    }
}

fn is_json(file: &fs::DirEntry) -> bool {
    file.path()
        .extension()
        .is_some_and(|extension| extension == "json")
}

#[tokio::test]
async fn a_restart_during_an_outage_verifies_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::start();
    let mut before = start(dir.path(), clock.clone());
    before.call().await.answer(document(jwks(&["a"]))).await;
    stored(dir.path()).await;
    drop(before);
    clock.advance(s(3600)).await;

    let mut after = start(dir.path(), clock);
    assert!(after.has("a"), "before any fetch");
    let status = after.set.status();
    assert_eq!((status.state(), status.age), ("stale", Some(s(3600))));
    let call = after.call().await;
    assert_eq!(
        call.request.etag.as_deref(),
        Some("\"v1\""),
        "the first fetch begins all the same, with the stored ETag"
    );
    call.answer(down()).await;
    assert!(after.has("a"));
    assert!(matches!(after.ask("x"), UnknownKeyDecision::Unavailable(_)));
    after.clock.advance(s(5 * 3600)).await;
    assert!(
        !after.has("a"),
        "max_stale counts from the fetch and not from the restart"
    );
}

#[tokio::test]
async fn a_304_after_a_restart_makes_the_stored_set_fresh() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::start();
    let mut before = start(dir.path(), clock.clone());
    before.call().await.answer(document(jwks(&["a"]))).await;
    let first = stored(dir.path()).await;
    drop(before);
    clock.advance(s(3600)).await;

    let mut after = start(dir.path(), clock);
    after.call().await.answer(not_modified()).await;
    let status = after.set.status();
    assert_eq!(
        (status.state(), status.age, status.generation),
        ("fresh", Some(Duration::ZERO), 1)
    );
    while stored(dir.path()).await == first {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_too_old_foreign_or_corrupt_is_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::start();
    let mut before = start(dir.path(), clock.clone());
    before.call().await.answer(document(jwks(&["a"]))).await;
    let good = String::from_utf8(stored(dir.path()).await).unwrap();
    drop(before);
    let file = fs::read_dir(dir.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let unusable = good.replace("\"EdDSA\"", "\"HS256\"");
    for text in [
        "",
        "{}",
        "null",
        &good[..good.len() / 2],
        &unusable,
        &good.replace("idp.example/jwks", "evil.example/jwks"),
    ] {
        fs::write(&file, text).unwrap();
        let world = start(dir.path(), clock.clone());
        assert!(!world.has("a"), "{text}");
        assert_eq!(world.set.status().state(), "empty", "{text}");
    }
    fs::write(&file, &good).unwrap();
    assert!(
        start(dir.path(), clock.clone()).has("a"),
        "the same file, whole"
    );
    clock.advance(s(6 * 3600)).await;
    assert_eq!(
        start(dir.path(), clock).set.status().state(),
        "empty",
        "too old"
    );
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_costs_nothing_but_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let not_a_folder = dir.path().join("file");
    fs::write(&not_a_folder, "").unwrap();
    let mut world = start(&not_a_folder, TestClock::start());
    world.call().await.answer(document(jwks(&["a"]))).await;
    assert!(world.has("a"));
}
