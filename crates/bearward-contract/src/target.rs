//! The client's side: one request to the target, one answer or the reason why there is none.

use std::{
    error::Error as _,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use reqwest::{
    Client, Method,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect,
};
use url::Url;

/// A request of the battery.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) headers: Vec<(&'static str, Vec<u8>)>,
    pub(super) query: Option<String>,
}

impl Request {
    /// GET without a header.
    pub(super) fn bare() -> Self {
        Self {
            method: Method::GET,
            headers: Vec::new(),
            query: None,
        }
    }

    /// GET with a bearer token.
    pub(super) fn bearer(token: &str) -> Self {
        Self::bare().authorization(format!("Bearer {token}"))
    }

    /// One more Authorization header.
    pub(super) fn authorization(self, value: impl Into<Vec<u8>>) -> Self {
        self.header("authorization", value)
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    pub(super) fn query(mut self, query: impl Into<String>) -> Self {
        self.query = Some(query.into());
        self
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) took: Duration,
}

/// Why nothing came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// Nobody listens there.
    Down(String),
    /// The connection ended, or what came is no HTTP.
    Broke(String),
    /// It took too long.
    Late(Duration),
}

/// The protected URL.
#[derive(Debug)]
pub(super) struct Target {
    url: Url,
    client: Client,
    timeout: Duration,
    limited: AtomicUsize,
    /// Waiting has not helped, so it is not tried again until the target has answered otherwise.
    only_limits: AtomicBool,
}

/// No answer needs more to be judged.
const LONGEST_BODY: usize = 64 * 1024;

/// How often a request is sent again that the target's own rate limit refused.
const PATIENCE: usize = 6;

impl Target {
    pub(super) fn new(url: &str, timeout: Duration) -> Result<Self, String> {
        let url = Url::parse(url)
            .map_err(|_| format!("{url:?} is no address; write http://HOST:PORT/PATH"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(format!(
                "{url} is no address of a web server; write http://HOST:PORT/PATH"
            ));
        }
        let client = Client::builder()
            .user_agent(concat!("bearward-contract/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(timeout)
            .build()
            .map_err(|error| chain(&error))?;
        Ok(Self {
            url,
            client,
            timeout,
            limited: AtomicUsize::new(0),
            only_limits: AtomicBool::new(false),
        })
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// How often the target's rate limit was waited for.
    pub(super) fn limited(&self) -> usize {
        self.limited.load(Ordering::SeqCst)
    }

    /// Sends it; again where the target limits its rate, which is no verdict about the token.
    pub(super) async fn send(&self, request: &Request) -> Result<Answer, NoAnswer> {
        let mut answer = self.send_within(request, self.timeout).await?;
        let patience = if self.only_limits.load(Ordering::SeqCst) {
            0
        } else {
            PATIENCE
        };
        for _ in 0..patience {
            if answer.status != 429 {
                break;
            }
            self.limited.fetch_add(1, Ordering::SeqCst);
            let asked = answer
                .headers
                .get("retry-after")
                .and_then(|value| value.to_str().ok()?.parse().ok());
            tokio::time::sleep(
                Duration::from_secs(asked.unwrap_or(1)).min(Duration::from_secs(15)),
            )
            .await;
            answer = self.send_within(request, self.timeout).await?;
        }
        self.only_limits
            .store(answer.status == 429, Ordering::SeqCst);
        Ok(answer)
    }

    /// Sends it, with a limit of its own, and takes a rate limit for the answer.
    pub(super) async fn send_within(
        &self,
        request: &Request,
        timeout: Duration,
    ) -> Result<Answer, NoAnswer> {
        match self.send_once(request, timeout).await {
            // A connection that was kept open may be closed by the other side at any time, as
            // servers do after an error.
            Err(NoAnswer::Broke(_)) => self.send_once(request, timeout).await,
            answer => answer,
        }
    }

    async fn send_once(&self, request: &Request, timeout: Duration) -> Result<Answer, NoAnswer> {
        let began = Instant::now();
        let mut url = self.url.clone();
        if let Some(query) = &request.query {
            url.query_pairs_mut()
                .extend_pairs(url::form_urlencoded::parse(query.as_bytes()));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let value = HeaderValue::from_bytes(value)
                .map_err(|error| NoAnswer::Broke(error.to_string()))?;
            headers.append(HeaderName::from_static(name), value);
        }
        let send = self
            .client
            .request(request.method.clone(), url)
            .headers(headers)
            .timeout(timeout)
            .send();
        let mut response = send.await.map_err(|error| no_answer(&error, timeout))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while body.len() < LONGEST_BODY {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => return Err(no_answer(&error, timeout)),
            }
        }
        Ok(Answer {
            status,
            headers,
            body,
            took: began.elapsed(),
        })
    }
}

impl Answer {
    pub(super) fn is_accepted(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The status with its name.
    pub(super) fn words(&self) -> String {
        let reason = reqwest::StatusCode::from_u16(self.status)
            .ok()
            .and_then(|status| status.canonical_reason());
        format!("{} {}", self.status, reason.unwrap_or(""))
            .trim_end()
            .to_owned()
    }
}

impl NoAnswer {
    pub(super) fn words(&self) -> String {
        match self {
            Self::Down(why) => format!("no connection: {why}"),
            Self::Broke(why) => format!("the connection broke off: {why}"),
            Self::Late(limit) => format!("no answer within {} s", limit.as_secs_f32()),
        }
    }
}

fn no_answer(error: &reqwest::Error, limit: Duration) -> NoAnswer {
    match () {
        () if error.is_connect() => NoAnswer::Down(chain(error)),
        () if error.is_timeout() => NoAnswer::Late(limit),
        () => NoAnswer::Broke(chain(error)),
    }
}

/// The innermost cause, which reqwest does not print.
fn chain(error: &reqwest::Error) -> String {
    let mut source = error.source();
    let mut text = "it failed".to_owned();
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    text
}
