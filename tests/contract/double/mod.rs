//! A small resource server that knows every mistake of the battery by name, makes none, and can be
//! told to make one.

mod claims;
mod credential;
mod keys;
mod signature;
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
    time::Duration,
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

pub(crate) use self::keys::Cache;
use self::keys::{Keys, Missing};

/// What one way to read a request finds wrong with it, each in words.
pub(crate) type Violations = BTreeSet<String>;

/// The one mistake of a double.
#[derive(Debug, Clone, Default)]
pub(crate) enum Hole {
    /// None.
    #[default]
    None,
    /// It overlooks this.
    Overlooks(&'static str),
    /// It refuses good tokens of this kind.
    Refuses(&'static str),
    /// Its process ends over this.
    Falls(&'static str),
    /// It answers this with 500.
    Breaks(&'static str),
    /// It closes the connection over tokens of this kind, as a handler that panics does.
    HangsUp(&'static str),
    /// It says to everybody that it is asked too often.
    LimitsAll,
    /// It accepts whatever comes.
    AcceptsAll,
    /// It refuses whatever comes.
    RefusesAll,
    /// It keeps keys wrongly.
    Keeps(Cache),
    /// It visits what the token names, and refuses all the same.
    Visits(&'static str),
    /// It has no manners, in this way.
    Answers(Manners),
    /// It believes what it remembers, by this part of the token.
    Remembers(Remembers),
    /// It takes the verdict on one request for that on another, which is judged beside it.
    Mixes,
}

/// What an answer lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manners {
    NoChallenge,
    NoErrorCode,
    ErrorCodeForNobody,
    AttributeTwice,
    Forbidden,
    Echo,
    Cacheable,
}

/// By what a token is found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remembers {
    HeaderAndPayload,
    /// And how long the signature is.
    HeaderPayloadAndLength,
    /// Header and payload, of what comes without a signature.
    Unsigned,
    Signature,
    Identifier,
    Connection,
}

/// Whom it trusts.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    pub(crate) issuer: String,
    pub(crate) jwks_url: String,
    pub(crate) audience: String,
    /// What it accepts.
    pub(crate) algorithms: Vec<String>,
}

/// A running double; it stops when it is dropped.
pub(crate) struct Double {
    pub(crate) address: SocketAddr,
    /// The mistake, which may change while it runs.
    pub(crate) hole: Arc<Mutex<Hole>>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

struct State {
    trust: Trust,
    hole: Arc<Mutex<Hole>>,
    keys: Keys,
    seen: Arc<Mutex<Vec<Vec<Violations>>>>,
    remembered: Mutex<BTreeSet<String>>,
    /// How many good requests are judged just now, and the bad one that comes meanwhile.
    beside: (AtomicUsize, Notify),
}

impl Double {
    pub(crate) fn start(trust: Trust, hole: Hole) -> Self {
        Self::start_seen(trust, hole, Arc::default())
    }

    /// The same at this address.
    pub(crate) fn start_at(address: SocketAddr, trust: Trust, hole: Hole) -> Self {
        Self::listen(address, trust, hole, Arc::default())
    }

    /// The same; what it finds is written there.
    pub(crate) fn start_seen(
        trust: Trust,
        hole: Hole,
        seen: Arc<Mutex<Vec<Vec<Violations>>>>,
    ) -> Self {
        Self::listen(SocketAddr::from(([127, 0, 0, 1], 0)), trust, hole, seen)
    }

    fn listen(
        address: SocketAddr,
        trust: Trust,
        hole: Hole,
        seen: Arc<Mutex<Vec<Vec<Violations>>>>,
    ) -> Self {
        let cache = match &hole {
            Hole::Keeps(cache) => cache.clone(),
            _ => Cache::default(),
        };
        let keys = Keys::new(&trust.jwks_url, cache);
        let hole = Arc::new(Mutex::new(hole));
        let shared = Arc::clone(&hole);
        let state = Data::new(State {
            trust,
            hole: shared,
            keys,
            seen,
            remembered: Mutex::default(),
            beside: Default::default(),
        });
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || {
                    App::new()
                        .app_data(state.clone())
                        .route("/protected", web::to(protected))
                };
                let server = HttpServer::new(app)
                    .workers(1)
                    .disable_signals()
                    .shutdown_timeout(0);
                let server = server.bind(address).unwrap();
                let address = server.addrs()[0];
                let server = server.run();
                tell.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, handle) = told.recv().unwrap();
        Self {
            address,
            hole,
            handle,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/protected", self.address)
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        drop(self.thread.take().map(JoinHandle::join));
    }
}

async fn protected(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let mut readings = Vec::new();
    let mut missing = None;
    let mut good = None;
    for (reading, token) in credential::read(&request) {
        let mut found = Readings {
            traits: credential::traits(&request),
            missing: None,
        };
        for violations in token::judge(&state, token.as_deref(), &mut found).await {
            let violations: Violations = violations.into_iter().chain(reading.clone()).collect();
            if violations.is_empty() {
                good = Some(found.traits.clone());
            }
            readings.push(violations);
        }
        missing = missing.or(found.missing);
    }
    state.seen.lock().unwrap().push(readings.clone());
    respond(&state, &request, &readings, good, missing).await
}

/// What else a way to read a request finds: what kind of good token it is, and why a key is not
/// there.
struct Readings {
    traits: BTreeSet<String>,
    missing: Option<Missing>,
}

async fn respond(
    state: &State,
    request: &HttpRequest,
    readings: &[Violations],
    good: Option<BTreeSet<String>>,
    missing: Option<Missing>,
) -> HttpResponse {
    let hole = state.hole.lock().unwrap().clone();
    let has = |wanted: &str| readings.iter().any(|reading| reading.contains(wanted));
    let accepted = match &hole {
        Hole::AcceptsAll => true,
        Hole::RefusesAll => false,
        Hole::Overlooks(mistake) => {
            good.is_some()
                || readings
                    .iter()
                    .any(|reading| reading.iter().all(|found| found == mistake))
        }
        Hole::Refuses(kind) => good.as_ref().is_some_and(|traits| !traits.contains(*kind)),
        Hole::Breaks(kind)
            if has(kind) || good.as_ref().is_some_and(|traits| traits.contains(*kind)) =>
        {
            return HttpResponse::InternalServerError().finish();
        }
        Hole::HangsUp(kind)
            if has(kind) || good.as_ref().is_some_and(|traits| traits.contains(*kind)) =>
        {
            return HttpResponse::Ok().streaming(stream::once(ready(Err::<Bytes, _>(
                ErrorInternalServerError("gone"),
            ))));
        }
        Hole::LimitsAll => {
            return HttpResponse::TooManyRequests()
                .insert_header(("retry-after", "3600"))
                .finish();
        }
        Hole::Falls(mistake) if has(mistake) => std::process::exit(3),
        Hole::Visits(mistake) => {
            if has(mistake) {
                visit(request).await;
            }
            good.is_some()
        }
        Hole::Mixes => mixed(state, good.is_some()).await,
        Hole::Remembers(by) => remembered(state, request, *by, good.is_some()),
        _ => good.is_some(),
    };
    if accepted {
        return HttpResponse::Ok().json(json!({ "user_id": "somebody" }));
    }
    refuse(state, request, readings, missing)
}

fn refuse(
    state: &State,
    request: &HttpRequest,
    readings: &[Violations],
    missing: Option<Missing>,
) -> HttpResponse {
    let manners = match &*state.hole.lock().unwrap() {
        Hole::Answers(manners) => Some(*manners),
        _ => None,
    };
    if missing == Some(Missing::Unavailable) && readings.iter().all(|reading| reading.len() == 1) {
        let status = if state.keys.cache().unavailable_is_accepted {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        return HttpResponse::build(status)
            .insert_header(("retry-after", "1"))
            .finish();
    }
    let nobody = readings
        .iter()
        .flatten()
        .any(|found| found.starts_with("nothing sent"));
    let wrong_request = readings
        .iter()
        .flatten()
        .any(|found| found.starts_with("two headers"));
    let mut response = match manners {
        Some(Manners::Forbidden) => HttpResponse::Forbidden(),
        _ if wrong_request => HttpResponse::BadRequest(),
        _ => HttpResponse::Unauthorized(),
    };
    let error = match (nobody, manners) {
        (true, Some(Manners::ErrorCodeForNobody)) => ", error=\"invalid_token\"",
        (true, _) | (false, Some(Manners::NoErrorCode)) => "",
        (false, Some(Manners::AttributeTwice)) => {
            ", error=\"invalid_token\", error=\"invalid_token\""
        }
        (false, _) => ", error=\"invalid_token\"",
    };
    if manners != Some(Manners::NoChallenge) {
        response.insert_header((
            "www-authenticate",
            format!("Bearer realm=\"double\"{error}"),
        ));
    }
    if manners == Some(Manners::Cacheable) {
        response.insert_header(("cache-control", "public, max-age=60"));
    }
    let echo = if manners == Some(Manners::Echo) {
        request.query_string().to_owned()
    } else {
        String::new()
    };
    response.body(echo)
}

/// Makes the request that no target should make: to the first address that stands anywhere in the
/// token.
async fn visit(request: &HttpRequest) {
    let Some(text) = credential::decoded(request) else {
        return;
    };
    let Some(start) = text.rfind("http://") else {
        return;
    };
    let url: String = text[start..]
        .chars()
        .take_while(|c| !"\"\\ ".contains(*c))
        .collect();
    // The address that stands last: where several do, the first ones are the issuer's own.
    let url = if url.ends_with("/auth/v1") {
        format!("{url}/.well-known/jwks.json")
    } else {
        url
    };
    drop(
        reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .get(url)
            .send()
            .await,
    );
}

/// A good request waits a moment for a bad one, so that two that are sent together also meet.
async fn mixed(state: &State, good: bool) -> bool {
    let (beside, bad) = &state.beside;
    if good {
        beside.fetch_add(1, Ordering::SeqCst);
        drop(tokio::time::timeout(Duration::from_millis(200), bad.notified()).await);
        beside.fetch_sub(1, Ordering::SeqCst);
        return true;
    }
    bad.notify_waiters();
    beside.load(Ordering::SeqCst) > 0
}

fn remembered(state: &State, request: &HttpRequest, by: Remembers, good: bool) -> bool {
    let Some(token) = credential::bearer(request) else {
        let connection = format!("{:?}", request.peer_addr());
        return by == Remembers::Connection
            && state.remembered.lock().unwrap().contains(&connection);
    };
    let parts: Vec<&str> = token.split('.').collect();
    let part = |at: usize| parts.get(at).copied().unwrap_or_default();
    let name = match by {
        Remembers::HeaderPayloadAndLength => format!("{}.{}.{}", part(0), part(1), part(2).len()),
        Remembers::Unsigned if !good && !part(2).is_empty() => return false,
        Remembers::HeaderAndPayload | Remembers::Unsigned => format!("{}.{}", part(0), part(1)),
        Remembers::Signature => part(2).to_owned(),
        Remembers::Identifier => {
            let claims = token::lenient(part(1));
            format!("{} {}", claims["sub"], claims["jti"])
        }
        Remembers::Connection => format!("{:?}", request.peer_addr()),
    };
    let mut remembered = state.remembered.lock().unwrap();
    if good {
        remembered.insert(name);
        return true;
    }
    !name.is_empty() && remembered.contains(&name)
}
