//! Connections that send nothing, send slowly or do not read: each is closed in time, and none keeps
//! other clients out.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use bearward_testing::MockIdp;
use test_support::{ports::free_address, process::TestProcess};

use crate::test_server::serve;

const HEADER_TIMEOUT: Duration = Duration::from_secs(1);
const KEEP_ALIVE: Duration = Duration::from_secs(2);
/// A busy machine closes late; a missing deadline never closes.
const LATE: Duration = Duration::from_secs(20);

struct Server {
    process: TestProcess,
    address: SocketAddr,
    token: String,
    _idp: MockIdp,
    _folder: tempfile::TempDir,
}

impl Server {
    /// Starts a server with short deadlines and these variables.
    async fn start(wrapper: &[&str], variables: &[(&str, &str)]) -> Self {
        let short = [
            ("BEARWARD_SERVER__HEADER_TIMEOUT", "1s"),
            ("BEARWARD_SERVER__KEEP_ALIVE", "2s"),
            ("BEARWARD_SERVER__WRITE_TIMEOUT", "2s"),
        ];
        Self::start_with(wrapper, &[&short, variables].concat()).await
    }

    /// Starts a server with these variables.
    async fn start_with(wrapper: &[&str], variables: &[(&str, &str)]) -> Self {
        let idp = MockIdp::start().await;
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let database = format!("sqlite://{}/bearward.db", folder.path().display());
        let mut command = serve(wrapper, &idp, &database);
        command.envs(variables.iter().copied());
        let mut process = TestProcess::start(command);
        let output = process.wait_for_output("address=").await;
        let address = output
            .split("address=")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next())
            .unwrap()
            .parse()
            .unwrap();
        let token = idp.token().sign();
        Self {
            process,
            address,
            token,
            _idp: idp,
            _folder: folder,
        }
    }

    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(LATE)).unwrap();
        socket
    }

    /// Sends a request on a new connection and returns the status line.
    fn status(&self, path: &str) -> String {
        let mut socket = self.connect();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            self.token
        );
        // A connection that is over a limit is closed without a response.
        let _ = socket.write_all(request.as_bytes());
        let mut response = String::new();
        let _ = socket.read_to_string(&mut response);
        response.lines().next().unwrap_or_default().to_owned()
    }
}

const LIVEZ: &[u8] = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";

/// Reads until the server closes the connection and returns how long that took.
fn time_to_close(socket: &mut TcpStream, since: Instant) -> Duration {
    let mut buffer = [0; 4096];
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => return since.elapsed(),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return since.elapsed(),
            Err(error) => panic!(
                "the connection is still open after {:?}: {error}",
                since.elapsed()
            ),
        }
    }
}

