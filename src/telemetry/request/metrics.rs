//! The metrics of requests.

use std::{cell::RefCell, collections::HashMap, fmt, time::Duration};

use metrics::{Counter, Histogram, counter, histogram};

/// The metrics of the requests of one worker, by route, method and status.
///
/// A look-up in the recorder costs several allocations, so its counters are kept here. They are
/// those of the recorder that is installed when the first request of their kind ends. The labels
/// are limited to existing routes, known methods and the statuses of responses.
#[derive(Default)]
pub struct RequestMetrics {
    routes: RefCell<HashMap<String, MethodMetrics, foldhash::fast::RandomState>>,
}

/// The metrics of one route by method.
type MethodMetrics = Vec<(&'static str, RouteMetrics)>;

/// The metrics of one route and method.
struct RouteMetrics {
    durations: Histogram,
    /// The number of requests by status.
    requests: Vec<(u16, Counter)>,
}

impl RequestMetrics {
    /// Counts a request that has ended.
    pub(super) fn record(&self, method: &'static str, route: &str, status: u16, elapsed: Duration) {
        let mut routes = self.routes.borrow_mut();
        let methods = match routes.get_mut(route) {
            Some(methods) => methods,
            None => routes.entry(route.to_owned()).or_default(),
        };
        let metrics = find_or_add(methods, method, || RouteMetrics {
            durations: histogram!(
                "http_request_duration_seconds",
                "method" => method, "route" => route.to_owned()
            ),
            requests: Vec::new(),
        });
        metrics.durations.record(elapsed);
        let requests = find_or_add(&mut metrics.requests, status, || {
            counter!(
                "http_requests_total",
                "method" => method, "route" => route.to_owned(), "status" => status.to_string()
            )
        });
        requests.increment(1);
    }
}

/// Returns the value of a key, and adds it if there is none.
fn find_or_add<K: PartialEq, V>(
    entries: &mut Vec<(K, V)>,
    key: K,
    new: impl FnOnce() -> V,
) -> &mut V {
    let found = entries.iter().position(|(known, _)| *known == key);
    let index = found.unwrap_or_else(|| {
        entries.push((key, new()));
        entries.len() - 1
    });
    &mut entries[index].1
}

impl fmt::Debug for RequestMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestMetrics")
    }
}
