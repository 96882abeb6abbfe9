//! The `[telemetry]` section.

use tracing_subscriber::EnvFilter;
use url::Url;

use super::{
    Problem, ValueSource,
    address::http_url,
    raw::one_of,
    redact::redacted_text,
    report::EffectiveValue,
    section::{Reported, Section},
};

/// Logging and tracing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Telemetry {
    /// The format of log lines.
    pub format: LogFormat,
    /// The OTLP endpoint that traces are sent to. `None` disables tracing.
    pub otlp_endpoint: Option<Url>,
    /// The value of `RUST_LOG`, which is known to be a valid filter.
    pub rust_log: Option<String>,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Human-readable lines.
    Pretty,
    /// One JSON object per line.
    Json,
}

impl Telemetry {
    pub(super) fn read(
        mut section: Section<'_>,
        rust_log: Option<&String>,
    ) -> Result<Self, Reported> {
        let format = section.take(
            "format",
            one_of(&[("pretty", LogFormat::Pretty), ("json", LogFormat::Json)]),
        );
        let otlp_endpoint = section.optional("otlp_endpoint", http_url);
        let rust_log = rust_log.filter(|filter| !filter.is_empty());
        if let Some(filter) = rust_log {
            let source = ValueSource::Variable("RUST_LOG".to_owned());
            let value = redacted_text(filter);
            if EnvFilter::try_new(filter).is_err() {
                let hint = "write levels such as \"info\" or \"info,bearward=debug\"";
                section.report.problems.push(Problem::value(
                    "RUST_LOG",
                    &source,
                    Some(&value),
                    hint,
                ));
            }
            section.report.values.push(EffectiveValue {
                path: "log filter".to_owned(),
                value,
                source,
            });
        }
        section.finish();
        Ok(Self {
            format: format?,
            otlp_endpoint: otlp_endpoint?,
            rust_log: rust_log.cloned(),
        })
    }
}
