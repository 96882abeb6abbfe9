//! Tests of discovery as part of an attempt.

use super::{super::*, fixture::*};

fn fixture_with_discovery() -> Fixture {
    Fixture::with_config(
        RemoteJwks {
            location: JwksLocation::Discovery,
            ..remote_jwks()
        },
        &JwksCacheConfig::default(),
        TestClock::start(),
    )
}

fn metadata(jwks_uri: &str) -> Result<FetchResponse, FetchError> {
    let body = serde_json::json!({"issuer": ISSUER, "jwks_uri": jwks_uri})
        .to_string()
        .into_bytes();
    Ok(FetchResponse::Document {
        body,
        etag: Some("\"metadata\"".to_owned()),
        freshness: Freshness::Unspecified,
        server_time: None,
    })
}

const METADATA: &str = "https://idp.example/.well-known/openid-configuration";

#[tokio::test]
async fn jwks_uri_is_reused_while_fetches_succeed() {
    let mut fixture = fixture_with_discovery();
    let fetch = fixture.next_fetch().await;
    assert_eq!(
        (fetch.request.url.as_str(), &fetch.request.etag),
        (METADATA, &None)
    );
    fetch.respond(metadata("https://keys.example/1")).await;
    let fetch = fixture.next_fetch().await;
    assert_eq!(
        (fetch.request.url.as_str(), &fetch.request.etag),
        ("https://keys.example/1", &None)
    );
    fetch.respond(document(jwks(&["a"]))).await;
    assert!(fixture.has_key("a"));
    fixture.clock.advance(s(570)).await;
    let fetch = fixture.next_fetch().await;
    assert_eq!(
        (fetch.request.url.as_str(), fetch.request.etag.as_deref()),
        ("https://keys.example/1", Some("\"v1\""))
    );
}

#[tokio::test]
async fn discovery_is_repeated_after_a_failure() {
    let mut fixture = fixture_with_discovery();
    fixture
        .next_fetch()
        .await
        .respond(metadata("https://keys.example/1"))
        .await;
    fixture
        .next_fetch()
        .await
        .respond(document(jwks(&["a"])))
        .await;
    fixture.clock.advance(s(570)).await;
    fixture.next_fetch().await.respond(connect_error()).await;
    fixture.clock.advance(s(2)).await;
    let fetch = fixture.next_fetch().await;
    assert_eq!(fetch.request.url.as_str(), METADATA);
    fetch.respond(metadata("https://keys.example/2")).await;
    let fetch = fixture.next_fetch().await;
    assert_eq!(
        (fetch.request.url.as_str(), &fetch.request.etag),
        ("https://keys.example/2", &None)
    );
    fetch.respond(document(jwks(&["a"]))).await;
    assert_eq!(fixture.set.load().generation(), 1);
}

const RFC_8414: &str = "https://idp.example/.well-known/oauth-authorization-server";

fn status_error(status: u16) -> Result<FetchResponse, FetchError> {
    let message = format!("GET {METADATA}: the server answered {status}");
    Err(FetchError::new(FetchErrorKind::Status(status), message))
}

#[tokio::test]
async fn rfc_8414_metadata_is_tried_if_there_is_no_openid_configuration() {
    let redirect = FetchError::new(
        FetchErrorKind::Redirect {
            location: None,
            is_permanent: false,
        },
        "redirect",
    );
    for missing in [
        status_error(404),
        status_error(400),
        status_error(403),
        Err(redirect),
        document(b"<html>".to_vec()),
    ] {
        let mut fixture = fixture_with_discovery();
        fixture.next_fetch().await.respond(missing).await;
        let fetch = fixture.next_fetch().await;
        assert_eq!(fetch.request.url.as_str(), RFC_8414);
        fetch.respond(metadata("https://keys.example/1")).await;
        let fetch = fixture.next_fetch().await;
        fetch.respond(document(jwks(&["a"]))).await;
        assert!(fixture.has_key("a"));
    }
}

#[tokio::test]
async fn a_server_that_fails_is_not_asked_for_other_metadata() {
    for failure in [status_error(429), status_error(503), connect_error()] {
        let mut fixture = fixture_with_discovery();
        fixture.next_fetch().await.respond(failure).await;
        fixture.assert_no_fetch().await;
        assert!(fixture.set.status().last_error.is_some());
    }
}

#[tokio::test]
async fn without_any_metadata_every_url_is_named() {
    let mut fixture = fixture_with_discovery();
    for _ in 0..2 {
        fixture.next_fetch().await.respond(status_error(404)).await;
    }
    fixture.assert_no_fetch().await;
    let error = fixture.set.status().last_error.unwrap();
    assert_eq!(error.kind, FetchErrorKind::Status(404));
    assert!(
        error.message.contains(METADATA) && error.message.contains(RFC_8414),
        "{error}"
    );
}

