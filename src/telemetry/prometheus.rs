//! The process's metrics in the Prometheus text format.

use std::{sync::OnceLock, thread, time::Duration};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds in seconds for every histogram named `*_seconds`: a cached verification takes well
/// under a millisecond, a request may take half a minute.
const SECONDS: [f64; 15] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// Observations wait in memory until they are counted, whether or not anybody scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// Reads what the `metrics` crate's macros have recorded in this process.
#[derive(Debug, Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// All metrics in the Prometheus text format.
    pub fn render(&self) -> String {
        self.0.render()
    }
}

/// The metrics of this process. The first call installs the recorder, later ones read the same.
///
/// # Errors
/// When another recorder was installed before the first call.
pub fn metrics() -> Result<Metrics, BuildError> {
    static INSTALLED: OnceLock<Metrics> = OnceLock::new();
    if let Some(installed) = INSTALLED.get() {
        return Ok(installed.clone());
    }
    match builder()?.install_recorder() {
        Ok(handle) => {
            let kept = handle.clone();
            // A thread and not a task: the recorder outlives every runtime of the process, one for
            // each test for example.
            let _ = thread::Builder::new()
                .name("metrics-upkeep".to_owned())
                .spawn(move || {
                    loop {
                        thread::sleep(UPKEEP);
                        kept.run_upkeep();
                    }
                });
            Ok(INSTALLED.get_or_init(|| Metrics(handle)).clone())
        }
        // Another thread may have come first, between the look and the installation.
        Err(error) => INSTALLED.get().cloned().ok_or(error),
    }
}

pub(super) fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installing_twice_reads_the_same_metrics() {
        let (first, second) = (
            metrics().expect("installed"),
            metrics().expect("still installed"),
        );
        ::metrics::counter!("bearward_test_installed_twice").increment(1);
        assert!(first.render().contains("bearward_test_installed_twice 1"));
        assert!(second.render().contains("bearward_test_installed_twice 1"));
    }
}
