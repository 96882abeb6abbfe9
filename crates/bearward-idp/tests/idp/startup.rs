//! Options with which the IdP starts, and those that it rejects.

use std::net::{SocketAddr, TcpListener};

use bearward::{Bearward, Issuer};
use bearward_idp::{Idp, IdpError, Options};

use crate::fixture::{JSON, TestIdp, options};

#[test]
fn production_environment_is_rejected() {
    for name in [
        "production",
        "Production",
        "PRODUCTION",
        " production ",
        "prod",
    ] {
        let rejected = Idp::start(Options {
            environment: name.to_owned(),
            ..options()
        });
        assert!(matches!(rejected, Err(IdpError::Production)), "{name:?}");
    }
    let message = Idp::start(Options {
        environment: "production".to_owned(),
        ..options()
    })
    .unwrap_err()
    .to_string();
    assert!(
        message.contains("BEARWARD_ENV") && message.contains("real issuer"),
        "{message}"
    );
    for name in ["development", "test", "staging", ""] {
        assert!(
            Idp::start(Options {
                environment: name.to_owned(),
                ..options()
            })
            .is_ok(),
            "{name:?}"
        );
    }
}

#[test]
fn non_loopback_address_is_rejected() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let rejected = Idp::start(Options {
            address: address.parse().unwrap(),
            ..options()
        });
        let Err(error @ IdpError::NotLoopback(_)) = rejected else {
            panic!("{address}: {rejected:?}")
        };
        let message = error.to_string();
        assert!(
            message.contains("127.0.0.1") && message.contains("--dangerous-allow-remote"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn allow_remote_permits_other_addresses_and_a_base() {
    let everywhere = Options {
        address: "0.0.0.0:0".parse().unwrap(),
        dangerous_allow_remote: true,
        ..options()
    };
    let idp = Idp::start(everywhere.clone()).unwrap();
    assert_eq!(
        idp.issuer(),
        format!("http://127.0.0.1:{}/auth/v1", idp.address().port()),
        "0.0.0.0 is not a usable issuer address"
    );

    let named = Idp::start(Options {
        base: Some("http://idp.test:9999/".to_owned()),
        ..everywhere
    })
    .unwrap();
    assert_eq!(
        (named.base(), named.issuer()),
        (
            "http://idp.test:9999".to_owned(),
            "http://idp.test:9999/auth/v1".to_owned()
        )
    );
    let local = local_address(named.address().port());
    let request = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(format!("http://{local}/admin/tokens"));
    assert_eq!(
        request
            .header("host", "idp.test:9999")
            .send()
            .await
            .unwrap()
            .status(),
        200,
        "the base's host is accepted"
    );
}

#[test]
fn invalid_base_is_rejected_with_the_expected_form() {
    for base in [
        "idp:9999",
        "ftp://idp",
        "http://idp/auth/v1",
        "http://idp?x=1",
        "http://user@idp",
        "http://user:pw@idp",
        "",
    ] {
        let rejected = Idp::start(Options {
            base: Some(base.to_owned()),
            ..options()
        });
        let Err(error @ IdpError::InvalidBase(_)) = rejected else {
            panic!("{base}: {rejected:?}")
        };
        assert!(error.to_string().contains("http://HOST:PORT"), "{error}");
    }
}

#[test]
fn port_in_use_is_reported_with_a_hint() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let message = Idp::start(Options {
        address,
        ..options()
    })
    .unwrap_err()
    .to_string();
    assert!(
        message.contains(&address.to_string())
            && message.contains("--bind")
            && message.contains("--idp-bind"),
        "{message}"
    );
}

#[test]
fn dropping_releases_the_port() {
    let idp = TestIdp::start();
    let address = idp.address();
    drop(idp);
    assert!(
        Idp::start(Options {
            address,
            ..options()
        })
        .is_ok()
    );
}

#[tokio::test]
async fn extreme_requests_do_not_stop_the_server() {
    let idp = TestIdp::start();
    for (line, body) in [
        (
            "POST /admin/tokens",
            r#"{"claims": {"exp": -9223372036854775808}}"#,
        ),
        (
            "PUT /admin/faults",
            r#"{"padding_bytes": 99999999999999999}"#,
        ),
        ("PUT /admin/faults", r#"{"status": 101}"#),
        ("POST /admin/keys/%00%ff/revoke", ""),
    ] {
        assert!(
            idp.send_json(line, body).await.status < 500,
            "{line} {body}"
        );
        assert_eq!(
            idp.get("/.well-known/jwks.json").await.status,
            200,
            "after {line} {body}"
        );
    }
    let deep = format!(
        r#"{{"claims": {{"x": {}{}}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(
        idp.send("POST /admin/tokens", &[JSON], &deep).await.status,
        400
    );
    assert_eq!(idp.get("/health").await.status, 200);
}

#[tokio::test]
async fn issuer_supabase_accepts_its_tokens() {
    let idp = TestIdp::start();
    let auth = Bearward::builder()
        .issuer(Issuer::supabase(&idp.base()).unwrap())
        .build()
        .await
        .unwrap();
    assert!(auth.verify(&idp.mint("{}").await).await.is_ok());
}

fn local_address(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}
