//! Where it runs, and where it refuses to.

use std::net::{SocketAddr, TcpListener};

use bearward::{Bearward, Issuer};
use bearward_idp::{Idp, IdpError, Options};

use crate::{
    http::{get, json, send},
    options, start,
};

#[test]
fn it_refuses_to_run_in_production() {
    for name in [
        "production",
        "Production",
        "PRODUCTION",
        " production ",
        "prod",
    ] {
        let refused = Idp::start(Options {
            environment: name.to_owned(),
            ..options()
        });
        assert!(matches!(refused, Err(IdpError::Production)), "{name:?}");
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
fn it_refuses_an_address_that_other_machines_reach() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = Idp::start(Options {
            address: address.parse().unwrap(),
            ..options()
        });
        let Err(error @ IdpError::Remote(_)) = refused else {
            panic!("{address}: {refused:?}")
        };
        let message = error.to_string();
        assert!(
            message.contains("127.0.0.1") && message.contains("--dangerous-allow-remote"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn whoever_says_that_it_is_dangerous_may_open_it_to_a_network() {
    let everywhere = Options {
        address: "0.0.0.0:0".parse().unwrap(),
        dangerous_allow_remote: true,
        ..options()
    };
    let idp = Idp::start(everywhere.clone()).unwrap();
    assert_eq!(
        idp.issuer(),
        format!("http://127.0.0.1:{}/auth/v1", idp.address().port()),
        "0.0.0.0 is nobody's address"
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
    let at_home = at(named.address().port());
    let order = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(format!("http://{at_home}/admin/tokens"));
    assert_eq!(
        order
            .header("host", "idp.test:9999")
            .send()
            .await
            .unwrap()
            .status(),
        200,
        "its own name is no stranger's"
    );
}

#[test]
fn a_base_that_makes_no_issuer_is_refused_with_what_to_write() {
    for base in [
        "idp:9999",
        "ftp://idp",
        "http://idp/auth/v1",
        "http://idp?x=1",
        "http://user@idp",
        "http://user:pw@idp",
        "",
    ] {
        let refused = Idp::start(Options {
            base: Some(base.to_owned()),
            ..options()
        });
        let Err(error @ IdpError::Base(_)) = refused else {
            panic!("{base}: {refused:?}")
        };
        assert!(error.to_string().contains("http://HOST:PORT"), "{error}");
    }
}

#[test]
fn a_taken_port_is_named_with_what_to_do() {
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
fn its_port_is_free_again_once_it_is_dropped() {
    let idp = start();
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
async fn what_a_panic_or_an_abort_would_be_made_of_leaves_it_running() {
    let idp = start();
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
        assert!(json(&idp, line, body).await.status < 500, "{line} {body}");
        assert_eq!(
            get(&idp, "/.well-known/jwks.json").await.status,
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
        send(&idp, "POST /admin/tokens", &[crate::http::JSON], &deep)
            .await
            .status,
        400
    );
    assert_eq!(get(&idp, "/health").await.status, 200);
}

#[tokio::test]
async fn it_is_a_supabase_project_to_whoever_is_told_so() {
    let idp = start();
    let auth = Bearward::builder()
        .issuer(Issuer::supabase(&idp.base()).unwrap())
        .build()
        .await
        .unwrap();
    assert!(
        auth.verify(&crate::http::mint(&idp, "{}").await)
            .await
            .is_ok()
    );
}

fn at(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}
