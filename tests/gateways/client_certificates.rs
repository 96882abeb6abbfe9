//! RFC 8705 behind a gateway that terminates TLS: the certificate that it forwards counts, and a header
//! that a client sets does not.

use std::{path::Path, process::Command};

use rstest::rstest;
use test_support::{
    certificates::{Authority, IssuedCertificate},
    has_curl,
};

use crate::{
    fixture::{Fixture, TestServer},
    gateway::Gateway::{self, Caddy, Envoy, Nginx, Traefik},
};

const NAMES: [&str; 4] = [
    "client-cert",
    "x-client-cert",
    "x-forwarded-client-cert",
    "x-forwarded-tls-client-cert",
];

/// Returns the value of a header as the proxy of that name writes it.
fn header_value(name: &str, certificate: &IssuedCertificate) -> String {
    let base64 = base64_simd::STANDARD.encode_to_string(&certificate.der);
    match name {
        "client-cert" => format!(":{base64}:"),
        "x-forwarded-client-cert" => format!("Cert=\"{}\"", certificate.pem.replace('\n', "%0A")),
        _ => base64,
    }
}

/// The server believes a header from the gateway, so the gateway must not let a client set it.
#[rstest]
#[actix_web::test]
async fn certificate_headers_of_clients_are_removed(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    if gateway.program().is_none() {
        return;
    }
    let certificate = IssuedCertificate::self_signed("orders");
    for name in NAMES {
        let server =
            TestServer::start(&[("BEARWARD_SERVER__CLIENT_CERTIFICATE_HEADER", name)]).await;
        let token = server.token().bound_to_certificate(&certificate.der).sign();
        let value = header_value(name, &certificate);
        // The gateway itself is believed.
        let direct = server
            .send(reqwest::Method::GET, "/protected", |request| {
                request.bearer_auth(&token).header(name, &value)
            })
            .await;
        assert_eq!(direct.status, 200, "{direct:?}");
        let fixture = Fixture::start_with(gateway, server, |text| text).unwrap();
        let authorization = format!("Authorization: Bearer {token}");
        let spoofed = format!("{name}: {value}");
        let response = fixture.send_raw(&[&authorization, &spoofed]).await;
        assert!(response.starts_with("HTTP/1.1 401"), "{name}: {response}");
        assert!(
            response.contains("bound to a client certificate"),
            "{response}"
        );
        let bearer = format!("Authorization: Bearer {}", fixture.token().sign());
        let response = fixture.send_raw(&[&bearer, &spoofed]).await;
        assert!(response.starts_with("HTTP/1.1 200"), "{name}: {response}");
        assert!(
            !response.contains(name),
            "the backend receives {name}: {response}"
        );
    }
}

/// Adds TLS with optional client certificates to the configuration of an example.
fn with_tls(gateway: Gateway, text: &str, folder: &Path) -> String {
    let path = |name: &str| folder.join(name).display().to_string();
    let (cert, key, ca) = (path("server.pem"), path("server.key"), path("ca.pem"));
    match gateway {
        Nginx => {
            let (before, rest) = text.split_once("listen 127.0.0.1:").unwrap();
            let (port, rest) = rest.split_once(';').unwrap();
            format!(
                "{before}listen 127.0.0.1:{port} ssl; ssl_certificate {cert}; ssl_certificate_key {key}; \
                 ssl_client_certificate {ca}; ssl_verify_client optional;{rest}"
            )
        }
        Envoy => text.replacen(
            "        - filters:\n",
            &format!(
                r#"        - transport_socket:
            name: envoy.transport_sockets.tls
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
              common_tls_context:
                tls_certificates: [{{ certificate_chain: {{ filename: {cert} }}, private_key: {{ filename: {key} }} }}]
                validation_context: {{ trusted_ca: {{ filename: {ca} }} }}
          filters:
"#
            ),
            1,
        ),
        Caddy | Traefik => panic!("no TLS in this test"),
    }
}

