//! Error responses of the service and the resulting errors.

use super::*;

/// Returns the error of a plain call, which must equal that of a streamed call.
async fn call_error(status: &str, headers: &str, body: &str) -> CompletionsError {
    let response = response(
        status,
        &format!("content-type: application/json\r\n{headers}"),
        body,
    );
    let plain = completed(&response).await.unwrap_err();
    let (bytes, streamed) = streamed(&response).await;
    assert_eq!(
        (bytes.as_str(), streamed.as_ref()),
        ("", Some(&plain)),
        "a streamed call returns the same error"
    );
    plain
}

fn code_and_status(error: &CompletionsError) -> (&'static str, u16) {
    (error.code(), error.status().as_u16())
}

#[tokio::test]
async fn status_401_and_403_reject_the_key() {
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let error = call_error(
            status,
            "",
            "{\"error\":{\"message\":\"Incorrect API key\"}}",
        )
        .await;
        assert_eq!(error, CompletionsError::RejectedKey, "{status}");
        assert_eq!(code_and_status(&error), ("UPSTREAM_REJECTED_KEY", 502));
        assert_eq!(error.retry_after(), None);
    }
}

#[tokio::test]
async fn retry_after_is_clamped_to_one_hour() {
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
        let error = call_error("429 Too Many Requests", headers, "").await;
        assert_eq!(code_and_status(&error), ("RATE_LIMITED", 429), "{headers}");
        assert_eq!(
            error.retry_after(),
            Some(Duration::from_secs(seconds)),
            "{headers}"
        );
    }
}

#[tokio::test]
async fn unknown_model_differs_from_other_client_errors() {
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
            CompletionsError::Rejected { status: 400 },
        ),
        (
            "400 Bad Request",
            "",
            CompletionsError::Rejected { status: 400 },
        ),
        (
            "402 Payment Required",
            about_model,
            CompletionsError::Rejected { status: 402 },
        ),
        (
            "413 Payload Too Large",
            "",
            CompletionsError::Rejected { status: 413 },
        ),
    ] {
        let error = call_error(status, "", body).await;
        assert_eq!(error, expected, "{status} {body}");
        assert_eq!(code_and_status(&error), ("UPSTREAM_FAILED", 502));
    }
    assert!(
        CompletionsError::UnknownModel
            .to_string()
            .contains("set \"model\" to another one")
    );
}

#[tokio::test]
async fn server_errors_are_not_retried() {
    for (status, code) in [
        ("500 Internal Server Error", 500),
        ("503 Service Unavailable", 503),
        ("529 Overloaded", 529),
    ] {
        let error = call_error(status, "retry-after: 1\r\n", "{}").await;
        assert_eq!(error, CompletionsError::ServerError { status: code });
        assert_eq!(code_and_status(&error), ("UPSTREAM_FAILED", 502));
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let redirect_target = Service::start().await;
    for (status, code) in [
        ("301 Moved Permanently", 301),
        ("302 Found", 302),
        ("303 See Other", 303),
        ("307 Temporary Redirect", 307),
        ("308 Permanent Redirect", 308),
    ] {
        let error = call_error(
            status,
            &format!(
                "location: {}/chat/completions\r\n",
                redirect_target.base_url
            ),
            "",
        )
        .await;
        assert_eq!(error, CompletionsError::UnexpectedStatus { status: code });
        assert_eq!(code_and_status(&error), ("UPSTREAM_FAILED", 502));
    }
    assert_eq!(redirect_target.connections(), 0);
}

#[tokio::test]
async fn success_other_than_200_is_an_error() {
    let body = r#"{"choices":[{"message":{"content":"text"}}]}"#;
    for (status, code) in [
        ("201 Created", 201),
        ("202 Accepted", 202),
        ("206 Partial Content", 206),
    ] {
        assert_eq!(
            call_error(status, "", body).await,
            CompletionsError::UnexpectedStatus { status: code }
        );
    }
}

#[tokio::test]
async fn unfinished_error_body_does_not_delay_the_error() {
    let mut service = Service::start().await;
    for (status, expected) in [
        ("401 Unauthorized", CompletionsError::RejectedKey),
        (
            "400 Bad Request",
            CompletionsError::Rejected { status: 400 },
        ),
    ] {
        let call_task = spawn_complete(&service);
        let mut call = service.call().await;
        call.send(format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{{"
        ))
        .await;
        // Real time: the second case waits two seconds for the body.
        assert_eq!(
            within_timeout(call_task).await.unwrap().unwrap_err(),
            expected
        );
    }
}

#[tokio::test]
async fn refused_connection_has_a_cause() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!(
        "http://{}/v1?secret=hunter2",
        listener.local_addr().unwrap()
    );
    drop(listener);
    let client = Completions::new(&settings(&base_url), Arc::new(StoppedClock)).unwrap();
    let error = client.complete(&key(), &prompt()).await.unwrap_err();
    assert!(
        matches!(&error, CompletionsError::Unreachable { cause } if cause.contains("refused")),
        "{error:?}"
    );
    assert!(
        !format!("{error:?} {error}").contains("hunter2"),
        "{error:?}"
    );
    assert_eq!(code_and_status(&error), ("UPSTREAM_FAILED", 502));
}

#[tokio::test]
async fn interrupted_connection_is_an_error() {
    for part in [
        "",
        "HTTP/1.1 200 OK\r\ncontent-ty",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
    ] {
        for with_reset in [false, true] {
            let mut service = Service::start().await;
            let call_task = spawn_complete(&service);
            let mut call = service.call().await;
            call.send(part).await;
            if with_reset {
                call.reset();
            } else {
                drop(call);
            }
            let error = within_timeout(call_task).await.unwrap().unwrap_err();
            assert!(
                matches!(error, CompletionsError::Interrupted { .. }),
                "{part:?}: {error:?}"
            );
            assert_eq!(code_and_status(&error), ("UPSTREAM_FAILED", 502));
            assert_eq!(service.connections(), 1, "no retries");
        }
    }
    let error = completed("SSH-2.0-OpenSSH_9.9\r\n\r\n").await.unwrap_err();
    assert!(
        matches!(error, CompletionsError::Interrupted { .. }),
        "{error:?}"
    );
}
