//! HTTP requests to a server under test, with reqwest. Requests that no client would send are
//! written with [`raw_http`](crate::raw_http).

use std::time::{Duration, Instant};

use reqwest::{Client, ClientBuilder, RequestBuilder, header::HeaderMap};
use serde_json::Value;

use crate::TEST_TIMEOUT;

/// A response with its body.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
}

impl Response {
    /// Returns the value of a header field.
    ///
    /// # Panics
    ///
    /// If the field occurs more than once.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next().map(|value| value.to_str().unwrap());
        assert_eq!(values.next(), None, "{name} once: {self:?}");
        first
    }

    /// Parses the body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Returns the error code of the body.
    #[track_caller]
    pub fn code(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .expect("the error has a code")
            .to_owned()
    }

    /// Returns the status and the error code.
    #[track_caller]
    pub fn error(&self) -> (u16, String) {
        (self.status, self.code())
    }

    /// Asserts the status and returns the JSON of the body, or null if there is no body.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.body.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }
}

/// Returns the builder of a client without a proxy and with [`TEST_TIMEOUT`].
pub fn client_builder() -> ClientBuilder {
    Client::builder().no_proxy().timeout(TEST_TIMEOUT)
}

/// Returns a client with its own connections.
pub fn client() -> Client {
    client_builder().build().unwrap()
}

/// Sends a request and reads the response.
pub async fn send(request: RequestBuilder) -> Response {
    let response = request.send().await.unwrap();
    Response {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.text().await.unwrap(),
    }
}

/// Sends a GET request.
pub async fn get(url: &str) -> Response {
    send(client().get(url)).await
}

/// Sends a GET request with a bearer token.
pub async fn get_as(url: &str, token: &str) -> Response {
    send(client().get(url).bearer_auth(token)).await
}

/// Repeats a GET request until the response has this status.
///
/// # Panics
///
/// After [`TEST_TIMEOUT`].
pub async fn wait_for_status(url: &str, status: u16) -> Response {
    let since = Instant::now();
    loop {
        let response = get(url).await;
        if response.status == status {
            return response;
        }
        assert!(
            since.elapsed() < TEST_TIMEOUT,
            "{url} still returns {response:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
