//! Helpers shared by the tests of this workspace.
//!
//! The crate is a development dependency only and is not published. Its functions panic on failure,
//! because a failed setup fails the test. Fixtures that are specific to one test binary stay there.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "helpers of tests panic to fail the test"
)]

#[cfg(feature = "certificates")]
pub mod certificates;
pub mod completions_service;
#[cfg(feature = "database")]
pub mod database;
#[cfg(feature = "http")]
pub mod http;
pub mod log_capture;
pub mod ports;
#[cfg(all(feature = "postgres", unix))]
pub mod postgres;
#[cfg(unix)]
pub mod process;
pub mod raw_http;

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
    time::Duration,
};

/// Time limit of an operation in a test; much longer than it takes on a busy machine.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(90);

/// Waits for a future, but at most [`TEST_TIMEOUT`].
///
/// # Panics
///
/// If the time limit is exceeded.
pub async fn within_timeout<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(TEST_TIMEOUT, future)
        .await
        .expect("the operation completes within the test timeout")
}

/// Reports whether `BEARWARD_TEST_ALL=1`: nothing may be skipped.
pub fn run_all() -> bool {
    is_set("BEARWARD_TEST_ALL")
}

/// Reports whether `BEARWARD_TEST_LONG=1`: the long variants of tests run.
pub fn run_long() -> bool {
    is_set("BEARWARD_TEST_LONG")
}

fn is_set(variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|value| value == "1")
}

/// Returns whether curl is installed. If not, prints that a test is skipped.
///
/// # Panics
///
/// If curl is not installed and nothing may be skipped ([`run_all`]).
#[track_caller]
pub fn has_curl() -> bool {
    let is_installed = std::process::Command::new("curl")
        .arg("--version")
        .output()
        .is_ok();
    if !is_installed {
        print_skipped("curl is not installed");
    }
    is_installed
}

/// Prints what is skipped.
///
/// # Panics
///
/// If nothing may be skipped ([`run_all`]).
#[track_caller]
pub fn print_skipped(what: &str) {
    assert!(!run_all(), "BEARWARD_TEST_ALL=1, and {what}");
    println!("skipped: {what}");
}

/// Polls a future once and returns the result.
pub async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context))).await
}
