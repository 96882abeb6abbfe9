//! Where keys may come from.

use {Bearward, Issuer, KeySource};
use bearward_testing::KeyRing;

use crate::stack::{MAX_STALE, builder, builder_of, code, idp, policy, s};

#[tokio::test]
async fn fixed_keys_never_fetch_and_never_age() {
    let idp = idp().await;
    let set = serde_json::json!({ "keys": [idp.key().jwk()] }).to_string();
    let issuer = idp.as_issuer().keys(KeySource::Fixed(set));
    let auth = builder_of(issuer, &idp).build().await.unwrap();
    auth.wait_for_initial_fetch().await;
    assert!(auth.is_ready());
    let known = idp.token().expires_in(MAX_STALE * 3);
    assert_eq!(code(&auth.verify(&known.clone().sign()).await), "OK");
    idp.rotate();
    assert_eq!(code(&auth.verify(&idp.token().sign()).await), "UNKNOWN_KEY");
    idp.clock().advance(s(31));
    assert_eq!(
        code(&auth.verify(&known.clone().signed_by_stranger()).await),
        "INVALID_SIGNATURE"
    );
    idp.clock().advance(MAX_STALE * 2);
    assert_eq!(code(&auth.verify(&known.sub("another").sign()).await), "OK");
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
async fn fixed_keys_that_are_no_set_stop_the_start_with_a_reason() {
    let issuer = |text: &str| {
        Issuer::new("https://idp.example", "api")
            .unwrap()
            .name("corp")
            .keys(KeySource::Fixed(text.into()))
    };
    for (text, reason) in [
        (r#"{"keys":[]}"#, "HS256"),
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
async fn plain_http_to_another_machine_is_refused_when_it_is_built_with_what_to_do() {
    let issuer = |iss: &str, keys| Issuer::new(iss, "api").unwrap().name("corp").keys(keys);
    let url = |address: &str| KeySource::Url(address.parse().unwrap());
    let cases = [
        issuer("https://idp.example", url("http://idp.example/jwks")),
        issuer("https://idp.example", url("http://10.0.0.1/jwks")),
        issuer("https://idp.example", url("http://localhost.example/jwks")),
        issuer("http://idp.example", KeySource::Discovery),
    ];
    for refused in cases {
        let error = Bearward::builder()
            .issuer(refused.clone())
            .build()
            .await
            .unwrap_err()
            .to_string();
        for said in ["corp", "https://", "allow_http"] {
            assert!(error.contains(said), "{said}: {error}");
        }
        let accepting = policy()
            .allow_http(true)
            .proxy("http://127.0.0.1:9".parse().unwrap());
        assert!(
            Bearward::builder()
                .issuer(refused)
                .jwks_cache(accepting)
                .build()
                .await
                .is_ok(),
            "the way out works"
        );
    }
}

#[tokio::test]
async fn other_addresses_are_refused_by_name() {
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
async fn two_issuers_do_not_see_each_others_keys() {
    let (one, other) = (idp().await, idp().await);
    let auth = builder(&one)
        .issuer(other.as_issuer().name("other"))
        .build()
        .await
        .unwrap();
    auth.wait_for_initial_fetch().await;
    assert_eq!(code(&auth.verify(&one.token().sign()).await), "OK");
    assert_eq!(code(&auth.verify(&other.token().sign()).await), "OK");
    let crossed = one.token().issuer(&other.issuer()).sign();
    assert_eq!(code(&auth.verify(&crossed).await), "UNKNOWN_KEY");
    // Even the very same key is the other's only once the other publishes it.
    other.replace_keys(KeyRing::of(one.key()));
    one.clock().advance(s(1));
    assert_eq!(
        code(
            &auth
                .verify(&one.token().issuer(&other.issuer()).kid("x").sign())
                .await
        ),
        "UNKNOWN_KEY"
    );
}
