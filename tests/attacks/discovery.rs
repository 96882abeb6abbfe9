//! A forged discovery document must not make the server fetch from loopback or link-local addresses.

use std::sync::{Arc, Mutex};

use bearward::{
    Bearward, Issuer,
    keys::{Fetch, FetchFuture, FetchRequest, FetchResponse, Freshness},
};

const ISSUER: &str = "https://idp.example";

/// Returns metadata with this `jwks_uri` for every request, and records the requested URLs.
#[derive(Debug, Clone)]
struct ForgedDiscovery {
    jwks_uri: String,
    requested: Arc<Mutex<Vec<String>>>,
}

impl Fetch for ForgedDiscovery {
    fn fetch(&self, request: FetchRequest) -> FetchFuture {
        self.requested.lock().unwrap().push(request.url.into());
        let body = serde_json::json!({ "issuer": ISSUER, "jwks_uri": self.jwks_uri })
            .to_string()
            .into_bytes();
        let fetched = FetchResponse::Document {
            body,
            etag: None,
            freshness: Freshness::Unspecified,
            server_time: None,
        };
        Box::pin(async move { Ok(fetched) })
    }
}

/// Returns the URLs that are fetched for this `jwks_uri`.
async fn requested_urls(jwks_uri: &str) -> Vec<String> {
    let fetch = ForgedDiscovery {
        jwks_uri: jwks_uri.to_owned(),
        requested: Arc::default(),
    };
    let issuer = Issuer::new(ISSUER, "authenticated").unwrap();
    let auth = Bearward::builder()
        .issuer(issuer)
        .fetch(Arc::new(fetch.clone()))
        .build()
        .await
        .unwrap();
    auth.wait_for_initial_fetch().await;
    let requested = fetch.requested.lock().unwrap();
    requested.clone()
}

#[tokio::test]
async fn discovered_loopback_urls_are_not_fetched() {
    for host in [
        "localhost",
        "localhost.",
        "LOCALHOST",
        "kong.localhost",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "\u{2460}\u{2461}\u{2466}.0.0.1",
        "0.0.0.0",
        "0.1.2.3",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "[fe80::1]",
    ] {
        let jwks_uri = format!("https://{host}/keys");
        assert_eq!(
            requested_urls(&jwks_uri).await,
            [format!("{ISSUER}/.well-known/openid-configuration")],
            "{jwks_uri}"
        );
    }
    assert_eq!(
        requested_urls("https://10.0.0.7/keys").await.len(),
        2,
        "an identity provider may be in a private network"
    );
}
