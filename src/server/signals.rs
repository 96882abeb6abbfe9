//! The signals that stop a process.

use std::{fmt, io, process};

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Application, StartError};
use crate::telemetry;

/// Handlers of SIGTERM and SIGINT.
///
/// They are installed before the process binds an address: as soon as a client can connect, a signal
/// stops it gracefully. Without a handler, the first process of a container ignores
/// SIGTERM.
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    interrupt: Signal,
}

/// A received signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopSignal {
    #[cfg_attr(not(unix), expect(dead_code, reason = "only on Unix"))]
    Terminate,
    Interrupt,
}

impl Signals {
    /// Installs the handlers.
    ///
    /// # Errors
    /// If the operating system does not permit it.
    #[cfg(unix)]
    pub(crate) fn install() -> io::Result<Self> {
        let install = |kind| {
            signal(kind).map_err(|error| {
                let message = format!("signal handlers cannot be installed: {error}");
                io::Error::new(error.kind(), message)
            })
        };
        Ok(Self {
            terminate: install(SignalKind::terminate())?,
            interrupt: install(SignalKind::interrupt())?,
        })
    }

    /// Other systems have no such signals; Ctrl-C is handled while a command waits for it.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "fails on Unix")]
    pub(crate) fn install() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for Ctrl-C.
    #[cfg(not(unix))]
    pub(crate) async fn recv(&mut self) -> StopSignal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        StopSignal::Interrupt
    }

    /// Waits for a signal.
    #[cfg(unix)]
    pub(crate) async fn recv(&mut self) -> StopSignal {
        tokio::select! {
            _ = self.terminate.recv() => StopSignal::Terminate,
            _ = self.interrupt.recv() => StopSignal::Interrupt,
        }
    }

    /// Returns the output of `start`, or `None` if a signal comes first.
    pub(crate) async fn or_stop<T>(&mut self, start: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            output = start => Some(output),
            signal = self.recv() => {
                tracing::info!(%signal, "stopped during the start");
                None
            }
        }
    }

    /// Runs the server until a signal stops it. Requests in flight may finish; a second signal
    /// ends the process at once.
    pub(crate) async fn run(mut self, application: Application) -> Result<(), StartError> {
        let stop = async move {
            let signal = self.recv().await;
            tracing::info!(%signal, "the server stops; a second signal ends it at once");
            actix_web::rt::spawn(async move {
                let signal = self.recv().await;
                tracing::warn!(%signal, "the server ends without waiting for requests in flight");
                telemetry::flush_log();
                process::exit(signal.exit_code());
            });
        };
        application.run_until(stop).await
    }
}

impl StopSignal {
    /// The exit code that shells report for a process that the signal ended.
    fn exit_code(self) -> i32 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

impl fmt::Display for StopSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
        })
    }
}
