//! `bearward serve`: it stands while its issuer falls, and says how it is.

use std::{net::TcpListener, time::Duration};

use bearward::Algorithm;
use bearward_testing::{Faults, KeyRing, MockIdp};

use crate::{
    bearward,
    child::{Running, get, get_as, send, until_status},
    run,
};

/// A server on a free port, and its address.
fn start(supabase_url: &str, variables: &[(&str, &str)]) -> (Running, String) {
    let variables = [&[("SUPABASE_URL", supabase_url)], variables].concat();
    let server = Running::start(bearward(&["serve", "--bind", "127.0.0.1:0"], &variables));
    let line = server.line(" serves ");
    let address = line
        .split("address=")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .expect("its address");
    let api = format!("http://{address}");
    (server, api)
}

/// An address where nothing listens now.
fn free() -> std::net::SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

#[tokio::test]
async fn a_server_that_trusts_a_project_lets_its_people_in() {
    let idp = MockIdp::start().await;
    let (server, api) = start(&idp.base(), &[]);
    assert_eq!(
        until_status(&format!("{api}/readyz"), 200).await.body,
        "ok\n"
    );
    let (good, bad) = (idp.token().sub("ada").sign(), idp.token().tampered());
    assert_eq!(
        get_as(&format!("{api}/protected"), &good).await.json()["user_id"],
        "ada"
    );
    assert_eq!(
        get_as(&format!("{api}/protected"), &bad).await.code(),
        "INVALID_SIGNATURE"
    );
    let none = get(&format!("{api}/protected")).await;
    assert_eq!((none.status, none.code().as_str()), (401, "MISSING_TOKEN"));
    assert!(
        !none.headers["www-authenticate"]
            .to_str()
            .unwrap()
            .contains("error="),
        "nobody was refused for a token"
    );
    assert_eq!(get(&format!("{api}/health")).await.json()["status"], "ok");
    assert!(
        get(&format!("{api}/metrics"))
            .await
            .body
            .contains("bearward_")
    );
    let (_, _, output) = server.stop("TERM");
    assert!(!output.contains("eyJ"), "no token in the log: {output}");
}

#[tokio::test]
async fn with_its_issuer_down_it_serves_503_and_recovers_by_itself() {
    let address = free();
    let (server, api) = start(&format!("http://{address}"), &[]);
    assert_eq!(get(&format!("{api}/livez")).await.status, 200);
    let unready = get(&format!("{api}/readyz")).await;
    assert_eq!(
        (unready.status, unready.code().as_str()),
        (503, "KEYS_UNAVAILABLE")
    );
    assert!(
        unready.body.contains("supabase"),
        "which issuer: {unready:?}"
    );
    assert_eq!(unready.headers["retry-after"], "2");
    let health = get(&format!("{api}/health")).await;
    assert_eq!(
        (health.status, &health.json()["status"]),
        (200, &"degraded".into())
    );

    let keys = KeyRing::new(Algorithm::ES256);
    let token = MockIdp::start_with(Algorithm::ES256)
        .await
        .token()
        .issuer(&format!("http://{address}/auth/v1"));
    let token = token.key(keys.current().clone()).sub("ada").sign();
    let refused = get_as(&format!("{api}/protected"), &token).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "KEYS_UNAVAILABLE"),
        "never 401"
    );
    let seconds: u64 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(refused.headers.get("www-authenticate").is_none());
    server.line("keys not fetched");

    let _idp = MockIdp::bind(address, keys).unwrap();
    until_status(&format!("{api}/readyz"), 200).await;
    assert_eq!(
        get_as(&format!("{api}/protected"), &token).await.json()["user_id"],
        "ada"
    );
}

