//! STUB
#![allow(missing_docs, clippy::all, clippy::pedantic, unused)]
pub mod key;
pub mod set;
use crate::auth::{
    algorithm::Algorithm,
    clock::Clock,
    issuer::{Issuer, KeySource},
};
pub use set::{Found, Keys, SetError, SkipReason, Skipped};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
#[derive(Debug, Clone, Default)]
pub struct KeyPolicy {}
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    #[error("{0}")]
    Set(#[from] SetError),
}
#[derive(Debug)]
pub struct KeySetStatus {}
pub struct Snapshot {
    keys: Keys,
}
impl Snapshot {
    pub fn generation(&self) -> u64 {
        1
    }
    pub fn serves(&self, _n: Duration) -> bool {
        true
    }
    pub fn keys(&self) -> &Keys {
        &self.keys
    }
}
pub struct KeySet {
    s: arc_swap::ArcSwap<Snapshot>,
}
pub struct Flight;
pub enum FlightOutcome {
    Succeeded,
    Failed { retry_after: Duration },
}
impl Flight {
    pub fn started_before_me(&self) -> bool {
        false
    }
}
impl Future for Flight {
    type Output = FlightOutcome;
    fn poll(self: Pin<&mut Self>, _c: &mut Context<'_>) -> Poll<FlightOutcome> {
        Poll::Ready(FlightOutcome::Succeeded)
    }
}
pub enum KeysWait {
    Join(Flight),
    Unavailable { retry_after: Duration },
}
pub enum UnknownKey {
    Join(Flight),
    Refuse,
    Unavailable { retry_after: Duration },
}
impl KeySet {
    pub fn fixed(issuer: &Issuer, document: &[u8], _p: &KeyPolicy, _c: &Arc<dyn Clock>) -> Result<Arc<KeySet>, KeySetError> {
        let (keys, _) = Keys::parse(document, &issuer.algorithms, 100)?;
        Ok(Arc::new(KeySet { s: arc_swap::ArcSwap::from_pointee(Snapshot { keys }) }))
    }
    pub async fn remote(issuer: &Issuer, p: &KeyPolicy, c: &Arc<dyn Clock>) -> Result<Arc<KeySet>, KeySetError> {
        Self::fixed(issuer, b"", p, c)
    }
    pub fn current(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.s.load()
    }
    pub fn wait_for_keys(&self) -> KeysWait {
        KeysWait::Join(Flight)
    }
    pub fn unknown_key(&self, _k: Option<&str>, _a: Algorithm) -> UnknownKey {
        UnknownKey::Refuse
    }
    pub fn bad_signature(&self) -> Option<Flight> {
        None
    }
    pub fn still_missing(&self, _k: Option<&str>, _a: Algorithm) {}
    pub fn retry_after(&self) -> Duration {
        Duration::from_secs(1)
    }
    pub fn status(&self) -> KeySetStatus {
        KeySetStatus {}
    }
}
