//! Logout tokens: when they are sent, what they contain, and the switch of the admin API.

use std::time::Duration;

use bearward::{Bearward, LogoutToken};
use bearward_idp::{AuthOptions, Options};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
    time::timeout,
};

use crate::fixture::{self, PASSWORD, TestIdp, options, text};

const LIMIT: Duration = Duration::from_secs(30);

/// A relying party that records the logout tokens it receives.
struct RelyingParty {
    url: String,
    tokens: mpsc::UnboundedReceiver<String>,
}

impl RelyingParty {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/logout", listener.local_addr().unwrap());
        let (sender, tokens) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                let body = loop {
                    let mut buffer = [0; 4096];
                    let read = stream.read(&mut buffer).await.unwrap();
                    request.extend_from_slice(&buffer[..read]);
                    let text = String::from_utf8(request.clone()).unwrap().to_lowercase();
                    let Some((head, _)) = text.split_once("\r\n\r\n") else {
                        continue;
                    };
                    assert!(head.starts_with("post /logout http/1.1"), "{head}");
                    assert!(
                        head.contains("content-type: application/x-www-form-urlencoded"),
                        "{head}"
                    );
                    let length: usize = head
                        .split_once("content-length: ")
                        .and_then(|(_, rest)| rest.lines().next()?.parse().ok())
                        .unwrap();
                    if request.len() == head.len() + 4 + length {
                        break String::from_utf8(request[head.len() + 4..].to_vec()).unwrap();
                    }
                };
                let response = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                stream.write_all(response.as_bytes()).await.unwrap();
                let token = body.strip_prefix("logout_token=").unwrap().to_owned();
                sender.send(token).unwrap();
            }
        });
        Self { url, tokens }
    }

    /// Returns the next logout token, verified.
    async fn next(&mut self, auth: &Bearward) -> LogoutToken {
        let token = timeout(LIMIT, self.tokens.recv()).await.unwrap().unwrap();
        auth.verify_logout_token(&token).await.unwrap()
    }
}

async fn start() -> (TestIdp, RelyingParty, Bearward) {
    let relying_party = RelyingParty::start().await;
    let auth = AuthOptions {
        back_channel_logout: vec![relying_party.url.parse().unwrap()],
        ..fixture::auth_options()
    };
    let idp = TestIdp::with_options(Options { auth, ..options() });
    let auth = idp.verifier().await;
    (idp, relying_party, auth)
}

async fn session_id(auth: &Bearward, session: &Value) -> String {
    let user = auth.verify(text(session, "access_token")).await.unwrap();
    user.claims().session_id().unwrap().to_owned()
}

fn subject(session: &Value) -> &str {
    text(&session["user"], "id")
}

async fn log_out(idp: &TestIdp, session: &Value, scope: &str) {
    let authorization = format!("Bearer {}", text(session, "access_token"));
    let line = format!("POST /auth/v1/logout?scope={scope}");
    let response = idp
        .send(&line, &[("authorization", &authorization)], "")
        .await;
    assert_eq!(response.status, 204, "{}", response.body);
}

#[tokio::test]
async fn sign_out_sends_a_token_for_each_ended_session() {
    let (idp, mut relying_party, auth) = start().await;
    let first = idp.sign_up("ada@example.com").await;
    let credentials = json!({ "email": "ada@example.com", "password": PASSWORD });
    let second = idp
        .auth_post("/token?grant_type=password", credentials)
        .await
        .json();
    log_out(&idp, &first, "local").await;
    let token = relying_party.next(&auth).await;
    assert_eq!(
        token.session_id(),
        Some(session_id(&auth, &first).await.as_str())
    );
    assert_eq!(token.subject(), Some(subject(&first)));
    log_out(&idp, &second, "global").await;
    let token = relying_party.next(&auth).await;
    assert_eq!(
        token.session_id(),
        Some(session_id(&auth, &second).await.as_str())
    );
}

#[tokio::test]
async fn a_ban_and_a_deletion_send_a_token_for_the_user() {
    let (idp, mut relying_party, auth) = start().await;
    let ada = idp.sign_up("ada@example.com").await;
    let path = format!("/admin/users/{}", subject(&ada));
    for body in [
        r#"{"banned": true}"#,
        r#"{"banned": true}"#,
        r#"{"banned": false}"#,
    ] {
        let response = idp.send_json(&format!("PATCH {path}"), body).await;
        assert_eq!(response.status, 200);
    }
    let token = relying_party.next(&auth).await;
    assert_eq!(
        (token.session_id(), token.subject()),
        (None, Some(subject(&ada)))
    );

    let response = idp.send(&format!("DELETE {path}"), &[], "").await;
    assert_eq!(response.status, 204);
    let token = relying_party.next(&auth).await;
    assert!(
        token.session_id().is_some(),
        "the session; the second ban changed nothing"
    );
    let token = relying_party.next(&auth).await;
    assert_eq!(
        (token.session_id(), token.subject()),
        (None, Some(subject(&ada)))
    );
}

#[tokio::test]
async fn the_switch_of_the_admin_api_stops_and_resumes() {
    let (idp, mut relying_party, auth) = start().await;
    let [first, second] = [
        idp.sign_up("ada@example.com").await,
        idp.sign_up("bob@example.com").await,
    ];
    let path = "/admin/backchannel-logout";
    let put = async |body: &str| idp.send_json(&format!("PUT {path}"), body).await;
    assert_eq!(put(r#"{"enabled": false}"#).await.json()["enabled"], false);
    log_out(&idp, &first, "global").await;
    assert_eq!(put(r#"{"enabled": true}"#).await.json()["enabled"], true);
    assert_eq!(put("{}").await.json()["enabled"], true);
    assert_eq!(put(r#"{"enabled": 1}"#).await.status, 422);
    log_out(&idp, &second, "global").await;
    let token = relying_party.next(&auth).await;
    assert_eq!(token.subject(), Some(subject(&second)));

    let shown = loop {
        // The delivery is recorded after the response.
        let shown = idp.get(path).await.json();
        if shown["deliveries"][0].is_object() {
            break shown;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(shown["urls"], json!([relying_party.url]));
    assert_eq!(shown["deliveries"][0]["status"], 200, "{shown}");
    assert_eq!(shown["deliveries"][0]["sub"], subject(&second), "{shown}");
    assert_eq!(shown["deliveries"].as_array().unwrap().len(), 1, "{shown}");
}

#[tokio::test]
async fn an_unreachable_relying_party_delays_no_sign_out() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", closed.local_addr().unwrap());
    drop(closed);
    let auth = AuthOptions {
        back_channel_logout: vec![url.parse().unwrap()],
        ..fixture::auth_options()
    };
    let idp = TestIdp::with_options(Options { auth, ..options() });
    let session = idp.sign_up("ada@example.com").await;
    log_out(&idp, &session, "global").await;
    let delivery = loop {
        let shown = idp.get("/admin/backchannel-logout").await.json();
        if shown["deliveries"][0].is_object() {
            break shown["deliveries"][0].clone();
        }
        tokio::task::yield_now().await;
    };
    let problem = text(&delivery, "problem");
    assert!(
        problem.starts_with("no connection: ") && problem.contains("refused"),
        "{problem}"
    );
    assert!(delivery["status"].is_null());
}

#[tokio::test]
async fn discovery_announces_back_channel_logout() {
    let (idp, ..) = start().await;
    let document = idp.get("/.well-known/openid-configuration").await.json();
    assert_eq!(document["backchannel_logout_supported"], true);
    assert_eq!(document["backchannel_logout_session_supported"], true);
}
