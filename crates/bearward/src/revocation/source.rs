//! A store of revocations that several processes share.

use std::{fmt, future::Future, time::Duration};

use super::{Revocation, Revocations};

/// A store of revocations, for example a database table or a Redis set.
///
/// [`Revocations::follow`] reads it at an interval. The simplest source returns everything each
/// time:
///
/// ```
/// use std::{io, time::Duration};
///
/// use bearward::{Bearward, Revocation, RevocationSource, RevocationUpdate};
///
/// /// One line for each session.
/// struct Sessions;
///
/// impl RevocationSource for Sessions {
///     type Error = io::Error;
///
///     async fn poll(&mut self) -> Result<RevocationUpdate, io::Error> {
///         let file = std::fs::read_to_string("revoked-sessions.txt")?;
///         let sessions = file.lines().map(|id| Revocation::session("https://id.example.com/", id));
///         Ok(RevocationUpdate::All(sessions.collect()))
///     }
/// }
///
/// fn start(auth: &Bearward) {
///     let list = auth.revocations();
///     tokio::spawn(async move { list.follow(Sessions, Duration::from_secs(2)).await });
/// }
/// ```
pub trait RevocationSource: Send {
    /// Why the store could not be read.
    type Error: fmt::Display + Send;

    /// Reads the store. The first result is [`RevocationUpdate::All`]; later ones can have only what
    /// was added since.
    ///
    /// # Errors
    /// The store cannot be read. The list stays as it is then.
    fn poll(&mut self) -> impl Future<Output = Result<RevocationUpdate, Self::Error>> + Send;
}

/// What a [`RevocationSource`] has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevocationUpdate {
    /// All entries: others are removed.
    All(Vec<Revocation>),
    /// Entries to add: the others stay. Entries that are known already have no effect.
    Added(Vec<Revocation>),
}

impl Revocations {
    /// Reads a source at an interval, for as long as the future is polled: spawn it as a task.
    ///
    /// The entries of the source are a list of their own ([`new_list`](Self::new_list)), so entries
    /// that were added by other means stay in force. [`age`](Self::age) of this list says when the
    /// source was last read. While the source fails, the last entries stay in
    /// force; the first failure of a series is logged at level `warn`.
    ///
    /// # Security
    /// Tokens are accepted before the first read has finished. An application that must not do that
    /// polls the source and calls [`apply`](Self::apply) itself before it accepts requests.
    pub async fn follow(&self, mut source: impl RevocationSource, interval: Duration) {
        let list = self.new_list();
        let mut is_failing = false;
        loop {
            let result = match source.poll().await {
                Ok(update) => match list.apply(&update) {
                    Ok(()) => {
                        self.set_loaded();
                        Ok(())
                    }
                    Err(error) => Err(error.to_string()),
                },
                Err(error) => Err(error.to_string()),
            };
            match result {
                Ok(()) if is_failing => {
                    tracing::info!(entries = list.len(), "revocations are read again");
                    is_failing = false;
                }
                Ok(()) => {}
                Err(error) if is_failing => tracing::debug!(error, "cannot read revocations"),
                Err(error) => {
                    tracing::warn!(
                        error,
                        "cannot read revocations; those known so far stay in force"
                    );
                    is_failing = true;
                }
            }
            let clock = list.clock();
            clock.sleep_until(clock.monotonic() + interval).await;
        }
    }
}
