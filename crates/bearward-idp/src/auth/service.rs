//! The auth API's one state behind its lock, and the only place where it is changed and kept.

use std::sync::Arc;

use bearward::{Algorithm, Clock, Timestamp};
use bearward_testing::{
    endpoint::JwksEndpoint,
    signing::{KeyPair, KeyRing},
};
use tokio::sync::Mutex;

use super::{
    auth_state::AuthState,
    clock::OffsetClock,
    error::AuthApiError,
    options::AuthOptions,
    redirect_policy::{InvalidSiteUrl, Redirects},
    storage::{Storage, StorageError},
    stored_keys::{GOOGLE, OWN, StoredKeyRing},
};

/// What the handlers of the auth API share.
pub(crate) struct AuthService {
    pub(super) options: AuthOptions,
    pub(super) redirects: Redirects,
    pub(super) clock: Arc<OffsetClock>,
    /// What the fake Google signs with.
    pub(super) google: KeyPair,
    world: Mutex<AuthState>,
    storage: Option<Storage>,
}

/// Why the auth API does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthError {
    #[error(transparent)]
    Site(#[from] InvalidSiteUrl),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl AuthService {
    /// Opens the data file, where there is one, and gives the keys to sign with.
    pub(crate) fn start(
        options: AuthOptions,
        algorithm: Algorithm,
    ) -> Result<(Self, KeyRing), AuthError> {
        let redirects = Redirects::new(&options.site_url, &options.redirects)?;
        let (storage, world) = match options.data.as_deref() {
            None => (None, AuthState::default()),
            Some(path) => {
                let (storage, world) =
                    Storage::open(path, move |world| prepare_keys(world, algorithm))?;
                (Some(storage), world)
            }
        };
        let kept = |id| world.ring(id).and_then(StoredKeyRing::ring);
        let ring = kept(OWN).unwrap_or_else(|| KeyRing::new(algorithm));
        let google = kept(GOOGLE)
            .unwrap_or_else(|| KeyRing::new(Algorithm::RS256))
            .current()
            .clone();
        let clock = Arc::new(OffsetClock::new(Arc::clone(&options.clock)));
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
    pub(crate) async fn keep_keys(&self, endpoint: &JwksEndpoint) -> bool {
        if self.storage.is_none() {
            return true;
        }
        let ring = StoredKeyRing::of(&endpoint.ring());
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
        Arc::<OffsetClock>::clone(&self.clock)
    }

    pub(super) async fn read<T>(&self, read: impl FnOnce(&AuthState, Timestamp) -> T) -> T {
        let world = self.world.lock().await;
        read(&world, self.now())
    }

    /// Changes the state, and answers once the change is kept: also one that a refusal makes, such
    /// as the end of a stolen session.
    pub(super) async fn change<T>(
        &self,
        change: impl FnOnce(&mut AuthState, Timestamp) -> Result<T, AuthApiError>,
    ) -> Result<T, AuthApiError> {
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
                AuthApiError::new(
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
fn prepare_keys(world: &mut AuthState, algorithm: Algorithm) -> Option<()> {
    let mut kept = |id, algorithm| {
        let mut ring = match world.ring(id) {
            Some(ring) => ring.ring()?,
            None => KeyRing::new(algorithm),
        };
        // A standby key of another algorithm comes into use first.
        while ring.current().algorithm() != algorithm {
            ring.rotate(algorithm);
        }
        world.keep_ring(id, StoredKeyRing::of(&ring));
        Some(())
    };
    kept(OWN, algorithm)?;
    kept(GOOGLE, Algorithm::RS256)
}
