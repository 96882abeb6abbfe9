//! Tests of discovery as part of an attempt.

use super::{super::*, fixture::*};

fn fixture_with_discovery() -> Fixture {
    Fixture::with_config(
        RemoteJwks {
            jwks_url: None,
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

#[tokio::test]
async fn invalid_metadata_is_a_failed_attempt() {
    let other_issuer = br#"{"issuer": "https://idp.example/", "jwks_uri": "https://keys.example"}"#;
    let link_local = metadata("http://169.254.169.254/latest/meta-data").unwrap();
    let cases = [
        ("discovery", document(other_issuer.to_vec())),
        ("discovery", Ok(link_local)),
        ("discovery", metadata("https://localhost/jwks")),
        ("discovery", document(b"not json".to_vec())),
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
