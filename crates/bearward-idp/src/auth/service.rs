//! The shared state of the auth API behind its lock. All changes and writes go through it.

use std::{borrow::Cow, sync::Arc};

use bearward::{Algorithm, Clock, Timestamp, dpop::ProofVerifier};
use bearward_testing::{
    endpoint::JwksEndpoint,
    signing::{KeyPair, KeyRing},
};
use tokio::sync::{Mutex, watch};
use uuid::Uuid;

use super::{
    back_channel::BackChannel,
    clock::OffsetClock,
    error::AuthApiError,
    mail::{Mail, MailKind},
    options::AuthOptions,
    profile::Profile,
    rate_limit::RateLimit,
    redirect_policy::{InvalidSiteUrl, RedirectPolicy},
    state::{AuthState, SignInRules},
    storage::{Storage, StorageError},
    stored_keys::{GOOGLE_RING, ISSUER_RING, StoredKeyRing},
};

/// The application data of the auth API.
pub(crate) struct AuthService {
    pub(crate) options: AuthOptions,
    pub(crate) redirects: RedirectPolicy,
    pub(crate) clock: Arc<OffsetClock>,
    pub(crate) back_channel: Arc<BackChannel>,
    pub(crate) rate_limit: RateLimit,
    /// Verifies the proofs of token requests.
    pub(crate) proofs: ProofVerifier,
    /// The signing key of the fake Google.
    pub(crate) google: KeyPair,
    state: Mutex<AuthState>,
    storage: Option<Storage>,
    changed: watch::Sender<()>,
}

