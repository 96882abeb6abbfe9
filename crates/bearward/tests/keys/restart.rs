//! A new process with the `snapshot_dir` of the last one.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use {Bearward, Clock, Issuer, JwksCacheConfig, Verification};
use bearward_testing::{Faults, MockIdp};

use crate::stack::{MAX_STALE, Stack, builder, builder_of, code, idp, policy, s, until};

fn storing(dir: &Path) -> JwksCacheConfig {
    policy().snapshot_dir(dir)
}

fn file(dir: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(dir)
        .ok()?
        .filter_map(|file| Some(file.ok()?.path()));
    files
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .max()
}

/// Runs until the keys are stored, and ends.
async fn run_once(idp: &MockIdp, dir: &Path) -> PathBuf {
    let before = builder(idp).jwks_cache(storing(dir)).build().await.unwrap();
    before.wait_for_initial_fetch().await;
    until("the keys are stored", || file(dir).is_some()).await;
    file(dir).unwrap()
}

/// Built again on the same folder; what the network brings cannot have come yet.
async fn restarted(idp: &MockIdp, dir: &Path) -> Bearward {
    builder(idp).jwks_cache(storing(dir)).build().await.unwrap()
}

fn state(auth: &Bearward) -> &'static str {
    auth.key_set_statuses()[0].state()
}

#[tokio::test]
async fn a_restart_during_an_outage_verifies_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let idp = idp().await;
    run_once(&idp, dir.path()).await;
    idp.clock().advance(s(3600));
    idp.outage();

    let auth = restarted(&idp, dir.path()).await;
    let token = idp.token().expires_in(MAX_STALE * 2);
    let Verification::Ready(Ok(user)) = auth.try_verify(&token.clone().sub("user-1").sign()) else {
        panic!("at once")
    };
    assert_eq!(
        (user.subject(), state(&auth), auth.is_ready()),
        ("user-1", "stale", true)
    );
    assert_eq!(
        auth.key_set_statuses()[0].age,
        Some(s(3600)),
        "its age goes on across the restart"
    );

    // The first fetch begins all the same, fails, and takes nothing away.
    let stack = Stack {
        clock: idp.clock(),
        idp,
        auth,
    };
    stack.attempted(1).await;
    assert_eq!(stack.outcome("status"), 1);
    assert_eq!(stack.code(&token.clone().sub("user-2").sign()).await, "OK");
    stack
        .advance(MAX_STALE - s(3600) - Duration::from_millis(1))
        .await;
    assert_eq!(stack.code(&token.clone().sub("user-3").sign()).await, "OK");
    stack.clock.advance(Duration::from_millis(1));
    assert_eq!(
        (stack.state(), stack.auth.is_ready()),
        ("expired", false),
        "max_stale counts from the fetch"
    );
    stack.idp.recover();
    stack.refresh().await;
    assert_eq!(
        (stack.state(), stack.code(&token.sign()).await),
        ("fresh", "OK")
    );
}

#[tokio::test]
async fn a_restart_while_all_is_well_asks_with_the_stored_etag() {
    let dir = tempfile::tempdir().unwrap();
    let idp = idp().await;
    run_once(&idp, dir.path()).await;
    let auth = restarted(&idp, dir.path()).await;
    auth.wait_for_initial_fetch().await;
    assert_eq!(state(&auth), "fresh");
    let requests = idp.requests();
    assert_eq!(
        (
            requests.len(),
            requests[1].header("if-none-match").is_some()
        ),
        (2, true)
    );
    assert_eq!(
        auth.key_set_statuses()[0]
            .fetches
            .iter()
            .find(|(name, _)| *name == "not_modified"),
        Some(&("not_modified", 1))
    );
}

#[tokio::test]
async fn a_key_that_was_removed_meanwhile_dies_with_the_first_fetch() {
    let dir = tempfile::tempdir().unwrap();
    let idp = idp().await;
    run_once(&idp, dir.path()).await;
    let old = idp.key();
    idp.rotate();
    idp.revoke(old.kid());
    idp.set_faults(Faults::hang());
    let auth = restarted(&idp, dir.path()).await;
    assert_eq!(
        code(&auth.verify(&idp.token().key(old.clone()).sign()).await),
        "OK"
    );
    idp.recover();
    auth.wait_for_initial_fetch().await;
    assert_eq!(
        code(&auth.verify(&idp.token().key(old).sign()).await),
        "UNKNOWN_KEY"
    );
    assert_eq!(code(&auth.verify(&idp.token().sign()).await), "OK");
}

#[tokio::test]
async fn a_snapshot_is_used_below_max_stale_and_not_at_it() {
    let dir = tempfile::tempdir().unwrap();
    let idp = idp().await;
    run_once(&idp, dir.path()).await;
    idp.set_faults(Faults::hang());
    let token = idp.token().expires_in(MAX_STALE * 2).sign();
    idp.clock().advance(MAX_STALE - Duration::from_millis(1));
    let auth = restarted(&idp, dir.path()).await;
    assert_eq!(
        (state(&auth), code(&auth.verify(&token).await)),
        ("stale", "OK")
    );
    idp.clock().advance(Duration::from_millis(1));
    let auth = restarted(&idp, dir.path()).await;
    assert_eq!((state(&auth), auth.is_ready()), ("empty", false));
    assert!(
        matches!(auth.try_verify(&token), Verification::Pending(_)),
        "it joins the first fetch"
    );
}

