//! `bearward serve` as a process, which trusts the test's identity provider. It is killed when it
//! is dropped, also by a test that panics.

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

use crate::GUARD;

/// The command, in an environment that holds nothing else. Another command may come before it, such
/// as a shell with a limit.
pub(crate) fn serve(before: &[&str], idp: &MockIdp, database: &str) -> Command {
    let words = [
        before,
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

/// A process, and what it has written.
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

    /// Waits until it has written this.
    pub(crate) async fn until_written(&mut self, text: &str) -> String {
        let since = Instant::now();
        loop {
            let output = self.output();
            if output.contains(text) {
                return output;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && since.elapsed() < GUARD,
                "no {text:?} (ended: {ended:?}):\n{output}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// What it has written when nothing more can come.
    pub(crate) async fn until_told(&mut self) -> String {
        self.ended().await;
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

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                since.elapsed() < GUARD,
                "it does not end:\n{}",
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

/// A server that is ready.
pub(crate) struct Serving {
    pub(crate) process: Process,
    pub(crate) api: String,
}

impl Serving {
    pub(crate) async fn start(idp: &MockIdp, database: &str) -> Self {
        Self::of(serve(&[], idp, database)).await
    }

    pub(crate) async fn of(command: Command) -> Self {
        let mut process = Process::start(command);
        let output = process.until_written(" serves").await;
        let api = format!("http://{}", address(&output));
        until(&api, "/readyz", 200).await;
        Self { process, api }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        send(request(&self.api, Method::GET, path).bearer_auth(token)).await
    }

    pub(crate) async fn report(&self, token: &str, client: &str) -> Answer {
        report(&self.api, token, client, None).await
    }
}

/// Where a log says that the server listens.
fn address(log: &str) -> &str {
    let rest = log
        .split("address=")
        .nth(1)
        .or_else(|| log.split("\"address\":\"").nth(1))
        .expect("its address");
    rest.split([' ', '"']).next().unwrap()
}

/// Asks again until the status is this one.
pub(crate) async fn until(api: &str, path: &str, status: u16) -> Answer {
    let since = Instant::now();
    loop {
        let answer = send(request(api, Method::GET, path)).await;
        if answer.status == status {
            return answer;
        }
        assert!(since.elapsed() < GUARD, "{path} still answers {answer:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&self.body).unwrap()
        }
    }

    /// 503, the code, and when to come again.
    #[track_caller]
    pub(crate) fn is_database_away(&self) {
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

/// Without connections that are kept: they would belong to the runtime of one test.
static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    Client::builder()
        .no_proxy()
        .timeout(GUARD)
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
});

pub(crate) fn request(api: &str, method: Method, path: &str) -> RequestBuilder {
    CLIENT.request(method, format!("{api}{path}"))
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer {
        status,
        headers,
        body: response.text().await.unwrap(),
    }
}

/// A request with a body.
pub(crate) fn with_body(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request
        .header("content-type", "application/json")
        .body(body.to_string())
}

/// `POST /api/status`.
pub(crate) async fn report(api: &str, token: &str, client: &str, key: Option<&str>) -> Answer {
    let mut request = request(api, Method::POST, "/api/status").bearer_auth(token);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    send(with_body(request, &json!({ "client_name": client }))).await
}
