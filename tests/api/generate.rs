//! `POST /api/generate`, before a service that behaves as services do.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::{
    api_keys::OLD,
    service::{Call, Service},
    world::{Answer, Json, World, send},
};

const KEY: &str = "sk-abc12345678901234567890wxyz";

/// A server, its service, and a user who has kept a key.
async fn world(settings: &[(&str, &str)]) -> (World, Service, String) {
    let service = Service::start().await;
    let known = [
        ("vault.keys", OLD),
        ("generate.base_url", service.base_url.as_str()),
        ("generate.model", "coder-1"),
    ];
    let settings: Vec<_> = known.iter().chain(settings).copied().collect();
    let world = World::with(&settings).await;
    let token = world.token("ada").sign();
    world
        .post("/api/user/api-keys", &token, &json!({"togetherAI": KEY}))
        .await
        .expect(200);
    (world, service, token)
}

/// What the client gets when the service answers so.
async fn answered(head: &str, body: &str) -> (Answer, Value) {
    let (world, mut service, token) = world(&[]).await;
    let request = json!({"prompt": "reverse a string"});
    let service = async {
        let mut call = service.call().await;
        let length = body.len();
        call.send(format!(
            "HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        ))
        .await;
        call.body.clone()
    };
    tokio::join!(world.post("/api/generate", &token, &request), service)
}

fn is_with_key(call: &Call) -> bool {
    call.head
        .contains(&format!("authorization: bearer {}\r\n", KEY.to_lowercase()))
}

const JSON: &str = "content-type: application/json";

#[tokio::test]
async fn the_answer_is_the_text_that_the_model_wrote() {
    let body = r#"{"choices":[{"message":{"content":"fn reverse() {}"}}],"model":"coder-1-b","usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#;
    let (answer, asked) = answered(&format!("200 OK\r\n{JSON}"), body).await;
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7});
    let expected =
        json!({"success": true, "code": "fn reverse() {}", "model": "coder-1-b", "usage": usage});
    assert_eq!(answer.expect(200), expected);
    assert_eq!(asked["model"], "coder-1");
    assert_eq!(
        asked["messages"],
        json!([{"role": "user", "content": "reverse a string"}])
    );
}

#[tokio::test]
async fn the_callers_own_key_and_model_are_used() {
    let (world, mut service, token) = world(&[]).await;
    let body = json!({"prompt": "x", "model": "other/model", "stream": false});
    let service = async {
        let mut call = service.call().await;
        assert!(is_with_key(&call), "{}", call.head);
        call.send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 43\r\n\r\n{\"choices\":[{\"message\":{\"content\":\"yes\"}}]}").await;
        call.body["model"].clone()
    };
    let (answer, model) = tokio::join!(world.post("/api/generate", &token, &body), service);
    assert_eq!(model, "other/model");
    assert_eq!(answer.expect(200)["code"], "yes");
}

#[tokio::test]
async fn without_a_kept_key_nobody_is_called() {
    let (world, service, _) = world(&[]).await;
    let answer = world
        .post(
            "/api/generate",
            &world.token("bob").sign(),
            &json!({"prompt": "x"}),
        )
        .await;
    answer.refuses(409, "API_KEY_MISSING");
    assert_eq!(service.connections(), 0);
}

