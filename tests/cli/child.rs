//! A command that runs until it is told to stop. It is killed when it is dropped, also by a test
//! that panics.

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

/// Longer than anything here takes on a busy machine.
pub(crate) const GUARD: Duration = Duration::from_secs(60);

pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Arc<Mutex<String>>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, lines) = mpsc::channel();
        let seen = Arc::new(Mutex::new(String::new()));
        follow(
            child.stdout.take().unwrap(),
            tell.clone(),
            Arc::clone(&seen),
        );
        follow(child.stderr.take().unwrap(), tell, Arc::clone(&seen));
        Self { child, lines, seen }
    }

    /// Reads on, from either stream, until a line holds this text.
    #[track_caller]
    pub(crate) fn line(&self, text: &str) -> String {
        let until = Instant::now() + GUARD;
        loop {
            match self
                .lines
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    panic!("no line with {text:?} in time:\n{}", self.output())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it ended without a line with {text:?}:\n{}", self.output())
                }
            }
        }
    }

    /// Everything that it has written.
    pub(crate) fn output(&self) -> String {
        self.seen.lock().unwrap().clone()
    }

    /// Asks it to stop, and tells how it ended, when, and what it had written.
    pub(crate) fn stop(mut self, signal: &str) -> (ExitStatus, Duration, String) {
        let asked = Instant::now();
        let pid = self.child.id().to_string();
        assert!(
            Command::new("sh")
                .args(["-c", &format!("kill -{signal} {pid}")])
                .status()
                .unwrap()
                .success()
        );
        while asked.elapsed() < GUARD {
            if let Some(status) = self.child.try_wait().unwrap() {
                // Both ends are closed: what is left is read.
                while self.lines.recv_timeout(GUARD).is_ok() {}
                return (status, asked.elapsed(), self.output());
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("it does not stop:\n{}", self.output());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn follow(
    stream: impl Read + Send + 'static,
    tell: mpsc::Sender<String>,
    seen: Arc<Mutex<String>>,
) {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut seen = seen.lock().unwrap();
            seen.push_str(&line);
            seen.push('\n');
            drop(seen);
            drop(tell.send(line));
        }
    });
}

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) headers: reqwest::header::HeaderMap,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The code of the error envelope.
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
        .timeout(GUARD)
        .build()
        .unwrap()
}

pub(crate) async fn send(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer {
        status,
        headers,
        body: response.text().await.unwrap(),
    }
}

pub(crate) async fn get(url: &str) -> Answer {
    send(client().get(url)).await
}

/// With a bearer token.
pub(crate) async fn get_as(url: &str, token: &str) -> Answer {
    send(
        client()
            .get(url)
            .header("authorization", format!("Bearer {token}")),
    )
    .await
}

/// Asks again until the status is this one.
pub(crate) async fn until_status(url: &str, status: u16) -> Answer {
    let until = Instant::now() + GUARD;
    loop {
        let answer = get(url).await;
        if answer.status == status {
            return answer;
        }
        assert!(Instant::now() < until, "{url} still answers {answer:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
