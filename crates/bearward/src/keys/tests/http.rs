//! The fetch over HTTP, against small servers that break every rule.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{super::*, script::*};

/// Answers connection number n with `answers[n]`, the last one again and again, and closes.
struct Server {
    url: url::Url,
    connections: Arc<AtomicUsize>,
    heads: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Server {
    async fn with(answers: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/jwks?tenant=secret",
            listener.local_addr().unwrap()
        )
        .parse()
        .unwrap();
        let (connections, heads) = (
            Arc::<AtomicUsize>::default(),
            Arc::<std::sync::Mutex<Vec<String>>>::default(),
        );
        let (counted, seen, answers) = (
            connections.clone(),
            heads.clone(),
            answers.into_iter().collect::<Vec<_>>(),
        );
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let n = counted
                    .fetch_add(1, Ordering::SeqCst)
                    .min(answers.len() - 1);
                let head = head(&mut stream).await;
                seen.lock().unwrap().push(head);
                let _ = stream.write_all(&answers[n]).await;
                let _ = stream.shutdown().await;
            }
        });
        Self {
            url,
            connections,
            heads,
        }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await.is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn response(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

async fn fetch_with(
    policy: &JwksCacheConfig,
    url: &url::Url,
    etag: Option<&str>,
) -> Result<Fetched, FetchError> {
    let fetch = HttpFetch::new(policy, TestClock::start()).unwrap();
    fetch
        .fetch(FetchRequest {
            url: url.clone(),
            etag: etag.map(str::to_owned),
        })
        .await
}

async fn fetch(server: &Server) -> Result<Fetched, FetchError> {
    fetch_with(&JwksCacheConfig::default(), &server.url, None).await
}

async fn failure_of(answer: Vec<u8>) -> (Failure, usize) {
    let server = Server::with([answer]).await;
    let error = fetch(&server).await.unwrap_err();
    assert!(!error.detail.contains("secret"), "{error}");
    (error.failure, server.connections())
}

#[tokio::test]
async fn a_document_comes_with_its_etag_and_lifetime() {
    let headers = "etag: \"v7\"\r\ncache-control: max-age=600\r\nage: 60\r\n";
    let server = Server::with([response("200 OK", headers, "{}")]).await;
    let expected = Fetched::Document {
        body: b"{}".to_vec(),
        etag: Some("\"v7\"".to_owned()),
        lifetime: Freshness::Seconds(540),
        server_time: None,
    };
    assert_eq!(fetch(&server).await, Ok(expected));
    let head = server.heads.lock().unwrap()[0].to_lowercase();
    assert!(
        head.starts_with("get /jwks?tenant=secret http/1.1\r\n"),
        "{head}"
    );
    assert!(
        head.contains("\r\naccept: application/jwk-set+json, application/json\r\n"),
        "{head}"
    );
    assert!(head.contains("\r\nuser-agent: bearward/"), "{head}");
    for absent in [
        "cookie",
        "referer",
        "accept-encoding",
        "if-none-match",
        "authorization",
    ] {
        assert!(
            !head.contains(&format!("\r\n{absent}:")),
            "{absent}: {head}"
        );
    }
}

#[tokio::test]
async fn a_304_counts_only_as_an_answer_to_an_etag() {
    let server = Server::with([response(
        "304 Not Modified",
        "cache-control: max-age=60\r\n",
        "",
    )])
    .await;
    let conditional = fetch_with(&JwksCacheConfig::default(), &server.url, Some("\"v7\"")).await;
    assert_eq!(
        conditional,
        Ok(Fetched::NotModified {
            lifetime: Freshness::Seconds(60),
            server_time: None
        })
    );
    assert!(
        server.heads.lock().unwrap()[0]
            .to_lowercase()
            .contains("\r\nif-none-match: \"v7\"\r\n")
    );
    assert_eq!(fetch(&server).await.unwrap_err().failure, Failure::Status);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let inner = Server::with([response("200 OK", "", "{}")]).await;
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let answer = response(status, &format!("location: {}\r\n", inner.url), "");
        assert_eq!(failure_of(answer).await, (Failure::Redirect, 1), "{status}");
    }
    assert_eq!(inner.connections(), 0);
}

#[tokio::test]
async fn a_5xx_is_tried_once_more_at_once() {
    let server = Server::with([
        response("502 Bad Gateway", "", ""),
        response("200 OK", "", "{}"),
    ])
    .await;
    assert!(fetch(&server).await.is_ok());
    assert_eq!(server.connections(), 2);
    assert_eq!(
        failure_of(response("503 Service Unavailable", "", "")).await,
        (Failure::Status, 2)
    );
}

