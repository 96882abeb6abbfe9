//! Invalid JWKS responses, size limits, and key sets with unusable keys.

use std::{io, net::TcpListener, time::Duration};

use bearward::Algorithm;
use bearward_testing::{Faults, KeyPair, MockIdp};
use serde_json::json;

use crate::fixture::{Fixture, PAST_REFRESH, builder, builder_for, cache_config, idp, result_code};

/// A listener that must not receive a connection.
struct Canary(TcpListener);

impl Canary {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn url(&self) -> String {
        format!("http://{}/jwks", self.0.local_addr().unwrap())
    }

    fn assert_silent(&self, case: &str) {
        let error = self.0.accept().expect_err(case);
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{case}");
    }
}

/// Returns a set of `keys` keys, with the key of the identity provider as the last one.
fn set_of(idp: &MockIdp, keys: usize) -> String {
    let filler = KeyPair::generate(Algorithm::EdDSA);
    let mut jwks: Vec<_> = (1..keys)
        .map(|n| filler.clone().with_kid(format!("filler-{n}")).jwk())
        .collect();
    jwks.push(idp.key().jwk());
    json!({ "keys": jwks }).to_string()
}

/// Returns responses that must not replace the current set: outcome, fault, and an excerpt of the
/// error message.
fn bad_answers(idp: &MockIdp) -> Vec<(&'static str, Faults, &'static str)> {
    let symmetric = json!({"keys": [{"kty": "oct", "kid": "a", "k": "c2VjcmV0"}]}).to_string();
    vec![
        (
            "no_usable_key",
            Faults::body(r#"{"keys":[]}"#),
            "the key set is empty",
        ),
        ("no_usable_key", Faults::body(symmetric), "symmetric"),
        ("not_a_set", Faults::body(r#"{"error":"oops"}"#), "keys"),
        ("not_a_set", Faults::body(r#"{"keys":{}}"#), "keys"),
        (
            "not_json",
            Faults::body("<html>Welcome to our sign-in page</html>"),
            "JSON",
        ),
        ("not_json", Faults::body(""), "JSON"),
        ("not_json", Faults::body("[]"), "JSON object"),
        ("not_json", Faults::body(r#"{"keys":[]} trailing"#), "JSON"),
        ("too_many_keys", Faults::body(set_of(idp, 101)), "101"),
        (
            "too_large",
            Faults {
                padding_bytes: Some(128 * 1024),
                ..Faults::default()
            },
            "131072",
        ),
        (
            "interrupted",
            Faults {
                cut: true,
                ..Faults::default()
            },
            "interrupted",
        ),
        (
            "redirect",
            Faults::redirect("https://elsewhere.example/jwks"),
            "redirects are not followed",
        ),
        ("status", Faults::status(204), "204"),
        ("status", Faults::status(404), "404"),
        ("status", Faults::status(429), "429"),
        ("status", Faults::status(500), "500"),
    ]
}

#[tokio::test]
async fn an_invalid_response_keeps_the_current_set_and_is_reported() {
    let fixture = Fixture::start().await;
    let cached = fixture.token().sign();
    assert_eq!(fixture.result_code(&cached).await, "OK");
    for (outcome, fault, message) in bad_answers(&fixture.idp) {
        fixture.idp.set_faults(fault.clone());
        let before = fixture.fetch_outcomes(outcome);
        fixture.advance(PAST_REFRESH).await;
        assert_eq!(fixture.fetch_outcomes(outcome), before + 1, "{fault:?}");
        let error = fixture.status().last_error.expect("an error").message;
        assert!(error.contains(message), "{fault:?}: {error}");
        assert_eq!(
            (fixture.status().keys, fixture.status().generation),
            (1, 1),
            "{fault:?}"
        );
        assert_eq!(fixture.result_code(&cached).await, "OK", "{fault:?}");
        assert_eq!(
            fixture
                .result_code(&fixture.token().sub(message).sign())
                .await,
            "OK",
            "{fault:?}"
        );
        fixture.idp.recover();
        fixture.refresh().await;
        assert_eq!(fixture.status().last_error, None, "{fault:?}");
    }
}

#[tokio::test]
async fn an_invalid_initial_response_leaves_the_set_empty() {
    let faults = bad_answers(&idp().await).into_iter();
    for (outcome, fault, _) in faults {
        let idp = idp().await;
        idp.set_faults(fault.clone());
        let fixture = Fixture::start_with_idp(idp).await;
        assert_eq!(
            (
                fixture.fetch_outcomes(outcome),
                fixture.state(),
                fixture.auth.is_ready()
            ),
            (1, "empty", false),
            "{fault:?}"
        );
        fixture.idp.recover();
        fixture.refresh().await;
        assert_eq!(
            fixture.result_code(&fixture.token().sign()).await,
            "OK",
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let canary = Canary::new();
    let fixture = Fixture::start().await;
    for status in [301, 302, 303, 307, 308] {
        fixture.idp.set_faults(Faults {
            status: Some(status),
            redirect_to: Some(canary.url()),
            ..Faults::default()
        });
        fixture.refresh().await;
        canary.assert_silent(&status.to_string());
    }
    assert_eq!(fixture.fetch_outcomes("redirect"), 5);
    assert_eq!(fixture.result_code(&fixture.token().sign()).await, "OK");
}

#[tokio::test]
async fn urls_in_a_token_are_never_contacted() {
    let canary = Canary::new();
    let fixture = Fixture::start().await;
    let token = || {
        fixture
            .token()
            .header("jku", canary.url())
            .header("x5u", canary.url())
    };
    for (case, token) in [
        ("a known kid", token().sign()),
        ("an unknown kid", token().kid("unknown").sign()),
        (
            "a kid that is an address",
            token().kid(&canary.url()).sign(),
        ),
        (
            "an issuer that is an address",
            token().issuer(&canary.url()).sign(),
        ),
        ("a forged signature", token().signed_by_stranger()),
    ] {
        drop(fixture.verify(&token).await);
        canary.assert_silent(case);
    }
}

#[tokio::test]
async fn an_unrequested_304_is_a_failure() {
    let idp = idp().await;
    idp.set_faults(Faults {
        retry_after: Some(60),
        ..Faults::status(304)
    });
    let fixture = Fixture::start_with_idp(idp).await;
    assert_eq!(
        (fixture.fetch_outcomes("status"), fixture.state()),
        (1, "empty")
    );
}

#[tokio::test]
async fn a_missing_response_times_out() {
    let idp = idp().await;
    idp.set_faults(Faults::hang());
    let short = Duration::from_millis(200);
    let fixture =
        Fixture::start_with(idp, cache_config().connect_timeout(short).timeout(short)).await;
    assert_eq!(
        (fixture.fetch_outcomes("timeout"), fixture.state()),
        (1, "empty")
    );
    fixture.idp.recover();
    fixture.refresh().await;
    assert_eq!(fixture.state(), "fresh");
}

#[tokio::test]
async fn a_refused_connection_is_reported_as_connect() {
    // The port is bound but not listening, so every connection is refused.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let idp = idp().await;
    let url = format!("http://{}/jwks", socket.local_addr().unwrap())
        .parse()
        .unwrap();
    let issuer = idp.as_issuer().keys(bearward::KeySource::Url(url));
    let auth = builder_for(issuer, &idp).build().await.unwrap();
    auth.wait_for_initial_fetch().await;
    let status = auth.key_set_statuses().swap_remove(0);
    assert!(
        status.fetches.contains(&("connect", 1)),
        "{:?}",
        status.fetches
    );
    assert!(
        status
            .last_error
            .is_some_and(|error| error.message.contains("refused"))
    );
    assert_eq!(idp.fetches(), 0);
}

#[tokio::test]
async fn a_set_has_at_most_100_keys() {
    for (keys, state, outcome) in [(100, "fresh", "updated"), (101, "empty", "too_many_keys")] {
        let idp = idp().await;
        idp.set_faults(Faults::body(set_of(&idp, keys)));
        let fixture = Fixture::start_with_idp(idp).await;
        assert_eq!(
            (fixture.state(), fixture.fetch_outcomes(outcome)),
            (state, 1),
            "{keys}"
        );
        assert!(
            fixture.state() == "empty"
                || fixture.result_code(&fixture.token().sign()).await == "OK",
            "{keys}"
        );
    }
}

#[tokio::test]
async fn a_document_has_at_most_128_kib() {
    for (bytes, state, outcome) in [
        (128 * 1024, "fresh", "updated"),
        (128 * 1024 + 1, "empty", "too_large"),
    ] {
        let idp = idp().await;
        let set = json!({ "keys": [idp.key().jwk()] }).to_string();
        let padding_bytes = Some(bytes - set.len());
        idp.set_faults(Faults {
            padding_bytes,
            body: Some(set),
            ..Faults::default()
        });
        let fixture = Fixture::start_with_idp(idp).await;
        assert_eq!(
            (fixture.state(), fixture.fetch_outcomes(outcome)),
            (state, 1),
            "{bytes}"
        );
        assert!(
            fixture.state() == "empty"
                || fixture.result_code(&fixture.token().sign()).await == "OK",
            "{bytes}"
        );
    }
}

#[tokio::test]
async fn unusable_keys_are_ignored_with_a_reason() {
    let idp = idp().await;
    let other = |kid: &str, change: fn(&mut serde_json::Map<String, serde_json::Value>)| {
        let mut jwk = KeyPair::cached(Algorithm::EdDSA, 1).with_kid(kid).jwk();
        change(&mut jwk);
        jwk
    };
    let set = json!({"keys": [
        other("kty", |jwk| drop(jwk.insert("kty".into(), "XYZ".into()))),
        other("crv", |jwk| drop(jwk.insert("crv".into(), "Ed448".into()))),
        other("alg", |jwk| drop(jwk.insert("alg".into(), "HS256".into()))),
        other("use", |jwk| drop(jwk.insert("use".into(), "enc".into()))),
        other("key_ops", |jwk| drop(jwk.insert("key_ops".into(), json!(["sign"])))),
        other("private", |jwk| drop(jwk.insert("d".into(), "AA".into()))),
        other("short", |jwk| drop(jwk.insert("x".into(), "AAAA".into()))),
        other("malformed", |jwk| drop(jwk.insert("x".into(), 7.into()))),
        json!({"kty": "oct", "kid": "oct", "k": "c2VjcmV0"}).as_object().cloned().unwrap(),
        idp.key().jwk(),
    ]});
    idp.set_faults(Faults::body(set.to_string()));
    let fixture = Fixture::start_with_idp(idp).await;
    let status = fixture.status();
    assert_eq!((status.keys, status.state()), (1, "fresh"));
    let skipped: Vec<String> = status.ignored.iter().map(ToString::to_string).collect();
    assert_eq!(
        skipped,
        [
            "kty: unsupported kty",
            "crv: unsupported crv (supported: P-256, P-384, P-521, Ed25519)",
            "alg: alg is unknown or does not match kty",
            "use: use is not \"sig\"",
            "key_ops: key_ops does not contain \"verify\"",
            "private: contains private key parameters; rotate this key immediately",
            "short: invalid curve point",
            "malformed: malformed: the member \"x\" is invalid",
            "oct: symmetric key (oct)",
        ]
    );
    assert_eq!(fixture.result_code(&fixture.token().sign()).await, "OK");
    assert_eq!(
        fixture
            .result_code(
                &fixture
                    .token()
                    .key(KeyPair::cached(Algorithm::EdDSA, 1).with_kid("use"))
                    .sign()
            )
            .await,
        "UNKNOWN_KEY"
    );
}

#[tokio::test]
async fn a_fetch_sends_only_the_necessary_headers() {
    let idp = idp().await;
    let auth = builder(&idp).build().await.unwrap();
    auth.wait_for_initial_fetch().await;
    let request = idp.requests().swap_remove(0);
    let mut names: Vec<&str> = request
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["accept", "host", "user-agent"],
        "no other headers are sent"
    );
    assert_eq!(result_code(&auth.verify(&idp.token().sign()).await), "OK");
}
