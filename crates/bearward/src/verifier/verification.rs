//! The result of a verification, which may have to wait for keys.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{error::AuthFailure, verified::Verified};

/// The result of [`Bearward::try_verify`](crate::Bearward::try_verify): a result, or a future if
/// keys must be fetched first.
///
/// ```
/// use bearward::{AuthFailure, Bearward, Verification, Verified};
///
/// async fn verify(auth: &Bearward, token: &str) -> Result<Verified, AuthFailure> {
///     match auth.try_verify(token) {
///         Verification::Ready(result) => result,
///         Verification::Pending(pending) => pending.await,
///     }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub enum Verification {
    /// The token was verified without waiting.
    Ready(Result<Verified, AuthFailure>),
    /// The issuer's keys must be fetched first. The future completes within the `wait_timeout` of
    /// [`JwksCacheConfig`](crate::JwksCacheConfig).
    Pending(PendingVerification),
}

/// A verification that waits for a key fetch. Dropping it does not cancel the shared fetch.
#[must_use = "futures do nothing unless awaited"]
pub struct PendingVerification(
    pub(super) Pin<Box<dyn Future<Output = Result<Verified, AuthFailure>> + Send>>,
);

impl Verification {
    /// Returns the result, after waiting for the key fetch if there is one.
    ///
    /// # Errors
    /// The reason why the token is rejected.
    pub async fn finish(self) -> Result<Verified, AuthFailure> {
        match self {
            Self::Ready(result) => result,
            Self::Pending(pending) => pending.await,
        }
    }
}

impl Future for PendingVerification {
    type Output = Result<Verified, AuthFailure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for PendingVerification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingVerification")
    }
}
