//! What operators and load balancers ask: is it up, can it serve, how are the keys, what has been
//! counted.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, ResponseError, http::StatusCode, web::Data};
use bearward::{Bearward, RequestId};
use serde::Serialize;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use super::{ApiError, openapi::ErrorEnvelope};
use crate::{store::Store, telemetry::Metrics};

/// How long an answer of the database is taken as its state: these routes are public, and a flood
/// of them must not become one of queries.
const PULSE: Duration = Duration::from_secs(1);
/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the health routes look at.
#[derive(Clone)]
pub struct Health {
    auth: Bearward,
    store: Store,
    pulse: Arc<Mutex<Option<(Instant, bool)>>>,
    metrics: Option<Metrics>,
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
}

/// An issuer's key set.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct KeysReport {
    #[schema(example = "fresh")]
    state: &'static str,
    keys: usize,
    age_seconds: Option<u64>,
}

impl Health {
    /// Looks at these keys and this database; `/metrics` is empty without a recorder.
    pub fn new(auth: Bearward, store: Store, metrics: Option<Metrics>) -> Self {
        Self {
            auth,
            store,
            pulse: Arc::default(),
            metrics,
        }
    }

    /// Whether the database answers, or did a second ago.
    async fn database(&self) -> bool {
        let mut pulse = self.pulse.lock().await;
        if let Some((at, answers)) = *pulse
            && at.elapsed() < PULSE
        {
            return answers;
        }
        let answers = matches!(timeout(PATIENCE, self.store.ping()).await, Ok(Ok(())));
        *pulse = Some((Instant::now(), answers));
        answers
    }
}

/// Version, keys, database
///
/// Always 200 while the process can answer: a degraded service is still better than a restarted
/// one.
#[utoipa::path(get, path = "/health", tag = "operation", security(()), responses((status = 200, description = "What the server knows of its health", body = Report)))]
pub(super) async fn health(health: Data<Health>) -> HttpResponse {
    let sets = health.auth.key_set_statuses();
    let well = sets
        .iter()
        .all(|set| matches!(set.state(), "fresh" | "fixed"));
    let issuers = sets.into_iter().map(|set| {
        let report = KeysReport {
            state: set.state(),
            keys: set.keys,
            age_seconds: set.age.map(|age| age.as_secs()),
        };
        (set.issuer, report)
    });
    let issuers = issuers.collect();
    let database = health.database().await;
    let status = if well && database { "ok" } else { "degraded" };
    let database = if database { "ok" } else { "unavailable" };
    let report = Report {
        status,
        version: env!("CARGO_PKG_VERSION"),
        issuers,
        database,
    };
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(report)
}

/// Is the process up?
///
/// Never depends on the issuer or the database: restarting this process would cure neither.
#[utoipa::path(get, path = "/livez", tag = "operation", security(()), responses((status = 200, description = "Yes", body = String, content_type = "text/plain")))]
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .content_type("text/plain; charset=utf-8")
        .body("ok\n")
}

/// May requests come?
#[utoipa::path(get, path = "/readyz", tag = "operation", security(()), responses((status = 200, description = "Yes", body = String, content_type = "text/plain"), (status = 503, description = "Keys or database are missing", body = ErrorEnvelope, headers(("retry-after" = String)))))]
pub(super) async fn ready(health: Data<Health>, request: HttpRequest) -> HttpResponse {
    if !health.database().await {
        return ApiError::database_unavailable(RequestId::of(&request)).error_response();
    }
    if health.auth.is_ready() {
        return live().await;
    }
    let waiting: Vec<String> = health
        .auth
        .key_set_statuses()
        .into_iter()
        .filter(|set| !set.state.is_usable())
        .map(|set| set.issuer)
        .collect();
    let message = format!(
        "no usable keys yet, or expired ones, of: {}",
        waiting.join(", ")
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

/// What has been counted
///
/// On `server.admin_bind` when that is set.
#[utoipa::path(get, path = "/metrics", tag = "operation", security(()), responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain")))]
pub(super) async fn metrics(health: Data<Health>) -> HttpResponse {
    health.auth.publish_metrics();
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
