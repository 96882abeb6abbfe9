//! Restarts with the `snapshot_dir` of the previous process.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use bearward::{Bearward, Clock, Issuer, JwksCacheConfig, Verification};
use bearward_testing::{Faults, MockIdp};

use crate::fixture::{
    Fixture, MAX_STALE, builder, builder_for, cache_config, idp, result_code, secs, wait_until,
};

fn config_with_snapshots(dir: &Path) -> JwksCacheConfig {
    cache_config().snapshot_dir(dir)
}

fn snapshot_file(dir: &Path) -> Option<PathBuf> {
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

/// Runs a verifier until its keys are stored. Returns the snapshot file.
async fn run_once(idp: &MockIdp, dir: &Path) -> PathBuf {
    let before = builder(idp)
        .jwks_cache(config_with_snapshots(dir))
        .build()
        .await
        .unwrap();
    before.wait_for_initial_fetch().await;
    wait_until("the keys are stored", || snapshot_file(dir).is_some()).await;
    snapshot_file(dir).unwrap()
}

/// Builds a verifier on the same directory. Its first fetch has not completed yet.
async fn restart(idp: &MockIdp, dir: &Path) -> Bearward {
    builder(idp)
        .jwks_cache(config_with_snapshots(dir))
        .build()
        .await
        .unwrap()
}

fn state(auth: &Bearward) -> &'static str {
    auth.key_set_statuses()[0].state()
}

#[tokio::test]
async fn a_restart_during_an_outage_uses_the_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let idp = idp().await;
    run_once(&idp, dir.path()).await;
    idp.clock().advance(secs(3600));
    idp.outage();

    let auth = restart(&idp, dir.path()).await;
    let token = idp.token().expires_in(MAX_STALE * 2);
    let Verification::Ready(Ok(user)) = auth.try_verify(&token.clone().sub("user-1").sign()) else {
        panic!("the token must be verified without waiting")
    };
    assert_eq!(
        (user.subject(), state(&auth), auth.is_ready()),
        ("user-1", "stale", true)
    );
    assert_eq!(
        auth.key_set_statuses()[0].age,
        Some(secs(3600)),
        "the age includes the time before the restart"
    );

    // The first fetch fails and does not remove the loaded set.
    let fixture = Fixture {
        clock: idp.clock(),
        idp,
        auth,
    };
    fixture.wait_for_attempts(1).await;
    assert_eq!(fixture.fetch_outcomes("status"), 1);
    assert_eq!(
        fixture
            .result_code(&token.clone().sub("user-2").sign())
            .await,
        "OK"
    );
    fixture
        .advance(MAX_STALE - secs(3600) - Duration::from_millis(1))
        .await;
    assert_eq!(
        fixture
            .result_code(&token.clone().sub("user-3").sign())
            .await,
        "OK"
    );
    fixture.clock.advance(Duration::from_millis(1));
    assert_eq!(
        (fixture.state(), fixture.auth.is_ready()),
        ("expired", false),
        "max_stale counts from the original fetch"
    );
    fixture.idp.recover();
    fixture.refresh().await;
    assert_eq!(
        (fixture.state(), fixture.result_code(&token.sign()).await),
        ("fresh", "OK")
    );
}

