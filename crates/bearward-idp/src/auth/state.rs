//! The auth API's one state behind its lock, and the only place where it is changed and kept.

use std::sync::Arc;

use bearward::{
    algorithm::Algorithm,
    clock::{Clock, Timestamp},
};
use bearward_testing::{
    endpoint::Endpoint,
    signing::{KeyPair, KeyRing},
};
use tokio::sync::Mutex;

use super::{
    fault::Fault,
    kept_keys::{GOOGLE, KeptRing, OWN},
    options::AuthOptions,
    redirects::{NoSite, Redirects},
    shifted::Shifted,
    storage::{Storage, StorageError},
    world::World,
};

/// What the handlers of the auth API share.
pub(crate) struct Auth {
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
pub(crate) enum AuthError {
    #[error(transparent)]
    Site(#[from] NoSite),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Auth {
    /// Opens the data file, where there is one, and gives the keys to sign with.
    pub(crate) fn start(
        options: AuthOptions,
        algorithm: Algorithm,
    ) -> Result<(Self, KeyRing), AuthError> {
        let redirects = Redirects::new(&options.site_url, &options.redirects)?;
        let (storage, world) = match options.data.as_deref() {
            None => (None, World::default()),
            Some(path) => {
                let (storage, world) =
                    Storage::open(path, move |world| prepare_keys(world, algorithm))?;
                (Some(storage), world)
            }
        };
        let kept = |id| world.ring(id).and_then(KeptRing::ring);
        let ring = kept(OWN).unwrap_or_else(|| KeyRing::new(algorithm));
        let google = kept(GOOGLE)
            .unwrap_or_else(|| KeyRing::new(Algorithm::RS256))
            .current()
            .clone();
        let clock = Arc::new(Shifted::new(Arc::clone(&options.clock)));
        Ok((
            Self {
                options,
                redirects,
                clock,
                google,
                world: Mutex::new(world),
                storage,
            },
            ring,
        ))
    }

    /// Keeps the keys after they have turned. `false` when the data file does not take them.
    pub(crate) async fn keep_keys(&self, endpoint: &Endpoint) -> bool {
        if self.storage.is_none() {
            return true;
        }
        let ring = KeptRing::of(&endpoint.ring());
        let kept = self.change(|world, _| {
            world.keep_ring(OWN, ring);
            Ok(())
        });
        kept.await.is_ok()
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

    /// Changes the state, and answers once the change is kept: also one that a refusal makes, such
    /// as the end of a stolen session.
    pub(super) async fn change<T>(
        &self,
        change: impl FnOnce(&mut World, Timestamp) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut world = self.world.lock().await;
        let result = change(&mut world, self.now());
        let Some(storage) = &self.storage else {
            world.forget_changes();
            return result;
        };
        let changes = world.take_changes();
        if !changes.is_empty() {
            // Still locked: changes are kept in their order.
            storage.keep(changes).await.map_err(|_| {
                Fault::new(
                    500,
                    "unexpected_failure",
                    "The change could not be written to the data file",
                )
            })?;
        }
        result
    }
}

/// Makes the keys that are not kept yet. Another algorithm than that of the key in use is a
/// rotation. `None` where a key cannot be read.
fn prepare_keys(world: &mut World, algorithm: Algorithm) -> Option<()> {
    let mut kept = |id, algorithm| {
        let mut ring = match world.ring(id) {
            Some(ring) => ring.ring()?,
            None => KeyRing::new(algorithm),
        };
        // A standby key of another algorithm comes into use first.
        while ring.current().algorithm() != algorithm {
            ring.rotate(algorithm);
        }
        world.keep_ring(id, KeptRing::of(&ring));
        Some(())
    };
    kept(OWN, algorithm)?;
    kept(GOOGLE, Algorithm::RS256)
}
