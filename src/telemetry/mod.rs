//! What the process tells about itself: log lines, metrics.

mod log;
mod prometheus;
mod request;

pub use log::{InitError, init};
pub use prometheus::{Metrics, metrics};
pub use request::observe;
