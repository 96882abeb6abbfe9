//! Signals: every command stops gracefully, requests in flight finish, a second signal ends the
//! process.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::Instant,
};

use bearward_testing::MockIdp;
use serde_json::json;
use test_support::{
    TEST_TIMEOUT,
    http::{client, get, send, wait_for_status},
    ports::free_address,
    process::{Signal, TestProcess},
};

use crate::bearward;

/// Waits until a connection is accepted.
fn wait_for_connect(address: SocketAddr) {
    let since = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(since.elapsed() < TEST_TIMEOUT, "nothing listens");
        thread::yield_now();
    }
}

/// Starts a command, sends a signal as soon as the address accepts, and returns the exit code.
fn exit_code(arguments: &[&str], variables: &[(&str, &str)], signal: Signal) -> Option<i32> {
    let address = free_address();
    let bind = address.to_string();
    let arguments: Vec<&str> = arguments
        .iter()
        .map(|argument| match *argument {
            "BIND" => bind.as_str(),
            argument => argument,
        })
        .collect();
    let process = TestProcess::start(bearward(&arguments, variables));
    wait_for_connect(address);
    let (status, _, output) = process.stop(signal);
    println!("{status}: {output}");
    status.code()
}

#[test]
fn a_signal_right_after_the_bind_exits_with_0() {
    let variables = [
        ("SUPABASE_URL", "http://127.0.0.1:1"),
        ("DATABASE_URL", "sqlite::memory:"),
    ];
    thread::scope(|scope| {
        for signal in [Signal::TERM, Signal::INT] {
            scope.spawn(move || {
                for start in 0..15 {
                    let code = exit_code(&["serve", "--bind", "BIND"], &variables, signal);
                    assert_eq!(code, Some(0), "{signal:?}, start {start}");
                }
            });
        }
    });
}

#[cfg(feature = "idp")]
#[test]
fn the_idp_and_dev_exit_with_0_after_an_early_signal() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let data = folder.path().to_str().unwrap();
    for signal in [Signal::TERM, Signal::INT] {
        for _ in 0..5 {
            assert_eq!(exit_code(&["idp", "--bind", "BIND"], &[], signal), Some(0));
        }
        let api = free_address().to_string();
        let dev = ["dev", "--bind", &api, "--idp-bind", "BIND", "--data", data];
        assert_eq!(exit_code(&dev, &[], signal), Some(0));
    }
}

#[cfg(feature = "contract")]
#[test]
fn the_suite_reports_an_early_signal() {
    let target = format!("http://{}/", free_address());
    for signal in [Signal::TERM, Signal::INT] {
        let arguments = ["contract", "--target", &target, "--issuer-bind", "BIND"];
        assert_eq!(exit_code(&arguments, &[], signal), Some(2));
    }
}

/// A completion service for one request. It sends `first`, then waits before it sends `rest`.
struct Service {
    base_url: String,
    /// Receives when a request has arrived.
    requested: mpsc::Receiver<()>,
    /// Sends the rest of the response.
    respond: mpsc::Sender<()>,
}

impl Service {
    fn start(first: String, rest: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let (requested_sender, requested) = mpsc::channel();
        let (respond, respond_receiver) = mpsc::channel();
        thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let _ = socket.read(&mut [0; 4096]).unwrap();
            socket.write_all(first.as_bytes()).unwrap();
            requested_sender.send(()).unwrap();
            // The test may end first.
            let _: Result<(), _> = respond_receiver.recv();
            let _ = socket.write_all(rest.as_bytes());
        });
        Self {
            base_url,
            requested,
            respond,
        }
    }
}

