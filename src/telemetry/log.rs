//! The process's log on stderr, as text or JSON.

mod text;
mod writer;

use std::{
    io::{self, IsTerminal},
    sync::OnceLock,
};

use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{LevelFilter, Targets},
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use self::{
    text::{TextFields, TextFormat},
    writer::BatchedLog,
};
use crate::settings::{LogFormat, Telemetry};

/// The log of this process, if its lines are batched.
static BATCHED: OnceLock<BatchedLog> = OnceLock::new();

/// Returns the filter without `RUST_LOG`: `info,actix_server=warn,actix_http=off`.
///
/// An [`EnvFilter`] takes locks for each span, because its directives may select spans.
fn default_filter() -> Targets {
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("actix_server", LevelFilter::WARN)
        .with_target("actix_http", LevelFilter::OFF)
}

/// Installs the global subscriber, once per process. `rust_log` is the value of `RUST_LOG`; `None`
/// or an empty string means `info`.
///
/// # Errors
/// [`InitError::Filter`] if `rust_log` is invalid, [`InitError::AlreadyStarted`] if a subscriber is
/// installed already. The installed subscriber is not changed, so tests that share a process may
/// ignore this error.
///
/// Unless stderr is a terminal, lines up to the level INFO are written in batches, at most 10 ms
/// later; [`flush`] writes the last ones.
pub fn init(telemetry: &Telemetry, rust_log: Option<&str>) -> Result<(), InitError> {
    let filter = rust_log.filter(|text| !text.is_empty());
    let filter = filter.map(EnvFilter::try_new).transpose();
    let filter = filter.map_err(|_| InitError::Filter)?;
    let is_terminal = io::stderr().is_terminal();
    let ansi = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let log = BatchedLog::new(io::stderr());
    let layer = format_layer::<Registry, _>(telemetry.format, ansi, log.clone());
    let layer = match filter {
        Some(filter) => layer.with_filter(filter).boxed(),
        None => layer.with_filter(default_filter()).boxed(),
    };
    let registry = tracing_subscriber::registry().with(layer);
    registry.try_init().map_err(|_| InitError::AlreadyStarted)?;
    if !is_terminal {
        log.start_thread();
        // The subscriber is installed once, so this is the first value.
        let _ = BATCHED.set(log);
    }
    Ok(())
}

/// Writes the lines of the log that wait to be written. To be called before the process exits.
pub fn flush() {
    if let Some(log) = BATCHED.get() {
        log.flush();
    }
}

/// Calls [`flush`] when it is dropped.
pub(crate) struct FlushOnDrop;

impl Drop for FlushOnDrop {
    fn drop(&mut self) {
        flush();
    }
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
            .event_format(TextFormat::new())
            .fmt_fields(TextFields)
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
