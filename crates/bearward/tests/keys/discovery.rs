//! From an issuer to its keys (OpenID Connect Discovery 1.0).

use std::net::TcpListener;

use bearward::{Issuer, KeySetStatus, KeySource};
use bearward_testing::{Faults, MockIdp};
use serde_json::json;

use crate::stack::{Stack, builder_of, code, idp, policy};

fn metadata(issuer: &str, jwks_uri: &str) -> Faults {
    Faults::discovery(json!({ "issuer": issuer, "jwks_uri": jwks_uri }).to_string())
}

async fn discovering(idp: MockIdp) -> Stack {
    let issuer = idp.as_issuer().keys(KeySource::Discovery);
    let auth = builder_of(issuer, &idp).build().await.unwrap();
    auth.wait_for_initial_fetch().await;
    Stack {
        clock: idp.clock(),
        idp,
        auth,
    }
}

/// The identity provider seen as `http://idp.test`: the test plays the proxy that leads there, so its metadata are those of another machine.
async fn elsewhere(idp: &MockIdp) -> KeySetStatus {
    let issuer = Issuer::new("http://idp.test/auth/v1", "authenticated").unwrap();
    let proxy = format!("http://{}", idp.address()).parse().unwrap();
    let policy = policy().allow_http(true).proxy(proxy);
    let auth = builder_of(issuer, idp)
        .key_policy(policy)
        .build()
        .await
        .unwrap();
    auth.wait_for_initial_fetch().await;
    auth.key_set_statuses().swap_remove(0)
}

fn assert_refused(status: &KeySetStatus, reason: &str) {
    assert_eq!((status.state(), status.keys), ("empty", 0), "{reason}");
    assert!(
        status.fetches.contains(&("discovery", 1)),
        "{reason}: {:?}",
        status.fetches
    );
    let error = status
        .last_error
        .as_ref()
        .map_or("", |error| &error.message);
    assert!(error.contains(reason), "{reason}: {error}");
}

#[tokio::test]
async fn the_metadata_lead_to_the_keys_and_are_not_asked_again_while_all_is_well() {
    let stack = discovering(idp().await).await;
    assert_eq!(stack.code(&stack.token().sign()).await, "OK");
    stack.refresh().await;
    stack.idp.rotate();
    assert_eq!(stack.code(&stack.token().sign()).await, "OK");
    assert_eq!((stack.idp.discoveries(), stack.idp.fetches()), (1, 3));
}

#[tokio::test]
async fn after_a_failure_they_are_asked_again_because_the_keys_may_have_moved() {
    let (stack, new_home) = (discovering(idp().await).await, idp().await);
    stack.idp.outage();
    stack.refresh().await;
    stack
        .idp
        .set_faults(metadata(&stack.idp.issuer(), &new_home.jwks_url()));
    stack.refresh().await;
    assert_eq!((stack.idp.discoveries(), new_home.fetches()), (2, 1));
    assert_eq!(
        new_home.requests()[0].header("if-none-match"),
        None,
        "the ETag belonged to the old address"
    );
    assert_eq!(
        stack.code(&stack.token().key(new_home.key()).sign()).await,
        "OK"
    );
}

#[tokio::test]
async fn metadata_of_another_issuer_are_refused() {
    let home = idp().await;
    let same_but = [
        format!("{}/", home.issuer()),
        home.issuer().to_uppercase(),
        home.issuer().replace("/auth/v1", "/auth/v2"),
        "https://evil.example".to_owned(),
        String::new(),
    ];
    for issuer in same_but {
        let idp = idp().await;
        idp.set_faults(metadata(&issuer, &idp.jwks_url()));
        let stack = discovering(idp).await;
        assert_refused(&stack.status(), "must be equal, byte for byte");
        assert_eq!(stack.idp.fetches(), 0, "{issuer}");
    }
}

#[tokio::test]
async fn jwks_uri_may_not_lead_to_another_scheme_or_to_plain_http_elsewhere() {
    let cases = [
        ("file:///etc/passwd", "scheme and a host"),
        ("ftp://127.0.0.1/jwks", "must begin with https://"),
        ("gopher://127.0.0.1:70/", "must begin with https://"),
        ("http://idp.example/jwks", "must begin with https://"),
        (
            "http://169.254.169.254/latest/meta-data",
            "must begin with https://",
        ),
        (
            "http://user:hunter2@127.0.0.1/jwks",
            "user name or password",
        ),
        ("/relative", "scheme and a host"),
        ("", "scheme and a host"),
    ];
    for (jwks_uri, reason) in cases {
        let idp = idp().await;
        idp.set_faults(metadata(&idp.issuer(), jwks_uri));
        let stack = discovering(idp).await;
        assert_refused(&stack.status(), reason);
        assert!(
            !stack
                .status()
                .last_error
                .unwrap()
                .message
                .contains("hunter2"),
            "{jwks_uri}"
        );
        assert_eq!(stack.idp.fetches(), 0, "{jwks_uri}");
    }
}

#[tokio::test]
async fn jwks_uri_of_an_issuer_elsewhere_may_not_lead_to_this_machine() {
    let canary = TcpListener::bind("127.0.0.1:0").unwrap();
    canary.set_nonblocking(true).unwrap();
    let port = canary.local_addr().unwrap().port();
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "127.8.9.10",
        "[::1]",
        "2130706433",
        "0x7f.1",
    ] {
        let idp = idp().await;
        idp.set_faults(metadata(
            "http://idp.test/auth/v1",
            &format!("http://{host}:{port}/jwks"),
        ));
        assert_refused(&elsewhere(&idp).await, "loopback or link-local");
        assert_eq!(idp.discoveries(), 1, "{host}");
        assert!(canary.accept().is_err(), "{host}");
    }
    // The nearest case that is accepted: the same issuer, with keys of its own.
    let idp = idp().await;
    idp.set_faults(metadata(
        "http://idp.test/auth/v1",
        "http://keys.idp.test/.well-known/jwks.json",
    ));
    let status = elsewhere(&idp).await;
    assert_eq!(
        (status.state(), status.keys, idp.fetches()),
        ("fresh", 1, 1)
    );
}

#[tokio::test]
async fn what_is_no_metadata_is_refused_and_leaves_a_good_set_alone() {
    let stack = discovering(idp().await).await;
    stack.idp.outage();
    stack.refresh().await;
    for (n, document) in ["", "[]", "{}", "<html>", r#"{"issuer":7,"jwks_uri":"x"}"#]
        .into_iter()
        .enumerate()
    {
        stack.idp.set_faults(Faults::discovery(document));
        stack.refresh().await;
        assert_eq!(stack.outcome("discovery"), n as u64 + 1, "{document}");
        assert_eq!(
            stack.code(&stack.token().sub(&n.to_string()).sign()).await,
            "OK",
            "{document}"
        );
    }
    stack
        .idp
        .set_faults(Faults::discovery(" ".repeat(128 * 1024 + 1)));
    stack.refresh().await;
    assert_eq!((stack.outcome("too_large"), stack.status().keys), (1, 1));
}

#[tokio::test]
async fn a_token_is_not_asked_for_its_issuers_metadata() {
    let (stack, evil) = (discovering(idp().await).await, idp().await);
    assert_eq!(
        code(&stack.verify(&evil.token().sign()).await),
        "UNKNOWN_ISSUER"
    );
    assert_eq!((evil.discoveries(), evil.fetches()), (0, 0));
}
