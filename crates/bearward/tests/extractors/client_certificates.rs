//! RFC 8705: extractors and guards find the client certificate of the request or of its connection.

use std::net::TcpListener;

use actix_web::{App, HttpMessage, HttpServer, dev::ServiceRequest, middleware::from_fn, web};
use bearward::{Bearward, ClientCertificate, RequestHead};
use test_support::raw_http::{Request, get};

use crate::test_app::{TestApp, me};

const CERTIFICATE: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x01];
const OTHER: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x02];

fn certificate(der: &[u8]) -> ClientCertificate {
    ClientCertificate::from_der(der).unwrap()
}

/// Returns the bytes of the certificate that a test request names.
fn named(name: &str) -> &'static [u8] {
    if name == "same" { CERTIFICATE } else { OTHER }
}

/// Serves `/me` and the guarded scope `/guarded`. All connections have `of_connection`; the header
/// `test-certificate` sets the certificate of a request.
fn serve(auth: &Bearward, of_connection: Option<ClientCertificate>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let auth = auth.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(auth.clone())
            .route("/me", web::get().to(me))
            .service(
                web::scope("/guarded")
                    .wrap(auth.guard())
                    .route("/me", web::get().to(me)),
            )
            .wrap(from_fn(
                async |request: ServiceRequest, next: actix_web::middleware::Next<_>| {
                    if let Some(name) = request.headers().get("test-certificate") {
                        let der = named(name.to_str().unwrap());
                        request.extensions_mut().insert(certificate(der));
                    }
                    next.call(request).await
                },
            ))
    })
    .on_connect(move |_, extensions| {
        if let Some(certificate) = of_connection {
            extensions.insert(certificate);
        }
    })
    .workers(1)
    .disable_signals()
    .listen(listener)
    .unwrap()
    .run();
    actix_web::rt::spawn(server);
    address
}

async fn status(
    address: std::net::SocketAddr,
    path: &str,
    token: &str,
    name: Option<&str>,
) -> (u16, String) {
    let mut request: Request = get(path).bearer(token);
    if let Some(name) = name {
        request = request.header("test-certificate", name);
    }
    let response = request.exchange(address).await;
    let code = if response.status == 200 {
        String::new()
    } else {
        response.json()["error"]["code"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    (response.status, code)
}

#[actix_web::test]
async fn the_certificate_of_the_request_precedes_that_of_the_connection() {
    let app = TestApp::start().await;
    let bound = app.token().bound_to_certificate(CERTIFICATE).sign();
    let mismatch = (401, "CERTIFICATE_MISMATCH".to_owned());
    let accepted = (200, String::new());
    for (of_connection, of_request, expected) in [
        (None, None, &mismatch),
        (None, Some("same"), &accepted),
        (None, Some("other"), &mismatch),
        (Some(CERTIFICATE), None, &accepted),
        (Some(OTHER), None, &mismatch),
        (Some(OTHER), Some("same"), &accepted),
        (Some(CERTIFICATE), Some("other"), &mismatch),
    ] {
        let address = serve(&app.auth, of_connection.map(certificate));
        for path in ["/me", "/guarded/me"] {
            assert_eq!(
                status(address, path, &bound, of_request).await,
                *expected,
                "{path} {of_connection:?} {of_request:?}"
            );
            assert_eq!(
                status(address, path, &app.valid_token(), of_request).await,
                accepted
            );
        }
    }
}

#[actix_web::test]
async fn the_certificate_is_checked_after_a_key_fetch_too() {
    for (name, expected) in [("same", 200), ("other", 401)] {
        let idp = bearward_testing::MockIdp::start().await;
        let app = TestApp::start_cold(idp, |builder| builder).await;
        let bound = app.token().bound_to_certificate(CERTIFICATE).sign();
        let address = serve(&app.auth, None);
        assert_eq!(status(address, "/me", &bound, Some(name)).await.0, expected);
    }
}

#[actix_web::test]
async fn a_request_head_carries_the_certificate() {
    let app = TestApp::start().await;
    let authorization = format!(
        "Bearer {}",
        app.token().bound_to_certificate(CERTIFICATE).sign()
    );
    let head = RequestHead::new("GET", "/", [("authorization", authorization.as_bytes())]);
    assert!(app.auth.authenticate(&head).await.is_err());
    let other = head.clone().client_certificate(certificate(OTHER));
    assert!(app.auth.authenticate(&other).await.is_err());
    let same = head.client_certificate(certificate(CERTIFICATE));
    assert!(app.auth.authenticate(&same).await.is_ok());
}