#[tokio::test]
async fn a_server_that_says_when_is_not_asked_before() {
    let server = Server::with([response(
        "503 Service Unavailable",
        "retry-after: 120\r\n",
        "",
    )])
    .await;
    assert_eq!(fetch(&server).await.unwrap_err().retry_after, Some(s(120)));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn other_answers_are_failures_and_not_tried_again() {
    for status in [
        "201 Created",
        "204 No Content",
        "206 Partial Content",
        "400 Bad Request",
        "404 Not Found",
        "429 Too Many Requests",
    ] {
        assert_eq!(
            failure_of(response(status, "", "")).await,
            (Failure::Status, 1),
            "{status}"
        );
    }
    assert_eq!(
        failure_of(response("200 OK", "content-encoding: gzip\r\n", "{}")).await,
        (Failure::Encoded, 1)
    );
    assert_eq!(
        failure_of(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"keys\"".to_vec()).await,
        (Failure::Interrupted, 1)
    );
    assert_eq!(
        failure_of(b"SSH-2.0-OpenSSH_9.9\r\n\r\n".to_vec()).await.0,
        Failure::Interrupted
    );
}

#[tokio::test]
async fn nothing_listening_is_a_connect_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(listener);
    let error = fetch_with(&JwksCacheConfig::default(), &url, None)
        .await
        .unwrap_err();
    assert_eq!(error.failure, Failure::Connect);
    assert!(
        error.detail.contains("refused"),
        "the cause is named: {error}"
    );
}

#[tokio::test]
async fn a_document_is_read_up_to_the_cap_and_no_further() {
    let policy = JwksCacheConfig::default().max_bytes(1000);
    for (length, fits) in [(1000, true), (1001, false)] {
        let body = " ".repeat(length);
        let announced = Server::with([response("200 OK", "", &body)]).await;
        let unannounced =
            Server::with([
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}").into_bytes(),
            ])
            .await;
        for server in [announced, unannounced] {
            let outcome = fetch_with(&policy, &server.url, None).await;
            assert_eq!(outcome.is_ok(), fits, "{length}");
            assert!(
                fits || outcome.is_err_and(|error| error.failure == Failure::TooLarge),
                "{length}"
            );
        }
    }
}

#[tokio::test]
async fn an_endless_document_is_cut_off_at_the_cap() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            .await
            .unwrap();
        while stream
            .write_all(format!("1000\r\n{}\r\n", " ".repeat(0x1000)).as_bytes())
            .await
            .is_ok()
        {}
    });
    assert_eq!(
        fetch_with(&JwksCacheConfig::default(), &url, None)
            .await
            .unwrap_err()
            .failure,
        Failure::TooLarge
    );
    server.await.unwrap();
}

/// Time is tokio's here, and paused: with nothing else to do it jumps to the next timer.
#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up_after_the_total_time() {
    for part in [
        "",
        "HTTP/1.1 200 OK\r\nx-slow: ",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            head(&mut stream).await;
            stream.write_all(part.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        });
        // The connection itself is made in real time, before the paused clock may jump past
        // connect_timeout.
        let policy = JwksCacheConfig::default()
            .timeout(s(60))
            .connect_timeout(s(60));
        let before = tokio::time::Instant::now();
        assert_eq!(
            fetch_with(&policy, &url, None).await.unwrap_err().failure,
            Failure::Timeout,
            "{part:?}"
        );
        assert!(
            before.elapsed() >= s(60) && before.elapsed() < s(61),
            "{part:?}: {:?}",
            before.elapsed()
        );
    }
}

#[test]
fn a_ca_file_that_cannot_be_used_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for path in [dir.path().join("missing.pem"), empty] {
        let error = HttpFetch::new(
            &JwksCacheConfig::default().ca_file(&path),
            TestClock::start(),
        )
        .unwrap_err();
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
    }
}

#[tokio::test]
async fn loopback_is_never_reached_through_the_proxy() {
    let proxy = Server::with([response("200 OK", "", "from the proxy")]).await;
    let server = Server::with([response("200 OK", "", "direct")]).await;
    let policy = JwksCacheConfig::default().proxy(proxy.url.clone());
    let Fetched::Document { body, .. } = fetch_with(&policy, &server.url, None).await.unwrap()
    else {
        panic!("a document")
    };
    assert_eq!(body, b"direct");
    let elsewhere = "http://idp.invalid/jwks".parse().unwrap();
    let Fetched::Document { body, .. } = fetch_with(&policy, &elsewhere, None).await.unwrap()
    else {
        panic!("a document")
    };
    assert_eq!(body, b"from the proxy");
    assert_eq!(proxy.connections(), 1);
}
