//! The key endpoint over HTTP: JWKS and OIDC discovery of one issuer, with its faults.

use std::{
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{self, Bytes, Data, ServiceConfig},
};
use serde_json::json;
use tokio::sync::Notify;

use super::{
    faults::Faults,
    methods::{allow_methods, get},
};
use crate::signing::{KeyRing, encode};

/// One issuer's published side, shared by the server that answers and the test that changes it.
pub struct JwksEndpoint {
    base: String,
    ring: Mutex<KeyRing>,
    faults: Mutex<Faults>,
    released: Notify,
    fetches: AtomicUsize,
    discoveries: AtomicUsize,
    seen: Mutex<Vec<RecordedRequest>>,
}

/// One request for the key set.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl RecordedRequest {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The path of the issuer below its base, as Supabase has it.
pub const ISSUER_PATH: &str = "/auth/v1";

impl JwksEndpoint {
    /// `base` is `scheme://host:port`.
    pub fn new(base: impl Into<String>, ring: KeyRing) -> Self {
        Self {
            base: base.into(),
            ring: Mutex::new(ring),
            faults: Mutex::default(),
            released: Notify::new(),
            fetches: AtomicUsize::new(0),
            discoveries: AtomicUsize::new(0),
            seen: Mutex::default(),
        }
    }

    /// `scheme://host:port`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `{base}/auth/v1`.
    pub fn issuer(&self) -> String {
        format!("{}{ISSUER_PATH}", self.base)
    }

    /// `{issuer}/.well-known/jwks.json`.
    pub fn jwks_url(&self) -> String {
        format!("{}/.well-known/jwks.json", self.issuer())
    }

    /// The keys.
    pub fn ring(&self) -> MutexGuard<'_, KeyRing> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The faults.
    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests for the key set so far, whatever they were answered.
    pub fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// Requests for the discovery document so far.
    pub fn discoveries(&self) -> usize {
        self.discoveries.load(Ordering::SeqCst)
    }

    /// The requests for the key set.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.seen().clone()
    }

    /// Ends the waiting of everybody that [`Faults::hang`] holds.
    pub fn release(&self) {
        self.faults().hang = false;
        self.released.notify_waiters();
    }

    async fn until_released(&self) {
        let released = self.released.notified();
        tokio::pin!(released);
        // Registered before the fault is read: a release in between is not missed.
        released.as_mut().enable();
        if self.faults().hang {
            released.await;
        }
    }

    fn seen(&self) -> MutexGuard<'_, Vec<RecordedRequest>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, request: &HttpRequest) {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let mut seen = self.seen();
        // A development IdP that runs for weeks remembers no more than this.
        if seen.len() < 10_000 {
            let text = |value: &header::HeaderValue| {
                String::from_utf8_lossy(value.as_bytes()).into_owned()
            };
            let headers = request
                .headers()
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), text(value)));
            seen.push(RecordedRequest {
                headers: headers.collect(),
            });
        }
    }

    /// The faults for this request; a counted fault wears off.
    fn next_faults(&self) -> Faults {
        let mut faults = self.faults();
        match faults.times {
            Some(0) => *faults = Faults::default(),
            Some(left) => faults.times = Some(left - 1),
            None => {}
        }
        faults.clone()
    }
}

/// Serves the endpoint in the Supabase layout and at the root. It needs `Data<JwksEndpoint>`.
pub fn routes(config: &mut ServiceConfig) {
    for prefix in ["", ISSUER_PATH] {
        documents(config, prefix);
    }
}

/// The key set and the discovery document below this path.
pub fn documents(config: &mut ServiceConfig, prefix: &str) {
    config
        .service(allow_methods(
            "GET, HEAD",
            web::resource(format!("{prefix}/.well-known/jwks.json")).route(get().to(jwks)),
        ))
        .service(allow_methods(
            "GET, HEAD",
            web::resource(format!("{prefix}/.well-known/openid-configuration"))
                .route(get().to(discovery)),
        ));
}

async fn jwks(endpoint: Data<JwksEndpoint>, request: HttpRequest) -> HttpResponse {
    endpoint.note(&request);
    let faults = endpoint.next_faults();
    if let Some(delay) = faults.delay() {
        tokio::time::sleep(delay).await;
    }
    if faults.hang {
        endpoint.until_released().await;
    }
    let set = faults
        .body
        .clone()
        .unwrap_or_else(|| endpoint.ring().jwks().to_string());
    let body = format!("{}{set}", " ".repeat(faults.padding_bytes.unwrap_or(0)));
    let etag = format!(
        "\"{}\"",
        encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes()).as_ref())
    );
    let known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .is_some_and(|sent| sent.as_bytes() == etag.as_bytes());
    // A 304 has no middle in which it could be cut.
    let usual = if known && !faults.no_etag && !faults.cut {
        StatusCode::NOT_MODIFIED
    } else {
        StatusCode::OK
    };
    let status = faults
        .status
        .and_then(|status| StatusCode::from_u16(status).ok())
        .unwrap_or(usual);

    let mut response = HttpResponse::build(status);
    match faults.cache_control.as_deref() {
        Some("") => {}
        Some(value) => drop(response.insert_header((header::CACHE_CONTROL, value))),
        None => drop(response.insert_header((header::CACHE_CONTROL, "public, max-age=600"))),
    }
    let optional = [
        (header::AGE, faults.age.map(|age| age.to_string())),
        (
            header::RETRY_AFTER,
            faults.retry_after.map(|seconds| seconds.to_string()),
        ),
        (header::LOCATION, faults.redirect_to),
        (header::ETAG, (!faults.no_etag).then_some(etag)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            response.insert_header((name, value));
        }
    }
    if status == StatusCode::NOT_MODIFIED {
        return response.finish();
    }
    response.content_type("application/json");
    if faults.cut {
        let half = Bytes::from(body.as_bytes()[..body.len() / 2].to_vec());
        let cut = std::io::Error::other("cut on purpose");
        return response.streaming(TruncatedBody(vec![Err(cut), Ok(half)]));
    }
    response.body(body)
}

async fn discovery(endpoint: Data<JwksEndpoint>) -> HttpResponse {
    endpoint.discoveries.fetch_add(1, Ordering::SeqCst);
    let instead = endpoint.faults().discovery.clone();
    if let Some(document) = instead {
        return HttpResponse::Ok()
            .content_type("application/json")
            .body(document);
    }
    let algorithm = endpoint.ring().current().algorithm().name();
    HttpResponse::Ok().json(json!({
        "issuer": endpoint.issuer(),
        "jwks_uri": endpoint.jwks_url(),
        "authorization_endpoint": format!("{}/authorize", endpoint.issuer()),
        "token_endpoint": format!("{}/token", endpoint.issuer()),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [algorithm],
    }))
}

/// A body that breaks off.
struct TruncatedBody(Vec<Result<Bytes, std::io::Error>>);

impl futures_util::Stream for TruncatedBody {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop())
    }
}

impl fmt::Debug for JwksEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("issuer", &self.issuer())
            .finish_non_exhaustive()
    }
}
