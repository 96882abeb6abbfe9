//! The steps of a graceful shutdown.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::settings;

/// Notifies request handlers and background tasks that the server stops. Handlers find it in the
/// `app_data`.
///
/// A stream would be cut off when the server stops. It can send a last event instead:
///
/// ```
/// use std::time::Duration;
///
/// use actix_web::{HttpResponse, Responder, get, web::{Bytes, Data}};
/// use bearward_server::Shutdown;
/// use futures_util::stream;
///
/// #[get("/ticks")]
/// async fn ticks(shutdown: Data<Shutdown>) -> impl Responder {
///     let ticks = stream::unfold(Some(shutdown), async |shutdown| {
///         let shutdown = shutdown?;
///         let (event, next) = tokio::select! {
///             () = tokio::time::sleep(Duration::from_secs(1)) => ("data: tick\n\n", Some(shutdown.clone())),
///             () = shutdown.streams_end() => ("event: error\ndata: stopping\n\n", None),
///         };
///         Some((Ok::<_, actix_web::Error>(Bytes::from_static(event.as_bytes())), next))
///     });
///     HttpResponse::Ok().content_type("text/event-stream").streaming(ticks)
/// }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    started: CancellationToken,
    streams_ended: CancellationToken,
}

/// The durations of a shutdown.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShutdownTimes {
    /// How long the server keeps accepting connections.
    delay: Duration,
    /// How long requests in flight may take after that.
    timeout: Duration,
}

impl Shutdown {
    /// Returns whether the shutdown has begun.
    pub fn is_started(&self) -> bool {
        self.started.is_cancelled()
    }

    /// Waits until the shutdown begins.
    pub async fn started(&self) {
        self.started.cancelled().await;
    }

    /// Waits until streams have to end, shortly before their connections are closed.
    pub async fn streams_end(&self) {
        self.streams_ended.cancelled().await;
    }

    /// Stops accepting connections with `stop`, which returns when all requests have ended.
    pub(super) async fn run(&self, times: ShutdownTimes, stop: impl Future<Output = ()>) {
        self.started.cancel();
        if !times.delay.is_zero() {
            tracing::info!(delay = ?times.delay, "/readyz reports 503; connections are still accepted");
            sleep(times.delay).await;
        }
        tracing::info!(timeout = ?times.timeout, "no more connections are accepted; requests in flight may finish");
        let end_streams = async {
            sleep(times.timeout).await;
            self.streams_ended.cancel();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = stop => {}
            () = end_streams => {}
        }
        tracing::info!("stopped");
    }
}

impl ShutdownTimes {
    /// How long streams have to send their last event.
    const LAST_EVENT: Duration = Duration::from_secs(1);

    pub(super) fn new(settings: &settings::Server) -> Self {
        Self {
            delay: settings.shutdown_delay,
            timeout: settings.shutdown_timeout,
        }
    }

    /// Returns the time after which connections are closed, in whole seconds.
    pub(super) fn close_after_seconds(self) -> u64 {
        let time = self.timeout + Self::LAST_EVENT;
        time.as_secs() + u64::from(time.subsec_nanos() > 0)
    }
}