#[tokio::test]
async fn a_snapshot_from_the_future_is_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let idp = idp().await;
    run_once(&idp, dir.path()).await;
    idp.set_faults(Faults::hang());
    let clock = idp.clock();
    let wall = clock.now();
    clock.set_wall_clock(wall.minus(Duration::from_millis(1)));
    assert_eq!(state(&restarted(&idp, dir.path()).await), "empty");
    clock.set_wall_clock(wall);
    assert_eq!(state(&restarted(&idp, dir.path()).await), "stale");
}

#[tokio::test]
async fn a_corrupt_file_is_ignored_and_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let idp = idp().await;
    let path = run_once(&idp, dir.path()).await;
    let good = fs::read(&path).unwrap();
    let text = String::from_utf8(good.clone()).unwrap();
    idp.set_faults(Faults::hang());
    let corrupt: [&[u8]; 8] = [
        b"",
        b"null",
        b"{}",
        b"\xff\xfe\x00",
        &good[..good.len() / 2],
        &text.replace("\"version\":1", "\"version\":2").into_bytes(),
        &text.replace("\"EdDSA\"", "\"HS256\"").into_bytes(),
        &vec![b' '; 1024 * 1024],
    ];
    for bytes in corrupt {
        assert_ne!(bytes, good);
        fs::write(&path, bytes).unwrap();
        let auth = restarted(&idp, dir.path()).await;
        assert_eq!(
            state(&auth),
            "empty",
            "{:?}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(80)])
        );
    }
    fs::write(&path, "corrupt").unwrap();
    idp.recover();
    let auth = restarted(&idp, dir.path()).await;
    auth.wait_for_initial_fetch().await;
    assert_eq!(code(&auth.verify(&idp.token().sign()).await), "OK");
    until("it is written anew", || {
        fs::read(&path).is_ok_and(|now| now.len() > 100)
    })
    .await;
}

#[tokio::test]
async fn the_file_of_another_issuer_or_another_address_is_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let (evil, idp) = (idp().await, idp().await);
    // Both are named "mock", so both use the same file.
    let path = run_once(&evil, dir.path()).await;
    idp.set_faults(Faults::hang());
    let auth = restarted(&idp, dir.path()).await;
    assert_eq!(file(dir.path()), Some(path.clone()));
    assert_eq!(state(&auth), "empty");
    drop(auth);

    // The same issuer, but its keys are configured to lie elsewhere now.
    fs::remove_file(&path).unwrap();
    idp.recover();
    run_once(&idp, dir.path()).await;
    let moved = idp
        .as_issuer()
        .keys(bearward::KeySource::Url(evil.jwks_url().parse().unwrap()));
    evil.set_faults(Faults::hang());
    idp.set_faults(Faults::hang());
    let moved = builder_of(moved, &idp)
        .jwks_cache(storing(dir.path()))
        .build()
        .await
        .unwrap();
    assert_eq!(state(&moved), "empty");
    // Another issuer whose keys lie at the same address.
    let other = Issuer::new("https://idp.example", "api")
        .unwrap()
        .name("mock")
        .keys(idp.as_issuer().key_source().clone());
    let other = builder_of(other, &idp)
        .jwks_cache(storing(dir.path()))
        .build()
        .await
        .unwrap();
    assert_eq!(state(&other), "empty");
    // And under another name it is another file.
    let renamed = builder_of(idp.as_issuer().name("other"), &idp)
        .jwks_cache(storing(dir.path()))
        .build()
        .await
        .unwrap();
    assert_eq!(state(&renamed), "empty");
    assert_eq!(
        state(&restarted(&idp, dir.path()).await),
        "stale",
        "the nearest case that is used"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_for_its_owner_alone_and_one_that_others_may_write_is_ignored() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let idp = idp().await;
    let nested = dir.path().join("made/by/bearward");
    let path = run_once(&idp, &nested).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&nested)), (0o600, 0o700));
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains(idp.key().kid()) && !text.contains("\"d\":"),
        "public keys alone"
    );
    assert_eq!(
        fs::read_dir(&nested).unwrap().count(),
        1,
        "no temporary file is left"
    );

    idp.set_faults(Faults::hang());
    for (given, expected) in [
        (0o600, "stale"),
        (0o644, "stale"),
        (0o620, "empty"),
        (0o602, "empty"),
    ] {
        fs::set_permissions(&path, fs::Permissions::from_mode(given)).unwrap();
        assert_eq!(
            state(&restarted(&idp, &nested).await),
            expected,
            "{given:o}"
        );
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let not_a_folder = dir.path().join("file");
    fs::write(&not_a_folder, "").unwrap();
    let idp = idp().await;
    let auth = restarted(&idp, &not_a_folder).await;
    auth.wait_for_initial_fetch().await;
    assert_eq!(code(&auth.verify(&idp.token().sign()).await), "OK");
}

#[tokio::test]
async fn a_new_set_replaces_the_stored_one() {
    let dir = tempfile::tempdir().unwrap();
    let stack = Stack::warm_with(idp().await, storing(dir.path())).await;
    until("the keys are stored", || file(dir.path()).is_some()).await;
    let kid = stack.idp.rotate();
    assert_eq!(stack.code(&stack.token().sign()).await, "OK");
    let path = file(dir.path()).unwrap();
    until("the new set is stored", || {
        fs::read_to_string(&path).is_ok_and(|text| text.contains(&kid))
    })
    .await;
}
