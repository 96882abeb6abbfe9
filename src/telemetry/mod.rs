//! Logging, metrics and tracing.

mod log;
mod prometheus;
mod request;
mod traces;

use metrics_exporter_prometheus::BuildError;
use opentelemetry_otlp::ExporterBuildError;

pub(crate) use log::FlushOnDrop;
pub use log::{InitError, flush as flush_log, init};
pub use prometheus::{Metrics, install_metrics};
pub use request::{RequestMetrics, observe};
pub(crate) use request::{client_address, record_unparsed_request};
pub use traces::{Traces, client_span};

use crate::settings::Telemetry;

/// The error of setting up logging, metrics or traces.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The log filter is invalid.
    #[error(transparent)]
    Log(#[from] InitError),
    /// Another recorder of metrics is installed.
    #[error("metrics cannot be recorded: {0}")]
    Metrics(#[from] BuildError),
    /// The exporter of traces cannot be built.
    #[error("traces cannot be exported: {0}")]
    Traces(#[from] ExporterBuildError),
}

/// Starts logging, unless the process has a subscriber already, and traces if they are configured.
/// Dropping the returned value stops the export of traces.
///
/// # Errors
/// [`TelemetryError`] if the log filter is invalid or the exporter cannot be built.
pub fn start(telemetry: &Telemetry) -> Result<Option<Traces>, TelemetryError> {
    match init(telemetry, telemetry.rust_log.as_deref()) {
        Ok(()) | Err(InitError::AlreadyStarted) => {}
        Err(error @ InitError::Filter) => return Err(error.into()),
    }
    start_traces(telemetry)
}

/// Starts traces if they are configured. Dropping the returned value stops the export.
///
/// # Errors
/// [`TelemetryError`] if the exporter cannot be built.
pub fn start_traces(telemetry: &Telemetry) -> Result<Option<Traces>, TelemetryError> {
    let endpoint = telemetry.otlp_endpoint.as_ref();
    Ok(endpoint.map(Traces::start).transpose()?)
}
