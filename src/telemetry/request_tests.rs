//! The request line: what it holds, that it is one, and that it never holds what a client sent.

use std::{
    io,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
};

use actix_web::{
    App, HttpResponse,
    dev::Service as _,
    middleware::from_fn,
    test::{TestRequest, init_service},
    web,
};
use futures_util::FutureExt;
use metrics_exporter_prometheus::PrometheusHandle;
use tracing_subscriber::{Registry, layer::SubscriberExt};

use super::*;
use crate::{
    settings::LogFormat,
    telemetry::{log, prometheus},
};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("not poisoned").clone()).expect("UTF-8")
    }

    fn only_line(&self) -> serde_json::Value {
        let text = self.text();
        assert_eq!(text.lines().count(), 1, "{text}");
        serde_json::from_str(&text).expect("a JSON line")
    }
}

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .expect("not poisoned")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Observed {
    captured: Captured,
    metrics: PrometheusHandle,
    /// The headers of the answer; None when the handler panicked or never answered.
    answer: Option<HeaderMap>,
}

/// Plays one request against a small application, with a log and a recorder of its own.
async fn observed(format: LogFormat, request: TestRequest) -> Observed {
    let captured = Captured::default();
    let writer = captured.clone();
    let lines = log::lines::<Registry, _>(format, false, move || writer.clone());
    let _log = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines));
    let recorder = prometheus::builder().expect("bounds").build_recorder();
    let metrics = recorder.handle();
    let _recorder = metrics::set_default_local_recorder(&recorder);
    let app = init_service(
        App::new()
            .wrap(from_fn(observe))
            .route("/orders/{id}", web::get().to(HttpResponse::Ok))
            .route("/panics", web::get().to(panics))
            .route(
                "/hangs",
                web::get().to(std::future::pending::<HttpResponse>),
            )
            .route("/refused", web::get().to(refused)),
    )
    .await;
    let answered = AssertUnwindSafe(app.call(request.to_request()))
        .catch_unwind()
        .now_or_never();
    let answer = answered
        .and_then(Result::ok)
        .and_then(Result::ok)
        .map(|answer| answer.headers().clone());
    Observed {
        captured,
        metrics,
        answer,
    }
}

async fn panics() -> HttpResponse {
    panic!("a handler's mistake")
}

async fn refused() -> HttpResponse {
    let mut response = HttpResponse::Unauthorized().finish();
    let mut log = RejectionLog::new(&bearward::AuthError::UnknownKey.into());
    log.issuer = Some("supabase".into());
    log.kid = Some(format!("evil\n\u{1b}[31mline {}", "x".repeat(500)));
    response.extensions_mut().insert(log);
    response
}

fn echoed(observed: &Observed) -> String {
    let answer = observed.answer.as_ref().expect("an answer");
    answer
        .get(RequestId::HEADER)
        .expect("the header")
        .to_str()
        .expect("text")
        .to_owned()
}

#[actix_web::test]
async fn a_request_is_one_line_with_route_status_duration_and_id() {
    let seen = observed(
        LogFormat::Json,
        TestRequest::get()
            .uri("/orders/17")
            .insert_header(("x-request-id", "abc-1")),
    )
    .await;
    let line = seen.captured.only_line();
    assert_eq!(line["method"], "GET");
    assert_eq!(line["route"], "/orders/{id}");
    assert_eq!(line["status"], 200);
    assert_eq!(line["request_id"], "abc-1");
    assert!(line["duration_ms"].is_f64());
    assert!(line.get("reason").is_none());
    assert_eq!(echoed(&seen), "abc-1");
}

#[actix_web::test]
async fn a_missing_or_malformed_id_is_replaced_by_a_uuid_of_version_7() {
    for inbound in [None, Some("two words"), Some("<script>")] {
        let mut request = TestRequest::get().uri("/orders/17");
        if let Some(inbound) = inbound {
            request = request.insert_header(("x-request-id", inbound));
        }
        let seen = observed(LogFormat::Json, request).await;
        let id = Uuid::parse_str(&echoed(&seen)).expect("a UUID");
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(seen.captured.only_line()["request_id"], id.to_string());
    }
}

