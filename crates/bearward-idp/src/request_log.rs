//! The last requests of the API in this process, for the console.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bearward::Timestamp;
use serde_json::{Value, json};
use tokio::sync::broadcast;

/// Number of requests that are kept.
const MAX_REQUESTS: usize = 50;

/// A request that the API has answered. It has no token, no claim and no query.
#[derive(Debug, Clone)]
pub struct ApiRequest {
    /// When it was answered.
    pub at: Timestamp,
    /// The method.
    pub method: String,
    /// The pattern of the route, or `unmatched`.
    pub route: String,
    /// The status of the response.
    pub status: u16,
    /// How long it took until the head of the response, in milliseconds.
    pub duration_ms: f64,
    /// The id in the log.
    pub request_id: String,
    /// The code and the message of the error in the response.
    pub error: Option<(String, String)>,
    /// Whether the token was rejected. The error then is the reason.
    pub is_token_rejected: bool,
    /// The name of the issuer and the key id of a rejected token, if known.
    pub issuer: Option<String>,
    /// See `issuer`.
    pub kid: Option<String>,
}

/// The last requests, and those to come. Clones share them.
#[derive(Clone)]
pub struct RequestLog {
    state: Arc<Mutex<LogState>>,
    sender: broadcast::Sender<LoggedRequest>,
}

#[derive(Default)]
struct LogState {
    last_number: u64,
    requests: VecDeque<LoggedRequest>,
}

/// A request with its number, in JSON.
#[derive(Debug, Clone)]
pub(crate) struct LoggedRequest {
    pub(crate) number: u64,
    pub(crate) json: Arc<str>,
}

impl RequestLog {
    pub(crate) fn new() -> Self {
        Self {
            state: Arc::default(),
            sender: broadcast::Sender::new(MAX_REQUESTS),
        }
    }

    /// Adds a request. The oldest one is removed if there are more than 50.
    pub fn record(&self, request: &ApiRequest) {
        let mut state = self.state();
        state.last_number += 1;
        let logged = LoggedRequest {
            number: state.last_number,
            json: request.json(state.last_number).to_string().into(),
        };
        if state.requests.len() >= MAX_REQUESTS {
            state.requests.pop_front();
        }
        state.requests.push_back(logged.clone());
        // Sent under the lock, so that the order is that of the numbers. It fails if the console is
        // not open.
        let _ = self.sender.send(logged);
    }

    /// Returns the requests after this number, and a receiver of those that follow.
    pub(crate) fn subscribe(
        &self,
        after: u64,
    ) -> (Vec<LoggedRequest>, broadcast::Receiver<LoggedRequest>) {
        let state = self.state();
        // A larger number is from an earlier process.
        let after = if after > state.last_number { 0 } else { after };
        let requests = state.requests.iter();
        let requests = requests.filter(|request| request.number > after).cloned();
        (requests.collect(), self.sender.subscribe())
    }

    fn state(&self) -> MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RequestLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestLog").finish_non_exhaustive()
    }
}

impl ApiRequest {
    fn json(&self, number: u64) -> Value {
        let (code, message) = self.error.clone().unzip();
        json!({
            "number": number, "at": self.at.to_string(), "method": self.method, "route": self.route,
            "status": self.status, "duration_ms": self.duration_ms, "request_id": self.request_id,
            "code": code, "message": message, "token_rejected": self.is_token_rejected,
            "issuer": self.issuer, "kid": self.kid,
        })
    }
}
