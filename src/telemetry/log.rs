//! The process's log: to stderr, for people or for machines.

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

/// What is logged when nobody says otherwise.
const DEFAULT_FILTER: &str = "info,actix_server=warn,sea_orm_migration=warn,actix_http=off";

/// Starts the log, once in a process. `rust_log` is the text of `RUST_LOG`; None or empty means
/// `info`.
///
/// # Errors
/// [`InitError::Filter`] when `rust_log` cannot be read, [`InitError::AlreadyStarted`] when the
/// process logs already; the log that runs is then left as it is, so a caller who shares the
/// process (a test) may pass over it.
pub fn init(telemetry: &Telemetry, rust_log: Option<&str>) -> Result<(), InitError> {
    let filter = rust_log
        .filter(|text| !text.is_empty())
        .unwrap_or(DEFAULT_FILTER);
    let filter = EnvFilter::try_new(filter).map_err(|_| InitError::Filter)?;
    let ansi = io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let registry = tracing_subscriber::registry()
        .with(lines::<Registry, _>(telemetry.format, ansi, io::stderr).with_filter(filter));
    registry.try_init().map_err(|_| InitError::AlreadyStarted)
}

/// Why the log was not started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InitError {
    /// The filter does not parse.
    #[error("RUST_LOG cannot be read; write levels such as \"info\" or \"info,bearward=debug\"")]
    Filter,
    /// A log was started before.
    #[error("the log of this process is started already")]
    AlreadyStarted,
}

/// One line an event in both formats: what `tracing` calls pretty takes several.
pub(super) fn lines<S, W>(
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
