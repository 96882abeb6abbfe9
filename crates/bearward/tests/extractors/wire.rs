//! A server on a bound port, requests written byte by byte, and answers that are held against what
//! every answer must be.

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use actix_web::{App, HttpServer, dev::ServerHandle, web::ServiceConfig};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::challenge_grammar::{Challenge, challenges};

const PATIENCE: Duration = Duration::from_secs(10);

/// A running application. It stops when it is dropped.
pub struct Server {
    address: SocketAddr,
    handle: ServerHandle,
}

/// A request in the making.
#[derive(Clone)]
pub struct Request {
    head: Vec<u8>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    /// Every byte of it.
    pub raw: Vec<u8>,
    headers: Vec<(String, String)>,
}

pub fn get(target: &str) -> Request {
    request("GET", target)
}

pub fn post(target: &str) -> Request {
    request("POST", target)
}

pub fn request(method: &str, target: &str) -> Request {
    Request {
        head: format!("{method} {target} HTTP/1.1\r\nhost: api.example\r\nconnection: close\r\n")
            .into_bytes(),
        body: Vec::new(),
    }
}

impl Request {
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        for part in [name.as_bytes(), b": ", value.as_ref(), b"\r\n"] {
            self.head.extend_from_slice(part);
        }
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub fn body(self, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        let mut new = self
            .header("content-type", content_type)
            .header("content-length", body.as_ref().len().to_string());
        new.body = body.as_ref().to_vec();
        new
    }

    /// Only the beginning of a body of that length.
    pub fn unfinished_body(self, content_type: &str, length: u64, beginning: &str) -> Self {
        let mut new = self
            .header("content-type", content_type)
            .header("content-length", length.to_string());
        new.body = beginning.as_bytes().to_vec();
        new
    }

    fn bytes(&self) -> Vec<u8> {
        [&self.head[..], b"\r\n", &self.body].concat()
    }
}

impl Server {
    pub fn start(routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let app = move || App::new().configure(routes.clone());
        let server = HttpServer::new(app)
            .workers(1)
            .disable_signals()
            .shutdown_timeout(0)
            .listen(listener)
            .unwrap()
            .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { address, handle }
    }

    /// Sends a request and waits for the whole answer, which must be one that bearward may give.
    pub async fn send(&self, request: Request) -> Answer {
        let answer = self.exchange(request).await;
        answer.must_be_lawful();
        answer
    }

    /// The same for an answer that may be actix-web's own.
    pub async fn exchange(&self, request: Request) -> Answer {
        let mut stream = self.begin(&request).await;
        let mut raw = Vec::new();
        let mut piece = [0; 4096];
        while !is_whole(&raw) {
            let read = timeout(PATIENCE, stream.read(&mut piece))
                .await
                .expect("the answer comes in time");
            match read {
                Ok(length @ 1..) => raw.extend_from_slice(&piece[..length]),
                _ => break,
            }
        }
        Answer::parse(raw)
    }

    /// Sends a request and leaves the answer unread.
    pub async fn begin(&self, request: &Request) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(&request.bytes()).await.unwrap();
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl Answer {
    fn parse(raw: Vec<u8>) -> Self {
        let text = String::from_utf8(raw.clone()).expect("an answer of text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .and_then(|status| status.parse().ok())
            .expect("a status");
        let headers = lines.map(|line| line.split_once(": ").expect("name: value"));
        let headers = headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        Self {
            status,
            body: body.to_owned(),
            headers,
            raw,
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    /// The status and the envelope's code.
    pub fn refusal(&self) -> (u16, String) {
        (
            self.status,
            self.json()["error"]["code"]
                .as_str()
                .expect("a code")
                .to_owned(),
        )
    }

    /// The one challenge, which must be Bearer's.
    pub fn challenge(&self) -> Option<Challenge> {
        let mut fields = self
            .headers
            .iter()
            .filter(|(name, _)| name == "www-authenticate");
        let (field, second) = (fields.next(), fields.next());
        assert!(second.is_none(), "one WWW-Authenticate field");
        let mut parsed =
            challenges(&field?.1).unwrap_or_else(|problem| panic!("{problem}: {field:?}"));
        assert_eq!(parsed.len(), 1, "one challenge: {parsed:?}");
        parsed.pop()
    }

    /// The statements of RFC 6750, RFC 9110 and the contract that hold for every answer.
    fn must_be_lawful(&self) {
        let challenge = self.challenge();
        if self.status < 400 {
            assert!(challenge.is_none(), "{self:?}");
            return;
        }
        assert!(
            challenge.is_some() || self.status != 401,
            "every 401 has a challenge: {self:?}"
        );
        if let Some(challenge) = &challenge {
            challenge.must_be_lawful();
            let error = challenge.attribute("error");
            assert_eq!(
                error == Some("invalid_request"),
                self.status == 400,
                "{self:?}"
            );
            assert_eq!(
                error == Some("insufficient_scope"),
                self.status == 403,
                "{self:?}"
            );
        }
        assert_eq!(self.header("cache-control"), Some("no-store"), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!(
            self.header("retry-after").is_some(),
            self.status == 503,
            "{self:?}"
        );
        let envelope = self.json();
        let names: Vec<_> = envelope
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect();
        assert_eq!(names, ["error", "request_id", "success"]);
        assert_eq!(envelope["success"], false);
        let names: Vec<_> = envelope["error"]
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect();
        assert_eq!(names, ["code", "details", "message"]);
    }
}

/// Whether the head is there, and as much after it as it announces.
fn is_whole(raw: &[u8]) -> bool {
    let Some(head) = raw.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let text = String::from_utf8_lossy(&raw[..head]).to_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    length.is_some_and(|length| raw.len() >= head + 4 + length)
}
