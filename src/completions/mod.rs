//! Client for an OpenAI-compatible chat completions service, called with the user's own API key.
//!
//! One call sends one request. Requests are not retried, because each one costs the user money.
//! Redirects are not followed and proxies from the environment are not used, so the key is only
//! sent to the configured host. Error messages of the service are not forwarded, because some
//! services repeat the key in them; at debug level, a redacted excerpt is logged.
//!
//! | limit | value |
//! |---|---|
//! | connecting, including TLS | 5 s, or `generate.timeout` if that is shorter |
//! | a plain response, from the call to the last byte | `generate.timeout` |
//! | the head of a streamed response, and each pause after it | `generate.timeout` |
//! | a complete streamed response | 10 × `generate.timeout` |
//! | size of a plain response · of one event · of a complete stream | 1 MiB · 1 MiB · 16 MiB |

mod completion;
mod error;
mod error_response;
mod events;
mod prompt;
mod stream;

use std::{fmt, sync::Arc, time::Duration};

use bearward::{Clock, keys::is_loopback};
use bearward_http::{client_builder, client_error_chain};
use reqwest::{
    Client, Response,
    header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue},
};
use tokio::time::{Instant, timeout_at};
use url::Url;
use zeroize::Zeroizing;

pub use self::{
    completion::{Completion, Usage},
    error::CompletionsError,
    prompt::Prompt,
    stream::CompletionStream,
};
use crate::{settings::Generate, vault::ApiKeySecret};

/// Timeout for connecting; generous for any distance.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an idle connection is reused. Shorter than the 5 s after which uvicorn (used by vLLM
/// and others) closes it: a request on a connection that was just closed fails and is not retried.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Maximum duration of a stream, in multiples of `generate.timeout`.
const STREAM_TIMEOUT_FACTOR: u32 = 10;

/// Client for the service in `[generate]`. Clones share connections.
#[derive(Clone)]
pub struct Completions {
    client: Client,
    url: Url,
    model: String,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    accepts_any_key: bool,
}

impl Completions {
    /// Creates a client; sends nothing. The clock is only used to convert a `Retry-After` date.
    ///
    /// # Errors
    /// [`CompletionsBuildError`] if `base_url` cannot be used or TLS cannot be initialized.
    pub fn new(settings: &Generate, clock: Arc<dyn Clock>) -> Result<Self, CompletionsBuildError> {
        let url = chat_completions_url(&settings.base_url)
            .ok_or(CompletionsBuildError::InvalidBaseUrl)?;
        // `settings` checks this too. Checked again here because `Generate` can be built without
        // it, and the key must not be sent unencrypted.
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(CompletionsBuildError::PlainHttp);
        }
        let client = client_builder(concat!("bearward/", env!("CARGO_PKG_VERSION")))
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT.min(settings.timeout))
            .build()
            .map_err(|error| CompletionsBuildError::Tls(client_error_chain(error)))?;
        Ok(Self {
            client,
            url,
            model: settings.model.clone(),
            timeout: settings.timeout,
            clock,
            accepts_any_key: false,
        })
    }

    /// Sets whether the service is the stand-in of the development IdP, which accepts any API key.
    #[must_use]
    pub(crate) fn accepting_any_key(self, accepts_any_key: bool) -> Self {
        Self {
            accepts_any_key,
            ..self
        }
    }

    pub(crate) fn accepts_any_key(&self) -> bool {
        self.accepts_any_key
    }

    /// Returns the maximum duration of a streamed response.
    pub fn stream_timeout(&self) -> Duration {
        self.timeout * STREAM_TIMEOUT_FACTOR
    }

    /// Sends a prompt and waits for the complete response. Dropping the future closes the
    /// connection.
    ///
    /// Does not check whether the completion was cut off (`finish_reason`), nor its text.
    ///
    /// # Errors
    /// [`CompletionsError`], except for the variants that are specific to streams.
    pub async fn complete(
        &self,
        key: &ApiKeySecret,
        prompt: &Prompt,
    ) -> Result<Completion, CompletionsError> {
        let deadline = Instant::now() + self.timeout;
        let response = self.send(key, prompt, false, deadline).await?;
        check_content_type(&response, |essence| {
            essence == "application/json" || essence.ends_with("+json")
        })?;
        let timed_out = |_| CompletionsError::ResponseTimeout {
            after: self.timeout,
        };
        timeout_at(
            deadline,
            completion::read(response, prompt.model(&self.model)),
        )
        .await
        .map_err(timed_out)?
    }

    /// Sends a prompt and streams the response. Dropping the future or the [`CompletionStream`]
    /// closes the connection, which stops the service.
    ///
    /// # Errors
    /// [`CompletionsError`] if the call fails before the first chunk. A later error is the last
    /// item of the [`CompletionStream`].
    pub async fn stream(
        &self,
        key: &ApiKeySecret,
        prompt: &Prompt,
    ) -> Result<CompletionStream, CompletionsError> {
        let start = Instant::now();
        let response = self.send(key, prompt, true, start + self.timeout).await?;
        check_content_type(&response, |essence| essence == "text/event-stream")?;
        Ok(CompletionStream::new(
            response,
            self.timeout,
            start,
            self.stream_timeout(),
        ))
    }

    /// Sends a request and returns the response if its status is 200.
    async fn send(
        &self,
        key: &ApiKeySecret,
        prompt: &Prompt,
        stream: bool,
        deadline: Instant,
    ) -> Result<Response, CompletionsError> {
        let accept = if stream {
            "text/event-stream"
        } else {
            "application/json"
        };
        let request = self
            .client
            .post(self.url.clone())
            .header(AUTHORIZATION, authorization_header(key)?)
            .header(ACCEPT, accept)
            .header(CONTENT_TYPE, "application/json")
            .body(prompt.body(&self.model, stream));
        let result = timeout_at(deadline, request.send()).await;
        let response = result
            .map_err(|_| CompletionsError::ResponseTimeout {
                after: self.timeout,
            })?
            .map_err(CompletionsError::from_transport)?;
        if response.status() == reqwest::StatusCode::OK {
            return Ok(response);
        }
        Err(error_response::classify(response, key, self.clock.now()).await)
    }
}

