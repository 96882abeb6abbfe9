//! The server over raw TCP.

use std::net::SocketAddr;

use bearward_idp as idp;
use bearward_server::{
    server::Application,
    settings::{Config, Sources},
};
use bearward_testing::{MockIdp, signing::encode};
use test_support::raw_http::send_until_closed;

/// Starts a server that trusts this identity provider and also accepts tokens in a cookie. It runs
/// until the process ends.
fn start_server(idp: &MockIdp) -> SocketAddr {
    let sources = Sources::new(None, [])
        .with("server.bind", "127.0.0.1:0")
        .with("server.workers", "1")
        .with("database.url", "sqlite::memory:")
        .with("tokens.cookie", "session")
        .with("issuers.mock.issuer", idp.issuer())
        .with("issuers.mock.jwks_url", idp.jwks_url())
        .with("issuers.mock.audiences", idp.audience());
    let config = Config::load(&sources).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let application = Application::start(&config, None).await.unwrap();
            sender.send(application.address()).unwrap();
            application.run().await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

fn status(response: &str) -> &str {
    response.split(' ').nth(1).unwrap_or("none")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_method_or_path_variant_bypasses_authentication() {
    let address = start_server(&MockIdp::start().await);
    let paths = [
        "/protected",
        "//protected",
        "/protected/",
        "/%70rotected",
        "/protected%2f",
        "/x/../protected",
        "/protected;a=b",
    ];
    for method in ["GET", "HEAD", "POST", "OPTIONS", "TRACE", "get", "FOO"] {
        for path in paths.into_iter().chain([
            "http://evil.example/protected",
            "/PROTECTED",
            "/protected?access_token=a",
        ]) {
            let request =
                format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            let response = send_until_closed(address, request).await;
            assert!(
                ["401", "404", "405", "400"].contains(&status(&response)),
                "{method} {path}: {response}"
            );
            let has_challenge = response
                .to_lowercase()
                .contains("\r\nwww-authenticate: bearer ");
            assert_eq!(
                status(&response) == "401",
                has_challenge,
                "{method} {path}: {response}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_data_is_not_reflected() {
    let idp = MockIdp::start().await;
    let address = start_server(&idp);
    let header =
        encode(b"{\"alg\":\"ES256\",\"kid\":\"canary\\\"\\r\\nX-Canary: 1\",\"typ\":\"canary\"}");
    let payload = |iss: &str| {
        encode(
            format!(r#"{{"iss":"{iss}","exp":99999999999,"aud":"canary","sub":"canary"}}"#)
                .as_bytes(),
        )
    };
    let tokens = [
        format!("{header}.{}.AAAA", payload(&idp.issuer())),
        format!("{header}.{}.AAAA", payload("canary\\\"")),
        "canary".to_owned(),
    ];
    for token in tokens {
        let head = format!(
            "GET /protected?canary=1 HTTP/1.1\r\nHost: canary\r\nx-request-id: canary;\r\nOrigin: null\r\nAuthorization: Bearer {token}"
        );
        let request = format!("{head}\r\nConnection: close\r\n\r\n");
        let response = send_until_closed(address, request).await;
        assert_eq!(status(&response), "401", "{response}");
        assert!(
            !response.to_lowercase().contains("canary")
                && !response.contains("access-control-allow-origin"),
            "{response}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ambiguous_framing_is_rejected() {
    let address = start_server(&MockIdp::start().await);
    for framing in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Content-Length: 4\r\nContent-Length: 5",
        "Content-Length: 4, 5",
        "Content-Length: +4",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    ] {
        let second = "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let request =
            format!("POST /protected HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n0\r\n\r\n{second}");
        let response = send_until_closed(address, request).await;
        assert_eq!(
            (status(&response), response.matches("HTTP/1.1").count()),
            ("400", 1),
            "{framing}: {response}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn development_idp_rejects_foreign_hosts_and_origins() {
    let options = idp::Options {
        address: "127.0.0.1:0".parse().unwrap(),
        base: None,
        algorithm: bearward::Algorithm::ES256,
        environment: "development".to_owned(),
        dangerous_allow_remote: false,
        auth: idp::AuthOptions::default(),
    };
    let production = idp::Options {
        environment: "Production".to_owned(),
        ..options.clone()
    };
    assert!(idp::Idp::start(production).is_err());
    let idp = idp::Idp::start(options).unwrap();
    let (address, own) = (idp.address(), idp.address().port());
    let post = async |version: &str, headers: &str| {
        let request =
            format!("POST /admin/keys/rotate HTTP/{version}\r\n{headers}Connection: close\r\n\r\n");
        status(&send_until_closed(address, request).await).to_owned()
    };
    assert_eq!(
        post("1.1", &format!("Host: 127.0.0.1:{own}\r\n")).await,
        "200",
        "a local program"
    );
    for headers in [
        format!("Host: evil.example:{own}\r\n"),
        format!("Host: localhost.evil.example:{own}\r\n"),
        format!("Host: 127.0.0.1:{own}\r\nOrigin: http://evil.example\r\n"),
        format!("Host: 127.0.0.1:{own}\r\nOrigin: null\r\nContent-Type: text/plain\r\n"),
        format!("Host: 127.0.0.1:{own}\r\nOrigin: http://localhost.evil.example\r\n"),
        format!("Host: 127.0.0.1:{own}\r\nHost: evil.example\r\n"),
    ] {
        assert!(
            ["403", "400"].contains(&post("1.1", &headers).await.as_str()),
            "{headers}"
        );
    }
    assert_ne!(
        post("1.0", "Content-Length: 0\r\n").await,
        "200",
        "no Host header"
    );
}
