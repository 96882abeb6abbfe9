//! Another local user can write to the snapshot directory.

#![cfg(unix)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc,
    time::Duration,
};

use bearward::{Algorithm, Bearward, JwksCacheConfig};
use bearward_testing::{Faults, MockIdp, signing::KeyPair};

/// Writes a snapshot file that contains `key`, and stops the identity provider.
async fn write_snapshot(dir: &Path, idp: &MockIdp, key: &KeyPair) -> PathBuf {
    idp.set_faults(Faults::body(
        serde_json::json!({ "keys": [key.jwk()] }).to_string(),
    ));
    let writer = build(dir, idp).await;
    writer.wait_for_initial_fetch().await;
    let is_json = |path: &PathBuf| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    };
    let path = loop {
        let found = fs::read_dir(dir).ok().and_then(|files| {
            files
                .filter_map(|file| Some(file.ok()?.path()))
                .find(is_json)
        });
        match found {
            Some(path) => break path,
            None => tokio::task::yield_now().await,
        }
    };
    idp.outage();
    path
}

async fn build(dir: &Path, idp: &MockIdp) -> Bearward {
    let config = JwksCacheConfig::default().snapshot_dir(dir);
    Bearward::builder()
        .issuer(idp.as_issuer())
        .jwks_cache(config)
        .build()
        .await
        .unwrap()
}

#[tokio::test]
async fn snapshot_of_another_owner_is_not_used() {
    let (dir, idp) = (tempfile::tempdir().unwrap(), MockIdp::start().await);
    let foreign_key = KeyPair::generate(Algorithm::ES256);
    let file = write_snapshot(dir.path(), &idp, &foreign_key).await;
    let token = idp.token().key(foreign_key).sign();
    assert!(
        build(dir.path(), &idp).await.verify(&token).await.is_ok(),
        "the file is valid apart from its owner"
    );

    let nobody_uid = 65_534;
    if std::os::unix::fs::chown(&file, Some(nobody_uid), Some(nobody_uid)).is_err() {
        eprintln!("skipped: only root can change the owner of a file");
        return;
    }
    let failure = build(dir.path(), &idp)
        .await
        .verify(&token)
        .await
        .unwrap_err();
    assert_eq!(failure.error.code(), "KEYS_UNAVAILABLE");
}

#[tokio::test]
async fn snapshot_path_that_is_a_pipe_does_not_block_startup() {
    let (dir, idp) = (tempfile::tempdir().unwrap(), MockIdp::start().await);
    let file = write_snapshot(dir.path(), &idp, &idp.key()).await;
    fs::remove_file(&file).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&file)
            .status()
            .unwrap()
            .success()
    );
    idp.recover();

    // On a separate thread: a build that hangs cannot be aborted from within its runtime.
    let (sender, receiver) = mpsc::channel();
    let (directory, issuer, token) = (dir.path().to_owned(), idp.as_issuer(), idp.token().sign());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let config = JwksCacheConfig::default().snapshot_dir(directory);
            let auth = Bearward::builder()
                .issuer(issuer)
                .jwks_cache(config)
                .build()
                .await
                .unwrap();
            sender.send(auth.verify(&token).await.is_ok()).unwrap();
        });
    });
    assert_eq!(receiver.recv_timeout(Duration::from_secs(10)), Ok(true));
}
