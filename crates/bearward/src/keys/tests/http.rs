//! Tests of the fetch over HTTP against misbehaving servers.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{super::*, fixture::*};

/// Sends `responses[n]` to connection number n, and the last response to all further connections.
struct TestServer {
    url: url::Url,
    connections: Arc<AtomicUsize>,
    heads: Arc<std::sync::Mutex<Vec<String>>>,
}

impl TestServer {
    async fn with_responses(responses: impl IntoIterator<Item = Vec<u8>>) -> Self {
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
        let (counted, recorded_heads, responses) = (
            connections.clone(),
            heads.clone(),
            responses.into_iter().collect::<Vec<_>>(),
        );
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let n = counted
                    .fetch_add(1, Ordering::SeqCst)
                    .min(responses.len() - 1);
                let head = head(&mut stream).await;
                recorded_heads.lock().unwrap().push(head);
                let _ = stream.write_all(&responses[n]).await;
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
    config: &JwksCacheConfig,
    url: &url::Url,
    etag: Option<&str>,
) -> Result<FetchResponse, FetchError> {
    let fetch = HttpFetch::new(config, TestClock::start()).unwrap();
    fetch
        .fetch(FetchRequest {
            url: url.clone(),
            etag: etag.map(str::to_owned),
            headers: FetchHeaders::default(),
        })
        .await
}

async fn fetch(server: &TestServer) -> Result<FetchResponse, FetchError> {
    fetch_with(&JwksCacheConfig::default(), &server.url, None).await
}

async fn failure_of(response: Vec<u8>) -> (FetchErrorKind, usize) {
    let server = TestServer::with_responses([response]).await;
    let error = fetch(&server).await.unwrap_err();
    assert!(!error.message.contains("secret"), "{error}");
    (error.kind, server.connections())
}

#[tokio::test]
async fn document_has_etag_and_freshness() {
    let headers = "etag: \"v7\"\r\ncache-control: max-age=600\r\nage: 60\r\n";
    let server = TestServer::with_responses([response("200 OK", headers, "{}")]).await;
    let expected = FetchResponse::Document {
        body: b"{}".to_vec(),
        etag: Some("\"v7\"".to_owned()),
        freshness: Freshness::MaxAge(540),
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
async fn a_304_is_valid_only_for_a_conditional_request() {
    let server = TestServer::with_responses([response(
        "304 Not Modified",
        "cache-control: max-age=60\r\n",
        "",
    )])
    .await;
    let conditional = fetch_with(&JwksCacheConfig::default(), &server.url, Some("\"v7\"")).await;
    assert_eq!(
        conditional,
        Ok(FetchResponse::NotModified {
            freshness: Freshness::MaxAge(60),
            server_time: None
        })
    );
    assert!(
        server.heads.lock().unwrap()[0]
            .to_lowercase()
            .contains("\r\nif-none-match: \"v7\"\r\n")
    );
    assert_eq!(
        fetch(&server).await.unwrap_err().kind,
        FetchErrorKind::Status(304)
    );
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let inner = TestServer::with_responses([response("200 OK", "", "{}")]).await;
    for (status, is_permanent) in [
        ("301 Moved Permanently", true),
        ("302 Found", false),
        ("303 See Other", false),
        ("307 Temporary Redirect", false),
        ("308 Permanent Redirect", true),
    ] {
        let response = response(status, &format!("location: {}\r\n", inner.url), "");
        let location = Some(inner.url.as_str().replace("?tenant=secret", ""));
        assert_eq!(
            failure_of(response).await,
            (
                FetchErrorKind::Redirect {
                    location,
                    is_permanent
                },
                1
            ),
            "{status}"
        );
    }
    assert_eq!(inner.connections(), 0);
}

#[tokio::test]
async fn a_5xx_is_retried_once() {
    let server = TestServer::with_responses([
        response("502 Bad Gateway", "", ""),
        response("200 OK", "", "{}"),
    ])
    .await;
    assert!(fetch(&server).await.is_ok());
    assert_eq!(server.connections(), 2);
    assert_eq!(
        failure_of(response("503 Service Unavailable", "", "")).await,
        (FetchErrorKind::Status(503), 2)
    );
}

#[tokio::test]
async fn response_with_retry_after_is_not_retried() {
    let server = TestServer::with_responses([response(
        "503 Service Unavailable",
        "retry-after: 120\r\n",
        "",
    )])
    .await;
    assert_eq!(fetch(&server).await.unwrap_err().retry_after, Some(s(120)));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn other_responses_are_failures_without_retry() {
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
            (FetchErrorKind::Status(status[..3].parse().unwrap()), 1),
            "{status}"
        );
    }
    assert_eq!(
        failure_of(response("200 OK", "content-encoding: gzip\r\n", "{}")).await,
        (FetchErrorKind::ContentEncoding, 1)
    );
    assert_eq!(
        failure_of(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"keys\"".to_vec()).await,
        (FetchErrorKind::Interrupted, 1)
    );
    assert_eq!(
        failure_of(b"SSH-2.0-OpenSSH_9.9\r\n\r\n".to_vec()).await.0,
        FetchErrorKind::Interrupted
    );
}

#[tokio::test]
async fn refused_connection_is_recognized() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(listener);
    let error = fetch_with(&JwksCacheConfig::default(), &url, None)
        .await
        .unwrap_err();
    assert_eq!(error.kind, FetchErrorKind::ConnectionRefused);
    assert_eq!(error.kind.metric_label(), "connect");
    assert!(
        error.message.contains("refused"),
        "the cause is in the message: {error}"
    );
}

#[tokio::test]
async fn unresolvable_host_name_is_recognized() {
    // A label of more than 63 bytes fails in the resolver without a DNS query.
    let url = format!("http://{}.example/jwks", "a".repeat(64))
        .parse()
        .unwrap();
    let error = fetch_with(&JwksCacheConfig::default(), &url, None)
        .await
        .unwrap_err();
    assert_eq!(error.kind, FetchErrorKind::NameResolution, "{error}");
    assert_eq!(error.kind.metric_label(), "connect");
}

#[tokio::test]
async fn failed_tls_handshake_is_recognized() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/jwks", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream
                .write_all(&response("400 Bad Request", "", "not TLS"))
                .await;
        }
    });
    let error = fetch_with(&JwksCacheConfig::default(), &url, None)
        .await
        .unwrap_err();
    assert_eq!(error.kind, FetchErrorKind::Tls, "{error}");
    assert_eq!(error.kind.metric_label(), "connect");
}

