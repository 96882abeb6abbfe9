//! A resource server that detects the flaw of each request of the suite, and can be given one flaw
//! of its own.
//!
//! A [`Flaw`] is named by the id of the case that detects it.

mod claims;
mod credential;
mod dpop;
mod keys;
mod mtls;
mod signature;
mod tls;
mod token;

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    error::ErrorInternalServerError,
    http::StatusCode,
    web::{self, Bytes, Data},
};
use futures_util::{future::ready, stream};
use serde_json::json;
use tokio::sync::Notify;

pub(crate) use self::{
    keys::{KeyCache, SameKid, SkippedCheck},
    mtls::HEADER as CLIENT_CERTIFICATE_HEADER,
    tls::TlsConfig,
};
use self::{
    keys::{Keys, MissingKey},
    mtls::BoundTokens,
    tls::{ClientChains, TlsFront},
};

/// A reason to reject a request: the id of the case that tests it.
///
/// For a valid token with an unusual property, the id of the case that requires its acceptance.
pub(crate) type Flaw = &'static str;

/// The flaws of one interpretation of a request.
pub(crate) type Flaws = BTreeSet<Flaw>;

/// A flaw that no case is about.
pub(crate) const UNNAMED: Flaw = "unnamed";

/// How the server deviates from a correct one.
#[derive(Debug, Clone, Default)]
pub(crate) enum Behavior {
    #[default]
    Correct,
    /// Accepts requests with this flaw.
    Accepts(Flaw),
    /// Rejects valid tokens with this property.
    Rejects(Flaw),
    /// Exits on this flaw.
    Exits(Flaw),
    /// Responds to this flaw or property with 500.
    Fails(Flaw),
    /// Closes the connection on this flaw or property, like a handler that panics.
    Disconnects(Flaw),
    /// Sends a request to the URL in tokens with this flaw, and rejects them.
    FetchesUrl(Flaw),
    /// Responds to every request with 429.
    RateLimitsAll,
    AcceptsAll,
    RejectsAll,
    /// Caches keys in this way.
    CachesKeys(KeyCache),
    /// Sends rejections with this flaw.
    Responds(ResponseFlaw),
    /// Publishes its metadata with this flaw.
    Publishes(MetadataFlaw),
    /// Caches results by a part of the request.
    CachesResults(CacheKey),
    /// Uses the result of a concurrent request.
    MixesUpRequests,
}

/// A flaw of rejections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseFlaw {
    NoChallenge,
    NoErrorCode,
    /// Sends an error code although the request has no token.
    UnexpectedErrorCode,
    DuplicateAttribute,
    Forbidden,
    Echo,
    Cacheable,
}

/// A flaw of the protected resource metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetadataFlaw {
    NotServed,
    WrongResource,
    OtherIssuer,
    NotInChallenge,
    NoCors,
}

/// The key of a cache of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheKey {
    HeaderAndPayload,
    HeaderPayloadAndSignatureLength,
    /// Header and payload, used only for tokens without a signature.
    UnsignedHeaderAndPayload,
    Signature,
    Identifier,
    Connection,
}

/// The trusted issuer and the accepted tokens.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    pub(crate) issuer: String,
    pub(crate) jwks_url: String,
    pub(crate) audience: String,
    /// The accepted algorithms.
    pub(crate) algorithms: Vec<String>,
    /// Whether tokens must be access tokens of RFC 9068.
    pub(crate) requires_at_jwt: bool,
    /// Whether tokens must have the audience.
    pub(crate) requires_audience: bool,
}

/// Receives the flaws of each interpretation of each request.
pub(crate) type RequestLog = Arc<Mutex<Vec<Vec<Flaws>>>>;

/// A running server, which stops when it is dropped.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    /// Can be changed while the server is running.
    pub(crate) behavior: Arc<Mutex<Behavior>>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
    tls: Option<TlsFront>,
}

