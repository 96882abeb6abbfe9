//! Logging, metrics and tracing.

mod log;
mod prometheus;
mod request;
mod traces;

pub use log::{InitError, init};
pub use prometheus::{Metrics, install_metrics};
pub use request::observe;
pub(crate) use request::record_unparsed_request;
pub use traces::{Traces, client_span};
