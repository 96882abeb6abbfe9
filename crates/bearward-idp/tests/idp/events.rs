//! `GET /admin/events`: the requests of the API, the inbox, and changes, as server-sent events.

use bearward::Timestamp;
use bearward_idp::ApiRequest;
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::fixture::TestIdp;

/// The events of an open connection.
struct Events {
    response: Response,
    text: String,
}

impl Events {
    async fn open(idp: &TestIdp, last_event_id: &str) -> Self {
        let client = Client::builder().no_proxy().build().unwrap();
        let request = client.get(format!("{}/admin/events", idp.base()));
        let request = request.header("last-event-id", last_event_id);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self {
            response,
            text: String::new(),
        }
    }

    /// Reads until the next event with this name, and returns its data.
    async fn next(&mut self, name: &str) -> Value {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                let data = event
                    .lines()
                    .any(|line| line == format!("event: {name}"))
                    .then(|| event.lines().find_map(|line| line.strip_prefix("data: ")))
                    .flatten()
                    .map(|data| serde_json::from_str(data).unwrap());
                if let Some(data) = data {
                    return data;
                }
            }
            let chunk = self.response.chunk().await.unwrap().expect("an event");
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

fn request(route: &str) -> ApiRequest {
    ApiRequest {
        at: Timestamp::from_unix(1_700_000_000),
        method: "GET".to_owned(),
        route: route.to_owned(),
        status: 401,
        duration_ms: 1.5,
        request_id: "an-id".to_owned(),
        error: Some((
            "TOKEN_EXPIRED".to_owned(),
            "the token has expired".to_owned(),
        )),
        is_token_rejected: true,
        issuer: Some("dev".to_owned()),
        kid: None,
    }
}

#[tokio::test]
async fn earlier_and_later_requests_are_sent_in_order() {
    let idp = TestIdp::start();
    let log = idp.request_log();
    log.record(&request("/first"));
    let mut events = Events::open(&idp, "").await;
    assert_eq!(
        events.next("request").await,
        json!({
            "number": 1, "at": "2023-11-14T22:13:20Z", "method": "GET", "route": "/first",
            "status": 401, "duration_ms": 1.5, "request_id": "an-id", "code": "TOKEN_EXPIRED",
            "message": "the token has expired", "token_rejected": true, "issuer": "dev", "kid": null,
        })
    );
    log.record(&request("/second"));
    assert_eq!(events.next("request").await["route"], "/second");

    let mut reconnected = Events::open(&idp, "1").await;
    assert_eq!(reconnected.next("request").await["route"], "/second");
    let mut of_another_process = Events::open(&idp, "700").await;
    assert_eq!(of_another_process.next("request").await["route"], "/first");
}

#[tokio::test]
async fn only_the_last_requests_are_kept() {
    let idp = TestIdp::start();
    for number in 0..60 {
        idp.request_log().record(&request(&format!("/{number}")));
    }
    let mut events = Events::open(&idp, "").await;
    let first = events.next("request").await;
    assert_eq!(
        (&first["number"], &first["route"]),
        (&json!(11), &json!("/10"))
    );
}

#[tokio::test]
async fn a_mail_is_sent_when_it_arrives_and_when_it_is_deleted() {
    let idp = TestIdp::start();
    let mut events = Events::open(&idp, "").await;
    let empty = json!({ "count": 0, "unused": 0, "mails": [] });
    assert_eq!(events.next("inbox").await, empty);
    idp.sign_up("ada@example.com").await;
    events.next("change").await;
    idp.auth_post("/recover", json!({ "email": "ada@example.com" }))
        .await;
    let inbox = events.next("inbox").await;
    assert_eq!((&inbox["count"], &inbox["unused"]), (&json!(1), &json!(1)));
    assert_eq!(inbox["mails"][0]["to"], "ada@example.com");
    assert_eq!(idp.send("DELETE /.inbox", &[], "").await.status, 204);
    assert_eq!(events.next("inbox").await, empty);
}

#[tokio::test]
async fn foreign_pages_cannot_listen() {
    let idp = TestIdp::start();
    for header in [
        ("origin", "https://attacker.invalid"),
        ("host", "attacker.invalid"),
    ] {
        let response = idp.send("GET /admin/events", &[header], "").await;
        assert_eq!(response.error(), (403, "ORIGIN_REFUSED".to_owned()));
    }
}
