//! Keys that come and keys that go.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use bearward::Verification;
use bearward_testing::Faults;

use crate::stack::{Stack, code, s, until};

/// What the verifying tasks of one test share.
struct Load {
    /// One token of every key so far; all of these keys are published.
    tokens: Mutex<Vec<String>>,
    /// How many tokens of the newest key were accepted.
    newest: AtomicUsize,
    failed: Mutex<Vec<&'static str>>,
    verified: AtomicUsize,
    done: AtomicBool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotation_under_load_fails_no_request_and_makes_one_fetch_a_rotation() {
    const ROTATIONS: usize = 6;
    let stack = Stack::warm().await;
    let load = Arc::new(Load {
        tokens: Mutex::new(vec![stack.token().sign()]),
        newest: AtomicUsize::new(0),
        failed: Mutex::default(),
        verified: AtomicUsize::new(0),
        done: AtomicBool::new(false),
    });
    let workers: Vec<_> = (0..6)
        .map(|worker: usize| {
            let (auth, load) = (stack.auth.clone(), Arc::clone(&load));
            tokio::spawn(async move {
                for n in worker.. {
                    if load.done.load(Ordering::SeqCst) {
                        return;
                    }
                    let (token, newest) = {
                        let tokens = load.tokens.lock().unwrap();
                        // Half of the requests bring the newest key.
                        let place = if n % 2 == 0 {
                            tokens.len() - 1
                        } else {
                            n % tokens.len()
                        };
                        (tokens[place].clone(), place == tokens.len() - 1)
                    };
                    match code(&auth.verify(&token).await) {
                        "OK" => load.newest.fetch_add(usize::from(newest), Ordering::SeqCst),
                        refused => {
                            load.failed.lock().unwrap().push(refused);
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
        // Earns the token back that the rotation costs.
        stack.clock.advance(s(30));
        stack.idp.rotate();
        let token = stack.token().sign();
        {
            let mut tokens = load.tokens.lock().unwrap();
            load.newest.store(0, Ordering::SeqCst);
            tokens.push(token);
        }
        until("the newest key is in use", || {
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
    assert_eq!(stack.idp.fetches(), 1 + ROTATIONS);
    assert_eq!(
        (stack.status().keys, stack.status().generation),
        (1 + ROTATIONS, 1 + ROTATIONS as u64)
    );
}

#[tokio::test]
async fn the_very_request_that_brings_a_new_key_succeeds() {
    let stack = Stack::warm().await;
    let kid = stack.idp.rotate();
    assert_eq!(
        stack
            .verify(&stack.token().sub("user-1").sign())
            .await
            .unwrap()
            .subject(),
        "user-1"
    );
    assert_eq!((stack.idp.fetches(), stack.unknown("refreshed")), (2, 1));
    assert!(stack.status().kids.contains(&Some(kid)));
}

/// What was read before the key was published says nothing about it.
#[tokio::test]
async fn a_key_that_is_published_while_a_fetch_is_under_way_is_found_by_the_request_that_joined_it()
{
    let stack = Stack::warm().await;
    let old_set = serde_json::json!({ "keys": [stack.idp.key().jwk()] }).to_string();
    stack.idp.set_faults(Faults {
        hang: true,
        ..Faults::body(old_set)
    });
    let other = stack.token().kid("nobody").sign();
    let mut other = Box::pin(stack.verify(&other));
    assert!(futures_util::poll!(&mut other).is_pending());
    stack.asked(2).await;
    stack.idp.rotate();
    let token = stack.token().sign();
    let mut request = Box::pin(stack.verify(&token));
    assert!(futures_util::poll!(&mut request).is_pending());
    stack.idp.recover();
    assert_eq!(
        (code(&request.await), code(&other.await)),
        ("OK", "UNKNOWN_KEY")
    );
    assert_eq!(stack.idp.fetches(), 3);
}

#[tokio::test]
async fn a_standby_key_makes_a_rotation_cost_no_fetch() {
    let stack = Stack::warm().await;
    stack.idp.add_standby();
    stack.refresh().await;
    let fetches = stack.idp.fetches();
    stack.idp.rotate();
    let token = stack.token().sign();
    assert!(matches!(
        stack.auth.try_verify(&token),
        Verification::Ready(Ok(_))
    ));
    assert_eq!(stack.idp.fetches(), fetches);
}

#[tokio::test]
async fn a_removed_key_dies_at_the_next_refresh_also_for_tokens_that_were_verified_before() {
    let stack = Stack::warm().await;
    let (removed, token) = (stack.idp.key(), stack.token().sign());
    assert_eq!(stack.code(&token).await, "OK");
    assert_eq!(stack.auth.cached_tokens(), 1);
    stack.idp.rotate();
    assert!(stack.idp.revoke(removed.kid()));
    assert_eq!(
        stack.code(&token).await,
        "OK",
        "nobody has told the verifier yet"
    );
    stack.refresh().await;
    assert_eq!(stack.code(&token).await, "UNKNOWN_KEY");
    assert_eq!(stack.auth.cached_tokens(), 0);
    assert_eq!(
        stack
            .code(&stack.token().key(removed).sub("another").sign())
            .await,
        "UNKNOWN_KEY"
    );
    assert_eq!(
        stack.code(&stack.token().sign()).await,
        "OK",
        "the key that took its place"
    );
}

#[tokio::test]
async fn a_removal_that_another_kid_brings_to_light_counts_at_once() {
    let stack = Stack::warm().await;
    let (removed, token) = (stack.idp.key(), stack.token().sign());
    assert_eq!(stack.code(&token).await, "OK");
    stack.idp.rotate();
    stack.idp.revoke(removed.kid());
    assert_eq!(stack.code(&stack.token().sign()).await, "OK");
    assert_eq!(
        stack.code(&token).await,
        "UNKNOWN_KEY",
        "the new set replaced the old one whole"
    );
}

#[tokio::test]
async fn a_refresh_without_a_change_keeps_what_was_verified() {
    let stack = Stack::warm().await;
    let token = stack.token().sign();
    assert_eq!(stack.code(&token).await, "OK");
    for outcome in ["not_modified", "unchanged"] {
        if outcome == "unchanged" {
            stack.idp.set_faults(Faults {
                no_etag: true,
                ..Default::default()
            });
        }
        stack.refresh().await;
        assert_eq!((stack.outcome(outcome), stack.status().generation), (1, 1));
        assert_eq!(
            (stack.code(&token).await, stack.auth.cached_tokens()),
            ("OK", 1)
        );
    }
}