#[rstest]
#[case::nginx(Nginx, "X-Client-Cert")]
#[case::envoy(Envoy, "X-Forwarded-Client-Cert")]
#[actix_web::test]
async fn the_certificate_of_the_connection_is_forwarded(
    #[case] gateway: Gateway,
    #[case] header: &str,
) {
    if gateway.program().is_none() || !has_curl() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let authority = Authority::new();
    std::fs::write(folder.join("ca.pem"), &authority.pem).unwrap();
    authority.server().write(folder, "server");
    let [own, other] = ["own", "other"].map(|name| {
        let certificate = authority.client(name);
        (certificate.write(folder, name), certificate)
    });
    let server = TestServer::start(&[("BEARWARD_SERVER__CLIENT_CERTIFICATE_HEADER", header)]).await;
    let bound = server.token().bound_to_certificate(&own.1.der).sign();
    let bearer = server.token().sign();
    let fixture =
        Fixture::start_with(gateway, server, |text| with_tls(gateway, &text, folder)).unwrap();
    let url = format!("https://localhost:{}/orders", fixture.address().port());
    let ca = folder.join("ca.pem");
    let status = async |certificate: Option<&test_support::certificates::CertificateFiles>,
                        token: &str,
                        forged: &str| {
        let mut command = Command::new("curl");
        command
            .args([
                "-sS",
                "--noproxy",
                "*",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code}",
                "--cacert",
            ])
            .arg(&ca)
            .args(["-H", &format!("Authorization: Bearer {token}")]);
        if let Some(files) = certificate {
            command
                .arg("--cert")
                .arg(&files.cert)
                .arg("--key")
                .arg(&files.key);
        }
        if !forged.is_empty() {
            command.args(["-H", forged]);
        }
        command.arg(&url);
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        let output = output.unwrap().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let forged = format!("{header}: {}", header_value(&header.to_lowercase(), &own.1));
    for (certificate, token, forged, expected) in [
        (Some(&own.0), &bound, "", "200"),
        (Some(&other.0), &bound, "", "401"),
        (None, &bound, "", "401"),
        (Some(&other.0), &bound, &forged, "401"),
        (None, &bound, &forged, "401"),
        (Some(&own.0), &bound, &forged, "200"),
        (Some(&own.0), &bearer, "", "200"),
        (None, &bearer, "", "200"),
    ] {
        assert_eq!(
            status(certificate, token, forged).await,
            expected,
            "{certificate:?} {forged}"
        );
    }
}

/// Only the peers in `server.trusted_proxies` are believed.
#[actix_web::test]
async fn the_header_of_another_client_is_ignored() {
    let certificate = IssuedCertificate::self_signed("orders");
    for (trusted, expected) in [("127.0.0.1", 200), ("127.0.0.2", 401)] {
        for name in NAMES {
            let server = TestServer::start(&[
                ("BEARWARD_SERVER__CLIENT_CERTIFICATE_HEADER", name),
                ("BEARWARD_SERVER__TRUSTED_PROXIES", trusted),
            ])
            .await;
            let token = server.token().bound_to_certificate(&certificate.der).sign();
            let value = header_value(name, &certificate);
            let send = async |token: &str, value: &str| {
                let response = server.send(reqwest::Method::GET, "/protected", |request| {
                    request.bearer_auth(token).header(name, value)
                });
                response.await
            };
            // The second time, the token is in the cache.
            for _ in 0..2 {
                let response = send(&token, &value).await;
                assert_eq!(response.status, expected, "{name}: {response:?}");
                if expected == 401 {
                    assert_eq!(response.code(), "CERTIFICATE_MISMATCH");
                }
                let other = header_value(name, &IssuedCertificate::self_signed("other"));
                assert_eq!(
                    send(&token, &other).await.error(),
                    (401, "CERTIFICATE_MISMATCH".to_owned())
                );
                assert_eq!(
                    send(&token, "malformed").await.code(),
                    "CERTIFICATE_MISMATCH"
                );
                assert_eq!(send(&server.token().sign(), "malformed").await.status, 200);
            }
        }
    }
}
