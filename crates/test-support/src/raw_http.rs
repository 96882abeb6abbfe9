//! HTTP/1.1 requests that a test writes byte by byte.

use std::{io::ErrorKind, net::SocketAddr};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::within_timeout;

/// A request. Nothing is validated or escaped.
#[derive(Clone)]
pub struct Request {
    head: Vec<u8>,
    body: Vec<u8>,
}

/// A response with a body of text.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: String,
    /// All bytes as received.
    pub raw: Vec<u8>,
    headers: Vec<(String, String)>,
}

/// Returns a GET request for `target`.
pub fn get(target: &str) -> Request {
    request("GET", target)
}

/// Returns a WebSocket handshake for `target` (RFC 6455 §4.1), with `connection: upgrade`.
pub fn web_socket(target: &str) -> Request {
    let head = format!("GET {target} HTTP/1.1\r\nhost: api.example\r\nconnection: upgrade\r\n");
    let handshake = Request {
        head: head.into_bytes(),
        body: Vec::new(),
    };
    handshake
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
}

/// Returns a POST request for `target`.
pub fn post(target: &str) -> Request {
    request("POST", target)
}

/// Returns a request with `host` and `connection: close`.
pub fn request(method: &str, target: &str) -> Request {
    Request {
        head: format!("{method} {target} HTTP/1.1\r\nhost: api.example\r\nconnection: close\r\n")
            .into_bytes(),
        body: Vec::new(),
    }
}

impl Request {
    /// Appends a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        for part in [name.as_bytes(), b": ", value.as_ref(), b"\r\n"] {
            self.head.extend_from_slice(part);
        }
        self
    }

    /// Appends an `Authorization` field with a bearer token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Sets the body with its type and length.
    #[must_use]
    pub fn body(self, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        let length = body.as_ref().len();
        self.partial_body(content_type, length as u64, body)
    }

    /// Declares a body of `length` bytes and sends only its beginning.
    #[must_use]
    pub fn partial_body(
        self,
        content_type: &str,
        length: u64,
        beginning: impl AsRef<[u8]>,
    ) -> Self {
        let mut request = self
            .header("content-type", content_type)
            .header("content-length", length.to_string());
        request.body = beginning.as_ref().to_vec();
        request
    }

    /// Sends the request on a new connection without reading the response.
    pub async fn send(&self, address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let bytes = [&self.head[..], b"\r\n", &self.body].concat();
        stream.write_all(&bytes).await.unwrap();
        stream
    }

    /// Sends the request on a new connection and reads the response.
    pub async fn exchange(&self, address: SocketAddr) -> Response {
        let mut stream = self.send(address).await;
        let mut raw = Vec::new();
        let mut buffer = [0; 4096];
        while !is_complete(&raw) {
            match within_timeout(stream.read(&mut buffer)).await {
                Ok(length @ 1..) => raw.extend_from_slice(&buffer[..length]),
                _ => break,
            }
        }
        Response::parse(raw)
    }
}

impl Response {
    fn parse(raw: Vec<u8>) -> Self {
        let text = String::from_utf8(raw.clone()).expect("the response is UTF-8");
        let (head, body) = text
            .split_once("\r\n\r\n")
            .expect("the response has a head and a body");
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .and_then(|status| status.parse().ok())
            .expect("the response has a status line");
        let headers = lines
            .map(|line| line.split_once(": ").expect("a field is `name: value`"))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        Self {
            status,
            body: body.to_owned(),
            headers,
            raw,
        }
    }

    /// Returns the value of the first field with this name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// Returns the values of all fields with this name in lower case.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// Parses the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("the body is not JSON: {}", self.body))
    }
}

/// Sends bytes on a new connection and returns everything received until the server closes or resets
/// it. The client keeps the connection open.
pub async fn send_until_closed(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_ref()).await.unwrap();
    let mut received = Vec::new();
    match within_timeout(stream.read_to_end(&mut received)).await {
        Ok(_) => {}
        // A server that closes the connection before it has read everything resets it.
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    String::from_utf8(received).expect("the response is UTF-8")
}

/// Returns whether the head and the body of the declared length have been received.
fn is_complete(raw: &[u8]) -> bool {
    let Some(head) = raw.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let text = String::from_utf8_lossy(&raw[..head]).to_lowercase();
    text.lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())
        .is_some_and(|length| raw.len() >= head + 4 + length)
}