#[actix_web::test]
async fn nothing_that_a_client_sent_is_in_the_line() {
    for format in [LogFormat::Json, LogFormat::Pretty] {
        for path in [
            "/orders/secret-path?token=secret-query",
            "/nowhere/secret-path?token=secret-query",
        ] {
            let request = TestRequest::get()
                .uri(path)
                .insert_header(("authorization", "Bearer secret-token"))
                .insert_header(("cookie", "session=secret-cookie"))
                .insert_header(("x-request-id", "secret id"))
                .insert_header(("user-agent", "secret-agent"));
            let text = observed(format, request).await.captured.text();
            assert_eq!(text.lines().count(), 1, "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }
}

#[actix_web::test]
async fn a_refusal_is_told_by_its_closed_reason_its_issuer_and_its_key() {
    let line = observed(LogFormat::Json, TestRequest::get().uri("/refused"))
        .await
        .captured
        .only_line();
    assert_eq!(line["reason"], "unknown_key");
    assert_eq!(line["issuer"], "supabase");
    assert_eq!(
        line["kid"].as_str().map(|kid| kid.chars().count()),
        Some(KID_CHARS)
    );
}

#[actix_web::test]
async fn a_key_id_cannot_begin_a_line_of_its_own() {
    let text = observed(LogFormat::Pretty, TestRequest::get().uri("/refused"))
        .await
        .captured
        .text();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[actix_web::test]
async fn a_panic_in_a_handler_is_a_line_with_status_500() {
    let seen = observed(LogFormat::Json, TestRequest::get().uri("/panics")).await;
    assert!(seen.answer.is_none());
    let line = seen.captured.only_line();
    assert_eq!(
        (&line["status"], &line["route"]),
        (&500.into(), &"/panics".into())
    );
}

#[actix_web::test]
async fn a_client_that_hangs_up_is_a_line_with_status_499() {
    let line = observed(LogFormat::Json, TestRequest::get().uri("/hangs"))
        .await
        .captured
        .only_line();
    assert_eq!(line["status"], 499);
}

#[actix_web::test]
async fn the_labels_of_metrics_are_bounded() {
    let rendered =
        |request| async move { observed(LogFormat::Json, request).await.metrics.render() };
    let known = rendered(TestRequest::get().uri("/orders/17")).await;
    assert!(
        known.contains(r#"http_requests_total{method="GET",route="/orders/{id}",status="200"} 1"#),
        "{known}"
    );
    assert!(
        known.contains(
            r#"http_request_duration_seconds_bucket{method="GET",route="/orders/{id}",le="0.0005"}"#
        ),
        "{known}"
    );
    let brew = Method::from_bytes(b"BREW").expect("a method");
    let unknown = rendered(TestRequest::with_uri("/nowhere/17").method(brew)).await;
    assert!(
        unknown.contains(r#"http_requests_total{method="other",route="unmatched",status="404"} 1"#),
        "{unknown}"
    );
}

#[actix_web::test]
async fn an_error_of_an_inner_middleware_has_its_line_and_its_header() {
    let captured = Captured::default();
    let writer = captured.clone();
    let lines = log::lines::<Registry, _>(LogFormat::Json, false, move || writer.clone());
    let _log = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines));
    let refuse = |_: ServiceRequest, _: Next<actix_web::body::BoxBody>| async {
        Err::<ServiceResponse, Error>(actix_web::error::ErrorForbidden("no"))
    };
    let app = init_service(App::new().wrap(from_fn(refuse)).wrap(from_fn(observe))).await;
    let error = app
        .call(TestRequest::get().to_request())
        .await
        .err()
        .expect("refused")
        .error_response();
    assert_eq!(error.status(), 403);
    assert!(error.headers().contains_key(RequestId::HEADER));
    assert_eq!(captured.only_line()["status"], 403);
}
