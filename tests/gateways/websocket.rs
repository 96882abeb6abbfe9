//! `WebSocket` connections through a gateway: the handshake is checked, and the backend can switch
//! protocols.

use std::net::SocketAddr;

use rstest::rstest;
use test_support::within_timeout;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{
    fixture::TestServer,
    gateway::Gateway::{self, Caddy, Envoy, Nginx, Traefik},
};

/// Starts a backend that switches protocols, sends the head of the request, and echoes what follows.
/// It answers a request without `Upgrade: websocket` with 400.
async fn start_backend() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    actix_web::rt::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            actix_web::rt::spawn(serve(stream));
        }
    });
    address
}

async fn serve(mut stream: TcpStream) {
    let head = read_head(&mut stream).await;
    if !head.to_lowercase().contains("\r\nupgrade: websocket\r\n") {
        let refused = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        drop(stream.write_all(refused.as_bytes()).await);
        return;
    }
    let switch =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    drop(
        stream
            .write_all(format!("{switch}{}", head.to_lowercase()).as_bytes())
            .await,
    );
    let mut buffer = [0; 64];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        drop(stream.write_all(&buffer[..length]).await);
    }
}

async fn read_head(stream: &mut TcpStream) -> String {
    read_until(stream, "\r\n\r\n").await
}

/// Reads until the text ends with `end`, or to the end of the stream.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut byte = [0; 1];
    while !text.ends_with(end) && matches!(stream.read(&mut byte).await, Ok(1)) {
        text.push(char::from(byte[0]));
    }
    text
}

#[rstest]
#[actix_web::test]
async fn a_websocket_passes_with_identity_headers(
    #[values(Caddy, Envoy, Nginx, Traefik)] gateway: Gateway,
) {
    let Some(program) = gateway.program() else {
        return;
    };
    let server = TestServer::start(&[]).await;
    let backend = start_backend().await;
    let running = gateway.start(&program, server.address, backend, |text| text);
    let token = server.token().claim("role", "reader").sign();
    for connection in [
        "Upgrade",
        "keep-alive, Upgrade",
        "upgrade, X-Auth-Role",
        "X-Auth-Subject, Upgrade",
    ] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let request = format!(
            "GET /socket HTTP/1.1\r\nHost: gateway.example\r\nConnection: {connection}\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let exchange = async {
            let head = read_head(&mut stream).await;
            assert!(head.starts_with("HTTP/1.1 101"), "{connection}: {head}");
            let forwarded = read_head(&mut stream).await;
            for header in ["\r\nx-auth-subject: ada\r\n", "\r\nx-auth-role: reader\r\n"] {
                assert!(forwarded.contains(header), "{connection}: {forwarded}");
            }
            stream.write_all(b"hello\n").await.unwrap();
            assert_eq!(read_until(&mut stream, "\n").await, "hello\n");
        };
        within_timeout(exchange).await;
    }
}

#[rstest]
#[actix_web::test]
async fn a_websocket_without_a_token_is_rejected(
    #[values(Caddy, Envoy, Nginx, Traefik)] gateway: Gateway,
) {
    let Some(program) = gateway.program() else {
        return;
    };
    let server = TestServer::start(&[]).await;
    let backend = start_backend().await;
    let running = gateway.start(&program, server.address, backend, |text| text);
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let request = "GET /socket HTTP/1.1\r\nHost: gateway.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = within_timeout(read_head(&mut stream)).await;
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
}