struct State {
    trust: Trust,
    behavior: Arc<Mutex<Behavior>>,
    keys: Keys,
    log: RequestLog,
    cached_results: Mutex<BTreeSet<String>>,
    /// The proofs that were accepted.
    used_proofs: Mutex<BTreeSet<String>>,
    bound_tokens: BoundTokens,
    /// The certificates of the clients, if the server has a TLS listener.
    client_chains: Option<ClientChains>,
    /// The number of valid requests in progress, and a notification for each invalid one.
    concurrent: (AtomicUsize, Notify),
}

impl TestServer {
    pub(crate) fn start(trust: Trust, behavior: Behavior) -> Self {
        Self::start_logging(trust, behavior, Arc::default())
    }

    pub(crate) fn start_at(address: SocketAddr, trust: Trust, behavior: Behavior) -> Self {
        Self::listen(address, trust, behavior, Arc::default(), None)
    }

    /// Starts a server with a TLS listener.
    pub(crate) async fn start_with_tls(
        trust: Trust,
        behavior: Behavior,
        config: &TlsConfig,
    ) -> Self {
        let (address, chains) = (
            SocketAddr::from(([127, 0, 0, 1], 0)),
            ClientChains::default(),
        );
        let for_server = Some(Arc::clone(&chains));
        let mut server = Self::listen(address, trust, behavior, Arc::default(), for_server);
        server.tls = Some(TlsFront::start(config, server.address, chains).await);
        server
    }