/// Omits the query of the URL, which may contain a secret.
impl fmt::Debug for Completions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.url.clone();
        url.set_query(None);
        f.debug_struct("Completions")
            .field("url", &url.as_str())
            .field("model", &self.model)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Appends `chat/completions` to the path of the base URL, which may end in a slash. Keeps the
/// query, which some services require.
fn chat_completions_url(base: &Url) -> Option<Url> {
    let mut url = base.clone();
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend(["chat", "completions"]);
    url.set_fragment(None);
    Some(url)
}

/// Builds the `Authorization` header, marked as sensitive. The HTTP library does not overwrite its
/// memory.
fn authorization_header(key: &ApiKeySecret) -> Result<HeaderValue, CompletionsError> {
    const SCHEME: &str = "Bearer ";
    let mut text = Zeroizing::new(String::with_capacity(SCHEME.len() + key.expose().len()));
    text.push_str(SCHEME);
    text.push_str(key.expose());
    // Does not fail: an `ApiKeySecret` is visible ASCII.
    let mut value = HeaderValue::from_str(&text).map_err(|_| CompletionsError::RejectedKey)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Checks `Content-Type` without its parameters, and rejects any `Content-Encoding`: none was
/// requested.
fn check_content_type(
    response: &Response,
    is_expected: impl Fn(&str) -> bool,
) -> Result<(), CompletionsError> {
    let text = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = text
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let is_identity = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    let is_valid = is_expected(&essence)
        && response
            .headers()
            .get_all(CONTENT_ENCODING)
            .iter()
            .all(is_identity);
    if is_valid {
        Ok(())
    } else {
        Err(CompletionsError::WrongContentType)
    }
}

/// Why the client cannot be created.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompletionsBuildError {
    /// The URL cannot have a path.
    #[error("generate.base_url must be a URL with a path, such as https://api.together.xyz/v1")]
    InvalidBaseUrl,
    /// The URL is plain http to a host that is not loopback.
    #[error(
        "generate.base_url must start with https://, because users' API keys are sent to it; plain http is only allowed for loopback hosts"
    )]
    PlainHttp,
    /// TLS could not be initialized.
    #[error(
        "TLS could not be initialized: {0}; an image without certificate authorities needs the ca-certificates package"
    )]
    Tls(String),
}