#[tokio::test]
async fn a_configured_metadata_url_is_the_only_one() {
    let url = "https://metadata.example/tenant?policy=a";
    let mut fixture = Fixture::with_config(
        RemoteJwks {
            location: JwksLocation::DiscoveryUrl(url.parse().unwrap()),
            ..remote_jwks()
        },
        &JwksCacheConfig::default(),
        TestClock::start(),
    );
    let fetch = fixture.next_fetch().await;
    assert_eq!(fetch.request.url.as_str(), url);
    fetch.respond(status_error(404)).await;
    fixture.assert_no_fetch().await;
    fixture.clock.advance(s(2)).await;
    let fetch = fixture.next_fetch().await;
    fetch.respond(metadata("https://keys.example/1")).await;
    let fetch = fixture.next_fetch().await;
    fetch.respond(document(jwks(&["a"]))).await;
    assert!(fixture.has_key("a"));
}

/// Starts with a token file and this location. The file is in the returned folder.
fn fixture_with_token(location: JwksLocation) -> (Fixture, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("token"), "hunter2\n").unwrap();
    let fixture = Fixture::with_config(
        RemoteJwks {
            location,
            credentials: FetchCredentials {
                token_file: Some(dir.path().join("token")),
                headers_file: None,
            },
            ..remote_jwks()
        },
        &JwksCacheConfig::default(),
        TestClock::start(),
    );
    (fixture, dir)
}

impl Fixture {
    /// Waits for a fetch after a file has been read on another thread.
    async fn next_fetch_after_read(&mut self) -> FetchCall {
        self.fetches.recv().await.unwrap()
    }
}

fn authorization(call: &FetchCall) -> Option<String> {
    let mut headers = call.request.headers.iter();
    headers
        .find(|(name, _)| *name == "authorization")
        .map(|(_, value)| String::from_utf8(value.to_vec()).unwrap())
}

#[tokio::test]
async fn the_token_is_read_at_each_fetch_and_may_be_replaced() {
    let location = JwksLocation::Url("https://idp.example/jwks".parse().unwrap());
    let (mut fixture, dir) = fixture_with_token(location);
    let call = fixture.next_fetch_after_read().await;
    assert_eq!(authorization(&call).as_deref(), Some("Bearer hunter2"));
    assert!(!format!("{:?}", call.request).contains("hunter2"));
    call.respond(document(jwks(&["a"]))).await;
    std::fs::write(dir.path().join("token"), "hunter3").unwrap();
    fixture.clock.advance(s(570)).await;
    let call = fixture.next_fetch_after_read().await;
    assert_eq!(authorization(&call).as_deref(), Some("Bearer hunter3"));
    call.respond(document(jwks(&["a"]))).await;
    // A missing file is a failed fetch, and the keys stay.
    std::fs::remove_file(dir.path().join("token")).unwrap();
    fixture.clock.advance(s(570)).await;
    while fixture.attempts("credentials") == 0 {
        tokio::task::yield_now().await;
    }
    let error = fixture.set.status().last_error.unwrap();
    assert_eq!(error.kind, FetchErrorKind::Credentials);
    assert!(error.message.starts_with("jwks_token_file "), "{error}");
    assert!(
        error.message.ends_with("the file does not exist"),
        "{error}"
    );
    assert!(fixture.has_key("a"));
    fixture.assert_no_fetch().await;
}

#[tokio::test]
async fn the_token_is_sent_to_the_origin_of_the_configured_url_only() {
    for (jwks_uri, is_sent) in [
        ("https://idp.example/certs", true),
        ("https://idp.example:443/certs", true),
        ("https://idp.example:8443/certs", false),
        ("https://keys.idp.example/certs", false),
        ("https://idp.example.evil.example/certs", false),
        ("https://evil.example/idp.example", false),
    ] {
        let (mut fixture, _dir) = fixture_with_token(JwksLocation::Discovery);
        let call = fixture.next_fetch_after_read().await;
        assert_eq!(call.request.url.as_str(), METADATA);
        assert!(authorization(&call).is_some());
        call.respond(metadata(jwks_uri)).await;
        let call = fixture.next_fetch_after_read().await;
        assert_eq!(authorization(&call).is_some(), is_sent, "{jwks_uri}");
    }
}

#[tokio::test]
async fn invalid_metadata_is_a_failed_attempt() {
    let other_issuer = br#"{"issuer": "https://idp.example/", "jwks_uri": "https://keys.example"}"#;
    let link_local = metadata("http://169.254.169.254/latest/meta-data").unwrap();
    let cases = [
        ("discovery", document(other_issuer.to_vec())),
        ("discovery", Ok(link_local)),
        ("discovery", metadata("https://localhost/jwks")),
        ("too_large", document(vec![b' '; 128 * 1024 + 1])),
        ("status", not_modified()),
        ("connect", connect_error()),
    ];
    for (outcome, response) in cases {
        let mut fixture = fixture_with_discovery();
        fixture.next_fetch().await.respond(response).await;
        assert_eq!(fixture.attempts(outcome), 1, "{outcome}");
        fixture.assert_no_fetch().await;
    }
}