#[tokio::test]
async fn a_restart_sends_the_stored_etag() {
    let dir = tempfile::tempdir().unwrap();
    let idp = idp().await;
    run_once(&idp, dir.path()).await;
    let auth = restart(&idp, dir.path()).await;
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
async fn a_key_removed_meanwhile_is_dropped_by_the_first_fetch() {
    let dir = tempfile::tempdir().unwrap();
    let idp = idp().await;
    run_once(&idp, dir.path()).await;
    let old = idp.key();
    idp.rotate();
    idp.revoke(old.kid());
    idp.set_faults(Faults::hang());
    let auth = restart(&idp, dir.path()).await;
    assert_eq!(
        result_code(&auth.verify(&idp.token().key(old.clone()).sign()).await),
        "OK"
    );
    idp.recover();
    auth.wait_for_initial_fetch().await;
    assert_eq!(
        result_code(&auth.verify(&idp.token().key(old).sign()).await),
        "UNKNOWN_KEY"
    );
    assert_eq!(result_code(&auth.verify(&idp.token().sign()).await), "OK");
}

#[tokio::test]
async fn a_snapshot_expires_at_max_stale() {
    let dir = tempfile::tempdir().unwrap();
    let idp = idp().await;
    run_once(&idp, dir.path()).await;
    idp.set_faults(Faults::hang());
    let token = idp.token().expires_in(MAX_STALE * 2).sign();
    idp.clock().advance(MAX_STALE - Duration::from_millis(1));
    let auth = restart(&idp, dir.path()).await;
    assert_eq!(
        (state(&auth), result_code(&auth.verify(&token).await)),
        ("stale", "OK")
    );
    idp.clock().advance(Duration::from_millis(1));
    let auth = restart(&idp, dir.path()).await;
    assert_eq!((state(&auth), auth.is_ready()), ("empty", false));
    assert!(
        matches!(auth.try_verify(&token), Verification::Pending(_)),
        "the request joins the first fetch"
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
    assert_eq!(state(&restart(&idp, dir.path()).await), "empty");
    clock.set_wall_clock(wall);
    assert_eq!(state(&restart(&idp, dir.path()).await), "stale");
}

#[tokio::test]
async fn a_corrupt_snapshot_is_ignored_and_replaced() {
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
        let auth = restart(&idp, dir.path()).await;
        assert_eq!(
            state(&auth),
            "empty",
            "{:?}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(80)])
        );
    }
    fs::write(&path, "corrupt").unwrap();
    idp.recover();
    let auth = restart(&idp, dir.path()).await;
    auth.wait_for_initial_fetch().await;
    assert_eq!(result_code(&auth.verify(&idp.token().sign()).await), "OK");
    wait_until("the snapshot is replaced", || {
        fs::read(&path).is_ok_and(|now| now.len() > 100)
    })
    .await;
}

#[tokio::test]
async fn a_snapshot_of_another_issuer_or_url_is_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let (foreign, idp) = (idp().await, idp().await);
    // Both issuers are named "mock", so they use the same file.
    let path = run_once(&foreign, dir.path()).await;
    idp.set_faults(Faults::hang());
    let auth = restart(&idp, dir.path()).await;
    assert_eq!(snapshot_file(dir.path()), Some(path.clone()));
    assert_eq!(state(&auth), "empty");
    drop(auth);

    // The same issuer with another JWKS URL.
    fs::remove_file(&path).unwrap();
    idp.recover();
    run_once(&idp, dir.path()).await;
    let other_url = idp.as_issuer().keys(bearward::KeySource::Url(
        foreign.jwks_url().parse().unwrap(),
    ));
    foreign.set_faults(Faults::hang());
    idp.set_faults(Faults::hang());
    let other_url = builder_for(other_url, &idp)
        .jwks_cache(config_with_snapshots(dir.path()))
        .build()
        .await
        .unwrap();
    assert_eq!(state(&other_url), "empty");
    // Another issuer with the same JWKS URL.
    let other = Issuer::new("https://idp.example", "api")
        .unwrap()
        .name("mock")
        .keys(idp.as_issuer().key_source().clone());
    let other = builder_for(other, &idp)
        .jwks_cache(config_with_snapshots(dir.path()))
        .build()
        .await
        .unwrap();
    assert_eq!(state(&other), "empty");
    // Another name uses another file.
    let renamed = builder_for(idp.as_issuer().name("other"), &idp)
        .jwks_cache(config_with_snapshots(dir.path()))
        .build()
        .await
        .unwrap();
    assert_eq!(state(&renamed), "empty");
    assert_eq!(
        state(&restart(&idp, dir.path()).await),
        "stale",
        "the unchanged configuration uses the snapshot"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_snapshot_is_private_and_ignored_if_writable_by_others() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let idp = idp().await;
    let nested = dir.path().join("created/by/bearward");
    let path = run_once(&idp, &nested).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&nested)), (0o600, 0o700));
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains(idp.key().kid()) && !text.contains("\"d\":"),
        "the snapshot contains only public keys"
    );
    assert_eq!(
        fs::read_dir(&nested).unwrap().count(),
        1,
        "no temporary file remains"
    );

    idp.set_faults(Faults::hang());
    for (given, expected) in [
        (0o600, "stale"),
        (0o644, "stale"),
        (0o620, "empty"),
        (0o602, "empty"),
    ] {
        fs::set_permissions(&path, fs::Permissions::from_mode(given)).unwrap();
        assert_eq!(state(&restart(&idp, &nested).await), expected, "{given:o}");
    }
}

#[tokio::test]
async fn an_unusable_snapshot_directory_does_not_fail_verification() {
    let dir = tempfile::tempdir().unwrap();
    let not_a_directory = dir.path().join("file");
    fs::write(&not_a_directory, "").unwrap();
    let idp = idp().await;
    let auth = restart(&idp, &not_a_directory).await;
    auth.wait_for_initial_fetch().await;
    assert_eq!(result_code(&auth.verify(&idp.token().sign()).await), "OK");
}

#[tokio::test]
async fn a_new_set_replaces_the_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let fixture = Fixture::start_with(idp().await, config_with_snapshots(dir.path())).await;
    wait_until("the keys are stored", || {
        snapshot_file(dir.path()).is_some()
    })
    .await;
    let kid = fixture.idp.rotate();
    assert_eq!(fixture.result_code(&fixture.token().sign()).await, "OK");
    let path = snapshot_file(dir.path()).unwrap();
    wait_until("the new set is stored", || {
        fs::read_to_string(&path).is_ok_and(|text| text.contains(&kid))
    })
    .await;
}
