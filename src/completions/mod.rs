//! The client of an OpenAI-compatible chat completions service, called with the user's own key.
//!
//! One call is one request: nothing is tried again, because a prompt costs its user money each
//! time. Redirects are not followed, and no proxy of the environment is used: the key goes to the
//! configured host and nowhere else. What the service says in its errors is never passed on,
//! because some services repeat the key there; the log has a scrubbed beginning of it at debug
//! level.
//!
//! | bound | value |
//! |---|---|
//! | connecting, TLS included | 5 s, or `generate.timeout` where that is shorter |
//! | a plain answer, from the call to its last byte | `generate.timeout` |
//! | the head of a streamed answer, and each silence after it | `generate.timeout` |
//! | a whole streamed answer | 10 × `generate.timeout` |
//! | bytes of a plain answer · of one event · of a whole stream | 1 MiB · 1 MiB · 16 MiB |

mod completion;
mod error;
mod error_response;
mod events;
mod prompt;
mod stream;

use std::{fmt, sync::Arc, time::Duration};

use {Clock, internals::is_loopback};
use reqwest::{
    Client, Response,
    header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue},
    redirect,
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

/// How long connecting may take: a service that is there has answered by then from anywhere on
/// earth.
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// Shorter than the 5 s after which uvicorn, which vLLM and many others stand on, closes an idle
/// connection: one that the service has just closed would fail a call that must not be repeated.
const IDLE_CONNECTION: Duration = Duration::from_secs(4);

/// How often `generate.timeout` goes into the longest stream.
const LONGEST_STREAM: u32 = 10;

/// The service of `[generate]`. Clones share their connections.
#[derive(Clone)]
pub struct Completions {
    client: Client,
    url: Url,
    model: String,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl Completions {
    /// Takes over the section's values. The clock is asked only for the meaning of a `Retry-After`
    /// date.
    ///
    /// # Errors
    /// [`CompletionsBuildError`]: the address cannot be called, or TLS cannot start. Nothing is called yet.
    pub fn new(settings: &Generate, clock: Arc<dyn Clock>) -> Result<Self, CompletionsBuildError> {
        let url = chat_completions(&settings.base_url).ok_or(CompletionsBuildError::Address)?;
        // The configuration has checked this already; here it keeps the key from leaving in the
        // clear whoever fills the section.
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(CompletionsBuildError::PlainHttp);
        }
        let client = Client::builder()
            .user_agent(concat!("bearward/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .retry(reqwest::retry::never())
            .pool_idle_timeout(IDLE_CONNECTION)
            .connect_timeout(CONNECT_TIME.min(settings.timeout))
            .build()
            .map_err(|error| CompletionsBuildError::Tls(error::chain(error)))?;
        Ok(Self {
            client,
            url,
            model: settings.model.clone(),
            timeout: settings.timeout,
            clock,
        })
    }

    /// How long a streamed answer may take in all.
    pub fn longest_stream(&self) -> Duration {
        self.timeout * LONGEST_STREAM
    }

    /// Asks, and waits for the whole answer. Dropping the future closes the connection.
    ///
    /// # Errors
    /// [`CompletionsError`] but for those that only a stream has.
    ///
    /// Not checked: whether the answer is complete (`finish_reason`), and anything about its text.
    pub async fn complete(
        &self,
        key: &ApiKeySecret,
        prompt: &Prompt,
    ) -> Result<Completion, CompletionsError> {
        let deadline = Instant::now() + self.timeout;
        let response = self.send(key, prompt, false, deadline).await?;
        is_of_type(&response, |essence| {
            essence == "application/json" || essence.ends_with("+json")
        })?;
        let late = |_| CompletionsError::ResponseTimeout {
            after: self.timeout,
        };
        timeout_at(
            deadline,
            completion::read(response, prompt.model(&self.model)),
        )
        .await
        .map_err(late)?
    }

    /// Asks, and gives the answer as it comes. Dropping the future or the [`CompletionStream`]
    /// closes the connection, so that the service stops.
    ///
    /// # Errors
    /// [`CompletionsError`] for all that happens before the first chunk; what happens later is the
    /// last item of the [`CompletionStream`].
    pub async fn stream(
        &self,
        key: &ApiKeySecret,
        prompt: &Prompt,
    ) -> Result<CompletionStream, CompletionsError> {
        let start = Instant::now();
        let response = self.send(key, prompt, true, start + self.timeout).await?;
        is_of_type(&response, |essence| essence == "text/event-stream")?;
        Ok(CompletionStream::of(
            response,
            self.timeout,
            start,
            self.longest_stream(),
        ))
    }

    /// A response with status 200, or the reason why there is none.
    async fn send(
        &self,
        key: &ApiKeySecret,
        prompt: &Prompt,
        stream: bool,
        by: Instant,
    ) -> Result<Response, CompletionsError> {
        let accept = if stream {
            "text/event-stream"
        } else {
            "application/json"
        };
        let request = self
            .client
            .post(self.url.clone())
            .header(AUTHORIZATION, bearer(key)?)
            .header(ACCEPT, accept)
            .header(CONTENT_TYPE, "application/json")
            .body(prompt.body(&self.model, stream));
        let answered = timeout_at(by, request.send()).await;
        let response = answered
            .map_err(|_| CompletionsError::ResponseTimeout {
                after: self.timeout,
            })?
            .map_err(CompletionsError::of)?;
        if response.status() == reqwest::StatusCode::OK {
            return Ok(response);
        }
        Err(error_response::refusal(response, key, self.clock.now()).await)
    }
}

/// The address may hold something secret in its query, and is shown without.
impl fmt::Debug for Completions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.url.clone();
        url.set_query(None);
        f.debug_struct("Upstream")
            .field("url", &url.as_str())
            .field("model", &self.model)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Below the root, whether that ends in a slash or not; a query, which some services ask for,
/// stays.
fn chat_completions(base: &Url) -> Option<Url> {
    let mut url = base.clone();
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend(["chat", "completions"]);
    url.set_fragment(None);
    Some(url)
}

/// The one header that holds the key. Its bytes belong to the HTTP library, which does not
/// overwrite them; it shows them nowhere.
fn bearer(key: &ApiKeySecret) -> Result<HeaderValue, CompletionsError> {
    const SCHEME: &str = "Bearer ";
    let mut text = Zeroizing::new(String::with_capacity(SCHEME.len() + key.expose().len()));
    text.push_str(SCHEME);
    text.push_str(key.expose());
    // Cannot fail: a `ApiKeySecret` is visible ASCII.
    let mut value = HeaderValue::from_str(&text).map_err(|_| CompletionsError::RejectedKey)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Looks at `Content-Type` without its parameters, and refuses a `Content-Encoding`, which was not
/// asked for.
fn is_of_type(
    response: &Response,
    is_right: impl Fn(&str) -> bool,
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
    let is_plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    let right = is_right(&essence)
        && response
            .headers()
            .get_all(CONTENT_ENCODING)
            .iter()
            .all(is_plain);
    if right {
        Ok(())
    } else {
        Err(CompletionsError::WrongType)
    }
}

/// Why the service cannot be called at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompletionsBuildError {
    /// Nothing can be appended to the address.
    #[error(
        "generate.base_url must be an address with a path, such as https://api.together.xyz/v1"
    )]
    Address,
    /// Plain http to another machine.
    #[error(
        "generate.base_url must begin with https://, because users' keys travel there; plain http is accepted for loopback hosts"
    )]
    PlainHttp,
    /// TLS cannot start.
    #[error(
        "TLS cannot start: {0}; an image without certificate authorities needs the ca-certificates package"
    )]
    Tls(String),
}
