//! The auth API's time, which tests in any language move: what ends after minutes can be seen to
//! end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use actix_web::{HttpResponse, web::Data};
use bearward::{Clock, Sleep, Timestamp};
use serde::Deserialize;
use serde_json::json;

use super::service::AuthService;
use crate::{admin::invalid, body::StrictJson};

/// A clock that is ahead of another one.
#[derive(Debug)]
pub(super) struct OffsetClock {
    of: Arc<dyn Clock>,
    ahead_millis: AtomicI64,
}

/// How far ahead.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ClockRequest {
    ahead_seconds: i64,
}

/// Ten years: what is later ends no sooner.
const MAX_AHEAD_SECONDS: i64 = 10 * 365 * 24 * 3600;

impl OffsetClock {
    pub(super) fn new(of: Arc<dyn Clock>) -> Self {
        Self {
            of,
            ahead_millis: AtomicI64::new(0),
        }
    }

    fn ahead(&self) -> i64 {
        self.ahead_millis.load(Ordering::SeqCst)
    }
}

impl Clock for OffsetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.of.now().millis().saturating_add(self.ahead()))
    }

    fn monotonic(&self) -> Duration {
        self.of.monotonic()
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        self.of.sleep_until(deadline)
    }
}

pub(crate) async fn show(auth: Data<AuthService>) -> HttpResponse {
    HttpResponse::Ok()
        .json(json!({ "ahead_seconds": auth.clock.ahead() / 1000, "now": auth.now().to_string() }))
}

pub(crate) async fn set(
    auth: Data<AuthService>,
    StrictJson(shift): StrictJson<ClockRequest>,
) -> HttpResponse {
    if !(0..=MAX_AHEAD_SECONDS).contains(&shift.ahead_seconds) {
        let problem = format!("write 0 to {MAX_AHEAD_SECONDS} (ten years)");
        return invalid(
            "the clock cannot be set there",
            json!([{ "field": "ahead_seconds", "problem": problem }]),
        );
    }
    auth.clock
        .ahead_millis
        .store(shift.ahead_seconds * 1000, Ordering::SeqCst);
    show(auth).await
}
