//! What the service says with its status, and what becomes of it.

use super::*;

async fn refused(status: &str, headers: &str, body: &str) -> CompletionsError {
    let answer = response(
        status,
        &format!("content-type: application/json\r\n{headers}"),
        body,
    );
    let plain = completed(&answer).await.unwrap_err();
    let (bytes, streamed) = streamed(&answer).await;
    assert_eq!(
        (bytes.as_str(), streamed.as_ref()),
        ("", Some(&plain)),
        "a stream is refused in the same way"
    );
    plain
}

fn wire(error: &CompletionsError) -> (&'static str, u16) {
    (error.code(), error.status().as_u16())
}

#[tokio::test]
async fn a_refused_key_is_the_users_to_replace() {
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let error = refused(
            status,
            "",
            "{\"error\":{\"message\":\"Incorrect API key\"}}",
        )
        .await;
        assert_eq!(error, CompletionsError::RejectedKey, "{status}");
        assert_eq!(wire(&error), ("UPSTREAM_REJECTED_KEY", 502));
        assert_eq!(error.retry_after(), None);
    }
}

#[tokio::test]
async fn a_busy_service_says_when_to_come_back_within_an_hour() {
    for (headers, seconds) in [
        ("retry-after: 20\r\n", 20),
        ("retry-after: 1\r\n", 1),
        ("retry-after: 3600\r\n", 3600),
        ("retry-after: Sun, 06 Nov 1994 08:50:37 GMT\r\n", 60),
        (
            "date: Sun, 06 Nov 1994 08:50:07 GMT\r\nretry-after: Sun, 06 Nov 1994 08:50:37 GMT\r\n",
            30,
        ),
        ("retry-after: 0\r\n", 1),
        ("retry-after: 3601\r\n", 3600),
        ("retry-after: 99999999999999999999999999\r\n", 3600),
        ("retry-after: Sun, 06 Nov 1994 08:00:00 GMT\r\n", 1),
        ("retry-after: Thu, 31 Dec 2099 23:59:59 GMT\r\n", 3600),
        ("", 10),
        ("retry-after: soon\r\n", 10),
        ("retry-after: -5\r\n", 10),
        ("retry-after: 1.5\r\n", 10),
        ("retry-after: \r\n", 10),
    ] {
        let error = refused("429 Too Many Requests", headers, "").await;
        assert_eq!(wire(&error), ("RATE_LIMITED", 429), "{headers}");
        assert_eq!(
            error.retry_after(),
            Some(Duration::from_secs(seconds)),
            "{headers}"
        );
    }
}

#[tokio::test]
async fn an_unknown_model_is_told_from_other_mistakes() {
    let about_model = r#"{"error":{"message":"no","type":"invalid_request_error","param":"model","code":"model_not_available"}}"#;
    let about_length = r#"{"error":{"message":"This model's maximum context length is 8 tokens","param":"messages"}}"#;
    for (status, body, expected) in [
        ("404 Not Found", about_model, CompletionsError::UnknownModel),
        ("404 Not Found", "<html>", CompletionsError::UnknownModel),
        (
            "400 Bad Request",
            about_model,
            CompletionsError::UnknownModel,
        ),
        (
            "422 Unprocessable Entity",
            about_model,
            CompletionsError::UnknownModel,
        ),
        (
            "400 Bad Request",
            about_length,
            CompletionsError::Refused { status: 400 },
        ),
        (
            "400 Bad Request",
            "",
            CompletionsError::Refused { status: 400 },
        ),
        (
            "402 Payment Required",
            about_model,
            CompletionsError::Refused { status: 402 },
        ),
        (
            "413 Payload Too Large",
            "",
            CompletionsError::Refused { status: 413 },
        ),
    ] {
        let error = refused(status, "", body).await;
        assert_eq!(error, expected, "{status} {body}");
        assert_eq!(wire(&error), ("UPSTREAM_FAILED", 502));
    }
    assert!(
        CompletionsError::UnknownModel
            .to_string()
            .contains("name another one in \"model\"")
    );
}

#[tokio::test]
async fn a_service_out_of_order_is_not_asked_again() {
    for (status, code) in [
        ("500 Internal Server Error", 500),
        ("503 Service Unavailable", 503),
        ("529 Overloaded", 529),
    ] {
        let error = refused(status, "retry-after: 1\r\n", "{}").await;
        assert_eq!(error, CompletionsError::ServerError { status: code });
        assert_eq!(wire(&error), ("UPSTREAM_FAILED", 502));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Service::start().await;
    for (status, code) in [
        ("301 Moved Permanently", 301),
        ("302 Found", 302),
        ("303 See Other", 303),
        ("307 Temporary Redirect", 307),
        ("308 Permanent Redirect", 308),
    ] {
        let error = refused(
            status,
            &format!("location: {}/chat/completions\r\n", elsewhere.base_url),
            "",
        )
        .await;
        assert_eq!(error, CompletionsError::Unexpected { status: code });
        assert_eq!(wire(&error), ("UPSTREAM_FAILED", 502));
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn another_success_than_200_is_no_answer() {
    let body = r#"{"choices":[{"message":{"content":"text"}}]}"#;
    for (status, code) in [
        ("201 Created", 201),
        ("202 Accepted", 202),
        ("206 Partial Content", 206),
    ] {
        assert_eq!(
            refused(status, "", body).await,
            CompletionsError::Unexpected { status: code }
        );
    }
}

#[tokio::test]
async fn an_explanation_that_does_not_end_delays_no_refusal() {
    let mut service = Service::start().await;
    for (status, expected) in [
        ("401 Unauthorized", CompletionsError::RejectedKey),
        ("400 Bad Request", CompletionsError::Refused { status: 400 }),
    ] {
        let asking = completing(&service);
        let mut call = service.call().await;
        call.send(format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{{"
        ))
        .await;
        // The explanation's own time is real here, and two seconds long for the second one.
        assert_eq!(soon(asking).await.unwrap().unwrap_err(), expected);
    }
}

#[tokio::test]
async fn nothing_that_listens_is_told_with_its_cause() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!(
        "http://{}/v1?secret=hunter2",
        listener.local_addr().unwrap()
    );
    drop(listener);
    let upstream = Completions::new(&settings(&base_url), Arc::new(StoppedClock)).unwrap();
    let error = upstream.complete(&key(), &prompt()).await.unwrap_err();
    assert!(
        matches!(&error, CompletionsError::Unreachable { cause } if cause.contains("refused")),
        "{error:?}"
    );
    assert!(
        !format!("{error:?} {error}").contains("hunter2"),
        "{error:?}"
    );
    assert_eq!(wire(&error), ("UPSTREAM_FAILED", 502));
}

#[tokio::test]
async fn a_broken_connection_is_a_failure() {
    for part in [
        "",
        "HTTP/1.1 200 OK\r\ncontent-ty",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
    ] {
        for with_reset in [false, true] {
            let mut service = Service::start().await;
            let asking = completing(&service);
            let mut call = service.call().await;
            call.send(part).await;
            if with_reset {
                call.reset();
            } else {
                drop(call);
            }
            let error = soon(asking).await.unwrap().unwrap_err();
            assert!(
                matches!(error, CompletionsError::Interrupted { .. }),
                "{part:?}: {error:?}"
            );
            assert_eq!(wire(&error), ("UPSTREAM_FAILED", 502));
            assert_eq!(service.connections(), 1, "nothing is tried again");
        }
    }
    let error = completed("SSH-2.0-OpenSSH_9.9\r\n\r\n").await.unwrap_err();
    assert!(
        matches!(error, CompletionsError::Interrupted { .. }),
        "{error:?}"
    );
}
