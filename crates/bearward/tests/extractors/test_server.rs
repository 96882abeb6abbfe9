//! A server on a free port. Every response is checked for conformance.

use std::{
    net::{SocketAddr, TcpListener},
    ops::Deref,
};

use actix_web::{App, HttpServer, dev::ServerHandle, web::ServiceConfig};
use bearward_testing::challenge::{Challenge, parse_challenges};
use test_support::raw_http::{self, Request};
use tokio::net::TcpStream;

use crate::challenge_grammar;

/// A running application. It stops when it is dropped.
pub struct TestServer {
    address: SocketAddr,
    handle: ServerHandle,
}

/// A response of the server.
#[derive(Debug)]
pub struct Response(raw_http::Response);

impl TestServer {
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

    /// Sends a request and asserts that the response conforms to the contract of the library.
    pub async fn send(&self, request: Request) -> Response {
        let response = self.send_unchecked(request).await;
        response.assert_conformant();
        response
    }

    /// Sends a request whose response may come from actix-web instead of the library.
    pub async fn send_unchecked(&self, request: Request) -> Response {
        Response(request.exchange(self.address).await)
    }

    /// Sends a request without reading the response.
    pub async fn send_without_reading(&self, request: &Request) -> TcpStream {
        request.send(self.address).await
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl Deref for Response {
    type Target = raw_http::Response;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Response {
    /// Returns the status and the error code of an error response.
    pub fn error(&self) -> (u16, String) {
        (
            self.status,
            self.json()["error"]["code"]
                .as_str()
                .expect("the error has a code")
                .to_owned(),
        )
    }

    /// Returns the challenge, of which there is at most one.
    pub fn challenge(&self) -> Option<Challenge> {
        let mut fields = self.headers("www-authenticate");
        let (field, second) = (fields.next(), fields.next());
        assert!(second.is_none(), "more than one WWW-Authenticate field");
        let mut parsed =
            parse_challenges(field?).unwrap_or_else(|error| panic!("{error}: {field:?}"));
        assert_eq!(parsed.len(), 1, "more than one challenge: {parsed:?}");
        parsed.pop()
    }

    /// Asserts the requirements of RFC 6750, RFC 9110 and the error format that apply to every
    /// response.
    fn assert_conformant(&self) {
        let challenge = self.challenge();
        if self.status < 400 {
            assert!(challenge.is_none(), "{self:?}");
            return;
        }
        assert!(
            challenge.is_some() || self.status != 401,
            "a 401 without a challenge: {self:?}"
        );
        if let Some(challenge) = &challenge {
            challenge_grammar::assert_conformant(challenge);
            let error = challenge.parameter("error");
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
        let body = self.json();
        let names: Vec<_> = body
            .as_object()
            .expect("the body is an object")
            .keys()
            .cloned()
            .collect();
        assert_eq!(names, ["error", "request_id", "success"]);
        assert_eq!(body["success"], false);
        let names: Vec<_> = body["error"]
            .as_object()
            .expect("the error is an object")
            .keys()
            .cloned()
            .collect();
        assert_eq!(names, ["code", "details", "message"]);
    }
}
