//! What a request whose key is not there gets: a refusal, or a place in the fetch that will tell.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use super::snapshot::Snapshot;

/// The answer to a request whose key is not in the set, or whose set does not serve.
#[derive(Debug)]
pub enum UnknownKeyDecision {
    /// The key is not there, and no fetch is due to this request: 401.
    Refuse,
    /// Nobody can say whether the key is there: 503.
    Unavailable(Unavailable),
    /// A fetch is under way that will tell.
    Join(PendingKeys),
}

/// The keys cannot be had right now. Never a reason for a 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the keys are not available; try again in {}s", retry_after.as_secs())]
pub struct Unavailable {
    /// The time to the next attempt: whole seconds, at least one, for the `Retry-After` header.
    pub retry_after: Duration,
}

/// Waits for a fetch, at most `wait_timeout` by the injected clock, and looks again.
///
/// `Ok` holds the snapshot to look in for one last time: a key that is not in it is unknown (401).
/// [`Unavailable`] is a 503. The fetch goes on when this is dropped.
///
/// A request that joined a fetch which had begun before it asked, and which did not bring its key,
/// has asked once more in here, within the same limits and the same time: the set may have been
/// read just before the key was published.
#[must_use = "a flight waits only while it is polled"]
pub struct PendingKeys(Pin<Box<dyn Future<Output = Result<Arc<Snapshot>, Unavailable>> + Send>>);

#[cfg(feature = "remote")]
impl PendingKeys {
    pub(super) fn new(
        wait: impl Future<Output = Result<Arc<Snapshot>, Unavailable>> + Send + 'static,
    ) -> Self {
        Self(Box::pin(wait))
    }

    /// The answer is there already.
    pub(super) fn landed(snapshot: Arc<Snapshot>) -> Self {
        Self::new(std::future::ready(Ok(snapshot)))
    }
}

impl Future for PendingKeys {
    type Output = Result<Arc<Snapshot>, Unavailable>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl std::fmt::Debug for PendingKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Flight")
    }
}
