//! A command that runs in the background, and HTTP requests to it.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

/// A time limit that is longer than any operation takes on a busy machine.
pub(crate) const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A running command, which is killed when this is dropped.
pub(crate) struct TestProcess {
    child: Child,
    lines: Receiver<String>,
    output: Arc<Mutex<String>>,
}

impl TestProcess {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        let output = Arc::new(Mutex::new(String::new()));
        follow(
            child.stdout.take().unwrap(),
            sender.clone(),
            Arc::clone(&output),
        );
        follow(child.stderr.take().unwrap(), sender, Arc::clone(&output));
        Self {
            child,
            lines,
            output,
        }
    }

    /// Reads from stdout and stderr until a line contains this text, and returns the line.
    #[track_caller]
    pub(crate) fn line(&self, text: &str) -> String {
        let deadline = Instant::now() + TEST_TIMEOUT;
        loop {
            match self
                .lines
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    panic!("no line with {text:?} in time:\n{}", self.output())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("exited without a line with {text:?}:\n{}", self.output())
                }
            }
        }
    }

    /// Everything that the process has written so far.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Sends a signal, and returns the exit status, the time until exit, and the output.
    pub(crate) fn stop(self, signal: &str) -> (ExitStatus, Duration, String) {
        let start = Instant::now();
        self.signal(signal);
        let (status, output) = self.wait();
        (status, start.elapsed(), output)
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("sh")
                .args(["-c", &format!("kill -{signal} {pid}")])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for the exit and returns the exit status and the output.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let start = Instant::now();
        while start.elapsed() < TEST_TIMEOUT {
            if let Some(status) = self.child.try_wait().unwrap() {
                // Both streams are closed; read what is left.
                while self.lines.recv_timeout(TEST_TIMEOUT).is_ok() {}
                return (status, self.output());
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("does not stop:\n{}", self.output());
    }
}

impl Drop for TestProcess {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Copies the lines of a stream to `lines` and `output`.
fn follow(
    stream: impl Read + Send + 'static,
    lines: mpsc::Sender<String>,
    output: Arc<Mutex<String>>,
) {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut output = output.lock().unwrap();
            output.push_str(&line);
            output.push('\n');
            drop(output);
            drop(lines.send(line));
        }
    });
}

/// A response with its body.
#[derive(Debug)]
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) headers: reqwest::header::HeaderMap,
}

impl HttpResponse {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The error code of the body.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .expect("a code")
            .to_owned()
    }
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .timeout(TEST_TIMEOUT)
        .build()
        .unwrap()
}

pub(crate) async fn send(request: reqwest::RequestBuilder) -> HttpResponse {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    HttpResponse {
        status,
        headers,
        body: response.text().await.unwrap(),
    }
}

pub(crate) async fn get(url: &str) -> HttpResponse {
    send(client().get(url)).await
}

/// Sends a GET request with a bearer token.
pub(crate) async fn get_as(url: &str, token: &str) -> HttpResponse {
    send(
        client()
            .get(url)
            .header("authorization", format!("Bearer {token}")),
    )
    .await
}

/// Repeats a GET request until the response has this status.
pub(crate) async fn wait_for_status(url: &str, status: u16) -> HttpResponse {
    let deadline = Instant::now() + TEST_TIMEOUT;
    loop {
        let response = get(url).await;
        if response.status == status {
            return response;
        }
        assert!(
            Instant::now() < deadline,
            "{url} still returns {response:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
