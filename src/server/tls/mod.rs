//! TLS of the API's listener: files, client authentication, and their renewal while connections are
//! open.

mod client_auth;
mod error;
mod files;
mod validity;
mod watch;

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

pub use self::error::TlsError;
use self::files::{Digest, Files};
pub(crate) use self::watch::Watch;
pub(crate) use self::{files::LoadedCertificate, validity::Validity};
use crate::settings;

/// The TLS configuration of a listener. Connections keep the configuration that they were accepted
/// with; new ones use the latest.
pub(crate) struct Tls {
    settings: settings::Tls,
    config: ArcSwap<ServerConfig>,
    state: Mutex<State>,
}

/// What was read last.
struct State {
    certificate: LoadedCertificate,
    /// The contents in use.
    digest: Digest,
    /// Contents that could not be used: they are reported once.
    rejected: Option<Rejected>,
}

struct Rejected {
    digest: Option<Digest>,
    is_reported: bool,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`] if they cannot be used together. An expired certificate is not an error.
    pub(crate) fn load(settings: &settings::Tls) -> Result<Arc<Self>, TlsError> {
        let files = Files::read(settings)?;
        let (config, certificate) = files.load(settings)?;
        certificate.publish();
        Ok(Arc::new(Self {
            settings: settings.clone(),
            config: ArcSwap::new(config),
            state: Mutex::new(State {
                certificate,
                digest: files.digest(),
                rejected: None,
            }),
        }))
    }

    /// Returns the acceptor for a new connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.load_full())
    }

    /// Returns the certificate in use.
    pub(crate) fn certificate(&self) -> LoadedCertificate {
        self.state().certificate.clone()
    }

    /// Reads the files again. Contents that changed and can be used apply to new connections.
    ///
    /// Contents that cannot be used are logged as one error, at the second look: certificate and key
    /// are often replaced one after the other. `is_requested` reports them at once.
    fn reload(&self, is_requested: bool) {
        let files = Files::read(&self.settings);
        let digest = files.as_ref().ok().map(Files::digest);
        let mut state = self.state();
        if digest == Some(state.digest) {
            state.rejected = None;
            return;
        }
        let is_known = state
            .rejected
            .as_ref()
            .is_some_and(|rejected| rejected.digest == digest);
        if is_known
            && state
                .rejected
                .as_ref()
                .is_some_and(|rejected| rejected.is_reported)
        {
            return;
        }
        match files.and_then(|files| files.load_renewed(&self.settings)) {
            Ok((config, certificate)) => {
                self.config.store(config);
                certificate.publish();
                tracing::info!(
                    expires = %certificate.validity,
                    file = %self.settings.cert_file.display(),
                    "the TLS certificate was replaced"
                );
                state.certificate = certificate;
                state.rejected = None;
                if let Some(digest) = digest {
                    state.digest = digest;
                }
                count_reload("success");
            }
            Err(error) => {
                let is_reported = is_known || is_requested;
                if is_reported {
                    tracing::error!(
                        "the TLS files cannot be used, and the previous certificate stays: {error}"
                    );
                    count_reload("failure");
                }
                state.rejected = Some(Rejected {
                    digest,
                    is_reported,
                });
            }
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count_reload(outcome: &'static str) {
    metrics::counter!("bearward_tls_reloads_total", "outcome" => outcome).increment(1);
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
