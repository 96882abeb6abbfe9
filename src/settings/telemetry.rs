//! The `[telemetry]` section.

use tracing_subscriber::EnvFilter;
use url::Url;

use super::{
    Problem, ValueSource,
    address::http_url,
    raw::one_of,
    redact::shown_text,
    report::EffectiveValue,
    section::{Reported, Section},
};

/// How the process tells what it does.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Telemetry {
    /// How a log line is written.
    pub format: LogFormat,
    /// Where traces are sent. None: nowhere.
    pub otlp_endpoint: Option<Url>,
    /// The value of `RUST_LOG`, which a filter has been made of once.
    pub rust_log: Option<String>,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
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
            let origin = ValueSource::Variable("RUST_LOG".to_owned());
            let value = shown_text(filter);
            if EnvFilter::try_new(filter).is_err() {
                let advice = "write levels such as \"info\" or \"info,bearward=debug\"";
                section.report.problems.push(Problem::value(
                    "RUST_LOG",
                    &origin,
                    Some(&value),
                    advice,
                ));
            }
            section.report.shown.push(EffectiveValue {
                path: "log filter".to_owned(),
                value,
                origin,
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
