//! `bearward health`: the exit code says whether a server responds.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    thread,
};

use crate::run;

/// Starts a server that sends this response to one request, and returns the request line.
fn server(response: &'static str) -> (SocketAddr, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let request_line = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let read = socket.read(&mut request).unwrap();
        socket
            .write_all(format!("HTTP/1.1 {response}\r\nconnection: close\r\n\r\n").as_bytes())
            .unwrap();
        String::from_utf8_lossy(&request[..read])
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    });
    (address, request_line)
}

#[test]
fn a_server_is_probed_by_url_or_by_configuration() {
    for use_url in [true, false] {
        let (address, request_line) = server("200 OK\r\ncontent-length: 0");
        let url = format!("http://{address}");
        let bind = format!("0.0.0.0:{}", address.port());
        let output = if use_url {
            run(&["health", &url], &[])
        } else {
            run(&["health"], &[("BEARWARD_SERVER__BIND", &bind)])
        };
        output.expect(0, &[]);
        assert_eq!(
            request_line.join().unwrap(),
            "GET /livez HTTP/1.1",
            "/livez depends on neither issuer nor database"
        );
    }
}

#[test]
fn any_other_status_is_a_failure() {
    for response in [
        "503 Service Unavailable\r\ncontent-length: 0",
        "302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0",
    ] {
        let (address, request_line) = server(response);
        run(&["health", &format!("http://{address}")], &[])
            .expect(1, &["/livez returned", &response[..3]]);
        request_line.join().unwrap();
    }
}

#[test]
fn a_closed_port_is_a_failure() {
    run(&["health", "http://127.0.0.1:1"], &[]).expect(
        1,
        &["http://127.0.0.1:1/livez", "no server is listening there"],
    );
}

#[test]
fn an_invalid_url_is_a_usage_error() {
    for invalid in ["8000", "127.0.0.1:8000", "localhost:8000"] {
        run(&["health", invalid], &[]).expect(2, &[invalid, "write http://HOST:PORT"]);
    }
}
