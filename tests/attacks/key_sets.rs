//! Key sets that hide a key, take the good ones away, or make numbers run over.

use {Algorithm, Bearward};
use bearward_testing::{
    Faults, MockIdp,
    signing::{KeyPair, encode},
};
use serde_json::{Map, Value, json};

fn set(keys: &[&Map<String, Value>]) -> Faults {
    Faults::body(json!({ "keys": keys }).to_string())
}

#[tokio::test]
async fn a_key_without_kid_that_stands_twice_does_not_hide_a_new_key() {
    let idp = MockIdp::start().await;
    let (known, new) = (
        idp.key().jwk(),
        KeyPair::generate(Algorithm::ES256).with_kid("new"),
    );
    let mut nameless = KeyPair::generate(Algorithm::ES256).jwk();
    nameless.remove("kid");
    idp.set_faults(set(&[&known, &nameless, &nameless]));
    let auth = Bearward::builder()
        .issuer(idp.as_issuer())
        .build()
        .await
        .unwrap();
    assert!(auth.verify(&idp.token().sign()).await.is_ok());
    idp.set_faults(set(&[&known, &nameless, &new.jwk()]));
    assert!(auth.verify(&idp.token().key(new).sign()).await.is_ok());
}

#[tokio::test]
async fn keys_that_could_never_verify_are_skipped_and_take_no_good_set_away() {
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
        let mut useless = idp.key().jwk();
        useless.insert("n".to_owned(), encode(n).into());
        useless.insert("e".to_owned(), encode(e).into());
        idp.set_faults(set(&[&useless]));
        // An unknown kid asks for the set again.
        let stranger = KeyPair::generate(Algorithm::ES256);
        assert!(
            auth.verify(&idp.token().key(stranger).sign())
                .await
                .is_err()
        );
        assert!(
            auth.verify(&token).await.is_ok(),
            "n {} bytes, e {} bytes",
            n.len(),
            e.len()
        );
    }
}

#[tokio::test]
async fn times_as_large_as_numbers_go_neither_overflow_nor_last_for_ever() {
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
        let refusal = auth
            .verify(&idp.token().kid("unknown").sign())
            .await
            .unwrap_err();
        assert_eq!(refusal.error.code(), "KEYS_UNAVAILABLE");
        assert!(
            auth.key_set_statuses()[0]
                .next_attempt_in
                .is_some_and(|pause| pause.as_secs() <= 300)
        );
    }
}