    pub(crate) fn start_logging(trust: Trust, behavior: Behavior, log: RequestLog) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::listen(address, trust, behavior, log, None)
    }

    fn listen(
        address: SocketAddr,
        trust: Trust,
        behavior: Behavior,
        log: RequestLog,
        client_chains: Option<ClientChains>,
    ) -> Self {
        let cache = match &behavior {
            Behavior::CachesKeys(cache) => cache.clone(),
            _ => KeyCache::default(),
        };
        let keys = Keys::new(&trust.jwks_url, cache);
        let behavior = Arc::new(Mutex::new(behavior));
        let state = Data::new(State {
            trust,
            behavior: Arc::clone(&behavior),
            keys,
            log,
            cached_results: Mutex::default(),
            used_proofs: Mutex::default(),
            bound_tokens: BoundTokens::default(),
            client_chains,
            concurrent: Default::default(),
        });
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || {
                    App::new()
                        .app_data(state.clone())
                        .route("/protected", web::to(protected))
                        .route(METADATA_PATH, web::get().to(metadata))
                };
                let server = HttpServer::new(app)
                    .workers(1)
                    // Without a limit for the request: a busy machine is not a slow client.
                    .client_request_timeout(Duration::ZERO)
                    .disable_signals()
                    .shutdown_timeout(0);
                let server = server.bind(address).unwrap();
                let address = server.addrs()[0];
                let server = server.run();
                sender.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, handle) = receiver.recv().unwrap();
        Self {
            address,
            behavior,
            handle,
            thread: Some(thread),
            tls: None,
        }
    }

    pub(crate) fn url(&self) -> String {
        match &self.tls {
            Some(front) => format!("https://localhost:{}/protected", front.address.port()),
            None => format!("http://{}/protected", self.address),
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// Seconds since the Unix epoch.
fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
}

const METADATA_PATH: &str = "/.well-known/oauth-protected-resource/protected";

fn metadata_flaw(state: &State) -> Option<MetadataFlaw> {
    match &*state.behavior.lock().unwrap() {
        Behavior::Publishes(flaw) => Some(*flaw),
        _ => None,
    }
}

async fn metadata(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let flaw = metadata_flaw(&state);
    if flaw == Some(MetadataFlaw::NotServed) {
        return HttpResponse::NotFound().finish();
    }
    let path = match flaw {
        Some(MetadataFlaw::WrongResource) => "other",
        _ => "protected",
    };
    let issuer = match flaw {
        Some(MetadataFlaw::OtherIssuer) => "https://other.example",
        _ => &state.trust.issuer,
    };
    let host = request.connection_info().host().to_owned();
    let mut response = HttpResponse::Ok();
    if flaw != Some(MetadataFlaw::NoCors) {
        response.insert_header(("access-control-allow-origin", "*"));
    }
    response.json(json!({
        "resource": format!("http://{host}/{path}"),
        "authorization_servers": [issuer],
    }))
}

async fn protected(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let mut interpretations = Vec::new();
    let mut missing_key = None;
    let mut valid = None;
    for (request_flaws, token) in credential::interpret(&request) {
        let mut found = Observations {
            traits: credential::traits(&request),
            missing_key: None,
        };
        for flaws in token::analyze(&state, token.as_deref(), &mut found).await {
            let flaws = dpop::analyze(&state, &request, token.as_deref(), flaws, &mut found);
            let flaws = mtls::analyze(&state, &request, token.as_deref(), flaws, &mut found);
            let flaws: Flaws = flaws.into_iter().chain(request_flaws.clone()).collect();
            if flaws.is_empty() {
                valid = Some(found.traits.clone());
            }
            interpretations.push(flaws);
        }
        missing_key = missing_key.or(found.missing_key);
    }
    state.log.lock().unwrap().push(interpretations.clone());
    respond(&state, &request, &interpretations, valid, missing_key).await
}

/// What else was observed while a token was analyzed.
struct Observations {
    /// The cases that the token belongs to if it is valid.
    traits: BTreeSet<Flaw>,
    missing_key: Option<MissingKey>,
}

/// `valid` has the traits of a valid token, if the request contains one.
async fn respond(
    state: &State,
    request: &HttpRequest,
    interpretations: &[Flaws],
    valid: Option<BTreeSet<Flaw>>,
    missing_key: Option<MissingKey>,
) -> HttpResponse {
    let behavior = state.behavior.lock().unwrap().clone();
    let has_flaw = |flaw: Flaw| interpretations.iter().any(|flaws| flaws.contains(flaw));
    let has_trait = |name: Flaw| valid.as_ref().is_some_and(|traits| traits.contains(name));
    let is_valid = valid.is_some();
    let is_accepted = match &behavior {
        Behavior::AcceptsAll => true,
        Behavior::RejectsAll => false,
        Behavior::Accepts(flaw) => {
            is_valid
                || interpretations
                    .iter()
                    .any(|flaws| flaws.iter().all(|found| found == flaw))
        }
        Behavior::Rejects(name) => is_valid && !has_trait(name),
        Behavior::Fails(name) if has_flaw(name) || has_trait(name) => {
            return HttpResponse::InternalServerError().finish();
        }
        Behavior::Disconnects(name) if has_flaw(name) || has_trait(name) => {
            return HttpResponse::Ok().streaming(stream::once(ready(Err::<Bytes, _>(
                ErrorInternalServerError("disconnected"),
            ))));
        }
        Behavior::RateLimitsAll => {
            return HttpResponse::TooManyRequests()
                .insert_header(("retry-after", "3600"))
                .finish();
        }
        Behavior::Exits(flaw) if has_flaw(flaw) => std::process::exit(3),
        Behavior::FetchesUrl(flaw) => {
            if has_flaw(flaw) {
                fetch_url(request).await;
            }
            is_valid
        }
        Behavior::MixesUpRequests => mix_up(state, is_valid).await,
        Behavior::CachesResults(key) => cached_result(state, request, *key, is_valid),
        _ => is_valid,
    };
    if is_accepted {
        return HttpResponse::Ok().json(json!({ "user_id": "user" }));
    }
    reject(state, request, interpretations, missing_key)
}

fn reject(
    state: &State,
    request: &HttpRequest,
    interpretations: &[Flaws],
    missing_key: Option<MissingKey>,
) -> HttpResponse {
    let response_flaw = match &*state.behavior.lock().unwrap() {
        Behavior::Responds(flaw) => Some(*flaw),
        _ => None,
    };
    if missing_key == Some(MissingKey::Unavailable)
        && interpretations.iter().all(|flaws| flaws.len() == 1)
    {
        let status = if state.keys.cache().unavailable_is_accepted {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        return HttpResponse::build(status)
            .insert_header(("retry-after", "1"))
            .finish();
    }
    let has_any = |ids: &[Flaw]| {
        interpretations
            .iter()
            .flatten()
            .any(|flaw| ids.contains(flaw))
    };
    let mut response = match response_flaw {
        Some(ResponseFlaw::Forbidden) => HttpResponse::Forbidden(),
        _ if has_any(&credential::MALFORMED_REQUEST) => HttpResponse::BadRequest(),
        _ => HttpResponse::Unauthorized(),
    };
    let error = match (has_any(&credential::NO_CREDENTIALS), response_flaw) {
        (true, Some(ResponseFlaw::UnexpectedErrorCode)) => ", error=\"invalid_token\"",
        (true, _) | (false, Some(ResponseFlaw::NoErrorCode)) => "",
        (false, Some(ResponseFlaw::DuplicateAttribute)) => {
            ", error=\"invalid_token\", error=\"invalid_token\""
        }
        (false, _) => ", error=\"invalid_token\"",
    };
    if dpop::is_dpop(request) {
        let challenge = "DPoP algs=\"ES256\", error=\"invalid_dpop_proof\"";
        response.insert_header(("www-authenticate", challenge));
    } else if response_flaw != Some(ResponseFlaw::NoChallenge) {
        let metadata = if metadata_flaw(state) == Some(MetadataFlaw::NotInChallenge) {
            String::new()
        } else {
            let host = request.connection_info().host().to_owned();
            format!(", resource_metadata=\"http://{host}{METADATA_PATH}\"")
        };
        let challenge = format!("Bearer realm=\"test\"{metadata}{error}");
        response.insert_header(("www-authenticate", challenge));
    }
    if response_flaw == Some(ResponseFlaw::Cacheable) {
        response.insert_header(("cache-control", "public, max-age=60"));
    }
    let body = if response_flaw == Some(ResponseFlaw::Echo) {
        request.query_string().to_owned()
    } else {
        String::new()
    };
    response.body(body)
}

/// Sends a request to the last URL in the token. Earlier URLs are those of the issuer.
async fn fetch_url(request: &HttpRequest) {
    let Some(text) = credential::part_with_url(request) else {
        return;
    };
    let Some(start) = text.rfind("http://") else {
        return;
    };
    let url: String = text[start..]
        .chars()
        .take_while(|c| !"\"\\ ".contains(*c))
        .collect();
    let url = if url.ends_with("/auth/v1") {
        format!("{url}/.well-known/jwks.json")
    } else {
        url
    };
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    drop(client.get(url).send().await);
}

/// Accepts an invalid request while a valid one is in progress. A valid request waits for an
/// invalid one, so that concurrent requests overlap.
async fn mix_up(state: &State, is_valid: bool) -> bool {
    let (valid_requests, invalid) = &state.concurrent;
    if is_valid {
        valid_requests.fetch_add(1, Ordering::SeqCst);
        drop(tokio::time::timeout(Duration::from_millis(200), invalid.notified()).await);
        valid_requests.fetch_sub(1, Ordering::SeqCst);
        return true;
    }
    invalid.notify_waiters();
    valid_requests.load(Ordering::SeqCst) > 0
}

fn cached_result(state: &State, request: &HttpRequest, key: CacheKey, is_valid: bool) -> bool {
    let connection = || format!("{:?}", request.peer_addr());
    let Some(token) = credential::bearer(request) else {
        return key == CacheKey::Connection
            && state.cached_results.lock().unwrap().contains(&connection());
    };
    let parts: Vec<&str> = token.split('.').collect();
    let part = |index: usize| parts.get(index).copied().unwrap_or_default();
    let entry = match key {
        CacheKey::HeaderPayloadAndSignatureLength => {
            format!("{}.{}.{}", part(0), part(1), part(2).len())
        }
        CacheKey::UnsignedHeaderAndPayload if !is_valid && !part(2).is_empty() => return false,
        CacheKey::HeaderAndPayload | CacheKey::UnsignedHeaderAndPayload => {
            format!("{}.{}", part(0), part(1))
        }
        CacheKey::Signature => part(2).to_owned(),
        CacheKey::Identifier => {
            let claims = token::lenient(part(1));
            format!("{} {}", claims["sub"], claims["jti"])
        }
        CacheKey::Connection => connection(),
    };
    let mut cached = state.cached_results.lock().unwrap();
    if is_valid {
        cached.insert(entry);
        return true;
    }
    !entry.is_empty() && cached.contains(&entry)
}
