//! Sends logout tokens to relying parties (`OpenID` Connect Back-Channel Logout 1.0 §2.5).

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    thread,
    time::Duration,
};

use bearward::Timestamp;
use bearward_http::{client_builder, client_error_chain};
use bearward_testing::{MockIdp, TokenBuilder};
use reqwest::{Certificate, Client, ClientBuilder};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use url::Url;
use uuid::Uuid;

/// How long a relying party may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The number of deliveries that the admin API shows.
const MAX_DELIVERIES: usize = 50;

/// What has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Logout {
    /// One session.
    Session { id: Uuid, user_id: Uuid },
    /// All sessions of a user who was banned or deleted.
    User(Uuid),
}

/// Where logout tokens are sent, and what became of the last ones.
pub(crate) struct BackChannel {
    state: Mutex<State>,
    /// Set when the IdP has started.
    queue: OnceLock<mpsc::UnboundedSender<Message>>,
}

struct State {
    relying_parties: Vec<RelyingParty>,
    is_enabled: bool,
    deliveries: VecDeque<Value>,
}

#[derive(Clone)]
struct RelyingParty {
    url: Url,
    /// Trusts its authority only. Absent: the client that trusts those of the system.
    client: Option<Client>,
}

struct Message {
    logout: Logout,
    now: Timestamp,
}

impl BackChannel {
    pub(crate) fn new(urls: Vec<Url>) -> Self {
        Self {
            state: Mutex::new(State {
                relying_parties: urls
                    .into_iter()
                    .map(|url| RelyingParty { url, client: None })
                    .collect(),
                is_enabled: true,
                deliveries: VecDeque::new(),
            }),
            queue: OnceLock::new(),
        }
    }

    /// Adds a relying party. With `authorities` in PEM, its certificate must be issued by one of them.
    ///
    /// # Errors
    /// The PEM or the client cannot be used.
    pub(crate) fn add_url(
        &self,
        url: Url,
        authorities: Option<&[u8]>,
    ) -> Result<(), reqwest::Error> {
        let client = authorities
            .map(|pem| {
                let certificates = Certificate::from_pem_bundle(pem)?;
                client().tls_certs_only(certificates).build()
            })
            .transpose()?;
        let relying_parties = &mut self.state().relying_parties;
        relying_parties.retain(|known| known.url != url);
        relying_parties.push(RelyingParty { url, client });
        Ok(())
    }

    pub(crate) fn set_enabled(&self, is_enabled: bool) {
        self.state().is_enabled = is_enabled;
    }

    /// Returns the settings and the last deliveries, newest first.
    pub(crate) fn json(&self) -> Value {
        let state = self.state();
        json!({
            "enabled": state.is_enabled,
            "urls": state.relying_parties.iter().map(|party| party.url.as_str()).collect::<Vec<_>>(),
            "deliveries": state.deliveries,
        })
    }

    /// Starts the thread that signs and sends the tokens. It ends after this value is dropped, or
    /// with the server.
    pub(crate) fn start(self: &Arc<Self>, server: &Arc<MockIdp>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        if self.queue.set(sender).is_ok() {
            let (channel, server) = (Arc::downgrade(self), Arc::downgrade(server));
            thread::spawn(move || run(receiver, &channel, &server));
        }
    }

    /// Sends logout tokens without waiting for the relying parties.
    pub(crate) fn send(&self, logouts: Vec<Logout>, now: Timestamp) {
        let Some(queue) = self.queue.get() else {
            return;
        };
        if !self.state().is_enabled {
            return;
        }
        for logout in logouts {
            // The receiver is gone only while the IdP is stopping.
            let _ = queue.send(Message { logout, now });
        }
    }

    fn record(&self, delivery: Value) {
        let deliveries = &mut self.state().deliveries;
        deliveries.truncate(MAX_DELIVERIES - 1);
        deliveries.push_front(delivery);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn client() -> ClientBuilder {
    client_builder(concat!("bearward-idp/", env!("CARGO_PKG_VERSION"))).timeout(TIMEOUT)
}

fn run(
    mut receiver: mpsc::UnboundedReceiver<Message>,
    channel: &Weak<BackChannel>,
    server: &Weak<MockIdp>,
) {
    let client = client().build();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let (Ok(client), Ok(runtime)) = (client, runtime) else {
        tracing::error!("logout tokens cannot be sent: no HTTP client or no runtime");
        return;
    };
    runtime.block_on(async {
        while let Some(message) = receiver.recv().await {
            let (Some(channel), Some(server)) = (channel.upgrade(), server.upgrade()) else {
                return;
            };
            let token = logout_token(&server, &message);
            // Not held while requests are sent, so that the server can stop.
            drop(server);
            let relying_parties = channel.state().relying_parties.clone();
            for RelyingParty { url, client: own } in relying_parties {
                let outcome = deliver(own.as_ref().unwrap_or(&client), &url, &token).await;
                log_failure(&url, &outcome);
                channel.record(delivery(&message, &url, outcome));
            }
        }
    });
}

/// Signs a logout token with the current key.
fn logout_token(server: &MockIdp, message: &Message) -> String {
    let token = TokenBuilder::logout(&server.issuer(), server.key(), message.now)
        .claim("jti", Uuid::new_v4().to_string());
    match message.logout {
        Logout::Session { id, user_id } => {
            token.claim("sid", id.to_string()).sub(&user_id.to_string())
        }
        Logout::User(user_id) => token.sub(&user_id.to_string()),
    }
    .sign()
}

/// Returns the status of the response, or why there is none.
async fn deliver(client: &Client, url: &Url, token: &str) -> Result<u16, String> {
    let response = client
        .post(url.clone())
        .header("content-type", "application/x-www-form-urlencoded")
        // The characters of a token need no encoding.
        .body(format!("logout_token={token}"))
        .send()
        .await;
    match response {
        Ok(response) => Ok(response.status().as_u16()),
        Err(error) if error.is_timeout() => Err("no response within 5 s".to_owned()),
        Err(error) if error.is_connect() => {
            Err(format!("no connection: {}", client_error_chain(error)))
        }
        Err(_) => Err("the response could not be read".to_owned()),
    }
}

/// Logs a delivery that the relying party did not accept: the tokens of the session stay valid there.
fn log_failure(url: &Url, outcome: &Result<u16, String>) {
    let problem = match outcome {
        Ok(200 | 204) => return,
        Ok(status) => format!("status {status}"),
        Err(problem) => problem.clone(),
    };
    tracing::warn!(%url, problem, "a logout token was not accepted; access tokens stay valid until they expire");
}

fn delivery(message: &Message, url: &Url, outcome: Result<u16, String>) -> Value {
    let (status, problem) = match outcome {
        Ok(status) => (Some(status), None),
        Err(problem) => (None, Some(problem)),
    };
    let (sid, sub) = match message.logout {
        Logout::Session { id, user_id } => (Some(id), user_id),
        Logout::User(user_id) => (None, user_id),
    };
    json!({
        "url": url.as_str(), "sid": sid, "sub": sub, "at": message.now.to_string(),
        "status": status, "problem": problem,
    })
}
