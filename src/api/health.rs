//! Health, liveness, readiness and metrics, for operators and load balancers.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    dev::RequestHead,
    http::StatusCode,
    web::{Data, Query},
};
use bearward::{Bearward, KeySetStatus, RequestId, keys::KeySetState};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{sync::Mutex, time::Instant};

use super::{ApiError, schema::ErrorEnvelope};
use crate::{
    revocations::SharedRevocations,
    server::Shutdown,
    store::{DatabaseState, Store},
    telemetry::Metrics,
};

/// How long the result of a database probe is reused. The routes are public, and a flood of
/// requests must not become a flood of queries.
const DB_PROBE_TTL: Duration = Duration::from_secs(1);

/// The state that the health routes report.
#[derive(Clone)]
pub struct Health {
    auth: Bearward,
    store: Store,
    /// Time and result of the last database probe.
    last_probe: Arc<Mutex<Option<(Instant, DatabaseState)>>>,
    metrics: Option<Metrics>,
    shutdown: Shutdown,
    revocations: SharedRevocations,
}

/// The health of the server.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Report {
    #[schema(example = "ok")]
    status: &'static str,
    version: &'static str,
    issuers: BTreeMap<String, KeysReport>,
    #[schema(example = "ok")]
    database: &'static str,
    /// Null if the revocation list is disabled.
    revocations: Option<RevocationsReport>,
}

/// The revocation list.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RevocationsReport {
    entries: usize,
    /// Seconds since the list was last read from the database; null if it was not read yet.
    age_seconds: Option<u64>,
    /// Null unless `[revocation.supabase]` is configured.
    supabase: Option<SupabaseReport>,
}

/// The check of the Supabase sessions.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SupabaseReport {
    /// The number of sessions that are checked.
    sessions: usize,
    /// Seconds since the last check; null before the first.
    age_seconds: Option<u64>,
}

/// The keys of an issuer. Of several key sets: the least usable state, all keys, the largest age.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct KeysReport {
    #[schema(example = "fresh")]
    state: &'static str,
    keys: usize,
    age_seconds: Option<u64>,
    /// Each key set, in the order of `jwks_url`, if the issuer has several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_sets: Vec<KeySetReport>,
}

/// One of several key sets of an issuer. Its URL is not shown, because the route is public.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct KeySetReport {
    #[schema(example = "fresh")]
    state: &'static str,
    keys: usize,
    age_seconds: Option<u64>,
}

impl KeysReport {
    /// Reports the key sets of one issuer.
    fn new(sets: &[KeySetStatus]) -> Self {
        let report = |set: &KeySetStatus| KeySetReport {
            state: set.state(),
            keys: set.keys,
            age_seconds: set.age.map(|age| age.as_secs()),
        };
        let least_usable = sets.iter().max_by_key(|set| match set.state {
            KeySetState::Fixed | KeySetState::Fresh => 0,
            KeySetState::Stale => 1,
            KeySetState::Expired => 2,
            KeySetState::Empty => 3,
        });
        Self {
            state: least_usable.map_or("empty", KeySetStatus::state),
            keys: sets.iter().map(|set| set.keys).sum(),
            age_seconds: sets
                .iter()
                .filter_map(|set| set.age)
                .max()
                .map(|age| age.as_secs()),
            key_sets: if sets.len() > 1 {
                sets.iter().map(report).collect()
            } else {
                Vec::new()
            },
        }
    }
}

impl Health {
    /// Creates the state. Without a recorder `/metrics` is empty.
    pub fn new(
        auth: Bearward,
        store: Store,
        metrics: Option<Metrics>,
        shutdown: Shutdown,
        revocations: SharedRevocations,
    ) -> Self {
        Self {
            auth,
            store,
            last_probe: Arc::default(),
            metrics,
            shutdown,
            revocations,
        }
    }

    /// Returns what the database can do, by a probe at most one second old.
    async fn database(&self) -> DatabaseState {
        let mut last_probe = self.last_probe.lock().await;
        if let Some((at, state)) = *last_probe
            && at.elapsed() < DB_PROBE_TTL
        {
            return state;
        }
        let state = self.store.probe().await;
        *last_probe = Some((Instant::now(), state));
        state
    }
}

/// Get the state of signing keys and database
///
/// Always 200 while the process responds: restarting a degraded service does not help.
#[utoipa::path(get, path = "/health", tag = "operation", security(()), responses((status = 200, description = "The health of the server", body = Report)))]
pub(super) async fn health(health: Data<Health>) -> HttpResponse {
    let key_sets = health.auth.key_set_statuses();
    let are_keys_fresh = key_sets
        .iter()
        .all(|set| matches!(set.state(), "fresh" | "fixed"));
    let issuers = key_sets
        .chunk_by(|one, next| one.issuer == next.issuer)
        .filter_map(|sets| Some((sets.first()?.issuer.clone(), KeysReport::new(sets))))
        .collect();
    let database = health.database().await;
    let report = Report {
        status: if are_keys_fresh
            && database == DatabaseState::Available
            && !health.revocations.is_stale()
        {
            "ok"
        } else {
            "degraded"
        },
        version: env!("CARGO_PKG_VERSION"),
        issuers,
        database: match database {
            DatabaseState::Available => "ok",
            DatabaseState::ReadOnly => "read_only",
            DatabaseState::Unavailable => "unavailable",
        },
        revocations: health
            .revocations
            .status()
            .map(|(entries, age)| RevocationsReport {
                entries,
                age_seconds: age.map(|age| age.as_secs()),
                supabase: health.revocations.supabase_status().map(|(sessions, age)| {
                    SupabaseReport {
                        sessions,
                        age_seconds: age.map(|age| age.as_secs()),
                    }
                }),
            }),
    };
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(report)
}