#[tokio::test]
async fn a_project_that_signs_with_a_shared_secret_is_told_at_the_start() {
    let idp = MockIdp::start().await;
    idp.set_faults(Faults::body(r#"{"keys":[]}"#));
    let server = Running::start(bearward(
        &["serve", "--bind", "127.0.0.1:0"],
        &[("SUPABASE_URL", &idp.base())],
    ));
    let line = server.line("keys not fetched");
    assert!(
        line.contains("HS256") && line.contains("asymmetric signing keys"),
        "{line}"
    );
}

#[tokio::test]
async fn a_request_under_way_ends_before_the_server_does() {
    let idp = MockIdp::start().await;
    idp.set_faults(Faults::hang());
    let (server, api) = start(&idp.base(), &[("BEARWARD_SERVER__SHUTDOWN_TIMEOUT", "20s")]);
    // From then on it takes signals.
    until_status(&format!("{api}/livez"), 200).await;
    let url = format!("{api}/protected");
    let token = idp.token().sign();
    // It waits for the keys, two seconds at most.
    let waiting = tokio::spawn(async move { get_as(&url, &token).await.status });
    while idp.fetches() == 0 {
        tokio::task::yield_now().await;
    }
    let stopped = tokio::task::spawn_blocking(move || server.stop("TERM"));
    idp.recover();
    let status = waiting.await;
    let (end, took, output) = stopped.await.unwrap();
    assert_eq!(end.code(), Some(0), "{output}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    // The request may have come after the signal; then it was not accepted at all.
    assert!(status.is_err() || [200, 503].contains(&status.unwrap()));
}

#[tokio::test]
async fn metrics_move_to_an_address_of_their_own() {
    let idp = MockIdp::start().await;
    let admin = free().to_string();
    let (server, api) = start(&idp.base(), &[("BEARWARD_SERVER__ADMIN_BIND", &admin)]);
    assert_eq!(get(&format!("{api}/metrics")).await.status, 404);
    assert!(
        get(&format!("http://{admin}/metrics"))
            .await
            .body
            .contains("bearward_")
    );
    assert_eq!(server.stop("TERM").0.code(), Some(0));
}

#[tokio::test]
async fn a_port_variable_changes_the_port_and_keeps_the_address() {
    let port = free().port().to_string();
    let server = Running::start(bearward(
        &["serve"],
        &[("SUPABASE_URL", "http://127.0.0.1:1"), ("PORT", &port)],
    ));
    let line = server.line(" serves ");
    assert!(
        line.contains(&format!("address=127.0.0.1:{port} ")),
        "{line}"
    );
}

#[tokio::test]
async fn machines_get_one_json_object_a_line() {
    let idp = MockIdp::start().await;
    let variables = [
        ("SUPABASE_URL", &*idp.base()),
        ("BEARWARD_TELEMETRY__FORMAT", "json"),
    ]
    .map(|(n, v)| (n, v.to_owned()));
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let server = Running::start(bearward(&["serve", "--bind", "127.0.0.1:0"], &variables));
    let line: serde_json::Value = serde_json::from_str(&server.line(" serves")).unwrap();
    let api = format!("http://{}", line["address"].as_str().unwrap());
    until_status(&format!("{api}/readyz"), 200).await;
    let (_, _, output) = server.stop("TERM");
    for line in output.lines() {
        assert!(
            serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line.is_object()),
            "{line}"
        );
    }
}

#[test]
fn a_taken_port_is_answered_with_how_to_take_another() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = run(
        &["serve", "--bind", &address],
        &[("SUPABASE_URL", "http://127.0.0.1:1")],
    );
    said.expect(1, &[&address, "the address is in use", "--bind", "PORT="]);
}

#[tokio::test]
async fn the_metadata_of_the_resource_names_the_issuer() {
    let idp = MockIdp::start().await;
    let (_server, api) = start(
        &idp.base(),
        &[("BEARWARD_SERVER__PUBLIC_URL", "https://api.example.com")],
    );
    let metadata = get(&format!("{api}/.well-known/oauth-protected-resource"))
        .await
        .json();
    assert_eq!(metadata["resource"], "https://api.example.com");
    assert_eq!(metadata["authorization_servers"][0], idp.issuer());
    let refused = send(crate::child::client().get(format!("{api}/protected"))).await;
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains(
            "resource_metadata=\"https://api.example.com/.well-known/oauth-protected-resource\""
        ),
        "{challenge}"
    );
}

#[tokio::test]
async fn a_server_on_every_address_that_knows_no_url_names_none() {
    let server = Running::start(bearward(
        &["serve", "--bind", "0.0.0.0:0"],
        &[("SUPABASE_URL", "http://127.0.0.1:1")],
    ));
    let line = server.line(" serves ");
    let port = line
        .split("address=0.0.0.0:")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .expect("its port");
    let api = format!("http://127.0.0.1:{port}");
    let metadata = get(&format!("{api}/.well-known/oauth-protected-resource")).await;
    assert_eq!(
        (metadata.status, metadata.code().as_str()),
        (404, "NOT_FOUND")
    );
    assert!(metadata.body.contains("server.public_url"), "{metadata:?}");
    let challenge = get(&format!("{api}/protected")).await.headers["www-authenticate"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(!challenge.contains("resource_metadata"), "{challenge}");
}

#[tokio::test]
async fn without_a_public_url_challenges_name_the_address_that_it_listens_on() {
    let (_server, api) = start("http://127.0.0.1:1", &[]);
    let challenge = get(&format!("{api}/protected")).await.headers["www-authenticate"]
        .to_str()
        .unwrap()
        .to_owned();
    let url = challenge
        .split("resource_metadata=\"")
        .nth(1)
        .and_then(|rest| rest.strip_suffix('"'))
        .expect("where the metadata are");
    assert_eq!(get(url).await.json()["resource"], api);
}
