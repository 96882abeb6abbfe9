//! Where the service may be.

use bearward_server::completions::CompletionsBuildError;

use super::*;

fn built(base_url: &str) -> Result<Completions, CompletionsBuildError> {
    let mut settings = settings("https://api.example.com/v1");
    settings.base_url = base_url.parse().unwrap();
    Completions::new(&settings, Arc::new(StoppedClock))
}

#[test]
fn the_key_leaves_this_machine_over_https_alone() {
    for fine in [
        "https://api.example.com/v1",
        "http://127.0.0.1:8080/v1",
        "http://localhost:8080",
        "http://[::1]:8080/v1/",
    ] {
        assert!(built(fine).is_ok(), "{fine}");
    }
    for open in [
        "http://api.example.com/v1",
        "http://10.0.0.1/v1",
        "http://localhost.example.com/v1",
        "ftp://api.example.com/v1",
    ] {
        assert_eq!(
            built(open).unwrap_err(),
            CompletionsBuildError::PlainHttp,
            "{open}"
        );
    }
    assert_eq!(
        built("mailto:api@example.com").unwrap_err(),
        CompletionsBuildError::Address
    );
}

#[tokio::test]
async fn the_route_is_below_the_configured_root() {
    let mut service = Service::start().await;
    for (end, path) in [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        (
            "/openai/?api-version=7",
            "/v1/openai/chat/completions?api-version=7",
        ),
        ("#part", "/v1/chat/completions"),
    ] {
        let upstream = built(&format!("{}{end}", service.base_url)).unwrap();
        let asking = tokio::spawn(async move { upstream.complete(&key(), &prompt()).await });
        let call = service.call().await;
        assert!(
            call.head.starts_with(&format!("post {path} http/1.1\r\n")),
            "{end}: {}",
            call.head
        );
        drop(call);
        assert!(soon(asking).await.unwrap().is_err());
    }
}

#[test]
fn debug_shows_neither_the_query_nor_what_is_asked() {
    let printed = format!(
        "{:?} {:?}",
        built("https://api.example.com/v1?code=hunter2").unwrap(),
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