/// Probe liveness
///
/// Does not depend on issuers or the database: restarting this process would repair neither.
#[utoipa::path(get, path = "/livez", tag = "operation", security(()), responses((status = 200, description = "The process is running", body = String, content_type = "text/plain")))]
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .content_type("text/plain; charset=utf-8")
        .body("ok\n")
}

/// The query of [`ready`].
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ReadinessQuery {
    /// `keys` does not look at the database and the revocation list, for balancers of routes that do
    /// not use them.
    #[param(inline)]
    check: Option<ReadinessCheck>,
}

/// What readiness depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ReadinessCheck {
    /// Only signing keys.
    Keys,
}

/// Probe readiness
///
/// Ready if the signing keys and the revocation list are loaded, and the database can be read and
/// written.
#[utoipa::path(get, path = "/readyz", tag = "operation", security(()), params(ReadinessQuery), responses((status = 200, description = "The server accepts requests", body = String, content_type = "text/plain"), (status = 422, description = "The query is invalid", body = ErrorEnvelope), (status = 503, description = "Signing keys or the database are unavailable, or the server stops", body = ErrorEnvelope, headers(("retry-after" = String)))))]
pub(super) async fn ready(health: Data<Health>, request: HttpRequest) -> HttpResponse {
    if health.shutdown.is_started() {
        return ApiError::server_stopping(RequestId::from_request(&request)).error_response();
    }
    // Parameters with other names are ignored: some balancers add one to avoid caches.
    let Ok(Query(ReadinessQuery { check })) = Query::from_query(request.query_string()) else {
        return ApiError::new(
            &request,
            StatusCode::UNPROCESSABLE_ENTITY,
            "VALIDATION_FAILED",
            "the query is invalid; the only value of \"check\" is \"keys\"",
        )
        .with_details(json!([{ "field": "check", "problem": "must be \"keys\"" }]))
        .error_response();
    };
    if check.is_none() && health.database().await != DatabaseState::Available {
        return ApiError::database_unavailable(RequestId::from_request(&request)).error_response();
    }
    if check.is_none() && !health.revocations.is_loaded() {
        return ApiError::new(
            &request,
            StatusCode::SERVICE_UNAVAILABLE,
            "DATABASE_UNAVAILABLE",
            "the revocation list has not been read from the database yet",
        )
        .with_retry_after(1)
        .error_response();
    }
    if health.auth.is_ready() {
        return live().await;
    }
    let unavailable: Vec<String> = health
        .auth
        .key_set_statuses()
        .chunk_by(|one, next| one.issuer == next.issuer)
        .filter(|sets| !sets.iter().any(|set| set.state.is_usable()))
        .filter_map(|sets| Some(sets.first()?.issuer.clone()))
        .collect();
    let message = format!(
        "no usable signing keys of these issuers: {}",
        unavailable.join(", ")
    );
    ApiError::new(
        &request,
        StatusCode::SERVICE_UNAVAILABLE,
        "KEYS_UNAVAILABLE",
        message,
    )
    .with_retry_after(2)
    .error_response()
}

/// Returns whether a request comes from this machine and was not forwarded by a proxy.
pub(super) fn is_local(head: &RequestHead) -> bool {
    const FORWARDING: [&str; 4] = ["forwarded", "via", "x-forwarded-for", "x-real-ip"];
    head.peer_addr
        .is_some_and(|peer| peer.ip().to_canonical().is_loopback())
        && !FORWARDING
            .iter()
            .any(|name| head.headers().contains_key(*name))
}

/// Get metrics in the Prometheus text format
///
/// Served on `server.admin_bind` if that is set; otherwise only to clients on the same machine, and
/// others receive 404.
#[utoipa::path(get, path = "/metrics", tag = "operation", security(()), responses((status = 200, description = "The metrics", body = String, content_type = "text/plain"), (status = 404, description = "The client is on another machine, or a proxy forwarded the request", body = ErrorEnvelope)))]
pub(super) async fn metrics(health: Data<Health>) -> HttpResponse {
    health.auth.publish_metrics();
    health.store.publish_metrics();
    health.revocations.publish_metrics();
    let text = health
        .metrics
        .as_ref()
        .map(Metrics::render)
        .unwrap_or_default();
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(text)
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health")
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_loopback_peers_are_local() {
        let local = |peer: &str| {
            let request = TestRequest::get().peer_addr(peer.parse().expect("an address"));
            is_local(request.to_http_request().head())
        };
        for peer in [
            "127.0.0.1:1",
            "127.8.8.8:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(local(peer), "{peer}");
        }
        for peer in [
            "10.0.0.1:1",
            "172.17.0.1:1",
            "[fd00::1]:1",
            "[::ffff:10.0.0.1]:1",
        ] {
            assert!(!local(peer), "{peer}");
        }
        assert!(!is_local(TestRequest::get().to_http_request().head()));
    }
}
