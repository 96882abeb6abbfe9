//! Logging, metrics and tracing.

mod log;
mod prometheus;
mod request;
mod traces;

pub use log::{InitError, init};
pub use prometheus::{Metrics, metrics};
pub use request::observe;
pub use traces::{Traces, client_span};
