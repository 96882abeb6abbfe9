//! HTTP endpoints of one issuer: the JWKS and the OpenID Connect discovery document, with faults.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use actix_web::{
    HttpRequest, HttpResponse, Resource, Route,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::{self, Bytes, Data, ServiceConfig},
};
use bearward::{allow_methods, get_or_head};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::faults::Faults;
use crate::signing::{KeyRing, encode};

/// The published state of one issuer, shared by the HTTP server and the test that changes it.
pub struct JwksEndpoint {
    base: String,
    ring: Mutex<KeyRing>,
    faults: Mutex<Faults>,
    released: Notify,
    fetches: AtomicUsize,
    discoveries: AtomicUsize,
    requests: Mutex<Vec<RecordedRequest>>,
    back_channel_logout: AtomicBool,
}

/// A request for the JWKS.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
}

impl RecordedRequest {
    /// Returns the value of a header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The path of the issuer below the base URL, as in Supabase Auth.
pub const ISSUER_PATH: &str = "/auth/v1";

impl JwksEndpoint {
    /// Creates the endpoint; `base` is `scheme://host:port`.
    pub fn new(base: impl Into<String>, ring: KeyRing) -> Self {
        Self {
            base: base.into(),
            ring: Mutex::new(ring),
            faults: Mutex::default(),
            released: Notify::new(),
            fetches: AtomicUsize::new(0),
            discoveries: AtomicUsize::new(0),
            requests: Mutex::default(),
            back_channel_logout: AtomicBool::new(false),
        }
    }

    /// Returns the base URL, `scheme://host:port`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Returns the issuer, `{base}/auth/v1`.
    pub fn issuer(&self) -> String {
        format!("{}{ISSUER_PATH}", self.base)
    }

    /// Returns the JWKS URL, `{issuer}/.well-known/jwks.json`.
    pub fn jwks_url(&self) -> String {
        format!("{}/.well-known/jwks.json", self.issuer())
    }

    /// Announces back-channel logout in the discovery document.
    pub fn support_back_channel_logout(&self) {
        self.back_channel_logout.store(true, Ordering::SeqCst);
    }

    /// Locks and returns the keys.
    pub fn ring(&self) -> MutexGuard<'_, KeyRing> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks and returns the faults.
    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of requests for the JWKS, whatever the response was.
    pub fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// Returns the number of requests for the discovery document.
    pub fn discoveries(&self) -> usize {
        self.discoveries.load(Ordering::SeqCst)
    }

    /// Returns the requests for the JWKS in order; at most 10,000 are recorded.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.recorded().clone()
    }

    /// Completes the responses that [`Faults::hang`] holds back.
    pub fn release(&self) {
        self.faults().hang = false;
        self.released.notify_waiters();
    }

    /// Counts a request for the discovery document and builds the response: `document`, unless a
    /// fault replaces it.
    pub fn discovery_response(&self, document: Value) -> HttpResponse {
        self.discoveries.fetch_add(1, Ordering::SeqCst);
        let replacement = self.faults().discovery.clone();
        match replacement {
            Some(replacement) => HttpResponse::Ok()
                .content_type("application/json")
                .body(replacement),
            None => HttpResponse::Ok()
                .insert_header((header::CACHE_CONTROL, "public, max-age=600"))
                .json(document),
        }
    }

    async fn until_released(&self) {
        let released = self.released.notified();
        tokio::pin!(released);
        // Registered before the fault is read, so that a release in between is not missed.
        released.as_mut().enable();
        if self.faults().hang {
            released.await;
        }
    }

    fn recorded(&self) -> MutexGuard<'_, Vec<RecordedRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, request: &HttpRequest) {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let mut recorded = self.recorded();
        // Bounds the memory of a development IdP that runs for weeks.
        if recorded.len() < 10_000 {
            let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers = request
                .headers()
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), text(value)));
            recorded.push(RecordedRequest {
                headers: headers.collect(),
            });
        }
    }

    /// Returns the faults for this request and counts down [`Faults::times`].
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

/// Returns the address at which clients on this machine reach a server that is bound to
/// `address`, which may be that of all interfaces.
pub fn client_address(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, address.port()).into(),
        _ => address,
    }
}

/// Registers the endpoints below `/auth/v1` and at the root. They need `Data<JwksEndpoint>`.
pub fn routes(config: &mut ServiceConfig) {
    for prefix in ["", ISSUER_PATH] {
        documents(config, prefix);
    }
}

/// Registers the JWKS and the discovery document below `prefix`.
pub fn documents(config: &mut ServiceConfig, prefix: &str) {
    jwks_document(config, prefix);
    config.service(document(
        &format!("{prefix}/.well-known/openid-configuration"),
        get_or_head().to(discovery),
    ));
}

/// Registers the JWKS below `prefix`.
pub fn jwks_document(config: &mut ServiceConfig, prefix: &str) {
    config.service(document(
        &format!("{prefix}/.well-known/jwks.json"),
        get_or_head().to(jwks),
    ));
}

fn document(path: &str, route: Route) -> Resource {
    let resource = web::resource(path).route(route);
    allow_methods(HeaderValue::from_static("GET, HEAD"), resource)
}

async fn jwks(endpoint: Data<JwksEndpoint>, request: HttpRequest) -> HttpResponse {
    endpoint.record(&request);
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
    // A 304 response has no body that could be truncated.
    let regular = if known && !faults.no_etag && !faults.cut {
        StatusCode::NOT_MODIFIED
    } else {
        StatusCode::OK
    };
    let status = faults
        .status
        .and_then(|status| StatusCode::from_u16(status).ok())
        .unwrap_or(regular);

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
    response.content_type(if body.starts_with('<') {
        "text/html"
    } else {
        "application/json"
    });
    if faults.cut {
        let half = Bytes::from(body.as_bytes()[..body.len() / 2].to_vec());
        let error = std::io::Error::other("truncated on purpose");
        return response.streaming(TruncatedBody(vec![Err(error), Ok(half)]));
    }
    response.body(body)
}

async fn discovery(endpoint: Data<JwksEndpoint>) -> HttpResponse {
    let algorithm = endpoint.ring().current().algorithm().name();
    let mut document = json!({
        "issuer": endpoint.issuer(),
        "jwks_uri": endpoint.jwks_url(),
        "authorization_endpoint": format!("{}/authorize", endpoint.issuer()),
        "token_endpoint": format!("{}/token", endpoint.issuer()),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [algorithm],
    });
    if endpoint.back_channel_logout.load(Ordering::SeqCst) {
        document["backchannel_logout_supported"] = true.into();
        document["backchannel_logout_session_supported"] = true.into();
    }
    endpoint.discovery_response(document)
}

/// A response body that ends before it is complete.
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
        f.debug_struct("JwksEndpoint")
            .field("issuer", &self.issuer())
            .finish_non_exhaustive()
    }
}
