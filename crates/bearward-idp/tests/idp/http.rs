//! Requests as a program on this machine sends them, and answers as it reads them.

use std::time::Duration;

use bearward_idp::Idp;
use reqwest::{Client, Method};
use serde_json::Value;

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    headers: reqwest::header::HeaderMap,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Status and code of the error envelope.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let body = self.json();
        assert_eq!(body["success"], false, "{body}");
        assert!(
            body["error"]["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty()),
            "{body}"
        );
        (
            self.status,
            body["error"]["code"].as_str().expect("a code").to_owned(),
        )
    }
}

/// `line` is a method and a path.
pub(crate) async fn send(idp: &Idp, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    let client = Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(20));
    let method: Method = method.parse().unwrap();
    let url = format!("http://{}{path}", idp.address());
    let mut request = client
        .build()
        .unwrap()
        .request(method, url)
        .body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer {
        status,
        headers,
        body: response.text().await.unwrap(),
    }
}

pub(crate) async fn get(idp: &Idp, path: &str) -> Answer {
    send(idp, &format!("GET {path}"), &[], "").await
}

/// With a JSON body.
pub(crate) async fn json(idp: &Idp, line: &str, body: &str) -> Answer {
    send(idp, line, &[JSON], body).await
}

/// The token that an order is answered with.
pub(crate) async fn mint(idp: &Idp, order: &str) -> String {
    let answer = json(idp, "POST /admin/tokens", order).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned()
}
