//! The auth API's one state behind its lock, and the only place where it is changed and kept.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::{
    fault::Fault,
    options::AuthOptions,
    redirects::{NoSite, Redirects},
    shifted::Shifted,
    storage::{Storage, StorageError},
    world::World,
};
use crate::{
    auth::clock::{Clock, Timestamp},
    mint::KeyPair,
};

/// What the handlers of the auth API share.
pub(in crate::idp) struct Auth {
    pub(super) options: AuthOptions,
    pub(super) redirects: Redirects,
    pub(super) clock: Arc<Shifted>,
    /// What the fake Google signs with.
    pub(super) google: KeyPair,
    world: Mutex<World>,
    storage: Option<Storage>,
}

/// Why the auth API does not start.
#[derive(Debug, thiserror::Error)]
pub(in crate::idp) enum AuthError {
    #[error(transparent)]
    Site(#[from] NoSite),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Auth {
    /// Opens the data file, where there is one.
    pub(in crate::idp) fn start(options: AuthOptions, google: KeyPair) -> Result<Self, AuthError> {
        let redirects = Redirects::new(&options.site_url, &options.redirects)?;
        let kept = options.data.as_deref().map(Storage::open).transpose()?;
        let (storage, world) = kept.map_or_else(|| (None, World::default()), |(storage, world)| (Some(storage), world));
        let clock = Arc::new(Shifted::new(Arc::clone(&options.clock)));
        Ok(Self { options, redirects, clock, google, world: Mutex::new(world), storage })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        Arc::<Shifted>::clone(&self.clock)
    }

    pub(super) async fn read<T>(&self, read: impl FnOnce(&World, Timestamp) -> T) -> T {
        let world = self.world.lock().await;
        read(&world, self.now())
    }

    /// Changes the state, and answers once the change is kept: also one that a refusal makes, such as the end of a stolen session.
    pub(super) async fn change<T>(&self, change: impl FnOnce(&mut World, Timestamp) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut world = self.world.lock().await;
        let result = change(&mut world, self.now());
        let changes = world.take_changes();
        if let (Some(storage), false) = (&self.storage, changes.is_empty()) {
            // Still locked: changes are kept in their order.
            let kept = storage.keep(changes).await;
            kept.map_err(|_| Fault::new(500, "unexpected_failure", "The change could not be written to the data file"))?;
        }
        result
    }
}
