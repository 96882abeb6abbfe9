//! Tokens that are bound to a key (`DPoP`, RFC 9449) through a gateway: the proof names the URL at which
//! the client has reached the gateway.

use actix_web::{App, HttpResponse, HttpServer, web};
use bearward_testing::{ProofBuilder, ProofKey};
use reqwest::Method;
use rstest::rstest;
use test_support::http::{Response, send};

use crate::{
    backend::Backend,
    fixture::{BackendResponse, Fixture, TestServer},
    gateway::Gateway::{self, Caddy, Envoy, Nginx, Traefik},
};

struct Client {
    fixture: Fixture,
    key: ProofKey,
    token: String,
}

impl Client {
    /// Returns `None` if the gateway is not installed.
    async fn start(gateway: Gateway, nonce: &str) -> Option<Self> {
        gateway.program()?;
        let settings = [
            ("BEARWARD_ISSUERS__SUPABASE__DPOP", "accepted"),
            ("BEARWARD_DPOP__NONCE", nonce),
        ];
        let server = TestServer::start(&settings).await;
        let fixture = Fixture::start_with(gateway, server, |text| text)?;
        let key = ProofKey::generate();
        let token = fixture.token().bound_to(&key).sign();
        Some(Self {
            fixture,
            key,
            token,
        })
    }

    /// Returns a proof for this URL of the gateway.
    fn proof(&self, method: &str, target: &str) -> ProofBuilder {
        let url = format!("http://{}{target}", self.fixture.address());
        self.key.proof(method, &url).for_token(&self.token)
    }

    async fn send(&self, target: &str, proof: &str, headers: &[(&str, &str)]) -> Response {
        let authorization = format!("DPoP {}", self.token);
        let with = |request: reqwest::RequestBuilder| {
            let request = request
                .header("authorization", &authorization)
                .header("dpop", proof)
                .body("{}");
            headers.iter().fold(request, |request, (name, value)| {
                request.header(*name, *value)
            })
        };
        self.fixture.send(Method::POST, target, with).await
    }
}

#[rstest]
#[actix_web::test]
async fn a_proof_names_the_url_of_the_gateway(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    let Some(client) = Client::start(gateway, "off").await else {
        return;
    };
    let target = "/orders/7";
    let proof = client.proof("POST", target).sign();
    let with_query = format!("{target}?a=b%20c");
    let response = client.send(&with_query, &proof, &[]).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(response.json()["target"], with_query);
    for name in ["dpop", "authorization"] {
        assert_eq!(response.backend_headers(name), [], "{response:?}");
    }
    let replayed = client.send(target, &proof, &[]).await;
    assert_eq!(replayed.status, 401, "{replayed:?}");
    let challenge = replayed.header("www-authenticate").unwrap();
    assert!(challenge.contains("invalid_dpop_proof"), "{challenge}");
    let encoded = client.proof("POST", "/a%20b/%C3%A9").sign();
    let response = client.send("/a%20b/%C3%A9", &encoded, &[]).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(client.fixture.backend.request_count(), 2);
}

#[rstest]
#[actix_web::test]
async fn a_proof_for_another_request_is_rejected(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    let Some(client) = Client::start(gateway, "off").await else {
        return;
    };
    let (gateway, server) = (client.fixture.address(), client.fixture.server.address);
    let of_server = format!("http://{server}/api/auth/verify");
    let proofs = [
        client.proof("GET", "/orders").sign(),
        client.proof("POST", "/orders/8").sign(),
        client.proof("POST", "/api/auth/verify").sign(),
        client
            .key
            .proof("POST", &of_server)
            .for_token(&client.token)
            .sign(),
    ];
    for proof in proofs {
        let response = client.send("/orders", &proof, &[]).await;
        assert_eq!(response.status, 401, "{response:?}");
    }
    // The client describes another request than the one it sends.
    let other = client.key.proof("DELETE", "https://other.example/x");
    let proof = other.for_token(&client.token);
    let host = gateway.to_string();
    for headers in [
        &[
            ("x-forwarded-method", "DELETE"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "other.example"),
            ("x-forwarded-uri", "/x"),
        ][..],
        &[("forwarded", "for=192.0.2.9;proto=https;host=other.example")],
        &[("x-original-url", "/x"), ("x-forwarded-server", &host)],
    ] {
        let response = client.send("/orders", &proof.clone().sign(), headers).await;
        assert_eq!(response.status, 401, "{headers:?}: {response:?}");
    }
    assert_eq!(client.fixture.backend.request_count(), 0);
}

#[rstest]
#[actix_web::test]
async fn a_nonce_reaches_the_client(#[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway) {
    let Some(client) = Client::start(gateway, "required").await else {
        return;
    };
    let rejected = client
        .send("/orders", &client.proof("POST", "/orders").sign(), &[])
        .await;
    assert_eq!(rejected.status, 401, "{rejected:?}");
    let challenge = rejected.header("www-authenticate").unwrap();
    assert!(challenge.contains("use_dpop_nonce"), "{challenge}");
    let nonce = rejected.header("dpop-nonce").unwrap();
    assert!(!nonce.is_empty(), "{rejected:?}");
    let proof = client.proof("POST", "/orders").nonce(nonce).sign();
    let spoofed = [("dpop-nonce", "made-up")];
    let response = client.send("/orders", &proof, &spoofed).await;
    assert_eq!(response.status, 200, "{response:?}");
    // A new nonce comes with the next minute only.
    let next = response.header("dpop-nonce").unwrap_or(nonce);
    assert_eq!(next.len(), nonce.len(), "{response:?}");
    assert_eq!(client.fixture.backend.request_count(), 1);
}

/// Traefik adds no header of the authorization response to the response for the client.
#[rstest]
#[actix_web::test]
async fn a_new_nonce_of_a_successful_request_reaches_the_client(
    #[values(Nginx, Caddy, Envoy)] gateway: Gateway,
) {
    let Some(program) = gateway.program() else {
        return;
    };
    // bearward sends a new nonce once the one of the proof is a minute old.
    let authorize = || async {
        let mut response = HttpResponse::Ok();
        response.insert_header(("dpop-nonce", "second")).finish()
    };
    let server = HttpServer::new(move || App::new().default_service(web::to(authorize)))
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    let backend = Backend::start();
    let gateway = gateway.start(&program, address, backend.address, |text| text);
    let url = format!("http://{}/orders", gateway.address);
    let client = test_support::http::client_builder().build().unwrap();
    let response = send(client.get(url).header("dpop-nonce", "made-up")).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(
        response.header("dpop-nonce"),
        Some("second"),
        "{response:?}"
    );
    handle.stop(false).await;
}