/// Why the auth API did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthError {
    #[error(transparent)]
    Site(#[from] InvalidSiteUrl),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl AuthService {
    /// Opens the data file, if there is one, and returns the service and its signing keys.
    ///
    /// # Errors
    /// [`AuthError`] if the site URL is invalid or the data file cannot be used.
    pub(crate) fn start(
        options: AuthOptions,
        algorithm: Algorithm,
    ) -> Result<(Self, KeyRing), AuthError> {
        let redirects =
            RedirectPolicy::new(&options.site_url, &options.redirects, &options.origins)?;
        let (storage, state) = match options.data.as_deref() {
            None => (None, AuthState::default()),
            Some(path) => {
                let (storage, state) =
                    Storage::open(path, move |state| prepare_keys(state, algorithm))?;
                (Some(storage), state)
            }
        };
        let stored = |id| state.key_ring(id).and_then(StoredKeyRing::to_ring);
        let ring = stored(ISSUER_RING).unwrap_or_else(|| KeyRing::new(algorithm));
        let google = stored(GOOGLE_RING)
            .unwrap_or_else(|| KeyRing::new(Algorithm::RS256))
            .current()
            .clone();
        let clock = Arc::new(OffsetClock::new(Arc::clone(&options.clock)));
        let back_channel = Arc::new(BackChannel::new(options.back_channel_logout.clone()));
        let proof_clock: Arc<dyn Clock> = Arc::<OffsetClock>::clone(&clock);
        let proofs = ProofVerifier::with_defaults(proof_clock);
        Ok((
            Self {
                options,
                redirects,
                clock,
                back_channel,
                rate_limit: RateLimit::default(),
                proofs,
                google,
                state: Mutex::new(state),
                storage,
                changed: watch::Sender::new(()),
            },
            ring,
        ))
    }

    /// Writes the keys to the data file after a change. Returns `false` if that fails.
    pub(crate) async fn persist_keys(&self, endpoint: &JwksEndpoint) -> bool {
        if self.storage.is_none() {
            return true;
        }
        let ring = StoredKeyRing::from_ring(&endpoint.ring());
        let written = self.update(|state, _| {
            state.store_key_ring(ISSUER_RING, ring);
            Ok(())
        });
        written.await.is_ok()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::<OffsetClock>::clone(&self.clock)
    }

    /// Returns a receiver that is notified after each [`update`](Self::update).
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(crate) async fn read<T>(&self, read: impl FnOnce(&AuthState, Timestamp) -> T) -> T {
        let state = self.state.lock().await;
        read(&state, self.now())
    }

    /// Signs in with a provider's profile and returns the user.
    ///
    /// # Errors
    /// Those of [`AuthState::sign_in_with_provider`], and 422 `provider_email_needs_verification` if
    /// the provider has not verified the address and users must confirm theirs. Then a mail is sent.
    pub(crate) fn sign_in(
        &self,
        state: &mut AuthState,
        profile: &Profile,
        now: Timestamp,
    ) -> Result<Uuid, AuthApiError> {
        let rules = SignInRules {
            can_sign_up: !self.options.disable_signup,
            confirms_addresses: !self.options.confirm_email,
        };
        let mut metadata = profile.metadata();
        if rules.confirms_addresses {
            metadata.insert("email_verified".to_owned(), true.into());
        }
        let id = state.sign_in_with_provider(profile, metadata, rules, now)?;
        let user = state.user(id).filter(|user| !user.is_confirmed());
        let Some(email) = user.map(|user| user.email.clone()) else {
            return Ok(id);
        };
        if rules.confirms_addresses || profile.email_verified {
            return Ok(id);
        }
        let provider = profile.provider.name();
        let advice = if email.is_empty() {
            format!("Verify the email with {provider} in order to sign in")
        } else {
            let site = self.redirects.site();
            let mail = Mail::new(id, &email, MailKind::Signup, site, None, now);
            state.send_mail(mail, self.options.mail_interval, now)?;
            format!("A confirmation email has been sent to your {provider} email")
        };
        Err(AuthApiError::Plain(
            422,
            "provider_email_needs_verification",
            Cow::Owned(format!("Unverified email with {provider}. {advice}")),
        ))
    }

    /// Changes the state and writes the changes to the data file before it returns. Changes are
    /// written even if `change` fails, such as the revocation of a session after token reuse. Logout
    /// tokens are sent after that.
    ///
    /// # Errors
    /// The error of `change`, or 500 `unexpected_failure` if the data file cannot be written.
    pub(crate) async fn update<T>(
        &self,
        change: impl FnOnce(&mut AuthState, Timestamp) -> Result<T, AuthApiError>,
    ) -> Result<T, AuthApiError> {
        let mut state = self.state.lock().await;
        let now = self.now();
        let result = change(&mut state, now);
        // Receivers read the state once the lock is released.
        self.changed.send_replace(());
        let logouts = state.take_logouts();
        let Some(storage) = &self.storage else {
            state.discard_changes();
            self.back_channel.send(logouts, now);
            return result;
        };
        let changes = state.drain_changes();
        if !changes.is_empty() {
            // The lock is held, so changes are written in order.
            storage.write(changes).await.map_err(|_| {
                AuthApiError::new(
                    500,
                    "unexpected_failure",
                    "The change could not be written to the data file",
                )
            })?;
        }
        self.back_channel.send(logouts, now);
        result
    }
}

/// Creates the keys that are not stored yet, and rotates if the algorithm changed. Returns `None` if
/// a stored key cannot be read.
fn prepare_keys(state: &mut AuthState, algorithm: Algorithm) -> Option<()> {
    let mut prepare = |id, algorithm| {
        let mut ring = match state.key_ring(id) {
            Some(ring) => ring.to_ring()?,
            None => KeyRing::new(algorithm),
        };
        // A standby key becomes current first, even with a different algorithm.
        while ring.current().algorithm() != algorithm {
            ring.rotate(algorithm);
        }
        state.store_key_ring(id, StoredKeyRing::from_ring(&ring));
        Some(())
    };
    prepare(ISSUER_RING, algorithm)?;
    prepare(GOOGLE_RING, Algorithm::RS256)
}
