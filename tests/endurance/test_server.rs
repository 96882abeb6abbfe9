//! `bearward serve` as a child process that trusts the test's identity provider. It is killed on
//! drop, even if a test panics.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, LazyLock, Mutex},
    thread,
    time::Instant,
};

use bearward_testing::MockIdp;
use reqwest::{Client, Method, RequestBuilder};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::TEST_TIMEOUT;

/// Returns the command with an otherwise empty environment. `wrapper` is a command that runs it, such
/// as a shell with a resource limit.
pub(crate) fn serve(wrapper: &[&str], idp: &MockIdp, database: &str) -> Command {
    let words = [
        wrapper,
        &[
            env!("CARGO_BIN_EXE_bearward"),
            "serve",
            "--bind",
            "127.0.0.1:0",
        ],
    ]
    .concat();
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .env_clear()
        .current_dir(env!("CARGO_TARGET_TMPDIR"));
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
        .env("BEARWARD_ISSUERS__TEST__ISSUER", idp.issuer())
        .env("BEARWARD_ISSUERS__TEST__JWKS_URL", idp.jwks_url())
        .env("BEARWARD_ISSUERS__TEST__AUDIENCES", idp.audience())
        .env("BEARWARD_RATE_LIMIT__ENABLED", "false")
        .env("BEARWARD_SERVER__WORKERS", "2")
        .env("DATABASE_URL", database);
    command
}

/// A child process with its captured stderr.
pub(crate) struct Process {
    child: Child,
    output: Arc<Mutex<String>>,
    reader: Option<thread::JoinHandle<()>>,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (output, lines) = (
            Arc::<Mutex<String>>::default(),
            BufReader::new(child.stderr.take().unwrap()).lines(),
        );
        let written = Arc::clone(&output);
        let reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                written.lock().unwrap().extend([line.as_str(), "\n"]);
            }
        });
        Self {
            child,
            output,
            reader: Some(reader),
        }
    }

    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Waits until the output contains this text.
    pub(crate) async fn wait_for_output(&mut self, text: &str) -> String {
        let since = Instant::now();
        loop {
            let output = self.output();
            if output.contains(text) {
                return output;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && since.elapsed() < TEST_TIMEOUT,
                "no {text:?} (exited: {ended:?}):\n{output}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// Waits for the exit and returns the complete output.
    pub(crate) async fn final_output(&mut self) -> String {
        self.wait().await;
        if let Some(reader) = self.reader.take() {
            tokio::task::spawn_blocking(|| reader.join())
                .await
                .unwrap()
                .unwrap();
        }
        self.output()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) fn pid(&self) -> String {
        self.child.id().to_string()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the exit.
    pub(crate) async fn wait(&mut self) -> ExitStatus {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                since.elapsed() < TEST_TIMEOUT,
                "the process does not exit:\n{}",
                self.output()
            );
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A ready server.
pub(crate) struct TestServer {
    pub(crate) process: Process,
    pub(crate) api: String,
}

impl TestServer {
    pub(crate) async fn start(idp: &MockIdp, database: &str) -> Self {
        Self::spawn(serve(&[], idp, database)).await
    }

    pub(crate) async fn spawn(command: Command) -> Self {
        let mut process = Process::start(command);
        let output = process.wait_for_output(" serves").await;
        let api = format!("http://{}", address(&output));
        wait_for_status(&api, "/readyz", 200).await;
        Self { process, api }
    }

    /// Waits only until the server listens.
    pub(crate) async fn listening(mut process: Process) -> Self {
        let output = process.wait_for_output(" serves").await;
        let api = format!("http://{}", address(&output));
        Self { process, api }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Response {
        send(request(&self.api, Method::GET, path).bearer_auth(token)).await
    }

    pub(crate) async fn post_status_check(&self, token: &str, client: &str) -> Response {
        post_status_check(&self.api, token, client, None).await
    }
}

/// Returns the server's address from its log.
fn address(log: &str) -> &str {
    let rest = log
        .split("address=")
        .nth(1)
        .or_else(|| log.split("\"address\":\"").nth(1))
        .expect("an address in the log");
    rest.split([' ', '"']).next().unwrap()
}

/// Repeats the request until the response has this status.
pub(crate) async fn wait_for_status(api: &str, path: &str, status: u16) -> Response {
    let since = Instant::now();
    loop {
        let response = send(request(api, Method::GET, path)).await;
        if response.status == status {
            return response;
        }
        assert!(
            since.elapsed() < TEST_TIMEOUT,
            "{path} still returns {response:?}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Response {
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&self.body).unwrap()
        }
    }

    /// Asserts a 503 response with the error code and a `Retry-After`.
    #[track_caller]
    pub(crate) fn assert_database_unavailable(&self) {
        assert_eq!(
            self.expect(503)["error"]["code"],
            "DATABASE_UNAVAILABLE",
            "{self:?}"
        );
        let seconds: u64 = self.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
    }
}

/// Without idle connections: they would belong to the runtime of one test.
static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    Client::builder()
        .no_proxy()
        .timeout(TEST_TIMEOUT)
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
});

pub(crate) fn request(api: &str, method: Method, path: &str) -> RequestBuilder {
    CLIENT.request(method, format!("{api}{path}"))
}

pub(crate) async fn send(request: RequestBuilder) -> Response {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Response {
        status,
        headers,
        body: response.text().await.unwrap(),
    }
}

/// Adds a JSON body.
pub(crate) fn with_body(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request
        .header("content-type", "application/json")
        .body(body.to_string())
}

/// `POST /api/status`.
pub(crate) async fn post_status_check(
    api: &str,
    token: &str,
    client: &str,
    key: Option<&str>,
) -> Response {
    let mut request = request(api, Method::POST, "/api/status").bearer_auth(token);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    send(with_body(request, &json!({ "client_name": client }))).await
}
