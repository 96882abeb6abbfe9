//! The key goes to the service and nowhere else, also when the service sends it back.

use test_support::log_capture::LogCapture;

use super::*;

/// The key, and parts of it that tell enough.
const TELLING: [&str; 4] = [KEY, "hunter2", "Qm9vZ2ll", "dGhlLWtleQ"];

fn assert_silent(printed: &str) {
    for part in TELLING {
        assert!(!printed.contains(part), "{part} in {printed}");
    }
}

/// Answers that repeat the key wherever an answer has room for it.
fn echoes() -> Vec<String> {
    let explanation = format!(
        "{{\"error\":{{\"message\":\"Incorrect API key provided: {KEY}.\",\"param\":\"{KEY}\",\"code\":\"{KEY}\"}}}}"
    );
    let headers = format!(
        "content-type: application/json\r\nx-key: {KEY}\r\nretry-after: {KEY}\r\nlocation: http://{KEY}/\r\n"
    );
    let mut answers: Vec<_> = [
        "200", "302", "400", "401", "403", "404", "422", "429", "500", "503",
    ]
    .map(|status| format!("{status} {KEY}"))
    .to_vec();
    for answer in &mut answers {
        *answer = response(answer, &headers, &explanation);
    }
    answers.push(response("200 OK", &format!("content-type: {KEY}\r\n"), KEY));
    answers.push(json_response(KEY));
    answers.push(json_response(&format!("{{\"choices\":\"{KEY}\"}}")));
    answers.push(format!("{KEY}\r\n\r\n"));
    answers.push(format!("HTTP/1.1 200 OK\r\n{KEY}\r\n\r\n"));
    answers.push(format!("{EVENTS}data: {explanation}\n\n"));
    answers.push(format!("{EVENTS}data: {KEY}\n\n"));
    answers.push(format!("{EVENTS}: {KEY}\n\n"));
    answers
}

#[tokio::test]
async fn a_key_that_the_service_repeats_is_in_no_error_and_in_no_log() {
    let log = LogCapture::start("");
    for answer in echoes() {
        let plain = completed(&answer).await.unwrap_err();
        let (bytes, streamed) = streamed(&answer).await;
        let streamed = streamed.unwrap();
        for error in [plain, streamed] {
            let event = String::from_utf8(error.event(None).to_vec()).unwrap();
            assert_silent(&format!("{error} {error:?} {event}"));
        }
        assert_silent(&bytes);
    }
    let lines = log.lines();
    for line in &lines {
        assert_silent(line);
    }
    let is_told = |part: &str| lines.iter().any(|line| line.contains(part));
    assert!(
        is_told("DEBUG bearward_server::completions::explanation")
            && is_told("Incorrect API key provided: ****"),
        "{lines:#?}"
    );
    assert!(
        is_told("TRACE hyper_util") || is_told("TRACE hyper"),
        "the crates below are listened to: {lines:#?}"
    );
}

#[tokio::test]
async fn a_good_call_leaves_the_key_in_no_log() {
    let log = LogCapture::start("");
    completed(json_response(
        r#"{"choices":[{"message":{"content":"text"}}]}"#,
    ))
    .await
    .unwrap();
    assert_eq!(streamed(format!("{EVENTS}{DONE}")).await.1, None);
    let lines = log.lines();
    assert!(!lines.is_empty());
    for line in &lines {
        assert_silent(line);
        assert!(!line.contains("hello"), "the prompt in {line}");
    }
}

#[tokio::test]
async fn debug_shows_neither_key_nor_answer() {
    let mut service = Service::start().await;
    let asking = streaming(&service);
    let mut call = service.call().await;
    call.send(format!("{EVENTS}{}", delta("the answer"))).await;
    let chunks = soon(asking).await.unwrap().unwrap();
    let completion = completed(json_response(
        r#"{"choices":[{"message":{"content":"the answer"}}]}"#,
    ))
    .await
    .unwrap();
    let printed = format!("{:?} {chunks:?} {completion:?}", upstream(&service));
    assert_silent(&printed);
    assert!(!printed.contains("the answer"), "{printed}");
}