/// Starts a server whose user `ada` has a stored API key.
async fn start(
    idp: &MockIdp,
    service: &Service,
    variables: &[(&str, &str)],
) -> (TestProcess, String, String) {
    let base = idp.base();
    let mut all = vec![
        ("SUPABASE_URL", base.as_str()),
        ("DATABASE_URL", "sqlite::memory:"),
        ("BEARWARD_GENERATE__BASE_URL", &service.base_url),
        (
            "BEARWARD_VAULT__KEYS",
            "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ),
    ];
    all.extend(variables);
    let server = TestProcess::start(bearward(&["serve", "--bind", "127.0.0.1:0"], &all));
    let line = server.line(" serves ");
    let address = line
        .split("address=")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .expect("an address");
    let api = format!("http://{address}");
    wait_for_status(&format!("{api}/readyz"), 200).await;
    let token = idp.token().sub("ada").sign();
    let stored = send(
        client()
            .post(format!("{api}/api/user/api-keys"))
            .bearer_auth(&token)
            .header("content-type", "application/json")
            .body(json!({ "togetherAI": "sk-0123456789012345678901234567" }).to_string()),
    )
    .await;
    assert!(stored.status < 300, "{stored:?}");
    (server, api, token)
}

fn generate(api: &str, token: &str, is_streamed: bool) -> reqwest::RequestBuilder {
    client()
        .post(format!("{api}/api/generate"))
        .bearer_auth(token)
        .header("content-type", "application/json")
        .body(json!({ "prompt": "reverse", "stream": is_streamed }).to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_flight_finish_after_each_signal() {
    for (signal, name) in [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT")] {
        let body = json!({
            "model": "m",
            "choices": [{ "message": { "content": "done" }, "finish_reason": "stop" }]
        })
        .to_string();
        let service = Service::start(
            String::new(),
            format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            ),
        );
        let idp = MockIdp::start().await;
        let timeout = [("BEARWARD_SERVER__SHUTDOWN_TIMEOUT", "60s")];
        let (mut server, api, token) = start(&idp, &service, &timeout).await;
        let response = tokio::spawn(send(generate(&api, &token, false)));
        tokio::task::block_in_place(|| service.requested.recv_timeout(TEST_TIMEOUT)).unwrap();
        server.signal(signal);
        let line = server.line("the server stops");
        assert!(line.contains(name), "{line}");
        server.line("no more connections are accepted");
        service.respond.send(()).unwrap();
        let response = response.await.unwrap();
        assert_eq!(
            (response.status, &response.json()["code"]),
            (200, &"done".into())
        );
        let (status, output) = server.wait_blocking();
        assert_eq!(status.code(), Some(0), "{output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_an_error_event_at_shutdown() {
    let chunk = json!({
        "id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{ "index": 0, "delta": { "content": "first" }, "finish_reason": null }]
    });
    let event = format!("data: {chunk}\n\n");
    let service = Service::start(
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{event}\r\n",
            event.len()
        ),
        String::new(),
    );
    let idp = MockIdp::start().await;
    let timeout = [("BEARWARD_SERVER__SHUTDOWN_TIMEOUT", "0s")];
    let (mut server, api, token) = start(&idp, &service, &timeout).await;
    let mut response = generate(&api, &token, true).send().await.unwrap();
    let first = response.chunk().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&first).contains("first"));
    server.signal(Signal::TERM);
    let rest = response.text().await.unwrap();
    assert!(
        rest.contains("event: error\n") && rest.contains("\"SERVER_STOPPING\""),
        "{rest}"
    );
    let (status, output) = server.wait_blocking();
    assert_eq!(status.code(), Some(0), "{output}");
    assert!(output.contains("because the server stops"), "{output}");
}

#[tokio::test]
async fn readyz_reports_503_before_connections_are_refused() {
    let idp = MockIdp::start().await;
    let variables = [
        ("SUPABASE_URL", &*idp.base()),
        ("DATABASE_URL", "sqlite::memory:"),
        ("BEARWARD_SERVER__SHUTDOWN_DELAY", "2m"),
    ]
    .map(|(name, value)| (name, value.to_owned()));
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let server = TestProcess::start(bearward(&["serve", "--bind", "127.0.0.1:0"], &variables));
    let line = server.line(" serves ");
    let address = line.split("address=").nth(1).unwrap();
    let api = format!("http://{}", address.split(' ').next().unwrap());
    wait_for_status(&format!("{api}/readyz"), 200).await;
    server.signal(Signal::TERM);
    let stopping = wait_for_status(&format!("{api}/readyz"), 503).await;
    assert_eq!(stopping.code(), "SERVER_STOPPING");
    // New connections are still accepted.
    assert_eq!(get(&format!("{api}/livez")).await.status, 200);
    let (status, took, output) = server.stop(Signal::TERM);
    assert_eq!(status.code(), Some(143), "a second signal: {output}");
    assert!(took < TEST_TIMEOUT);
}
