//! Discovery as part of an attempt.

use super::{super::*, script::*};

fn discovered() -> World {
    World::at(
        RemoteJwks {
            jwks_url: None,
            ..remote_keys()
        },
        &JwksCacheConfig::default(),
        TestClock::start(),
    )
}

fn metadata(jwks_uri: &str) -> Result<Fetched, FetchError> {
    let body = serde_json::json!({"issuer": ISSUER, "jwks_uri": jwks_uri})
        .to_string()
        .into_bytes();
    Ok(Fetched::Document {
        body,
        etag: Some("\"metadata\"".to_owned()),
        lifetime: Freshness::Unspecified,
        server_time: None,
    })
}

const METADATA: &str = "https://idp.example/.well-known/openid-configuration";

#[tokio::test]
async fn the_metadata_lead_to_the_keys_and_are_kept_while_fetches_succeed() {
    let mut world = discovered();
    let call = world.call().await;
    assert_eq!(
        (call.request.url.as_str(), &call.request.etag),
        (METADATA, &None)
    );
    call.answer(metadata("https://keys.example/1")).await;
    let call = world.call().await;
    assert_eq!(
        (call.request.url.as_str(), &call.request.etag),
        ("https://keys.example/1", &None)
    );
    call.answer(document(jwks(&["a"]))).await;
    assert!(world.has("a"));
    world.clock.advance(s(570)).await;
    let call = world.call().await;
    assert_eq!(
        (call.request.url.as_str(), call.request.etag.as_deref()),
        ("https://keys.example/1", Some("\"v1\""))
    );
}

#[tokio::test]
async fn after_a_failure_the_metadata_are_asked_again_and_an_etag_stays_with_its_address() {
    let mut world = discovered();
    world
        .call()
        .await
        .answer(metadata("https://keys.example/1"))
        .await;
    world.call().await.answer(document(jwks(&["a"]))).await;
    world.clock.advance(s(570)).await;
    world.call().await.answer(down()).await;
    world.clock.advance(s(2)).await;
    let call = world.call().await;
    assert_eq!(call.request.url.as_str(), METADATA);
    call.answer(metadata("https://keys.example/2")).await;
    let call = world.call().await;
    assert_eq!(
        (call.request.url.as_str(), &call.request.etag),
        ("https://keys.example/2", &None)
    );
    call.answer(document(jwks(&["a"]))).await;
    assert_eq!(world.set.current().generation(), 1);
}

#[tokio::test]
async fn metadata_that_do_not_lead_to_keys_are_a_failed_attempt() {
    let other_issuer = br#"{"issuer": "https://idp.example/", "jwks_uri": "https://keys.example"}"#;
    let inward = metadata("http://169.254.169.254/latest/meta-data").unwrap();
    let cases = [
        ("discovery", document(other_issuer.to_vec())),
        ("discovery", Ok(inward)),
        ("discovery", metadata("https://localhost/jwks")),
        ("discovery", document(b"not json".to_vec())),
        ("too_large", document(vec![b' '; 128 * 1024 + 1])),
        ("status", not_modified()),
        ("connect", down()),
    ];
    for (outcome, answer) in cases {
        let mut world = discovered();
        world.call().await.answer(answer).await;
        assert_eq!(world.fetched(outcome), 1, "{outcome}");
        world.no_call().await;
    }
}
