//! OpenID Connect Discovery 1.0: from an issuer to its keys.

use std::net::TcpListener;

use bearward::{Issuer, KeySetStatus, KeySource};
use bearward_testing::{Faults, MockIdp};
use serde_json::json;

use crate::fixture::{Fixture, builder_for, cache_config, idp, result_code};

fn metadata(issuer: &str, jwks_uri: &str) -> Faults {
    Faults::discovery(json!({ "issuer": issuer, "jwks_uri": jwks_uri }).to_string())
}

async fn start_with_discovery(idp: MockIdp) -> Fixture {
    let issuer = idp.as_issuer().keys(KeySource::Discovery);
    let auth = builder_for(issuer, &idp).build().await.unwrap();
    auth.wait_for_initial_fetch().await;
    Fixture {
        clock: idp.clock(),
        idp,
        auth,
    }
}

/// Runs a first fetch for `http://idp.test`. The mock provider acts as the HTTP proxy, so that its
/// metadata appears to come from a remote host.
async fn fetch_as_remote_issuer(idp: &MockIdp) -> KeySetStatus {
    let issuer = Issuer::new("http://idp.test/auth/v1", "authenticated").unwrap();
    let proxy = format!("http://{}", idp.address()).parse().unwrap();
    let config = cache_config().allow_http(true).proxy(proxy);
    let auth = builder_for(issuer, idp)
        .jwks_cache(config)
        .build()
        .await
        .unwrap();
    auth.wait_for_initial_fetch().await;
    auth.key_set_statuses().swap_remove(0)
}

fn assert_rejected(status: &KeySetStatus, reason: &str) {
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

/// Entra ID: the metadata of all tenants has an issuer with a placeholder that is no claim.
#[tokio::test]
async fn one_document_describes_the_issuers_of_all_tenants() {
    let idp = idp().await;
    let base = idp.base();
    let url = format!("{}/.well-known/openid-configuration", idp.issuer());
    idp.set_faults(metadata(
        &format!("{base}/{{tenantid}}/v2.0"),
        &idp.jwks_url(),
    ));
    let template = format!("{base}/{{tid}}/v2.0");
    let all = Issuer::new(&template, idp.audience()).unwrap();
    let all = all.keys(KeySource::DiscoveryUrl(url.parse().unwrap()));
    let some = all.clone().tenants(["a"]).unwrap();
    for (issuer, accepts_b) in [(all, true), (some, false)] {
        let auth = builder_for(issuer, &idp).build().await.unwrap();
        auth.wait_for_initial_fetch().await;
        for (tenant, accepted) in [("a", true), ("b", accepts_b)] {
            let iss = template.replace("{tid}", tenant);
            let token = idp.token().issuer(&iss).claim("tid", tenant).sign();
            let code = result_code(&auth.verify(&token).await);
            let expected = if accepted { "OK" } else { "UNKNOWN_ISSUER" };
            assert_eq!(code, expected, "{tenant}");
        }
    }
}

#[tokio::test]
async fn metadata_is_fetched_once_while_fetches_succeed() {
    let fixture = start_with_discovery(idp().await).await;
    assert_eq!(fixture.result_code(&fixture.token().sign()).await, "OK");
    fixture.refresh().await;
    fixture.idp.rotate();
    assert_eq!(fixture.result_code(&fixture.token().sign()).await, "OK");
    assert_eq!((fixture.idp.discoveries(), fixture.idp.fetches()), (1, 3));
}

#[tokio::test]
async fn metadata_is_fetched_again_after_a_failure() {
    let (fixture, new_provider) = (start_with_discovery(idp().await).await, idp().await);
    fixture.idp.outage();
    fixture.refresh().await;
    fixture
        .idp
        .set_faults(metadata(&fixture.idp.issuer(), &new_provider.jwks_url()));
    fixture.refresh().await;
    assert_eq!((fixture.idp.discoveries(), new_provider.fetches()), (2, 1));
    assert_eq!(
        new_provider.requests()[0].header("if-none-match"),
        None,
        "the ETag belongs to the old URL"
    );
    assert_eq!(
        fixture
            .result_code(&fixture.token().key(new_provider.key()).sign())
            .await,
        "OK"
    );
}

#[tokio::test]
async fn metadata_of_another_issuer_is_rejected() {
    let provider = idp().await;
    let other_issuers = [
        format!("{}/", provider.issuer()),
        provider.issuer().to_uppercase(),
        provider.issuer().replace("/auth/v1", "/auth/v2"),
        "https://evil.example".to_owned(),
        String::new(),
    ];
    for issuer in other_issuers {
        let idp = idp().await;
        idp.set_faults(metadata(&issuer, &idp.jwks_url()));
        let fixture = start_with_discovery(idp).await;
        assert_rejected(&fixture.status(), "must be equal, byte for byte");
        assert_eq!(fixture.idp.fetches(), 0, "{issuer}");
    }
}

#[tokio::test]
async fn jwks_uri_must_be_https() {
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
        let fixture = start_with_discovery(idp).await;
        assert_rejected(&fixture.status(), reason);
        assert!(
            !fixture
                .status()
                .last_error
                .unwrap()
                .message
                .contains("hunter2"),
            "{jwks_uri}"
        );
        assert_eq!(fixture.idp.fetches(), 0, "{jwks_uri}");
    }
}

#[tokio::test]
async fn jwks_uri_of_a_remote_issuer_must_not_be_local() {
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
        assert_rejected(
            &fetch_as_remote_issuer(&idp).await,
            "loopback or link-local",
        );
        assert_eq!(idp.discoveries(), 1, "{host}");
        assert!(canary.accept().is_err(), "{host}");
    }
    // Accepted: the same issuer with keys on its own host.
    let idp = idp().await;
    idp.set_faults(metadata(
        "http://idp.test/auth/v1",
        "http://keys.idp.test/.well-known/jwks.json",
    ));
    let status = fetch_as_remote_issuer(&idp).await;
    assert_eq!(
        (status.state(), status.keys, idp.fetches()),
        ("fresh", 1, 1)
    );
}

#[tokio::test]
async fn invalid_metadata_keeps_the_current_set() {
    let fixture = start_with_discovery(idp().await).await;
    fixture.idp.outage();
    fixture.refresh().await;
    for (n, document) in ["", "[]", "{}", "<html>", r#"{"issuer":7,"jwks_uri":"x"}"#]
        .into_iter()
        .enumerate()
    {
        fixture.idp.set_faults(Faults::discovery(document));
        fixture.refresh().await;
        assert_eq!(
            fixture.fetch_outcomes("discovery"),
            n as u64 + 1,
            "{document}"
        );
        assert_eq!(
            fixture
                .result_code(&fixture.token().sub(&n.to_string()).sign())
                .await,
            "OK",
            "{document}"
        );
    }
    fixture
        .idp
        .set_faults(Faults::discovery(" ".repeat(128 * 1024 + 1)));
    fixture.refresh().await;
    assert_eq!(
        (fixture.fetch_outcomes("too_large"), fixture.status().keys),
        (1, 1)
    );
}

#[tokio::test]
async fn a_token_of_an_unknown_issuer_causes_no_discovery() {
    let (fixture, foreign) = (start_with_discovery(idp().await).await, idp().await);
    assert_eq!(
        result_code(&fixture.verify(&foreign.token().sign()).await),
        "UNKNOWN_ISSUER"
    );
    assert_eq!((foreign.discoveries(), foreign.fetches()), (0, 0));
}
