//! `bearward serve`: start, issuer outages, shutdown and logs.

use std::{net::TcpListener, time::Duration};

use bearward::Algorithm;
use bearward_testing::{Faults, KeyRing, MockIdp};
use test_support::{
    http::{client, get, get_as, send, wait_for_status},
    ports::free_address,
    process::{Signal, TestProcess},
};

use crate::{bearward, run};

/// Starts a server on a free port and returns it with its URL.
fn start(supabase_url: &str, variables: &[(&str, &str)]) -> (TestProcess, String) {
    let variables = [&[("SUPABASE_URL", supabase_url)], variables].concat();
    let server = TestProcess::start(bearward(&["serve", "--bind", "127.0.0.1:0"], &variables));
    let line = server.line(" serves ");
    let address = line
        .split("address=")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .expect("an address");
    let api = format!("http://{address}");
    (server, api)
}

#[tokio::test]
async fn tokens_of_the_configured_project_are_accepted() {
    let idp = MockIdp::start().await;
    let (server, api) = start(&idp.base(), &[]);
    assert_eq!(
        wait_for_status(&format!("{api}/readyz"), 200).await.body,
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
        "no error code without a token"
    );
    assert_eq!(get(&format!("{api}/health")).await.json()["status"], "ok");
    assert!(
        get(&format!("{api}/metrics"))
            .await
            .body
            .contains("bearward_")
    );
    let (_, _, output) = server.stop(Signal::TERM);
    assert!(!output.contains("eyJ"), "no token in the log: {output}");
}

