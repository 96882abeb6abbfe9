//! Reads the files again when they change, and warns before the certificate expires.

use std::{sync::Arc, time::Duration};

use time::OffsetDateTime;
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep},
};

use super::{LoadedCertificate, Tls};

/// Pause between two looks at the files. Their contents are compared and not their times, so that
/// symbolic links (Kubernetes) and network file systems work.
const INTERVAL: Duration = Duration::from_secs(2);

/// How often the warning about the expiry is repeated.
const REPEAT_WARNING: Duration = Duration::from_secs(24 * 60 * 60);

/// Watches the files of a listener. SIGHUP makes it read them at once.
pub(crate) struct Watch {
    tls: Arc<Tls>,
    hangup: Hangup,
}

impl Watch {
    /// Handles SIGHUP from now on, which would end the process otherwise.
    pub(crate) fn new(tls: Arc<Tls>) -> Self {
        Self {
            tls,
            hangup: Hangup::install(),
        }
    }

    /// Watches the files until it is dropped.
    pub(crate) async fn run(mut self) {
        let mut warned: Option<(Instant, i64)> = None;
        loop {
            let certificate = self.tls.certificate();
            let expiry = certificate.validity.expiry_unix();
            let is_recent =
                warned.is_some_and(|(at, of)| of == expiry && at.elapsed() < REPEAT_WARNING);
            if !is_recent && warn(&certificate, OffsetDateTime::now_utc()) {
                warned = Some((Instant::now(), expiry));
            }
            let is_requested = tokio::select! {
                () = sleep(INTERVAL) => false,
                () = self.hangup.recv() => {
                    tracing::info!("SIGHUP: the TLS files are read again");
                    true
                }
            };
            let tls = Arc::clone(&self.tls);
            // An error means that reading panicked or the runtime stops.
            if spawn_blocking(move || tls.reload(is_requested))
                .await
                .is_err()
            {
                return;
            }
        }
    }
}

/// Logs that a certificate is not valid, or not for much longer. Returns whether it did.
fn warn(certificate: &LoadedCertificate, now: OffsetDateTime) -> bool {
    let validity = certificate.validity;
    if validity.is_expired(now) {
        tracing::error!(expired = %validity, "the TLS certificate has expired: renew server.tls.cert_file");
    } else if validity.is_not_yet_valid(now) {
        tracing::error!("the TLS certificate is not valid yet: check the clock of this machine");
    } else if validity.is_renewal_due(now) {
        let days = validity.days_left(now);
        tracing::warn!(expires = %validity, days, "the TLS certificate expires soon: renew server.tls.cert_file");
    } else {
        return false;
    }
    true
}

/// SIGHUP, where it exists.
struct Hangup {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangup {
    /// Handles SIGHUP unless the process has a terminal, which sends it when it is closed: the
    /// process must then end.
    #[cfg(unix)]
    fn install() -> Self {
        use std::io::{IsTerminal, stdin};

        use tokio::signal::unix::{SignalKind, signal};

        let has_terminal = stdin().is_terminal();
        let signal = (!has_terminal).then(|| signal(SignalKind::hangup()).ok());
        Self {
            signal: signal.flatten(),
        }
    }

    #[cfg(not(unix))]
    fn install() -> Self {
        Self {}
    }

    async fn recv(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
