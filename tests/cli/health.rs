//! `bearward health`: whether a server answers, for whoever restarts it when it does not.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    thread,
};

use crate::run;

/// Answers one request so, and gives what was asked.
fn server(answer: &'static str) -> (SocketAddr, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let read = socket.read(&mut request).unwrap();
        socket
            .write_all(format!("HTTP/1.1 {answer}\r\nconnection: close\r\n\r\n").as_bytes())
            .unwrap();
        String::from_utf8_lossy(&request[..read])
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    });
    (address, asked)
}

#[test]
fn a_server_that_lives_is_healthy_by_its_url_and_by_its_configuration() {
    for by_url in [true, false] {
        let (address, asked) = server("200 OK\r\ncontent-length: 0");
        let url = format!("http://{address}");
        let bind = format!("0.0.0.0:{}", address.port());
        let said = if by_url {
            run(&["health", &url], &[])
        } else {
            run(&["health"], &[("BEARWARD_SERVER__BIND", &bind)])
        };
        said.expect(0, &[]);
        assert_eq!(
            asked.join().unwrap(),
            "GET /livez HTTP/1.1",
            "it depends on neither issuer nor database"
        );
    }
}

#[test]
fn a_server_that_answers_anything_else_is_not() {
    for answer in [
        "503 Service Unavailable\r\ncontent-length: 0",
        "302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0",
    ] {
        let (address, asked) = server(answer);
        run(&["health", &format!("http://{address}")], &[])
            .expect(1, &["/livez answers", &answer[..3]]);
        asked.join().unwrap();
    }
}

#[test]
fn where_nothing_listens_nobody_is_well() {
    run(&["health", "http://127.0.0.1:1"], &[])
        .expect(1, &["http://127.0.0.1:1/livez", "nothing listens there"]);
}

#[test]
fn what_is_no_address_is_a_slip_of_whoever_wrote_it() {
    for slip in ["8000", "127.0.0.1:8000", "localhost:8000"] {
        run(&["health", slip], &[]).expect(2, &[slip, "write http://HOST:PORT"]);
    }
}
