//! Key rotation and removal.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use bearward::Verification;
use bearward_testing::Faults;
use test_support::poll_once;

use crate::fixture::{Fixture, result_code, secs, wait_until};

/// State shared by the verifying tasks of one test.
struct Load {
    /// One token of every key so far. All of these keys are published.
    tokens: Mutex<Vec<String>>,
    /// Number of accepted tokens of the newest key.
    newest: AtomicUsize,
    failed: Mutex<Vec<&'static str>>,
    verified: AtomicUsize,
    done: AtomicBool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotation_under_load_fails_no_request() {
    const ROTATIONS: usize = 6;
    let fixture = Fixture::start().await;
    let load = Arc::new(Load {
        tokens: Mutex::new(vec![fixture.token().sign()]),
        newest: AtomicUsize::new(0),
        failed: Mutex::default(),
        verified: AtomicUsize::new(0),
        done: AtomicBool::new(false),
    });
    let workers: Vec<_> = (0..6)
        .map(|worker: usize| {
            let (auth, load) = (fixture.auth.clone(), Arc::clone(&load));
            tokio::spawn(async move {
                for n in worker.. {
                    if load.done.load(Ordering::SeqCst) {
                        return;
                    }
                    let (token, newest) = {
                        let tokens = load.tokens.lock().unwrap();
                        // Half of the requests use the newest key.
                        let index = if n % 2 == 0 {
                            tokens.len() - 1
                        } else {
                            n % tokens.len()
                        };
                        (tokens[index].clone(), index == tokens.len() - 1)
                    };
                    match result_code(&auth.verify(&token).await) {
                        "OK" => load.newest.fetch_add(usize::from(newest), Ordering::SeqCst),
                        code => {
                            load.failed.lock().unwrap().push(code);
                            0
                        }
                    };
                    load.verified.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for _ in 0..ROTATIONS {
        // Refills the bucket token that the rotation uses.
        fixture.clock.advance(secs(30));
        fixture.idp.rotate();
        let token = fixture.token().sign();
        {
            let mut tokens = load.tokens.lock().unwrap();
            load.newest.store(0, Ordering::SeqCst);
            tokens.push(token);
        }
        wait_until("the newest key is in use", || {
            load.newest.load(Ordering::SeqCst) >= 50
        })
        .await;
    }
    load.done.store(true, Ordering::SeqCst);
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(
        *load.failed.lock().unwrap(),
        [""; 0],
        "of {}",
        load.verified.load(Ordering::SeqCst)
    );
    assert_eq!(fixture.idp.fetches(), 1 + ROTATIONS);
    assert_eq!(
        (fixture.status().keys, fixture.status().generation),
        (1 + ROTATIONS, 1 + ROTATIONS as u64)
    );
}

#[tokio::test]
async fn the_first_request_with_a_new_key_succeeds() {
    let fixture = Fixture::start().await;
    let kid = fixture.idp.rotate();
    assert_eq!(
        fixture
            .verify(&fixture.token().sub("user-1").sign())
            .await
            .unwrap()
            .subject(),
        "user-1"
    );
    assert_eq!(
        (
            fixture.idp.fetches(),
            fixture.unknown_key_outcomes("refreshed")
        ),
        (2, 1)
    );
    assert!(fixture.status().kids().any(|found| found == Some(&kid)));
}

/// A response from before the publication does not prove that the key is missing.
#[tokio::test]
async fn a_key_published_during_a_fetch_is_found() {
    let fixture = Fixture::start().await;
    let old_set = serde_json::json!({ "keys": [fixture.idp.key().jwk()] }).to_string();
    fixture.idp.set_faults(Faults {
        hang: true,
        ..Faults::body(old_set)
    });
    let other = fixture.token().kid("unknown").sign();
    let mut other = Box::pin(fixture.verify(&other));
    assert!(poll_once(&mut other).await.is_pending());
    fixture.wait_for_fetches(2).await;
    fixture.idp.rotate();
    let token = fixture.token().sign();
    let mut request = Box::pin(fixture.verify(&token));
    assert!(poll_once(&mut request).await.is_pending());
    fixture.idp.recover();
    assert_eq!(
        (result_code(&request.await), result_code(&other.await)),
        ("OK", "UNKNOWN_KEY")
    );
    assert_eq!(fixture.idp.fetches(), 3);
}

#[tokio::test]
async fn rotation_to_a_standby_key_needs_no_fetch() {
    let fixture = Fixture::start().await;
    fixture.idp.add_standby();
    fixture.refresh().await;
    let fetches = fixture.idp.fetches();
    fixture.idp.rotate();
    let token = fixture.token().sign();
    assert!(matches!(
        fixture.auth.try_verify(&token),
        Verification::Ready(Ok(_))
    ));
    assert_eq!(fixture.idp.fetches(), fetches);
}

#[tokio::test]
async fn a_removed_key_is_rejected_after_the_next_refresh() {
    let fixture = Fixture::start().await;
    let (removed, token) = (fixture.idp.key(), fixture.token().sign());
    assert_eq!(fixture.result_code(&token).await, "OK");
    assert_eq!(fixture.auth.cached_tokens(), 1);
    fixture.idp.rotate();
    assert!(fixture.idp.revoke(removed.kid()));
    assert_eq!(
        fixture.result_code(&token).await,
        "OK",
        "the verifier has not refreshed yet"
    );
    fixture.refresh().await;
    assert_eq!(fixture.result_code(&token).await, "UNKNOWN_KEY");
    assert_eq!(fixture.auth.cached_tokens(), 0);
    assert_eq!(
        fixture
            .result_code(&fixture.token().key(removed).sub("another").sign())
            .await,
        "UNKNOWN_KEY"
    );
    assert_eq!(
        fixture.result_code(&fixture.token().sign()).await,
        "OK",
        "the new key"
    );
}

#[tokio::test]
async fn a_fetch_for_another_kid_also_removes_keys() {
    let fixture = Fixture::start().await;
    let (removed, token) = (fixture.idp.key(), fixture.token().sign());
    assert_eq!(fixture.result_code(&token).await, "OK");
    fixture.idp.rotate();
    fixture.idp.revoke(removed.kid());
    assert_eq!(fixture.result_code(&fixture.token().sign()).await, "OK");
    assert_eq!(
        fixture.result_code(&token).await,
        "UNKNOWN_KEY",
        "the new set replaced the old one completely"
    );
}

#[tokio::test]
async fn an_unchanged_refresh_keeps_cached_tokens() {
    let fixture = Fixture::start().await;
    let token = fixture.token().sign();
    assert_eq!(fixture.result_code(&token).await, "OK");
    for outcome in ["not_modified", "unchanged"] {
        if outcome == "unchanged" {
            fixture.idp.set_faults(Faults {
                no_etag: true,
                ..Default::default()
            });
        }
        fixture.refresh().await;
        assert_eq!(
            (fixture.fetch_outcomes(outcome), fixture.status().generation),
            (1, 1)
        );
        assert_eq!(
            (
                fixture.result_code(&token).await,
                fixture.auth.cached_tokens()
            ),
            ("OK", 1)
        );
    }
}
