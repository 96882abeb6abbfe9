//! The process's log on stderr, as text or JSON.

use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::settings::{LogFormat, Telemetry};

/// The filter without `RUST_LOG`.
const DEFAULT_FILTER: &str = "info,actix_server=warn,actix_http=off";

/// Installs the global subscriber, once per process. `rust_log` is the value of `RUST_LOG`; `None`
/// or an empty string means `info`.
///
/// # Errors
/// [`InitError::Filter`] if `rust_log` is invalid, [`InitError::AlreadyStarted`] if a subscriber is
/// installed already. The installed subscriber is not changed, so tests that share a process may
/// ignore this error.
pub fn init(telemetry: &Telemetry, rust_log: Option<&str>) -> Result<(), InitError> {
    let filter = rust_log
        .filter(|text| !text.is_empty())
        .unwrap_or(DEFAULT_FILTER);
    let filter = EnvFilter::try_new(filter).map_err(|_| InitError::Filter)?;
    let ansi = io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let registry = tracing_subscriber::registry()
        .with(format_layer::<Registry, _>(telemetry.format, ansi, io::stderr).with_filter(filter));
    registry.try_init().map_err(|_| InitError::AlreadyStarted)
}

/// The error of [`init`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InitError {
    /// The filter is invalid.
    #[error("RUST_LOG is invalid; use levels such as \"info\" or \"info,bearward=debug\"")]
    Filter,
    /// A subscriber is installed already.
    #[error("the log of this process is already initialized")]
    AlreadyStarted,
}

/// Returns a layer that writes one line per event in both formats. The pretty format of
/// `tracing-subscriber` is not used because it writes several lines.
pub(super) fn format_layer<S, W>(
    format: LogFormat,
    ansi: bool,
    writer: W,
) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    match format {
        LogFormat::Pretty => fmt::layer()
            .compact()
            .with_ansi(ansi)
            .with_writer(writer)
            .boxed(),
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .with_writer(writer)
            .boxed(),
    }
}
