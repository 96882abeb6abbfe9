//! A forged discovery document that tries to send the fetch where only this machine gets.

use std::sync::{Arc, Mutex};

use bearward::{
    Bearward, Issuer,
    keys::{Fetch, FetchFuture, FetchRequest, FetchResponse, Freshness},
};

const ISSUER: &str = "https://idp.example";

/// Answers every request with metadata that name this address, and remembers what it was asked for.
#[derive(Debug, Clone)]
struct Forged {
    jwks_uri: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fetch for Forged {
    fn fetch(&self, request: FetchRequest) -> FetchFuture {
        self.asked.lock().unwrap().push(request.url.into());
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

async fn asked(jwks_uri: &str) -> Vec<String> {
    let forged = Forged {
        jwks_uri: jwks_uri.to_owned(),
        asked: Arc::default(),
    };
    let issuer = Issuer::new(ISSUER, "authenticated").unwrap();
    let auth = Bearward::builder()
        .issuer(issuer)
        .fetch(Arc::new(forged.clone()))
        .build()
        .await
        .unwrap();
    auth.wait_for_initial_fetch().await;
    let asked = forged.asked.lock().unwrap();
    asked.clone()
}

#[tokio::test]
async fn no_spelling_of_this_machine_is_fetched_for_an_issuer_elsewhere() {
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
            asked(&jwks_uri).await,
            [format!("{ISSUER}/.well-known/openid-configuration")],
            "{jwks_uri}"
        );
    }
    assert_eq!(
        asked("https://10.0.0.7/keys").await.len(),
        2,
        "a private network may be where the identity provider lives"
    );
}
