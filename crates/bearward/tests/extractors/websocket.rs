//! The example `websocket` over real sockets: the handshake, and the end of connections whose token
//! is no longer accepted.

use std::{sync::Arc, time::Duration};

use actix_web::web;
use test_support::{
    raw_http::{Request, get, web_socket},
    within_timeout,
};
use tokio::{io::AsyncReadExt, net::TcpStream};

use crate::{test_app::TestApp, test_server::TestServer};
use bearward_testing::{MockIdp, TestClock};

#[path = "../../examples/websocket.rs"]
#[allow(dead_code, reason = "main is not called")]
mod example;

async fn serve() -> (TestApp, TestServer, TestClock) {
    let idp = MockIdp::start().await.with_movable_clock();
    let clock = idp.clock();
    let shared = Arc::new(clock.clone());
    let app = TestApp::start_cold(idp, |builder| {
        example::accept_browsers(builder.clock(shared))
    })
    .await;
    app.auth.wait_for_initial_fetch().await;
    let auth = web::Data::new(app.auth.clone());
    let server = TestServer::start(move |config| {
        config.app_data(auth.clone()).configure(example::routes);
    });
    (app, server, clock)
}

/// Returns a request that offers these subprotocols. It is not upgraded, so its response ends.
fn offer(protocols: &str) -> Request {
    get("/socket").header("sec-websocket-protocol", protocols)
}

/// Reads until the received text contains `end`, and returns it.
async fn read_until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    within_timeout(async {
        let mut received = Vec::new();
        while !received.windows(end.len()).any(|window| window == end) {
            let mut buffer = [0; 1024];
            let read = stream.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0, "closed: {}", String::from_utf8_lossy(&received));
            received.extend_from_slice(&buffer[..read]);
        }
        received
    })
    .await
}

/// Waits until the connection sleeps until its next check, and advances the clock to it.
async fn advance_to_recheck(clock: &TestClock) {
    within_timeout(async {
        while clock.next_wake() != Some(example::RECHECK) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    clock.advance(example::RECHECK);
}

#[actix_web::test]
async fn a_handshake_without_a_valid_token_is_rejected() {
    let (app, server, _clock) = serve().await;
    for protocols in [
        "echo.v1".to_owned(),
        format!("echo.v1, bearer.{}", app.token().tampered()),
        format!("echo.v1, bearer.{}", app.token().expired().sign()),
    ] {
        assert_eq!(server.send(offer(&protocols)).await.status, 401);
    }
    let twice = offer(&format!("bearer.{}", app.valid_token())).bearer(&app.valid_token());
    assert_eq!(server.send(twice).await.status, 400);
}

#[actix_web::test]
async fn a_socket_is_closed_after_its_token_has_expired() {
    let (app, server, clock) = serve().await;
    let token = app.token().expires_in(Duration::from_secs(20)).sign();
    let protocols = format!("echo.v1, bearer.{token}");
    let request = web_socket("/socket").header("sec-websocket-protocol", protocols);
    let mut stream = server.send_without_reading(&request).await;
    let head = String::from_utf8(read_until(&mut stream, b"\r\n\r\n").await).unwrap();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(
        head.contains("sec-websocket-protocol: echo.v1\r\n"),
        "{head}"
    );
    assert!(!head.contains("bearer."), "the token is not echoed");

    // 45 s, before the end of the leeway: the connection stays open.
    for _ in 0..3 {
        advance_to_recheck(&clock).await;
    }
    // 60 s.
    advance_to_recheck(&clock).await;
    let frame = read_until(&mut stream, b"TOKEN_EXPIRED").await;
    assert_eq!(frame[0], 0x88, "a close frame: {frame:?}");
    assert_eq!(u16::from_be_bytes([frame[2], frame[3]]), 4401);
}

#[actix_web::test]
async fn events_end_after_the_issuer_was_removed() {
    let (app, server, clock) = serve().await;
    let token = app.token().sub("ada").sign();
    let request = get(&format!("/events?access_token={token}"));
    let mut stream = server.send_without_reading(&request).await;
    read_until(&mut stream, b"data: ada\n\n").await;
    let other = MockIdp::offline();
    app.auth.replace_issuers([other.as_issuer()]).unwrap();
    advance_to_recheck(&clock).await;
    read_until(&mut stream, b"event: rejected\ndata: UNKNOWN_ISSUER\n\n").await;

    let elsewhere = get(&format!("/socket?access_token={token}"));
    assert_eq!(server.send(elsewhere).await.error().1, "MISSING_TOKEN");
}
