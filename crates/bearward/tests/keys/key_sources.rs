//! Key sources: fixed keys, URLs and discovery.

use bearward::{Bearward, Issuer, KeySource};
use bearward_testing::KeyRing;

use crate::fixture::{MAX_STALE, builder, builder_for, cache_config, idp, result_code, secs};

#[tokio::test]
async fn fixed_keys_never_fetch_and_never_age() {
    let idp = idp().await;
    let set = serde_json::json!({ "keys": [idp.key().jwk()] }).to_string();
    let issuer = idp.as_issuer().keys(KeySource::Fixed(set));
    let auth = builder_for(issuer, &idp).build().await.unwrap();
    auth.wait_for_initial_fetch().await;
    assert!(auth.is_ready());
    let token = idp.token().expires_in(MAX_STALE * 3);
    assert_eq!(result_code(&auth.verify(&token.clone().sign()).await), "OK");
    idp.rotate();
    assert_eq!(
        result_code(&auth.verify(&idp.token().sign()).await),
        "UNKNOWN_KEY"
    );
    idp.clock().advance(secs(31));
    assert_eq!(
        result_code(&auth.verify(&token.clone().signed_by_stranger()).await),
        "INVALID_SIGNATURE"
    );
    idp.clock().advance(MAX_STALE * 2);
    assert_eq!(
        result_code(&auth.verify(&token.sub("another").sign()).await),
        "OK"
    );
    let status = auth.key_set_statuses().swap_remove(0);
    assert_eq!(
        (
            status.state(),
            status.attempts(),
            status.age,
            status.next_attempt_in
        ),
        ("fixed", 0, None, None)
    );
    assert_eq!((idp.fetches(), idp.clock().sleepers()), (0, 0));
}

#[tokio::test]
async fn invalid_fixed_keys_are_a_build_error() {
    let issuer = |text: &str| {
        Issuer::new("https://idp.example", "api")
            .unwrap()
            .name("corp")
            .keys(KeySource::Fixed(text.into()))
    };
    for (text, reason) in [
        (r#"{"keys":[]}"#, "the key set is empty"),
        ("{}", "keys"),
        ("", "JSON"),
        (r#"{"keys":[{"kty":"oct","k":"AA"}]}"#, "oct"),
    ] {
        let error = Bearward::builder()
            .issuer(issuer(text))
            .build()
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("corp") && error.contains(reason),
            "{text}: {error}"
        );
    }
}

#[tokio::test]
async fn remote_plain_http_is_a_build_error_with_a_remedy() {
    let issuer = |iss: &str, keys| Issuer::new(iss, "api").unwrap().name("corp").keys(keys);
    let url = |address: &str| KeySource::Url(address.parse().unwrap());
    let cases = [
        issuer("https://idp.example", url("http://idp.example/jwks")),
        issuer("https://idp.example", url("http://10.0.0.1/jwks")),
        issuer("https://idp.example", url("http://localhost.example/jwks")),
        issuer("http://idp.example", KeySource::Discovery),
    ];
    for issuer in cases {
        let error = Bearward::builder()
            .issuer(issuer.clone())
            .build()
            .await
            .unwrap_err()
            .to_string();
        for excerpt in ["corp", "https://", "allow_http"] {
            assert!(error.contains(excerpt), "{excerpt}: {error}");
        }
        let accepting = cache_config()
            .allow_http(true)
            .proxy("http://127.0.0.1:9".parse().unwrap());
        assert!(
            Bearward::builder()
                .issuer(issuer)
                .jwks_cache(accepting)
                .build()
                .await
                .is_ok(),
            "the remedy works"
        );
    }
}

#[tokio::test]
async fn invalid_jwks_urls_are_build_errors() {
    let issuer = |address: &str| {
        Issuer::new("https://idp.example", "api")
            .unwrap()
            .keys(KeySource::Url(address.parse().unwrap()))
    };
    for (address, reason) in [
        ("ftp://idp.example/jwks", "https://"),
        ("file:///etc/passwd", "scheme and a host"),
        (
            "https://user:hunter2@idp.example/jwks",
            "user name or password",
        ),
        ("https://idp.example/jwks#fragment", "fragment"),
    ] {
        let error = Bearward::builder()
            .issuer(issuer(address))
            .build()
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(reason) && !error.contains("hunter2"),
            "{address}: {error}"
        );
    }
}

#[tokio::test]
async fn issuers_do_not_share_keys() {
    let (one, other) = (idp().await, idp().await);
    let auth = builder(&one)
        .issuer(other.as_issuer().name("other"))
        .build()
        .await
        .unwrap();
    auth.wait_for_initial_fetch().await;
    assert_eq!(result_code(&auth.verify(&one.token().sign()).await), "OK");
    assert_eq!(result_code(&auth.verify(&other.token().sign()).await), "OK");
    let wrong_issuer = one.token().issuer(&other.issuer()).sign();
    assert_eq!(
        result_code(&auth.verify(&wrong_issuer).await),
        "UNKNOWN_KEY"
    );
    // Even an identical key is used only after the other issuer has published it.
    other.replace_keys(KeyRing::with_key(one.key()));
    one.clock().advance(secs(1));
    assert_eq!(
        result_code(
            &auth
                .verify(&one.token().issuer(&other.issuer()).kid("x").sign())
                .await
        ),
        "UNKNOWN_KEY"
    );
}