/// Reads one response to `LIVEZ`.
fn read_response(socket: &mut TcpStream) {
    let mut response = Vec::new();
    let mut buffer = [0; 4096];
    while !response.windows(4).any(|window| window == b"\r\n\r\n") {
        let length = socket.read(&mut buffer).unwrap();
        assert_ne!(length, 0, "the connection was closed before a response");
        response.extend(&buffer[..length]);
    }
    assert!(response.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn closes_idle_and_slow_connections() {
    let server = Server::start(&[], &[]).await;
    tokio::task::block_in_place(|| {
        // Nothing was sent.
        let since = Instant::now();
        let mut silent = server.connect();
        // The first head is incomplete.
        let mut first_head = server.connect();
        first_head.write_all(b"GET /livez HT").unwrap();
        // The second head is incomplete.
        let mut second_head = server.connect();
        second_head.write_all(LIVEZ).unwrap();
        read_response(&mut second_head);
        second_head.write_all(b"G").unwrap();
        // The second head is incomplete and was sent together with the first.
        let mut pipelined = server.connect();
        pipelined.write_all(&[LIVEZ, b"G"].concat()).unwrap();
        // No second request.
        let mut keep_alive = server.connect();
        keep_alive.write_all(LIVEZ).unwrap();
        read_response(&mut keep_alive);
        for (name, socket, least) in [
            ("silent", &mut silent, HEADER_TIMEOUT),
            ("first head", &mut first_head, HEADER_TIMEOUT),
            ("second head", &mut second_head, HEADER_TIMEOUT),
            ("pipelined head", &mut pipelined, HEADER_TIMEOUT),
            ("keep-alive", &mut keep_alive, KEEP_ALIVE),
        ] {
            let closed_after = time_to_close(socket, since);
            println!("{name}: closed after {closed_after:?}");
            // The clock of actix-http is coarse.
            assert!(closed_after >= least / 2, "{name}: {closed_after:?}");
        }
        // A head that trickles in is limited too: every byte restarts no deadline.
        let since = Instant::now();
        let mut trickle = server.connect();
        trickle.write_all(LIVEZ).unwrap();
        read_response(&mut trickle);
        trickle
            .set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        loop {
            let sent = trickle.write_all(b"X");
            match trickle.read(&mut [0; 64]) {
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
                        && sent.is_ok() => {}
                _ => break,
            }
            assert!(since.elapsed() < LATE, "a trickled head is never closed");
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn closes_connections_that_do_not_read_responses() {
    let server = Server::start(&[], &[]).await;
    tokio::task::block_in_place(|| {
        let since = Instant::now();
        let mut socket = server.connect();
        socket
            .set_write_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        // Large responses that are not read: the socket buffers fill up.
        let request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
        let is_closed = |socket: &mut TcpStream| match socket.write(request) {
            Ok(_) => false,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        };
        while !is_closed(&mut socket) {
            assert!(since.elapsed() < LATE, "the connection is still open");
            std::thread::sleep(Duration::from_millis(50));
        }
        println!("not reading: closed after {:?}", since.elapsed());
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_idle_connections_do_not_block_others() {
    // The shell limits the descriptors, soft and hard.
    let wrapper = ["sh", "-c", "ulimit -n 1024; exec \"$@\"", "sh"];
    let server = Server::start(
        &wrapper,
        &[
            ("BEARWARD_SERVER__HEADER_TIMEOUT", "60s"),
            ("BEARWARD_SERVER__KEEP_ALIVE", "60s"),
        ],
    )
    .await;
    tokio::task::block_in_place(|| {
        let mut held = Vec::new();
        let mut slowest = Duration::ZERO;
        for number in 0..1_000 {
            let mut socket = server.connect();
            match number % 3 {
                0 => {}
                1 => socket.write_all(b"GET /li").unwrap(),
                _ => {
                    // A connection that was evicted meanwhile is an accepted outcome.
                    let _ = socket.write_all(LIVEZ);
                }
            }
            held.push(socket);
            if number % 50 == 0 || number > 950 {
                let since = Instant::now();
                assert_eq!(server.status("/livez"), "HTTP/1.1 200 OK");
                assert_eq!(server.status("/protected"), "HTTP/1.1 200 OK");
                slowest = slowest.max(since.elapsed());
            }
        }
        println!("1,000 connections held; /livez and /protected answer within {slowest:?}");
    });
    let mut server = server;
    assert!(server.process.is_running());
}

/// Sends an endless chunked body until the server closes the connection.
fn send_endless_body(address: SocketAddr, path: &str) {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_write_timeout(Some(LATE)).unwrap();
    write!(
        socket,
        "GET {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    .unwrap();
    let chunk = [b"10000\r\n".as_slice(), &vec![b'x'; 0x10000], b"\r\n"].concat();
    let since = Instant::now();
    let error = loop {
        if let Err(error) = socket.write_all(&chunk) {
            break error;
        }
        assert!(
            since.elapsed() < LATE,
            "{path}: the body is read without a limit"
        );
    };
    assert_ne!(
        error.kind(),
        ErrorKind::WouldBlock,
        "{path}: neither read nor closed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_listener_closes_on_an_endless_body() {
    let admin = free_address();
    let variable = admin.to_string();
    let server = Server::start(&[], &[("BEARWARD_SERVER__ADMIN_BIND", &variable)]).await;
    tokio::task::block_in_place(|| {
        send_endless_body(admin, "/metrics");
        send_endless_body(server.address, "/livez");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_offer_loses_no_second_request() {
    let server = Server::start(&[], &[]).await;
    tokio::task::block_in_place(|| {
        // As Java's HttpClient offers HTTP/2.
        let mut socket = server.connect();
        write!(
            socket,
            "GET /protected HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n\r\n",
            server.token
        )
        .unwrap();
        let mut response = String::new();
        socket.read_to_string(&mut response).unwrap();
        let (head, _) = response
            .to_lowercase()
            .split_once("\r\n\r\n")
            .map(|(head, body)| (head.to_owned(), body.to_owned()))
            .unwrap();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(head.contains("\r\nconnection: close"), "{head}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_stay_open_for_keep_alive() {
    // By default longer than load balancers keep them.
    let server = Server::start(&[], &[("BEARWARD_SERVER__KEEP_ALIVE", "75s")]).await;
    tokio::task::block_in_place(|| {
        let mut socket = server.connect();
        socket.write_all(LIVEZ).unwrap();
        read_response(&mut socket);
        // Longer than the 5 s of actix-http's default.
        socket
            .set_read_timeout(Some(Duration::from_secs(7)))
            .unwrap();
        let error = socket
            .read(&mut [0; 64])
            .expect_err("the connection stays open");
        assert!(
            matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            "{error}"
        );
        socket.write_all(LIVEZ).unwrap();
        read_response(&mut socket);
    });
}

/// Sends a request and reads until the server closes the connection.
fn response_to(server: &Server, request: &str) -> String {
    let mut socket = server.connect();
    socket.write_all(request.as_bytes()).unwrap();
    let mut response = Vec::new();
    // The connection may be reset after the response.
    let _ = socket.read_to_end(&mut response);
    String::from_utf8(response).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unparsable_head_is_logged_and_counted() {
    let mut server = Server::start(&[], &[]).await;
    let large = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
        "x".repeat(200_000)
    );
    let metrics = tokio::task::block_in_place(|| {
        let malformed = response_to(&server, "GET /canary HTTP/1.1\r\nbad header\r\n\r\n");
        assert!(malformed.starts_with("HTTP/1.1 400"), "{malformed}");
        let too_large = response_to(&server, &large);
        assert!(
            too_large.is_empty() || too_large.starts_with("HTTP/1.1 431"),
            "{too_large}"
        );
        let slow = response_to(&server, "GET /canary HT");
        assert_eq!(slow, "");
        response_to(
            &server,
            "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        )
    });
    for status in ["400", "431"] {
        let counted = format!(
            "http_requests_total{{method=\"other\",route=\"unparsed\",status=\"{status}\"}} 1"
        );
        assert!(metrics.contains(&counted), "{counted}: {metrics}");
    }
    let closed = "bearward_http_connections_closed_total{reason=\"header_timeout\"} 1";
    assert!(metrics.contains(closed), "{metrics}");
    for reason in ["malformed_head", "head_too_large"] {
        let closed = format!("bearward_http_connections_closed_total{{reason=\"{reason}\"}} 1");
        assert!(metrics.contains(&closed), "{closed}: {metrics}");
        server.process.wait_for_output(reason).await;
    }
    assert!(!server.process.output().contains("canary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_requested_only_from_authenticated_clients() {
    let server = Server::start(&[], &[]).await;
    tokio::task::block_in_place(|| {
        let body = r#"{"client_name":"x"}"#;
        let head = |token: &str| {
            format!(
                "POST /api/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
                body.len()
            )
        };
        let rejected = response_to(&server, &head("wrong"));
        assert!(rejected.starts_with("HTTP/1.1 401"), "{rejected}");
        assert!(!rejected.contains("100 Continue"), "{rejected}");

        let mut socket = server.connect();
        socket.write_all(head(&server.token).as_bytes()).unwrap();
        let mut interim = [0; 25];
        socket.read_exact(&mut interim).unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        socket.write_all(body.as_bytes()).unwrap();
        let mut response = String::new();
        socket.read_to_string(&mut response).unwrap();
        assert!(response.starts_with("HTTP/1.1 20"), "{response}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_opens_at_most_its_number_of_connections() {
    let limit = [("BEARWARD_SERVER__MAX_CONNECTIONS_PER_ADDRESS", "2")];
    let server = Server::start(&[], &limit).await;
    tokio::task::block_in_place(|| {
        let mut open = [server.connect(), server.connect()];
        for socket in &mut open {
            socket.write_all(LIVEZ).unwrap();
            read_response(socket);
        }
        let mut third = server.connect();
        // The write fails if the server has closed the connection already.
        let _ = third.write_all(LIVEZ);
        let mut response = Vec::new();
        let _ = third.read_to_end(&mut response);
        assert_eq!(response, b"");
        drop(open);
        let since = Instant::now();
        while server.status("/livez").is_empty() {
            assert!(since.elapsed() < LATE, "closed connections still count");
        }
    });
}

/// A connection that is idle or stalled.
#[derive(Debug, Clone, Copy)]
enum Stalled {
    NoByte,
    FirstHead,
    TrickledHead,
    SecondHead,
    KeepAlive,
    UnreadResponses,
    Body,
}

impl Stalled {
    const ALL: [Self; 7] = [
        Self::NoByte,
        Self::FirstHead,
        Self::TrickledHead,
        Self::SecondHead,
        Self::KeepAlive,
        Self::UnreadResponses,
        Self::Body,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::NoByte => "no byte is sent",
            Self::FirstHead => "one byte of the first head",
            Self::TrickledHead => "the first head, one byte each 100 ms",
            Self::SecondHead => "one request, then one byte of the second head",
            Self::KeepAlive => "one request, then nothing",
            Self::UnreadResponses => "pipelined responses that are never read",
            Self::Body => "a request body of which one byte is sent",
        }
    }

    /// Opens the connection and returns how long the server keeps it.
    fn lifetime(self, server: &Server, limit: Duration) -> Duration {
        let mut socket = server.connect();
        socket.set_read_timeout(Some(limit + LATE)).unwrap();
        let since = Instant::now();
        match self {
            Self::NoByte => {}
            Self::FirstHead => socket.write_all(b"G").unwrap(),
            Self::TrickledHead => {
                let pause = Duration::from_millis(100);
                socket.set_read_timeout(Some(pause)).unwrap();
                loop {
                    let sent = socket.write_all(b"G");
                    match socket.read(&mut [0; 64]) {
                        Err(error)
                            if matches!(
                                error.kind(),
                                ErrorKind::WouldBlock | ErrorKind::TimedOut
                            ) && sent.is_ok() => {}
                        _ => return since.elapsed(),
                    }
                    assert!(since.elapsed() < limit + LATE, "{self:?} is never closed");
                }
            }
            Self::SecondHead => {
                socket.write_all(LIVEZ).unwrap();
                read_response(&mut socket);
                socket.write_all(b"G").unwrap();
            }
            Self::KeepAlive => {
                socket.write_all(LIVEZ).unwrap();
                read_response(&mut socket);
            }
            Self::UnreadResponses => {
                let request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
                let pause = Duration::from_millis(100);
                socket.set_write_timeout(Some(pause)).unwrap();
                loop {
                    match socket.write(request) {
                        Ok(_) => std::thread::sleep(pause),
                        Err(error)
                            if matches!(
                                error.kind(),
                                ErrorKind::WouldBlock | ErrorKind::TimedOut
                            ) => {}
                        Err(_) => return since.elapsed(),
                    }
                    assert!(since.elapsed() < limit + LATE, "{self:?} is never closed");
                }
            }
            Self::Body => write!(
                socket,
                "POST /api/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
                server.token
            )
            .unwrap(),
        }
        time_to_close(&mut socket, since)
    }
}

/// With `BEARWARD_TEST_LONG` measures the defaults, as the table in docs/server.md has them.
#[tokio::test(flavor = "multi_thread")]
async fn each_stalled_connection_is_closed_in_time() {
    let seconds = Duration::from_secs;
    let ([header, keep_alive, write, request], variables) = if crate::run_long() {
        (
            [seconds(10), seconds(75), seconds(30), seconds(30)],
            &[][..],
        )
    } else {
        (
            [seconds(1), seconds(2), seconds(2), seconds(1)],
            &[
                ("BEARWARD_SERVER__HEADER_TIMEOUT", "1s"),
                ("BEARWARD_SERVER__KEEP_ALIVE", "2s"),
                ("BEARWARD_SERVER__WRITE_TIMEOUT", "2s"),
                ("BEARWARD_SERVER__REQUEST_TIMEOUT", "1s"),
            ][..],
        )
    };
    let server = Server::start_with(&[], variables).await;
    let limit = |stalled: Stalled| match stalled {
        Stalled::NoByte | Stalled::FirstHead | Stalled::TrickledHead | Stalled::SecondHead => {
            header
        }
        Stalled::KeepAlive => keep_alive,
        Stalled::UnreadResponses => write,
        Stalled::Body => request,
    };
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            let measured = Stalled::ALL.map(|stalled| {
                let (server, limit) = (&server, limit(stalled));
                (
                    stalled,
                    scope.spawn(move || stalled.lifetime(server, limit)),
                )
            });
            for (stalled, lifetime) in measured {
                let lifetime = lifetime.join().unwrap();
                println!("| {} | {:.1} s |", stalled.name(), lifetime.as_secs_f64());
                // The clock of actix-http is coarse.
                let least = limit(stalled).mul_f64(0.9);
                assert!(lifetime >= least, "{stalled:?}: {lifetime:?}");
                assert!(
                    lifetime < limit(stalled) + LATE,
                    "{stalled:?}: {lifetime:?}"
                );
            }
        });
    });
}
