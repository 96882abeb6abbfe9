//! Another user of the machine, where the stored keys lie in a folder that he can write.

#![cfg(unix)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc,
    time::Duration,
};

use {Algorithm, Bearward, JwksCacheConfig};
use bearward_testing::{Faults, MockIdp, signing::KeyPair};

/// A file as bearward writes it, which holds the keys of whoever `key` belongs to; the identity
/// provider is down from then on.
async fn planted(dir: &Path, idp: &MockIdp, key: &KeyPair) -> PathBuf {
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
    let policy = JwksCacheConfig::default().snapshot_dir(dir);
    Bearward::builder()
        .issuer(idp.as_issuer())
        .jwks_cache(policy)
        .build()
        .await
        .unwrap()
}

#[tokio::test]
async fn stored_keys_that_another_user_owns_are_not_believed_though_nobody_else_may_write_them() {
    let (dir, idp) = (tempfile::tempdir().unwrap(), MockIdp::start().await);
    let stranger = KeyPair::generate(Algorithm::ES256);
    let file = planted(dir.path(), &idp, &stranger).await;
    let token = idp.token().key(stranger).sign();
    assert!(
        build(dir.path(), &idp).await.verify(&token).await.is_ok(),
        "the file is good but for its owner"
    );

    let nobody = 65_534;
    if std::os::unix::fs::chown(&file, Some(nobody), Some(nobody)).is_err() {
        eprintln!("only root can give a file away: not tested");
        return;
    }
    let refusal = build(dir.path(), &idp)
        .await
        .verify(&token)
        .await
        .unwrap_err();
    assert_eq!(refusal.error.code(), "KEYS_UNAVAILABLE");
}

#[tokio::test]
async fn a_pipe_in_the_place_of_stored_keys_does_not_keep_the_service_from_starting() {
    let (dir, idp) = (tempfile::tempdir().unwrap(), MockIdp::start().await);
    let file = planted(dir.path(), &idp, &idp.key()).await;
    fs::remove_file(&file).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&file)
            .status()
            .unwrap()
            .success()
    );
    idp.recover();

    // On a thread of its own: a build that hangs cannot be given up from within its runtime.
    let (tell, told) = mpsc::channel();
    let (folder, issuer, token) = (dir.path().to_owned(), idp.as_issuer(), idp.token().sign());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let policy = JwksCacheConfig::default().snapshot_dir(folder);
            let auth = Bearward::builder()
                .issuer(issuer)
                .jwks_cache(policy)
                .build()
                .await
                .unwrap();
            tell.send(auth.verify(&token).await.is_ok()).unwrap();
        });
    });
    assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok(true));
}
