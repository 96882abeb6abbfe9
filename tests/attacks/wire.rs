//! The server as the network sees it: raw bytes in, raw bytes out.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use bearward_idp as idp;
use bearward_server::{
    server::Application,
    settings::{Config, Sources},
};
use bearward_testing::{MockIdp, signing::encode};

/// A server that takes tokens of this identity provider, also from a cookie. It serves for as long
/// as the process runs.
fn serve(idp: &MockIdp) -> SocketAddr {
    let sources = Sources::new(None, [])
        .with("server.bind", "127.0.0.1:0")
        .with("server.workers", "1")
        .with("tokens.cookie", "session")
        .with("issuers.mock.issuer", idp.issuer())
        .with("issuers.mock.jwks_url", idp.jwks_url())
        .with("issuers.mock.audiences", idp.audience());
    let config = Config::load(&sources).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let application = Application::start(&config, None).await.unwrap();
            tell.send(application.address()).unwrap();
            application.run().await.unwrap();
        });
    });
    told.recv().unwrap()
}

fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A connection that is reset after the answer has still answered.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_method_and_no_spelling_of_the_path_gets_past_the_token() {
    let address = serve(&MockIdp::start().await);
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
            let answer = ask(
                address,
                &format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
            );
            assert!(
                ["401", "404", "405", "400"].contains(&status(&answer)),
                "{method} {path}: {answer}"
            );
            let challenged = answer
                .to_lowercase()
                .contains("\r\nwww-authenticate: bearer ");
            assert_eq!(
                status(&answer) == "401",
                challenged,
                "{method} {path}: {answer}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_a_stranger_sends_comes_back_to_him() {
    let idp = MockIdp::start().await;
    let address = serve(&idp);
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
        let answer = ask(address, &format!("{head}\r\nConnection: close\r\n\r\n"));
        assert_eq!(status(&answer), "401", "{answer}");
        assert!(
            !answer.to_lowercase().contains("canary")
                && !answer.contains("access-control-allow-origin"),
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_length_is_said_twice_is_not_two_requests() {
    let address = serve(&MockIdp::start().await);
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
        let answer = ask(
            address,
            &format!("POST /protected HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n0\r\n\r\n{second}"),
        );
        assert_eq!(
            (status(&answer), answer.matches("HTTP/1.1").count()),
            ("400", 1),
            "{framing}: {answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_web_page_drives_the_development_idp() {
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
    let post = |version: &str, headers: &str| {
        let request =
            format!("POST /admin/keys/rotate HTTP/{version}\r\n{headers}Connection: close\r\n\r\n");
        status(&ask(address, &request)).to_owned()
    };
    assert_eq!(
        post("1.1", &format!("Host: 127.0.0.1:{own}\r\n")),
        "200",
        "a program on this machine"
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
            ["403", "400"].contains(&post("1.1", &headers).as_str()),
            "{headers}"
        );
    }
    assert_ne!(
        post("1.0", "Content-Length: 0\r\n"),
        "200",
        "no Host at all"
    );
}
