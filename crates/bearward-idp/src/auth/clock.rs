//! The clock of the auth API, which the admin API can move ahead.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bearward::{Clock, Sleep, Timestamp};

/// A clock whose wall time is ahead of another clock by an adjustable offset.
#[derive(Debug)]
pub(crate) struct OffsetClock {
    inner: Arc<dyn Clock>,
    ahead_millis: AtomicI64,
}

impl OffsetClock {
    pub(crate) fn new(inner: Arc<dyn Clock>) -> Self {
        Self {
            inner,
            ahead_millis: AtomicI64::new(0),
        }
    }

    pub(crate) fn ahead_seconds(&self) -> i64 {
        self.ahead_millis.load(Ordering::SeqCst) / 1000
    }

    /// Sets the offset; it replaces the previous one.
    pub(crate) fn set_ahead_seconds(&self, seconds: i64) {
        self.ahead_millis.store(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for OffsetClock {
    fn now(&self) -> Timestamp {
        let ahead = self.ahead_millis.load(Ordering::SeqCst);
        Timestamp::from_millis(self.inner.now().millis().saturating_add(ahead))
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        self.inner.sleep_until(deadline)
    }
}
