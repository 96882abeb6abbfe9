//! What the process tells about itself: log lines, metrics, traces.

mod log;
mod prometheus;
mod request;
mod traces;

pub use log::{InitError, init};
pub use prometheus::{Metrics, metrics};
pub use request::observe;
pub use traces::{Traces, called};
