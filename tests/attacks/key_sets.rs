//! Hostile key sets: duplicates, invalid keys, extreme cache lifetimes.

use bearward::{Algorithm, Bearward};
use bearward_testing::{
    Faults, MockIdp,
    signing::{KeyPair, encode},
};
use serde_json::{Map, Value, json};

fn serve_keys(keys: &[&Map<String, Value>]) -> Faults {
    Faults::body(json!({ "keys": keys }).to_string())
}

#[tokio::test]
async fn duplicate_key_without_kid_does_not_hide_a_new_key() {
    let idp = MockIdp::start().await;
    let (known, new) = (
        idp.key().jwk(),
        KeyPair::generate(Algorithm::ES256).with_kid("new"),
    );
    let mut without_kid = KeyPair::generate(Algorithm::ES256).jwk();
    without_kid.remove("kid");
    idp.set_faults(serve_keys(&[&known, &without_kid, &without_kid]));
    let auth = Bearward::builder()
        .issuer(idp.as_issuer())
        .build()
        .await
        .unwrap();
    assert!(auth.verify(&idp.token().sign()).await.is_ok());
    idp.set_faults(serve_keys(&[&known, &without_kid, &new.jwk()]));
    assert!(auth.verify(&idp.token().key(new).sign()).await.is_ok());
}

#[tokio::test]
async fn invalid_rsa_keys_do_not_replace_a_good_set() {
    let idp = MockIdp::start_with(Algorithm::RS256).await;
    let token = idp.token().sign();
    let modulus = base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(idp.key().jwk()["n"].as_str().unwrap())
        .unwrap();
    let even = [&modulus[..modulus.len() - 1], &[0x02]].concat();
    for (n, e) in [
        (&even, &[1, 0, 1][..]),
        (&modulus, &[0xff; 5]),
        (&modulus, &[0xff; 255]),
        (&modulus, &[0xff; 16_000]),
    ] {
        idp.recover();
        let auth = Bearward::builder()
            .issuer(idp.as_issuer())
            .build()
            .await
            .unwrap();
        assert!(auth.verify(&token).await.is_ok());
        let mut invalid = idp.key().jwk();
        invalid.insert("n".to_owned(), encode(n).into());
        invalid.insert("e".to_owned(), encode(e).into());
        idp.set_faults(serve_keys(&[&invalid]));
        // An unknown kid triggers a refresh.
        let foreign = KeyPair::generate(Algorithm::ES256);
        assert!(auth.verify(&idp.token().key(foreign).sign()).await.is_err());
        assert!(
            auth.verify(&token).await.is_ok(),
            "n {} bytes, e {} bytes",
            n.len(),
            e.len()
        );
    }
}

#[tokio::test]
async fn huge_cache_lifetimes_are_clamped() {
    for lifetime in [
        "max-age=18446744073709551615",
        "max-age=99999999999999999999999999",
        "max-age=0",
    ] {
        let idp = MockIdp::start().await;
        let largest = Faults {
            age: Some(u64::MAX),
            retry_after: Some(u64::MAX),
            ..Faults::cache_control(lifetime)
        };
        idp.set_faults(largest.clone());
        let auth = Bearward::builder()
            .issuer(idp.as_issuer())
            .build()
            .await
            .unwrap();
        assert!(auth.verify(&idp.token().sign()).await.is_ok(), "{lifetime}");
        idp.set_faults(Faults {
            status: Some(503),
            ..largest
        });
        let failure = auth
            .verify(&idp.token().kid("unknown").sign())
            .await
            .unwrap_err();
        assert_eq!(failure.error.code(), "KEYS_UNAVAILABLE");
        assert!(
            auth.key_set_statuses()[0]
                .next_attempt_in
                .is_some_and(|pause| pause.as_secs() <= 300)
        );
    }
}
