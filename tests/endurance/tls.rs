//! TLS of `bearward serve`: versions and cipher suites, deadlines of connections, client certificates.

use std::{
    collections::BTreeSet,
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use test_support::certificates::{Authority, IssuedCertificate};

use crate::tls_server::{TlsServer, exchange, is_installed, run};

/// A busy machine closes late; a missing deadline never closes.
const LATE: Duration = Duration::from_secs(20);

/// Runs `openssl s_client` and returns whether the handshake succeeded, and its output.
fn s_client(server: &TlsServer, arguments: &[&str]) -> (bool, String) {
    let address = server.address.to_string();
    let ca = server.path("ca.pem");
    let command = [
        "s_client",
        "-connect",
        &address,
        "-CAfile",
        ca.to_str().unwrap(),
    ];
    let output = run("openssl", &[&command, arguments].concat());
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    let is_connected = output.status.success() && !text.contains("Cipher is (NONE)");
    (is_connected, text)
}

/// All cipher suites that openssl has for a version, including those that are off by default.
fn ciphers(version: &str) -> Vec<String> {
    let output = run(
        "openssl",
        &["ciphers", "-s", version, "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
    );
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    text.split(':').map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_tls_1_2_and_1_3_with_forward_secrecy_and_aead() {
    if !is_installed("openssl") {
        return;
    }
    for key in ["ECDSA", "RSA"] {
        let authority = Authority::new();
        let certificate = match key {
            "RSA" => authority.rsa_server(),
            _ => authority.server(),
        };
        let server = TlsServer::start_with(authority, certificate, &[]).await;
        for version in ["-tls1", "-tls1_1"] {
            let (is_connected, output) =
                s_client(&server, &[version, "-cipher", "ALL:@SECLEVEL=0"]);
            assert!(!is_connected, "{version}: {output}");
        }
        for version in ["-tls1_2", "-tls1_3"] {
            let (is_connected, output) = s_client(&server, &[version]);
            assert!(is_connected, "{version}: {output}");
            assert!(output.contains("Verify return code: 0 (ok)"), "{output}");
        }
        let accepted: BTreeSet<String> = ciphers("-tls1_2")
            .into_iter()
            .filter(|cipher| {
                let list = format!("{cipher}:@SECLEVEL=0");
                s_client(&server, &["-tls1_2", "-cipher", &list]).0
            })
            .collect();
        let expected = [
            "AES128-GCM-SHA256",
            "AES256-GCM-SHA384",
            "CHACHA20-POLY1305",
        ];
        let expected = expected.map(|cipher| format!("ECDHE-{key}-{cipher}"));
        assert_eq!(accepted, BTreeSet::from(expected));
        let tls_1_3 = [
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
        ];
        for cipher in tls_1_3 {
            assert!(
                s_client(&server, &["-tls1_3", "-ciphersuites", cipher]).0,
                "{cipher}"
            );
        }
        let weak = ["TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"];
        for cipher in weak {
            assert!(
                !s_client(&server, &["-tls1_3", "-ciphersuites", cipher]).0,
                "{cipher}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_protocol_is_http_1_1() {
    if !is_installed("openssl") {
        return;
    }
    let server = TlsServer::start(&[]).await;
    let (is_connected, output) = s_client(&server, &["-alpn", "h2,http/1.1"]);
    assert!(
        is_connected && output.contains("ALPN protocol: http/1.1"),
        "{output}"
    );
    let (is_connected, output) = s_client(&server, &["-alpn", "h2"]);
    assert!(!is_connected, "{output}");
    // A client without ALPN.
    assert!(s_client(&server, &[]).0);
}

/// Reads until the server closes the connection and returns how long that took.
fn time_to_close(stream: &mut impl Read, since: Instant) -> Duration {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return since.elapsed(),
            Ok(_) => {}
            // The server closes without `close_notify`.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof
                ) =>
            {
                return since.elapsed();
            }
            Err(error) => panic!("still open after {:?}: {error}", since.elapsed()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_connections_are_closed_within_the_same_limits() {
    let server = TlsServer::start(&[
        ("BEARWARD_SERVER__HEADER_TIMEOUT", "1s"),
        ("BEARWARD_SERVER__KEEP_ALIVE", "2s"),
        ("BEARWARD_SERVER__WRITE_TIMEOUT", "2s"),
    ])
    .await;
    tokio::task::block_in_place(|| {
        let since = Instant::now();
        let connect = || {
            let socket = TcpStream::connect(server.address).unwrap();
            socket.set_read_timeout(Some(LATE)).unwrap();
            socket
        };
        // Nothing was sent.
        let mut silent = connect();
        // The first record of the handshake is incomplete.
        let mut half_hello = connect();
        half_hello
            .write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01])
            .unwrap();
        // The handshake is complete, and no request follows.
        let mut no_request = server.connect();
        // The head of a request is incomplete.
        let mut half_head = server.connect();
        half_head.write_all(b"GET /livez HT").unwrap();
        half_head.flush().unwrap();
        // No second request.
        let mut keep_alive = server.connect();
        assert!(exchange(&mut keep_alive).starts_with("HTTP/1.1 200"));
        // The second head is incomplete.
        let mut second_head = server.connect();
        assert!(exchange(&mut second_head).starts_with("HTTP/1.1 200"));
        second_head.write_all(b"G").unwrap();
        second_head.flush().unwrap();
        let connections: [(&str, &mut dyn Read, u64); 6] = [
            ("silent", &mut silent, 1),
            ("half hello", &mut half_hello, 1),
            ("no request", &mut no_request, 1),
            ("half head", &mut half_head, 1),
            ("keep alive", &mut keep_alive, 2),
            ("second head", &mut second_head, 1),
        ];
        for (name, mut stream, least) in connections {
            let time = time_to_close(&mut stream, since);
            let least = Duration::from_secs(least);
            assert!(
                (least..LATE).contains(&time),
                "{name} was closed after {time:?}"
            );
        }
        // Responses are requested and not read: buffers of TLS and TCP fill.
        let since = Instant::now();
        let mut unread = server.connect();
        let request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
        for _ in 0..128 {
            unread.write_all(request).unwrap();
        }
        unread.flush().unwrap();
        let metrics = || {
            let mut stream = server.connect();
            let request = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
            stream.write_all(request).unwrap();
            let mut text = String::new();
            let _ = stream.read_to_string(&mut text);
            text
        };
        let closed = "bearward_http_connections_closed_total{reason=\"write_timeout\"} 1";
        while !metrics().contains(closed) {
            assert!(
                since.elapsed() < LATE,
                "the write timeout did not close the connection"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(since.elapsed() >= Duration::from_secs(2));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_tls_are_counted_and_closed() {
    let server = TlsServer::start(&[]).await;
    tokio::task::block_in_place(|| {
        let mut plain = TcpStream::connect(server.address).unwrap();
        plain.set_read_timeout(Some(LATE)).unwrap();
        plain
            .write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        let mut response = Vec::new();
        let _ = plain.read_to_end(&mut response);
        assert!(!response.starts_with(b"HTTP/"), "{response:?}");
        let (status, metrics) = {
            let mut stream = server.connect();
            let request = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
            stream.write_all(request).unwrap();
            let mut text = String::new();
            let _ = stream.read_to_string(&mut text);
            (text.lines().next().unwrap_or_default().to_owned(), text)
        };
        assert!(status.starts_with("HTTP/1.1 200"), "{status}");
        for line in [
            "bearward_http_connections_closed_total{reason=\"tls_handshake\"} 1",
            "# TYPE bearward_tls_certificate_expiry_timestamp_seconds gauge",
        ] {
            assert!(metrics.contains(line), "{line}: {metrics}");
        }
    });
}

/// The token `bound` is bound to the certificate of the client, `other` to another one.
struct Tokens {
    bearer: String,
    bound: String,
    other: String,
}

fn tokens(server: &TlsServer, client: &IssuedCertificate) -> Tokens {
    let token = || server.idp.token();
    let authorization = |token: String| format!("Authorization: Bearer {token}");
    Tokens {
        bearer: authorization(token().sign()),
        bound: authorization(token().bound_to_certificate(&client.der).sign()),
        other: authorization(token().bound_to_certificate(&server.certificate.der).sign()),
    }
}

/// The exit code of curl if the server rejects the handshake: 35 in the handshake, 56 after it, as TLS
/// 1.3 reports it with the first read.
fn is_rejected_handshake(result: &(i32, String)) -> bool {
    matches!(result.0, -35 | -56)
}

async fn server_with_client_auth(
    client_auth: &str,
    ca: Option<&str>,
) -> (TlsServer, IssuedCertificate) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .unwrap()
        .keep();
    let clients = Authority::new();
    let ca_file = folder.join("clients.pem");
    std::fs::write(&ca_file, &clients.pem).unwrap();
    let client = clients.client("orders");
    let server = TlsServer::start(&[
        ("BEARWARD_SERVER__TLS__CLIENT_AUTH", client_auth),
        (
            "BEARWARD_SERVER__TLS__CLIENT_CA_FILE",
            ca.unwrap_or(ca_file.to_str().unwrap()),
        ),
    ])
    .await;
    client.write(server.folder.path(), "client");
    IssuedCertificate::self_signed("orders").write(server.folder.path(), "untrusted");
    std::fs::remove_dir_all(folder).unwrap();
    (server, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_authenticates_with_a_client_certificate() {
    if !is_installed("curl") {
        return;
    }
    for client_auth in ["optional", "required"] {
        let (server, client) = server_with_client_auth(client_auth, None).await;
        let tokens = tokens(&server, &client);
        let file = |name: &str| server.path(name).to_str().unwrap().to_owned();
        let (cert, key) = (file("client.pem"), file("client.key"));
        let with: [&str; 4] = ["--cert", &cert, "--key", &key];
        let curl = |certificate: &[&str], token: &str| {
            server.curl(&[certificate, &["-H", token]].concat())
        };
        for version in ["--tlsv1.3", "--tls-max=1.2"] {
            let version = version
                .split_once('=')
                .map_or(vec![version], |(name, value)| vec![name, value]);
            let with = [with.as_slice(), &version].concat();
            assert_eq!(curl(&with, &tokens.bearer).0, 200);
            assert_eq!(curl(&with, &tokens.bound).0, 200);
            let (status, body) = curl(&with, &tokens.other);
            assert!(
                status == 401 && body.contains("CERTIFICATE_MISMATCH"),
                "{status} {body}"
            );
        }
        let without = curl(&[], &tokens.bearer);
        let without_bound = curl(&[], &tokens.bound);
        if client_auth == "optional" {
            assert_eq!(without.0, 200, "{without:?}");
            assert!(without_bound.0 == 401 && without_bound.1.contains("CERTIFICATE_MISMATCH"));
        } else {
            assert!(is_rejected_handshake(&without), "{without:?}");
        }
        // A certificate that another authority issued is refused in the handshake.
        let (cert, key) = (file("untrusted.pem"), file("untrusted.key"));
        let untrusted = curl(&["--cert", &cert, "--key", &key], &tokens.bearer);
        assert!(is_rejected_handshake(&untrusted), "{untrusted:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_self_signed_certificate_is_accepted_with_any_authority() {
    if !is_installed("curl") {
        return;
    }
    let (server, _) = server_with_client_auth("required", Some("*")).await;
    let own = IssuedCertificate::self_signed("own");
    let files = own.write(server.folder.path(), "own");
    let tokens = tokens(&server, &own);
    let with = [
        "--cert",
        files.cert.to_str().unwrap(),
        "--key",
        files.key.to_str().unwrap(),
    ];
    let curl = |token: &str| server.curl(&[&with[..], &["-H", token]].concat());
    assert_eq!(curl(&tokens.bound).0, 200);
    assert_eq!(curl(&tokens.other).0, 401);
    assert_eq!(curl(&tokens.bearer).0, 200);
    assert!(is_rejected_handshake(&server.curl(&["-H", &tokens.bearer])));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_client_authentication_no_certificate_counts() {
    if !is_installed("curl") {
        return;
    }
    let server = TlsServer::start(&[]).await;
    let client = server.authority.client("orders");
    let files = client.write(server.folder.path(), "client");
    let tokens = tokens(&server, &client);
    let with = [
        "--cert",
        files.cert.to_str().unwrap(),
        "--key",
        files.key.to_str().unwrap(),
    ];
    assert_eq!(
        server
            .curl(&[&with[..], &["-H", &tokens.bearer]].concat())
            .0,
        200
    );
    let (status, body) = server.curl(&[&with[..], &["-H", &tokens.bound]].concat());
    assert!(
        status == 401 && body.contains("CERTIFICATE_MISMATCH"),
        "{body}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_and_the_challenge_have_https_urls() {
    if !is_installed("curl") {
        return;
    }
    let (server, _) = server_with_client_auth("optional", None).await;
    let (status, _) = server.curl(&[]);
    assert_eq!(status, 401);
    let headers = server.curl(&["-D", "-"]).1;
    let base = format!("https://{}", server.address);
    assert!(
        headers.contains(&format!("resource_metadata=\"{base}/")),
        "{headers}"
    );
    assert!(
        !headers.to_lowercase().contains("strict-transport-security"),
        "{headers}"
    );
    let metadata = server
        .curl(&[&server.url("/.well-known/oauth-protected-resource")])
        .1;
    assert!(
        metadata.contains(&format!("\"resource\":\"{base}\"")),
        "{metadata}"
    );
    assert!(
        metadata.contains("\"tls_client_certificate_bound_access_tokens\":true"),
        "{metadata}"
    );
    let server = TlsServer::start(&[("BEARWARD_SERVER__TLS__HSTS_MAX_AGE", "1day")]).await;
    let headers = server.curl(&["-D", "-"]).1.to_lowercase();
    assert!(
        headers.contains("strict-transport-security: max-age=86400\r\n"),
        "{headers}"
    );
    let metadata = server
        .curl(&[&server.url("/.well-known/oauth-protected-resource")])
        .1;
    assert!(
        metadata.contains("\"tls_client_certificate_bound_access_tokens\":false"),
        "{metadata}"
    );
}