#[tokio::test]
async fn document_larger_than_max_bytes_is_an_error() {
    let config = JwksCacheConfig::default().max_bytes(1000);
    for (length, fits) in [(1000, true), (1001, false)] {
        let body = " ".repeat(length);
        let announced = TestServer::with_responses([response("200 OK", "", &body)]).await;
        let unannounced = TestServer::with_responses([format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}"
        )
        .into_bytes()])
        .await;
        for server in [announced, unannounced] {
            let outcome = fetch_with(&config, &server.url, None).await;
            assert_eq!(outcome.is_ok(), fits, "{length}");
            assert!(
                fits || outcome.is_err_and(|error| error.kind == FetchErrorKind::TooLarge),
                "{length}"
            );
        }
    }
}

#[tokio::test]
async fn endless_document_is_an_error() {
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
            .kind,
        FetchErrorKind::TooLarge
    );
    server.await.unwrap();
}

/// Uses tokio's paused time, which advances to the next timer when all tasks are idle.
#[tokio::test(start_paused = true)]
async fn server_that_never_responds_times_out() {
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
        // The connection is made in real time, so connect_timeout must not expire before.
        let config = JwksCacheConfig::default()
            .timeout(s(60))
            .connect_timeout(s(60));
        let before = tokio::time::Instant::now();
        assert_eq!(
            fetch_with(&config, &url, None).await.unwrap_err().kind,
            FetchErrorKind::Timeout,
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
fn unusable_ca_file_is_named_in_the_error() {
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
async fn loopback_bypasses_the_proxy() {
    let proxy = TestServer::with_responses([response("200 OK", "", "from the proxy")]).await;
    let server = TestServer::with_responses([response("200 OK", "", "direct")]).await;
    let config = JwksCacheConfig::default().proxy(proxy.url.clone());
    let FetchResponse::Document { body, .. } =
        fetch_with(&config, &server.url, None).await.unwrap()
    else {
        panic!("a document")
    };
    assert_eq!(body, b"direct");
    let elsewhere = "http://idp.invalid/jwks".parse().unwrap();
    let FetchResponse::Document { body, .. } = fetch_with(&config, &elsewhere, None).await.unwrap()
    else {
        panic!("a document")
    };
    assert_eq!(body, b"from the proxy");
    assert_eq!(proxy.connections(), 1);
}
