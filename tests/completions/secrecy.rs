//! The key is only sent to the service, even if the service echoes it.

use test_support::log_capture::LogCapture;

use super::*;

/// The key, and parts of it that would reveal it.
const SECRET_PARTS: [&str; 4] = [KEY, "hunter2", "Qm9vZ2ll", "dGhlLWtleQ"];

fn assert_no_secret(printed: &str) {
    for part in SECRET_PARTS {
        assert!(!printed.contains(part), "{part} in {printed}");
    }
}

/// Responses that contain the key in every possible position.
fn echoing_responses() -> Vec<String> {
    let error_body = format!(
        "{{\"error\":{{\"message\":\"Incorrect API key provided: {KEY}.\",\"param\":\"{KEY}\",\"code\":\"{KEY}\"}}}}"
    );
    let headers = format!(
        "content-type: application/json\r\nx-key: {KEY}\r\nretry-after: {KEY}\r\nlocation: http://{KEY}/\r\n"
    );
    let mut responses: Vec<_> = [
        "200", "302", "400", "401", "403", "404", "422", "429", "500", "503",
    ]
    .map(|status| format!("{status} {KEY}"))
    .to_vec();
    for response_text in &mut responses {
        *response_text = response(response_text, &headers, &error_body);
    }
    responses.push(response("200 OK", &format!("content-type: {KEY}\r\n"), KEY));
    responses.push(json_response(KEY));
    responses.push(json_response(&format!("{{\"choices\":\"{KEY}\"}}")));
    responses.push(format!("{KEY}\r\n\r\n"));
    responses.push(format!("HTTP/1.1 200 OK\r\n{KEY}\r\n\r\n"));
    responses.push(format!("{EVENTS}data: {error_body}\n\n"));
    responses.push(format!("{EVENTS}data: {KEY}\n\n"));
    responses.push(format!("{EVENTS}: {KEY}\n\n"));
    responses
}

#[tokio::test]
async fn echoed_key_is_not_in_errors_or_logs() {
    let log = LogCapture::start("");
    for response in echoing_responses() {
        let plain = completed(&response).await.unwrap_err();
        let (bytes, streamed) = streamed(&response).await;
        let streamed = streamed.unwrap();
        for error in [plain, streamed] {
            let event = String::from_utf8(error.to_event(None).to_vec()).unwrap();
            assert_no_secret(&format!("{error} {error:?} {event}"));
        }
        assert_no_secret(&bytes);
    }
    let lines = log.lines();
    for line in &lines {
        assert_no_secret(line);
    }
    let is_logged = |part: &str| lines.iter().any(|line| line.contains(part));
    assert!(
        is_logged("DEBUG bearward_server::completions::error_response")
            && is_logged("Incorrect API key provided: ****"),
        "{lines:#?}"
    );
    assert!(
        is_logged("TRACE hyper_util") || is_logged("TRACE hyper"),
        "dependencies are captured: {lines:#?}"
    );
}

#[tokio::test]
async fn successful_call_does_not_log_the_key() {
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
        assert_no_secret(line);
        assert!(!line.contains("hello"), "the prompt in {line}");
    }
}

#[tokio::test]
async fn debug_output_has_no_key_or_completion() {
    let mut service = Service::start().await;
    let call_task = spawn_stream(&service);
    let mut call = service.call().await;
    call.send(format!("{EVENTS}{}", delta("the completion")))
        .await;
    let chunks = within_timeout(call_task).await.unwrap().unwrap();
    let completion = completed(json_response(
        r#"{"choices":[{"message":{"content":"the completion"}}]}"#,
    ))
    .await
    .unwrap();
    let printed = format!("{:?} {chunks:?} {completion:?}", client(&service));
    assert_no_secret(&printed);
    assert!(!printed.contains("the completion"), "{printed}");
}
