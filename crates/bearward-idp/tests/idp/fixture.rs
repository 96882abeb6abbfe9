//! The fixture of these tests: a development IdP on a free port, and requests to it.

use std::{ops::Deref, sync::Arc, time::Duration};

use bearward::{Algorithm, Bearward, Issuer, KeySource};
use bearward_idp::{AuthOptions, Idp, Options};
use bearward_testing::TestClock;
use reqwest::{Client, Method};
use serde_json::{Value, json};

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

pub(crate) const PASSWORD: &str = "correct horse";

/// The options of a developer, with a free port.
pub(crate) fn options() -> Options {
    Options {
        address: "127.0.0.1:0".parse().unwrap(),
        base: None,
        algorithm: Algorithm::RS256,
        environment: "development".to_owned(),
        dangerous_allow_remote: false,
        auth: auth_options(),
    }
}

/// The options of a developer, without a limit for mails.
pub(crate) fn auth_options() -> AuthOptions {
    AuthOptions {
        mail_interval: Duration::ZERO,
        ..AuthOptions::default()
    }
}

/// A running development IdP.
pub(crate) struct TestIdp(Idp);

impl Deref for TestIdp {
    type Target = Idp;

    fn deref(&self) -> &Idp {
        &self.0
    }
}

impl TestIdp {
    /// Starts with default options.
    pub(crate) fn start() -> Self {
        Self::with_options(options())
    }

    pub(crate) fn with_options(options: Options) -> Self {
        Self(Idp::start(options).unwrap())
    }

    /// Starts with default options and a clock that only the test advances.
    pub(crate) fn with_clock() -> (Self, TestClock) {
        Self::with_auth(auth_options())
    }

    /// Starts with these auth options and a clock that only the test advances.
    pub(crate) fn with_auth(auth: AuthOptions) -> (Self, TestClock) {
        let clock = TestClock::new();
        let auth = AuthOptions {
            clock: Arc::new(clock.clone()),
            ..auth
        };
        (Self::with_options(Options { auth, ..options() }), clock)
    }

    /// A resource server's verifier that trusts this IdP.
    pub(crate) async fn verifier(&self) -> Bearward {
        let issuer = Issuer::new(self.issuer(), self.audience())
            .unwrap()
            .keys(KeySource::Url(self.jwks_url().parse().unwrap()));
        Bearward::builder()
            .issuer(issuer.algorithms(Algorithm::ALL.iter().copied()).unwrap())
            .build()
            .await
            .unwrap()
    }

    /// Sends a request; `line` is method and path.
    pub(crate) async fn send(
        &self,
        line: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> TestResponse {
        let (method, path) = line.split_once(' ').unwrap();
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20));
        let method: Method = method.parse().unwrap();
        let url = format!("http://{}{path}", self.address());
        let mut request = client
            .build()
            .unwrap()
            .request(method, url)
            .body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        TestResponse {
            status,
            headers,
            body: response.text().await.unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> TestResponse {
        self.send(&format!("GET {path}"), &[], "").await
    }

    /// Sends a request with a JSON body; `line` is method and path.
    pub(crate) async fn send_json(&self, line: &str, body: &str) -> TestResponse {
        self.send(line, &[JSON], body).await
    }

    /// Returns the token that the admin API issues for this request body.
    pub(crate) async fn mint(&self, body: &str) -> String {
        let response = self.send_json("POST /admin/tokens", body).await;
        assert_eq!(response.status, 200, "{}", response.body);
        response.json()["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    /// Posts to the auth API; `path` is relative to the issuer.
    pub(crate) async fn auth_post(&self, path: &str, body: Value) -> TestResponse {
        self.send_json(&format!("POST /auth/v1{path}"), &body.to_string())
            .await
    }

    /// Signs up with [`PASSWORD`] and returns the session.
    pub(crate) async fn sign_up(&self, email: &str) -> Value {
        let body = json!({ "email": email, "password": PASSWORD });
        let response = self.auth_post("/signup", body).await;
        assert_eq!(response.status, 200, "{}", response.body);
        response.json()
    }

    pub(crate) async fn refresh(&self, token: &str) -> TestResponse {
        let body = json!({ "refresh_token": token });
        self.auth_post("/token?grant_type=refresh_token", body)
            .await
    }

    /// Requests the user of a session.
    pub(crate) async fn user(&self, session: &Value) -> TestResponse {
        let bearer = format!("Bearer {}", text(session, "access_token"));
        self.send("GET /auth/v1/user", &[("authorization", &bearer)], "")
            .await
    }
}

pub(crate) struct TestResponse {
    pub(crate) status: u16,
    pub(crate) body: String,
    headers: reqwest::header::HeaderMap,
}

impl TestResponse {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Returns status and code of an error envelope.
    pub(crate) fn error(&self) -> (u16, String) {
        let body = self.json();
        assert_eq!(body["success"], false, "{body}");
        assert!(
            body["error"]["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty()),
            "{body}"
        );
        (
            self.status,
            body["error"]["code"].as_str().expect("a code").to_owned(),
        )
    }

    /// Returns status and code of an error of the auth API, in its format without a version header.
    pub(crate) fn auth_error(&self) -> (u16, String) {
        let body = self.json();
        assert_eq!(body["code"], self.status, "{body}");
        assert!(
            body["msg"]
                .as_str()
                .is_some_and(|message| !message.is_empty()),
            "{body}"
        );
        assert_eq!(self.header("x-sb-error-code"), body["error_code"].as_str());
        (self.status, text(&body, "error_code").to_owned())
    }
}

/// Returns a string member.
pub(crate) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// Returns the code with which the verifier rejects a token.
pub(crate) async fn rejection_code(verifier: &Bearward, token: &str) -> &'static str {
    verifier
        .verify(token)
        .await
        .expect_err("a rejection")
        .error
        .code()
}
