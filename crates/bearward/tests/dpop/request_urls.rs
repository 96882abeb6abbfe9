//! The URL that `htu` is compared with.

use std::net::IpAddr;

use bearward::{
    Algorithm, AuthError, Bearward, BuildWarning, DpopConfig, DpopMode, ProofError, ProxyHeaders,
    RequestHead,
};
use bearward_testing::{MockIdp, ProofKey};

const PROXY: &str = "10.0.0.1";
const CLIENT: &str = "192.0.2.1";

struct Server {
    idp: MockIdp,
    auth: Bearward,
    key: ProofKey,
}

impl Server {
    async fn new(config: DpopConfig) -> Self {
        let idp = MockIdp::offline();
        let issuer = idp.as_issuer().dpop(DpopMode::Accepted);
        let auth = Bearward::builder().issuer(issuer).dpop(config);
        Self {
            auth: auth.build().await.unwrap(),
            idp,
            key: ProofKey::with_algorithm(Algorithm::ES256),
        }
    }

    /// Sends `GET /orders` with a proof for `htu`.
    async fn accepts(&self, htu: &str, peer: &str, headers: &[(&str, &str)]) -> bool {
        let token = self.idp.token().bound_to(&self.key).sign();
        let proof = self.key.proof("GET", htu).for_token(&token).sign();
        let authorization = format!("DPoP {token}");
        let mut all = vec![("authorization", authorization.as_str()), ("dpop", &proof)];
        all.extend_from_slice(headers);
        let peer: IpAddr = peer.parse().unwrap();
        let head = RequestHead::new("GET", "/orders?page=2", all).with_peer(peer, false);
        match self.auth.authenticate(&head).await {
            Ok(_) => true,
            Err(failure) => {
                assert_eq!(failure.error, AuthError::InvalidProof(ProofError::Url));
                false
            }
        }
    }
}

fn trusting_proxy() -> DpopConfig {
    let proxy: IpAddr = PROXY.parse().unwrap();
    DpopConfig::default().trusted_proxies(move |peer| peer == proxy)
}

#[tokio::test]
async fn a_proxy_is_believed_only_if_it_is_trusted() {
    let server = Server::new(trusting_proxy()).await;
    let headers = [
        ("host", "internal:8000"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "api.example.com"),
    ];
    let (public, internal) = (
        "https://api.example.com/orders",
        "http://internal:8000/orders",
    );
    assert!(server.accepts(public, PROXY, &headers).await);
    assert!(!server.accepts(internal, PROXY, &headers).await);
    assert!(!server.accepts(public, CLIENT, &headers).await);
    assert!(server.accepts(internal, CLIENT, &headers).await);
    let forwarded = [
        ("host", "internal:8000"),
        ("forwarded", "proto=https;host=api.example.com"),
    ];
    assert!(!server.accepts(public, PROXY, &forwarded).await);
    let rfc_7239 = trusting_proxy().proxy_headers(ProxyHeaders::Forwarded);
    let server = Server::new(rfc_7239).await;
    assert!(server.accepts(public, PROXY, &forwarded).await);
    assert!(!server.accepts(public, CLIENT, &forwarded).await);
    assert!(server.accepts(internal, CLIENT, &forwarded).await);
    assert!(!server.accepts(public, PROXY, &headers).await);
}

#[tokio::test]
async fn the_base_url_replaces_the_host() {
    let base = "https://api.example.com/v1".parse().unwrap();
    let server = Server::new(trusting_proxy().base_url(base)).await;
    let headers = [
        ("host", "attacker.example"),
        ("x-forwarded-host", "attacker.example"),
    ];
    for peer in [PROXY, CLIENT] {
        let htu = "https://api.example.com/v1/orders";
        assert!(server.accepts(htu, peer, &headers).await);
        let htu = "https://attacker.example/orders";
        assert!(!server.accepts(htu, peer, &headers).await);
    }
    assert_eq!(server.auth.warnings(), []);
}

#[tokio::test]
async fn a_missing_base_url_is_a_warning() {
    let server = Server::new(DpopConfig::default()).await;
    assert_eq!(server.auth.warnings(), [BuildWarning::DpopWithoutBaseUrl]);
}

#[tokio::test]
async fn an_invalid_setting_is_an_error_at_start() {
    let idp = MockIdp::offline();
    let builder = Bearward::builder()
        .issuer(idp.as_issuer())
        .dpop(DpopConfig::default().replay_entries(0));
    let error = builder.build().await.unwrap_err();
    assert!(matches!(error, bearward::BuildError::Dpop(_)), "{error}");
}