#[tokio::test]
async fn each_failure_of_the_service_has_its_code_and_none_repeats_its_words() {
    let cases = [
        (
            "401 Unauthorized",
            JSON,
            "{\"error\":\"sk-leaked\"}",
            502,
            "UPSTREAM_REJECTED_KEY",
        ),
        (
            "403 Forbidden",
            JSON,
            "{\"error\":\"sk-leaked\"}",
            502,
            "UPSTREAM_REJECTED_KEY",
        ),
        ("500 Oops", JSON, "sk-leaked", 502, "UPSTREAM_FAILED"),
        (
            "302 Found",
            "location: http://127.0.0.1:9/sk-leaked",
            "",
            502,
            "UPSTREAM_FAILED",
        ),
        ("200 OK", JSON, "sk-leaked", 502, "UPSTREAM_FAILED"),
        ("200 OK", JSON, "{\"choices\":[]}", 502, "UPSTREAM_FAILED"),
        (
            "200 OK",
            "content-type: text/html",
            "<p>sk-leaked",
            502,
            "UPSTREAM_FAILED",
        ),
    ];
    for (status, header, body, expected, code) in cases {
        let (answer, _) = answered(&format!("{status}\r\n{header}"), body).await;
        answer.refuses(expected, code);
        assert!(
            !answer.body.contains("leaked") && !answer.body.contains("sk-abc"),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_limit_of_the_service_is_passed_on_with_its_wait() {
    let (answer, _) = answered(&format!("429 Too Many\r\nretry-after: 17\r\n{JSON}"), "{}").await;
    answer.refuses(429, "RATE_LIMITED");
    assert_eq!(answer.header("retry-after"), "17");
}

#[tokio::test]
async fn a_service_that_says_nothing_is_504_after_the_configured_time() {
    let (world, mut service, token) = world(&[
        ("generate.timeout", "1s"),
        ("server.request_timeout", "10s"),
    ])
    .await;
    let request = json!({"prompt": "x"});
    let service = async {
        let mut call = service.call().await;
        call.closed().await;
    };
    let (answer, ()) = tokio::join!(world.post("/api/generate", &token, &request), service);
    answer.refuses(504, "UPSTREAM_TIMEOUT");
}

#[tokio::test]
async fn a_streamed_answer_comes_event_by_event() {
    let (world, mut service, token) = world(&[]).await;
    let request = world
        .request(Method::POST, "/api/generate")
        .bearer_auth(&token)
        .json(&json!({"prompt": "x", "stream": true}));
    let response = tokio::spawn(request.send());
    let mut call = service.call().await;
    assert!(is_with_key(&call) && call.body["stream"] == true);
    call.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n").await;
    let mut response = response.await.unwrap().unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    // The service has not sent its second event yet.
    let first = response.chunk().await.unwrap().unwrap();
    assert_eq!(
        first,
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
    );
    call.send("data: [DONE]\n\n").await;
    drop(call);
    assert_eq!(response.text().await.unwrap(), "data: [DONE]\n\n");
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_with_an_error_in_the_envelope() {
    let (world, mut service, token) = world(&[]).await;
    let request = world
        .request(Method::POST, "/api/generate")
        .bearer_auth(&token)
        .json(&json!({"prompt": "x", "stream": true}));
    let answer = tokio::spawn(send(request));
    let mut call = service.call().await;
    call.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: {\"choices\":[]}\n\n").await;
    drop(call);
    let answer = answer.await.unwrap();
    let (last, envelope) = answer
        .body
        .trim_end()
        .rsplit_once("event: error\ndata: ")
        .unwrap();
    assert_eq!(last, "data: {\"choices\":[]}\n\n");
    let envelope: Value = serde_json::from_str(envelope).unwrap();
    assert_eq!(envelope["error"]["code"], "UPSTREAM_FAILED");
    assert_eq!(envelope["request_id"], answer.header("x-request-id"));
}

#[tokio::test]
async fn a_client_that_hangs_up_ends_the_call_of_the_service() {
    let begins = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let first = format!("{begins}data: {{\"choices\":[]}}\n\n");
    for (stream, said) in [(false, ""), (true, ""), (true, begins), (true, &first)] {
        let (world, mut service, token) = world(&[("generate.timeout", "10m")]).await;
        let request = world
            .request(Method::POST, "/api/generate")
            .bearer_auth(&token)
            .json(&json!({"prompt": "x", "stream": stream}));
        let client = tokio::spawn(async move {
            let mut response = request.send().await.unwrap();
            while response.chunk().await.unwrap().is_some() {}
        });
        let mut call = service.call().await;
        call.send(said).await;
        client.abort();
        call.closed().await;
    }
}

#[tokio::test]
async fn a_wrong_request_is_told_and_nobody_is_called() {
    let (world, service, token) = world(&[]).await;
    let cases = [
        (json!({}), "prompt"),
        (json!({"prompt": ""}), "prompt"),
        (json!({"prompt": " \n"}), "prompt"),
        (json!({"prompt": "a\u{0}b"}), "prompt"),
        (json!({"prompt": "x".repeat(32_769)}), "prompt"),
        (json!({"prompt": ["x"]}), "prompt"),
        (json!({"prompt": "x", "model": "a b"}), "model"),
        (json!({"prompt": "x", "model": "m".repeat(201)}), "model"),
        (json!({"prompt": "x", "stream": "true"}), "stream"),
        (json!({"prompt": "x", "key": "sk"}), "key"),
    ];
    for (body, field) in cases {
        let told = world.post("/api/generate", &token, &body).await.invalid();
        assert_eq!((told.len(), told[0].0.as_str()), (1, field), "{told:?}");
    }
    assert_eq!(service.connections(), 0);
}

const TWO_AT_ONCE: [(&str, &str); 2] = [
    ("rate_limit.enabled", "true"),
    ("rate_limit.generations", "2"),
];

/// A stream that has begun, as its client and its service hold it.
async fn begun(world: &World, service: &mut Service, token: &str) -> (Response, Call) {
    let request = world
        .request(Method::POST, "/api/generate")
        .bearer_auth(token)
        .json(&json!({"prompt": "x", "stream": true}));
    let response = tokio::spawn(request.send());
    let mut call = service.call().await;
    call.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: {\"choices\":[]}\n\n").await;
    (response.await.unwrap().unwrap(), call)
}

#[track_caller]
fn is_full(answer: &Answer) {
    answer.refuses(429, "RATE_LIMITED");
    assert_eq!(answer.header("retry-after"), "5");
}

#[tokio::test]
async fn a_user_has_so_many_answers_under_way_and_no_more_until_one_ends() {
    let (world, mut service, token) = world(&TWO_AT_ONCE).await;
    let ask = async |token: &str| {
        world
            .post("/api/generate", token, &json!({"prompt": "x"}))
            .await
    };
    let (first, mut first_call) = begun(&world, &mut service, &token).await;
    let (second, mut second_call) = begun(&world, &mut service, &token).await;
    let another_token = world.token("ada").aal("aal2").sign();
    for token in [&token, &another_token] {
        is_full(&ask(token).await);
    }
    assert_eq!(
        service.connections(),
        2,
        "nobody was called for what was refused"
    );
    world.get("/api/auth/me", &token).await.expect(200);

    let same_subject = world.other.token().sub("ada").sign();
    ask(&same_subject).await.refuses(409, "API_KEY_MISSING");
    world
        .post(
            "/api/user/api-keys",
            &same_subject,
            &json!({"togetherAI": KEY}),
        )
        .await
        .expect(200);
    drop(begun(&world, &mut service, &same_subject).await);

    // One whose client hangs up, and one that comes to its end.
    drop(first);
    first_call.closed().await;
    let (third, _third_call) = begun(&world, &mut service, &token).await;
    is_full(&ask(&token).await);
    second_call.send("data: [DONE]\n\n").await;
    drop(second_call);
    assert!(second.text().await.unwrap().ends_with("data: [DONE]\n\n"));
    let (_fourth, _fourth_call) = begun(&world, &mut service, &token).await;
    is_full(&ask(&token).await);
    drop(third);
}

#[tokio::test]
async fn an_answer_that_failed_is_no_longer_under_way() {
    let (world, mut service, token) = world(&[
        ("rate_limit.enabled", "true"),
        ("rate_limit.generations", "1"),
    ])
    .await;
    for (stream, status, code) in [
        (false, "500 Oops", "UPSTREAM_FAILED"),
        (true, "401 No", "UPSTREAM_REJECTED_KEY"),
        (false, "200 OK", "UPSTREAM_FAILED"),
    ] {
        let body = json!({"prompt": "x", "stream": stream});
        let service = async {
            let mut call = service.call().await;
            call.send(format!(
                "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            ))
            .await;
        };
        let (answer, ()) = tokio::join!(world.post("/api/generate", &token, &body), service);
        answer.refuses(502, code);
    }
}

#[tokio::test]
async fn erasing_the_account_frees_no_place() {
    let (world, mut service, token) = world(&[
        ("rate_limit.enabled", "true"),
        ("rate_limit.generations", "1"),
    ])
    .await;
    let (_stream, _call) = begun(&world, &mut service, &token).await;
    world.delete("/api/user", &token).await.expect(204);
    world
        .post("/api/user/api-keys", &token, &json!({"togetherAI": KEY}))
        .await
        .expect(200);
    is_full(
        &world
            .post("/api/generate", &token, &json!({"prompt": "x"}))
            .await,
    );
}

#[tokio::test]
async fn where_nothing_is_counted_any_number_may_be_under_way() {
    let (world, mut service, token) = world(&[("rate_limit.generations", "1")]).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(begun(&world, &mut service, &token).await);
    }
    assert_eq!(service.connections(), 3);
}