#[tokio::test]
async fn one_of_two_key_sets_may_be_down() {
    let (one, two) = (MockIdp::start().await, MockIdp::start().await);
    two.outage();
    let (issuer, urls) = (
        one.issuer(),
        format!("{},{}", one.jwks_url(), two.jwks_url()),
    );
    let (_server, api) = start(
        "",
        &[
            ("BEARWARD_ISSUERS__CORP__ISSUER", issuer.as_str()),
            ("BEARWARD_ISSUERS__CORP__AUDIENCES", "authenticated"),
            ("BEARWARD_ISSUERS__CORP__JWKS_URL", urls.as_str()),
        ],
    );
    wait_for_status(&format!("{api}/readyz"), 200).await;
    let token = one.token().sub("ada").sign();
    let answer = get_as(&format!("{api}/protected"), &token).await;
    assert_eq!(answer.json()["user_id"], "ada");
    let health = get(&format!("{api}/health")).await;
    let (report, corp) = (health.json(), health.json()["issuers"]["corp"].clone());
    assert_eq!(report["status"], "degraded");
    assert_eq!(
        (&corp["state"], &corp["keys"]),
        (&"empty".into(), &1.into())
    );
    let states = [0, 1].map(|index| corp["key_sets"][index]["state"].clone());
    assert_eq!(states, ["fresh", "empty"]);
    assert!(!health.body.contains("jwks.json"), "no URL: {health:?}");
    let metrics = get(&format!("{api}/metrics")).await.body;
    for (idp, keys) in [(&one, 1), (&two, 0)] {
        let url = idp.jwks_url();
        let line = format!("bearward_jwks_keys{{issuer=\"corp\",key_set=\"{url}\"}} {keys}");
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
}

#[tokio::test]
async fn an_unreachable_issuer_causes_503_until_it_is_back() {
    let address = free_address();
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
    let unavailable = get_as(&format!("{api}/protected"), &token).await;
    assert_eq!(
        (unavailable.status, unavailable.code().as_str()),
        (503, "KEYS_UNAVAILABLE"),
        "never 401"
    );
    let seconds: u64 = unavailable.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(unavailable.headers.get("www-authenticate").is_none());
    let line = server.line("keys not fetched");
    assert!(line.contains("ERROR"), "{line}");

    let _idp = MockIdp::bind(address, keys).unwrap();
    wait_for_status(&format!("{api}/readyz"), 200).await;
    assert_eq!(
        get_as(&format!("{api}/protected"), &token).await.json()["user_id"],
        "ada"
    );
}

#[tokio::test]
async fn a_project_with_a_shared_secret_is_logged_at_startup() {
    let idp = MockIdp::start().await;
    idp.set_faults(Faults::body(r#"{"keys":[]}"#));
    let server = TestProcess::start(bearward(
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
async fn a_request_in_progress_finishes_before_shutdown() {
    let idp = MockIdp::start().await;
    idp.set_faults(Faults::hang());
    let (server, api) = start(&idp.base(), &[("BEARWARD_SERVER__SHUTDOWN_TIMEOUT", "20s")]);
    // The signal handlers are installed from here on.
    wait_for_status(&format!("{api}/livez"), 200).await;
    let url = format!("{api}/protected");
    let token = idp.token().sign();
    // This request waits for the keys, at most two seconds.
    let waiting = tokio::spawn(async move { get_as(&url, &token).await.status });
    while idp.fetches() == 0 {
        tokio::task::yield_now().await;
    }
    let stopped = tokio::task::spawn_blocking(move || server.stop(Signal::TERM));
    idp.recover();
    let status = waiting.await;
    let (end, took, output) = stopped.await.unwrap();
    assert_eq!(end.code(), Some(0), "{output}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    // If the request arrives after the signal, its connection is not accepted.
    assert!(status.is_err() || [200, 503].contains(&status.unwrap()));
}

#[tokio::test]
async fn admin_bind_moves_the_metrics() {
    let idp = MockIdp::start().await;
    let admin = free_address().to_string();
    let (server, api) = start(&idp.base(), &[("BEARWARD_SERVER__ADMIN_BIND", &admin)]);
    assert_eq!(get(&format!("{api}/metrics")).await.status, 404);
    assert!(
        get(&format!("http://{admin}/metrics"))
            .await
            .body
            .contains("bearward_")
    );
    assert_eq!(server.stop(Signal::TERM).0.code(), Some(0));
}

#[tokio::test]
async fn forwarded_requests_get_no_metrics() {
    let idp = MockIdp::start().await;
    let (_server, api) = start(&idp.base(), &[]);
    let metrics = format!("{api}/metrics");
    assert_eq!(get(&metrics).await.status, 200);
    for name in ["x-forwarded-for", "forwarded", "via", "x-real-ip"] {
        let request = client().get(&metrics);
        let response = send(request.header(name, "127.0.0.1")).await;
        assert_eq!(
            (response.status, response.code().as_str()),
            (404, "NOT_FOUND"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_refused_preflight_is_logged_with_origin_and_headers() {
    let (server, api) = start(
        "http://127.0.0.1:1",
        &[("BEARWARD_SERVER__CORS_ORIGINS", "https://app.example.com")],
    );
    let preflight = async |origin: &str, headers: &str| {
        let request = client()
            .request(reqwest::Method::OPTIONS, format!("{api}/protected"))
            .header("origin", origin)
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", headers);
        send(request).await.status
    };
    assert_eq!(preflight("https://app.example.com", "x-tenant").await, 400);
    let line = server.line("refused a CORS preflight");
    for part in ["https://app.example.com", "x-tenant", "server.cors_headers"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    let long = format!("https://{}.example", "a".repeat(3000));
    assert_eq!(preflight(&long, "authorization").await, 403);
    let line = server.line("refused a CORS preflight");
    assert!(
        line.contains("ORIGIN_REFUSED") && line.len() < 1000,
        "{line}"
    );
}

#[tokio::test]
async fn port_without_an_address_listens_on_all_addresses() {
    let port = free_address().port().to_string();
    let server = TestProcess::start(bearward(
        &["serve"],
        &[("SUPABASE_URL", "http://127.0.0.1:1"), ("PORT", &port)],
    ));
    let line = server.line(" serves ");
    assert!(line.contains(&format!("address=0.0.0.0:{port} ")), "{line}");
}

#[tokio::test]
async fn json_logs_have_one_object_per_line() {
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
    let server = TestProcess::start(bearward(&["serve", "--bind", "127.0.0.1:0"], &variables));
    let line: serde_json::Value = serde_json::from_str(&server.line(" serves")).unwrap();
    let api = format!("http://{}", line["address"].as_str().unwrap());
    wait_for_status(&format!("{api}/readyz"), 200).await;
    let (_, _, output) = server.stop(Signal::TERM);
    for line in output.lines() {
        assert!(
            serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line.is_object()),
            "{line}"
        );
    }
}

#[test]
fn a_port_in_use_is_reported_with_the_flag_to_change_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(
        &["serve", "--bind", &address],
        &[("SUPABASE_URL", "http://127.0.0.1:1")],
    );
    output.expect(1, &[&address, "the address is in use", "--bind", "PORT="]);
}

#[tokio::test]
async fn resource_metadata_names_the_issuer() {
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
    let unauthorized = send(client().get(format!("{api}/protected"))).await;
    let challenge = unauthorized.headers["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains(
            "resource_metadata=\"https://api.example.com/.well-known/oauth-protected-resource\""
        ),
        "{challenge}"
    );
}

#[tokio::test]
async fn without_public_url_and_address_there_is_no_metadata() {
    let server = TestProcess::start(bearward(
        &["serve", "--bind", "0.0.0.0:0"],
        &[("SUPABASE_URL", "http://127.0.0.1:1")],
    ));
    let line = server.line(" serves ");
    let port = line
        .split("address=0.0.0.0:")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .expect("a port");
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
async fn without_public_url_challenges_use_the_bind_address() {
    let (_server, api) = start("http://127.0.0.1:1", &[]);
    let challenge = get(&format!("{api}/protected")).await.headers["www-authenticate"]
        .to_str()
        .unwrap()
        .to_owned();
    let url = challenge
        .split("resource_metadata=\"")
        .nth(1)
        .and_then(|rest| rest.strip_suffix('"'))
        .expect("the URL of the metadata");
    assert_eq!(get(url).await.json()["resource"], api);
}
