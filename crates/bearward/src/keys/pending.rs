//! What happens to a request whose key is not in the set: rejected, or it waits for a fetch.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use super::snapshot::Snapshot;

/// The decision about a request whose key is not in the set, or whose set is not usable.
#[derive(Debug)]
pub enum UnknownKeyDecision {
    /// The key is not in the set and no fetch is allowed for this request: 401.
    Reject,
    /// It is unknown whether the key exists: 503.
    Unavailable(Unavailable),
    /// Wait for the fetch, then look up the key again.
    Wait(PendingKeys),
}

/// The keys are temporarily unavailable. Respond with 503, never with 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the keys are temporarily unavailable; retry in {} s", retry_after.as_secs())]
pub struct Unavailable {
    /// The time to the next attempt for the `Retry-After` header, in whole seconds, at least one.
    pub retry_after: Duration,
}

/// A future that waits for a fetch, for at most `wait_timeout` of the injected clock.
///
/// `Ok` contains the snapshot for a final lookup: if the key is not in it, the key is unknown
/// (401). [`Unavailable`] means 503. Dropping the future does not cancel the fetch.
///
/// If the joined fetch started before this request and did not return the key, one more fetch is
/// attempted, within the same limits and the same deadline: the key may have been published after
/// the server read the set.
#[must_use = "futures do nothing unless awaited"]
pub struct PendingKeys(Pin<Box<dyn Future<Output = Result<Arc<Snapshot>, Unavailable>> + Send>>);

#[cfg(feature = "remote")]
impl PendingKeys {
    pub(super) fn new(
        wait: impl Future<Output = Result<Arc<Snapshot>, Unavailable>> + Send + 'static,
    ) -> Self {
        Self(Box::pin(wait))
    }

    /// Creates a future that resolves immediately.
    pub(super) fn ready(snapshot: Arc<Snapshot>) -> Self {
        Self::new(std::future::ready(Ok(snapshot)))
    }
}

impl Future for PendingKeys {
    type Output = Result<Arc<Snapshot>, Unavailable>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for PendingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingKeys")
    }
}
