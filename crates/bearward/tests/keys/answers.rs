//! Answers that are no key set, and sets that are not all keys.

use std::{io, net::TcpListener, time::Duration};

use bearward::Algorithm;
use bearward_testing::{Faults, KeyPair, MockIdp};
use serde_json::json;

use crate::stack::{REFRESHED, Stack, builder, builder_of, code, idp, policy};

/// A listener that nobody may talk to.
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

    fn assert_silent(&self, what: &str) {
        let error = self.0.accept().expect_err(what);
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{what}");
    }
}

/// A set of that many keys, the identity provider's own the last.
fn set_of(idp: &MockIdp, keys: usize) -> String {
    let filler = KeyPair::generate(Algorithm::EdDSA);
    let mut jwks: Vec<_> = (1..keys)
        .map(|n| filler.clone().with_kid(format!("filler-{n}")).jwk())
        .collect();
    jwks.push(idp.key().jwk());
    json!({ "keys": jwks }).to_string()
}

/// Everything that must leave a good set alone: its name, the fault, and what the message says.
fn bad_answers(idp: &MockIdp) -> Vec<(&'static str, Faults, &'static str)> {
    let symmetric = json!({"keys": [{"kty": "oct", "kid": "a", "k": "c2VjcmV0"}]}).to_string();
    vec![
        ("no_usable_key", Faults::body(r#"{"keys":[]}"#), "HS256"),
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
async fn no_answer_empties_a_good_set_and_each_has_a_name_and_a_message() {
    let stack = Stack::warm().await;
    let cached = stack.token().sign();
    assert_eq!(stack.code(&cached).await, "OK");
    for (outcome, fault, message) in bad_answers(&stack.idp) {
        stack.idp.set_faults(fault.clone());
        let before = stack.outcome(outcome);
        stack.advance(REFRESHED).await;
        assert_eq!(stack.outcome(outcome), before + 1, "{fault:?}");
        let error = stack.status().last_error.expect("an error").message;
        assert!(error.contains(message), "{fault:?}: {error}");
        assert_eq!(
            (stack.status().keys, stack.status().generation),
            (1, 1),
            "{fault:?}"
        );
        assert_eq!(stack.code(&cached).await, "OK", "{fault:?}");
        assert_eq!(
            stack.code(&stack.token().sub(message).sign()).await,
            "OK",
            "{fault:?}"
        );
        stack.idp.recover();
        stack.refresh().await;
        assert_eq!(stack.status().last_error, None, "{fault:?}");
    }
}

#[tokio::test]
async fn the_same_answers_at_the_start_leave_the_set_empty_until_a_good_one() {
    let faults = bad_answers(&idp().await).into_iter();
    for (outcome, fault, _) in faults {
        let idp = idp().await;
        idp.set_faults(fault.clone());
        let stack = Stack::warm_at(idp).await;
        assert_eq!(
            (stack.outcome(outcome), stack.state(), stack.auth.is_ready()),
            (1, "empty", false),
            "{fault:?}"
        );
        stack.idp.recover();
        stack.refresh().await;
        assert_eq!(stack.code(&stack.token().sign()).await, "OK", "{fault:?}");
    }
}

#[tokio::test]
async fn a_redirect_target_gets_no_request() {
    let canary = Canary::new();
    let stack = Stack::warm().await;
    for status in [301, 302, 303, 307, 308] {
        stack.idp.set_faults(Faults {
            status: Some(status),
            redirect_to: Some(canary.url()),
            ..Faults::default()
        });
        stack.refresh().await;
        canary.assert_silent(&status.to_string());
    }
    assert_eq!(stack.outcome("redirect"), 5);
    assert_eq!(stack.code(&stack.token().sign()).await, "OK");
}

#[tokio::test]
async fn what_a_token_names_gets_no_request() {
    let canary = Canary::new();
    let stack = Stack::warm().await;
    let token = || {
        stack
            .token()
            .header("jku", canary.url())
            .header("x5u", canary.url())
    };
    for (what, token) in [
        ("a known kid", token().sign()),
        ("an unknown kid", token().kid("nobody").sign()),
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
        drop(stack.verify(&token).await);
        canary.assert_silent(what);
    }
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_a_failure() {
    let idp = idp().await;
    idp.set_faults(Faults {
        retry_after: Some(60),
        ..Faults::status(304)
    });
    let stack = Stack::warm_at(idp).await;
    assert_eq!((stack.outcome("status"), stack.state()), (1, "empty"));
}

#[tokio::test]
async fn an_answer_that_never_comes_is_given_up() {
    let idp = idp().await;
    idp.set_faults(Faults::hang());
    let short = Duration::from_millis(200);
    let stack = Stack::warm_with(idp, policy().connect_timeout(short).timeout(short)).await;
    assert_eq!((stack.outcome("timeout"), stack.state()), (1, "empty"));
    stack.idp.recover();
    stack.refresh().await;
    assert_eq!(stack.state(), "fresh");
}

#[tokio::test]
async fn an_address_where_nothing_listens_is_a_failure_by_name() {
    // Bound and not listening: nobody else can take the port, and every connection is refused.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let idp = idp().await;
    let url = format!("http://{}/jwks", held.local_addr().unwrap())
        .parse()
        .unwrap();
    let issuer = idp.as_issuer().keys(bearward::KeySource::Url(url));
    let auth = builder_of(issuer, &idp).build().await.unwrap();
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
async fn a_set_of_100_keys_is_read_and_one_of_101_is_not() {
    for (keys, state, outcome) in [(100, "fresh", "updated"), (101, "empty", "too_many_keys")] {
        let idp = idp().await;
        idp.set_faults(Faults::body(set_of(&idp, keys)));
        let stack = Stack::warm_at(idp).await;
        assert_eq!(
            (stack.state(), stack.outcome(outcome)),
            (state, 1),
            "{keys}"
        );
        assert!(
            stack.state() == "empty" || stack.code(&stack.token().sign()).await == "OK",
            "{keys}"
        );
    }
}

#[tokio::test]
async fn a_document_of_128_kib_is_read_and_one_byte_more_is_not() {
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
        let stack = Stack::warm_at(idp).await;
        assert_eq!(
            (stack.state(), stack.outcome(outcome)),
            (state, 1),
            "{bytes}"
        );
        assert!(
            stack.state() == "empty" || stack.code(&stack.token().sign()).await == "OK",
            "{bytes}"
        );
    }
}

#[tokio::test]
async fn what_is_no_usable_key_is_skipped_with_its_reason_and_the_rest_serves() {
    let idp = idp().await;
    let other = |kid: &str, change: fn(&mut serde_json::Map<String, serde_json::Value>)| {
        let mut jwk = KeyPair::shared(Algorithm::EdDSA, 1).with_kid(kid).jwk();
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
    let stack = Stack::warm_at(idp).await;
    let status = stack.status();
    assert_eq!((status.keys, status.state()), (1, "fresh"));
    let skipped: Vec<String> = status.ignored.iter().map(ToString::to_string).collect();
    assert_eq!(
        skipped,
        [
            "kty: unsupported kty",
            "crv: unsupported crv (supported: P-256, P-384, Ed25519)",
            "alg: alg is unknown or does not match kty",
            "use: use is not \"sig\"",
            "key_ops: key_ops does not contain \"verify\"",
            "private: contains private key parameters; rotate this key immediately",
            "short: invalid curve point",
            "malformed: malformed",
            "oct: symmetric key (oct)",
        ]
    );
    assert_eq!(stack.code(&stack.token().sign()).await, "OK");
    assert_eq!(
        stack
            .code(
                &stack
                    .token()
                    .key(KeyPair::shared(Algorithm::EdDSA, 1).with_kid("use"))
                    .sign()
            )
            .await,
        "UNKNOWN_KEY"
    );
}

#[tokio::test]
async fn nothing_is_said_to_the_identity_provider_but_what_it_needs() {
    let idp = idp().await;
    let auth = builder(&idp).build().await.unwrap();
    auth.wait_for_initial_fetch().await;
    let seen = idp.requests().swap_remove(0);
    let mut names: Vec<&str> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["accept", "host", "user-agent"],
        "no cookie, no token, no referrer"
    );
    assert_eq!(code(&auth.verify(&idp.token().sign()).await), "OK");
}
