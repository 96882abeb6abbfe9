//! Validation of `generate.base_url`.

use bearward_server::completions::CompletionsBuildError;

use super::*;

fn build(base_url: &str) -> Result<Completions, CompletionsBuildError> {
    let mut settings = settings("https://api.example.com/v1");
    settings.base_url = base_url.parse().unwrap();
    Completions::new(&settings, Arc::new(StoppedClock))
}

#[test]
fn base_url_must_be_https_or_loopback() {
    for allowed in [
        "https://api.example.com/v1",
        "http://127.0.0.1:8080/v1",
        "http://localhost:8080",
        "http://[::1]:8080/v1/",
    ] {
        assert!(build(allowed).is_ok(), "{allowed}");
    }
    for rejected in [
        "http://api.example.com/v1",
        "http://10.0.0.1/v1",
        "http://localhost.example.com/v1",
        "ftp://api.example.com/v1",
    ] {
        assert_eq!(
            build(rejected).unwrap_err(),
            CompletionsBuildError::PlainHttp,
            "{rejected}"
        );
    }
    assert_eq!(
        build("mailto:api@example.com").unwrap_err(),
        CompletionsBuildError::InvalidBaseUrl
    );
}

#[tokio::test]
async fn path_is_appended_to_the_base_url() {
    let mut service = Service::start().await;
    for (suffix, path) in [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        (
            "/openai/?api-version=7",
            "/v1/openai/chat/completions?api-version=7",
        ),
        ("#part", "/v1/chat/completions"),
    ] {
        let client = build(&format!("{}{suffix}", service.base_url)).unwrap();
        let call_task = tokio::spawn(async move { client.complete(&key(), &prompt()).await });
        let call = service.call().await;
        assert!(
            call.head.starts_with(&format!("post {path} http/1.1\r\n")),
            "{suffix}: {}",
            call.head
        );
        drop(call);
        assert!(within_timeout(call_task).await.unwrap().is_err());
    }
}

#[test]
fn debug_output_has_no_query_or_prompt() {
    let printed = format!(
        "{:?} {:?}",
        build("https://api.example.com/v1?code=hunter2").unwrap(),
        prompt()
    );
    assert!(
        !printed.contains("hunter2") && !printed.contains("hello"),
        "{printed}"
    );
    assert!(
        printed.contains("https://api.example.com/v1/chat/completions"),
        "{printed}"
    );
}
