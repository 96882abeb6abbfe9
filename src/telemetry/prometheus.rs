//! Metrics in the Prometheus text format.

use std::{sync::OnceLock, thread, time::Duration};

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::TelemetryError;

/// Upper bounds, in seconds, of every histogram named `*_seconds`. The fastest requests take less
/// than a millisecond, the slowest up to `server.request_timeout`.
const DURATION_BUCKETS: [f64; 15] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// How often buffered histogram samples are aggregated. Without this the buffer grows until the
/// next scrape.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The metrics that this process has recorded through the `metrics` crate.
#[derive(Debug, Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Renders all metrics in the Prometheus text format.
    pub fn render(&self) -> String {
        self.0.render()
    }
}

/// Returns the metrics of this process. The first call installs the recorder.
///
/// # Errors
/// [`TelemetryError::Metrics`] if another recorder is installed already.
pub fn install_metrics() -> Result<Metrics, TelemetryError> {
    static INSTALLED: OnceLock<Metrics> = OnceLock::new();
    if let Some(installed) = INSTALLED.get() {
        return Ok(installed.clone());
    }
    match builder()?.install_recorder() {
        Ok(handle) => {
            describe_all();
            let upkeep = handle.clone();
            // A thread and not a task: the recorder outlives the runtimes of the process, for
            // example one per test.
            let _ = thread::Builder::new()
                .name("metrics-upkeep".to_owned())
                .spawn(move || {
                    loop {
                        thread::sleep(UPKEEP_INTERVAL);
                        upkeep.run_upkeep();
                    }
                });
            Ok(INSTALLED.get_or_init(|| Metrics(handle)).clone())
        }
        // Another thread may have installed the recorder concurrently.
        Err(error) => Ok(INSTALLED.get().cloned().ok_or(error)?),
    }
}

/// Describes every metric of the process, including those of the library.
#[allow(clippy::too_many_lines, reason = "a list of metrics")]
fn describe_all() {
    describe_counter!(
        "http_requests_total",
        Unit::Count,
        "HTTP requests by method, route and status."
    );
    describe_histogram!(
        "http_request_duration_seconds",
        Unit::Seconds,
        "Time until the response head, by method and route."
    );
    describe_gauge!(
        "bearward_http_connections",
        Unit::Count,
        "Open connections of clients."
    );
    describe_counter!(
        "bearward_http_connections_closed_total",
        Unit::Count,
        "Connections that the server closed or refused, by reason: keep_alive, header_timeout, write_timeout, evicted, limit, address_limit, \
         malformed_head, head_too_large, tls_handshake."
    );
    describe_gauge!(
        "bearward_tls_certificate_expiry_timestamp_seconds",
        Unit::Seconds,
        "Time at which the TLS certificate of the server expires, in seconds since 1970."
    );
    describe_counter!(
        "bearward_tls_reloads_total",
        Unit::Count,
        "Changes of the TLS files by outcome: success, or failure if the previous certificate stays."
    );
    describe_counter!(
        "bearward_client_certificate_headers_total",
        Unit::Count,
        "Requests with the header of server.client_certificate_header by outcome: accepted, untrusted if the peer is no trusted proxy, malformed."
    );
    describe_counter!(
        "bearward_rate_limited_total",
        Unit::Count,
        "Requests rejected by a rate or concurrency limit, by limit."
    );
    describe_counter!(
        "bearward_verifications_total",
        Unit::Count,
        "Token verifications by issuer and outcome; the outcome of a rejected token is the reason."
    );
    describe_gauge!(
        "bearward_supabase_sessions",
        Unit::Count,
        "Supabase sessions that are checked."
    );
    describe_gauge!(
        "bearward_supabase_age_seconds",
        Unit::Seconds,
        "Seconds since the Supabase sessions were last checked."
    );
    describe_counter!(
        "bearward_logout_tokens_total",
        Unit::Count,
        "Logout tokens of identity providers by issuer and outcome."
    );
    describe_counter!(
        "bearward_service_keys_total",
        Unit::Count,
        "Verified service keys by service and outcome; unknown keys have the service none."
    );
    describe_gauge!(
        "bearward_cached_tokens",
        Unit::Count,
        "Tokens in the verified-token cache."
    );
    describe_gauge!(
        "bearward_revocations",
        Unit::Count,
        "Entries of the revocation lists in memory."
    );
    describe_gauge!(
        "bearward_revocations_age_seconds",
        Unit::Seconds,
        "Time since the revocation list was last read from the database."
    );
    describe_gauge!(
        "bearward_dpop_remembered_proofs",
        Unit::Count,
        "Accepted proofs of possession that are remembered to detect replays."
    );
    describe_gauge!(
        "bearward_revocations",
        Unit::Count,
        "Entries of the revocation lists in memory."
    );
    describe_gauge!(
        "bearward_revocations_age_seconds",
        Unit::Seconds,
        "Time since the revocation list was last read from the database."
    );
    describe_counter!(
        "bearward_jwks_fetches_total",
        Unit::Count,
        "Fetches of an issuer's JWKS by outcome, and by key_set if it has several."
    );
    describe_counter!(
        "bearward_unknown_keys_total",
        Unit::Count,
        "Lookups of a key that is not in the issuer's key set, by outcome."
    );
    describe_gauge!(
        "bearward_jwks_state",
        "State of an issuer's key set: 1 for the current state, 0 for the others."
    );
    describe_gauge!(
        "bearward_jwks_age_seconds",
        Unit::Seconds,
        "Time since an issuer's key set was last fetched."
    );
    describe_gauge!(
        "bearward_jwks_keys",
        Unit::Count,
        "Usable keys in an issuer's key set."
    );
    describe_gauge!(
        "bearward_jwks_keys_ignored",
        Unit::Count,
        "Keys of an issuer's JWKS that are ignored because they cannot be used."
    );
    describe_gauge!(
        "bearward_database_available",
        "1 if the database can be read and written, else 0."
    );
    describe_gauge!(
        "bearward_database_connections",
        Unit::Count,
        "Open connections to the database, idle or in use."
    );
    describe_histogram!(
        "bearward_database_wait_seconds",
        Unit::Seconds,
        "Time that statements waited because all connections to the database were in use; those that did not wait are not counted."
    );
    describe_counter!(
        "bearward_database_errors_total",
        Unit::Count,
        "Failed statements by class of the error."
    );
}

