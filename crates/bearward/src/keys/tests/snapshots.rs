//! Tests of restarts with a `snapshot_dir`.

use std::{fs, path::Path};

use super::{super::*, fixture::*};

fn start(dir: &Path, clock: Arc<TestClock>) -> Fixture {
    Fixture::with_config(
        remote_jwks(),
        &JwksCacheConfig::default().snapshot_dir(dir),
        clock,
    )
}

/// Waits in real time for the snapshot file, which a blocking thread writes.
async fn wait_for_file(dir: &Path) -> Vec<u8> {
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
async fn stored_keys_are_usable_after_a_restart_during_an_outage() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::start();
    let mut before = start(dir.path(), clock.clone());
    before
        .next_fetch()
        .await
        .respond(document(jwks(&["a"])))
        .await;
    wait_for_file(dir.path()).await;
    drop(before);
    clock.advance(s(3600)).await;

    let mut after = start(dir.path(), clock);
    assert!(after.has_key("a"), "before any fetch");
    let status = after.set.status();
    assert_eq!((status.state(), status.age), ("stale", Some(s(3600))));
    let fetch = after.next_fetch().await;
    assert_eq!(
        fetch.request.etag.as_deref(),
        Some("\"v1\""),
        "the first fetch starts with the stored ETag"
    );
    fetch.respond(connect_error()).await;
    assert!(after.has_key("a"));
    assert!(matches!(
        after.request_key("x"),
        UnknownKeyDecision::Unavailable(_)
    ));
    after.clock.advance(s(5 * 3600)).await;
    assert!(
        !after.has_key("a"),
        "max_stale counts from the fetch, not from the restart"
    );
}

#[tokio::test]
async fn a_304_renews_the_stored_set_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::start();
    let mut before = start(dir.path(), clock.clone());
    before
        .next_fetch()
        .await
        .respond(document(jwks(&["a"])))
        .await;
    let first = wait_for_file(dir.path()).await;
    drop(before);
    clock.advance(s(3600)).await;

    let mut after = start(dir.path(), clock);
    after.next_fetch().await.respond(not_modified()).await;
    let status = after.set.status();
    assert_eq!(
        (status.state(), status.age, status.generation),
        ("fresh", Some(Duration::ZERO), 1)
    );
    while wait_for_file(dir.path()).await == first {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn old_foreign_or_corrupt_files_are_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::start();
    let mut before = start(dir.path(), clock.clone());
    before
        .next_fetch()
        .await
        .respond(document(jwks(&["a"])))
        .await;
    let good = String::from_utf8(wait_for_file(dir.path()).await).unwrap();
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
        let fixture = start(dir.path(), clock.clone());
        assert!(!fixture.has_key("a"), "{text}");
        assert_eq!(fixture.set.status().state(), "empty", "{text}");
    }
    fs::write(&file, &good).unwrap();
    assert!(
        start(dir.path(), clock.clone()).has_key("a"),
        "the complete file"
    );
    clock.advance(s(6 * 3600)).await;
    assert_eq!(
        start(dir.path(), clock).set.status().state(),
        "empty",
        "too old"
    );
}

#[tokio::test]
async fn unwritable_snapshot_dir_does_not_affect_the_keys() {
    let dir = tempfile::tempdir().unwrap();
    let not_a_directory = dir.path().join("file");
    fs::write(&not_a_directory, "").unwrap();
    let mut fixture = start(&not_a_directory, TestClock::start());
    fixture
        .next_fetch()
        .await
        .respond(document(jwks(&["a"])))
        .await;
    assert!(fixture.has_key("a"));
}