pub(super) fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &DURATION_BUCKETS)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn a_second_call_returns_the_same_metrics() {
        let (first, second) = (
            install_metrics().expect("installed"),
            install_metrics().expect("still installed"),
        );
        ::metrics::counter!("bearward_test_installed_twice").increment(1);
        assert!(first.render().contains("bearward_test_installed_twice 1"));
        assert!(second.render().contains("bearward_test_installed_twice 1"));
    }

    /// Returns the names in all calls of a macro in these sources.
    fn names_in(sources: &[String], macro_name: &str) -> BTreeSet<String> {
        let call = format!("{macro_name}!(");
        let name_after = |text: &str| {
            let (name, _) = text.trim_start().strip_prefix('"')?.split_once('"')?;
            Some(name.to_owned())
        };
        sources
            .iter()
            .flat_map(|source| {
                source
                    .match_indices(&call)
                    .map(move |found| (source, found))
            })
            // Not the end of a longer name.
            .filter(|(source, (at, _))| !source[..*at].ends_with('_'))
            .filter_map(|(source, (at, _))| name_after(&source[at + call.len()..]))
            .filter(|name| !name.starts_with("bearward_test_"))
            .collect()
    }

    fn read_sources(directory: &Path, sources: &mut Vec<String>) {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                read_sources(&path, sources);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(fs::read_to_string(path).expect("a source file"));
            }
        }
    }

    #[test]
    fn every_metric_has_a_help_text_and_is_documented() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = Vec::new();
        for directory in ["src", "crates/bearward/src"] {
            read_sources(&root.join(directory), &mut sources);
        }
        let documentation = fs::read_to_string(root.join("docs/server.md")).expect("a page");
        let mut count = 0;
        for kind in ["counter", "gauge", "histogram"] {
            let recorded = names_in(&sources, kind);
            let described = names_in(&sources, &format!("describe_{kind}"));
            assert_eq!(recorded, described, "recorded, and described as a {kind}");
            for name in &described {
                assert!(
                    documentation.contains(&format!("`{name}`")),
                    "docs/server.md lacks {name}"
                );
            }
            count += described.len();
        }
        assert!(count >= 16, "{count} metrics");
    }

    #[test]
    fn metrics_have_help_texts() {
        let metrics = install_metrics().expect("installed");
        ::metrics::counter!("bearward_rate_limited_total", "limit" => "test").increment(0);
        let rendered = metrics.render();
        assert!(
            rendered.contains("# HELP bearward_rate_limited_total Requests rejected by"),
            "{rendered}"
        );
    }
}
