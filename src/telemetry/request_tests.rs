//! The access log: its fields, one line per request, and no data that a client sent.

use std::{
    io,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
};

use actix_web::{
    App, HttpResponse,
    body::MessageBody,
    dev::Service as _,
    middleware::{Next, from_fn},
    test::{TestRequest, init_service},
    web,
};
use futures_util::FutureExt;
use metrics_exporter_prometheus::PrometheusHandle;
use tracing_subscriber::{Registry, layer::SubscriberExt};
use uuid::Uuid;

use super::*;
use crate::{
    settings::LogFormat,
    telemetry::{log as telemetry_log, prometheus},
};

#[derive(Clone, Default)]
struct CapturedLog(Arc<Mutex<Vec<u8>>>);

impl CapturedLog {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("not poisoned").clone()).expect("UTF-8")
    }

    /// Returns the only line of the access log.
    fn single_line(&self) -> serde_json::Value {
        let text = self.text();
        let mut lines = text
            .lines()
            .filter(|line| !line.contains("bearward::audit"));
        let line = lines.next().expect("a line");
        assert_eq!(lines.next(), None, "{text}");
        serde_json::from_str(line).expect("a JSON line")
    }
}

impl io::Write for CapturedLog {
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

/// The log, the metrics and the response of one request.
struct Observed {
    log: CapturedLog,
    metrics: PrometheusHandle,
    /// The headers of the response; `None` if the handler panicked or is still pending.
    response: Option<HeaderMap>,
}

/// Sends one request to a test application with its own log and metrics recorder.
async fn send(format: LogFormat, request: TestRequest) -> Observed {
    let log = CapturedLog::default();
    let writer = log.clone();
    let layer = telemetry_log::format_layer::<Registry, _>(format, false, move || writer.clone());
    let _subscriber = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let recorder = prometheus::builder().expect("bounds").build_recorder();
    let metrics = recorder.handle();
    let _recorder = ::metrics::set_default_local_recorder(&recorder);
    let app = init_service(
        App::new()
            .wrap(from_fn(observed))
            .route("/orders/{id}", web::get().to(HttpResponse::Ok))
            .route("/panics", web::get().to(panics))
            .route(
                "/hangs",
                web::get().to(std::future::pending::<HttpResponse>),
            )
            .route("/rejected", web::get().to(rejected)),
    )
    .await;
    let result = AssertUnwindSafe(app.call(request.to_request()))
        .catch_unwind()
        .now_or_never();
    let response = result
        .and_then(Result::ok)
        .and_then(Result::ok)
        .map(|response| response.headers().clone());
    Observed {
        log,
        metrics,
        response,
    }
}

async fn observed(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let (metrics, client) = (Rc::default(), Ipv4Addr::LOCALHOST.into());
    let next = async |request| next.call(request).await;
    observe(metrics, true, client, request, next).await
}

async fn panics() -> HttpResponse {
    panic!("a bug in a handler")
}

async fn rejected() -> HttpResponse {
    let mut response = HttpResponse::Unauthorized().finish();
    let mut log = RejectionLog::new(&bearward::AuthError::UnknownKey.into());
    log.issuer = Some("supabase".into());
    log.kid = Some(format!("evil\n\u{1b}[31mline {}", "x".repeat(500)));
    response.extensions_mut().insert(log);
    response
}

fn response_request_id(observed: &Observed) -> String {
    let response = observed.response.as_ref().expect("a response");
    response
        .get(RequestId::HEADER)
        .expect("the header")
        .to_str()
        .expect("text")
        .to_owned()
}

#[actix_web::test]
async fn logs_route_status_duration_and_request_id() {
    let observed = send(
        LogFormat::Json,
        TestRequest::get()
            .uri("/orders/17")
            .insert_header(("x-request-id", "abc-1")),
    )
    .await;
    let line = observed.log.single_line();
    assert_eq!(line["method"], "GET");
    assert_eq!(line["route"], "/orders/{id}");
    assert_eq!(line["status"], 200);
    assert_eq!(line["request_id"], "abc-1");
    assert!(line["duration_ms"].is_f64());
    assert!(line.get("reason").is_none());
    assert_eq!(response_request_id(&observed), "abc-1");
}

#[actix_web::test]
async fn replaces_a_missing_or_malformed_id_with_a_uuid_v7() {
    for inbound in [None, Some("two words"), Some("<script>")] {
        let mut request = TestRequest::get().uri("/orders/17");
        if let Some(inbound) = inbound {
            request = request.insert_header(("x-request-id", inbound));
        }
        let observed = send(LogFormat::Json, request).await;
        let id = Uuid::parse_str(&response_request_id(&observed)).expect("a UUID");
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(observed.log.single_line()["request_id"], id.to_string());
    }
}

#[actix_web::test]
async fn logs_no_data_that_a_client_sent() {
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
            let text = send(format, request).await.log.text();
            assert_eq!(text.lines().count(), 1, "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }
}

#[actix_web::test]
async fn logs_reason_issuer_and_key_of_a_rejection() {
    let line = send(LogFormat::Json, TestRequest::get().uri("/rejected"))
        .await
        .log
        .single_line();
    assert_eq!(line["reason"], "unknown_key");
    assert_eq!(line["issuer"], "supabase");
    assert_eq!(
        line["kid"].as_str().map(|kid| kid.chars().count()),
        Some(MAX_KID_CHARS)
    );
}

#[actix_web::test]
async fn a_key_id_cannot_start_a_new_line() {
    let text = send(LogFormat::Pretty, TestRequest::get().uri("/rejected"))
        .await
        .log
        .text();
    // The access log and the audit log.
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.lines().all(|line| line.contains(" INFO ")), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[actix_web::test]
async fn logs_status_500_after_a_panic() {
    let observed = send(LogFormat::Json, TestRequest::get().uri("/panics")).await;
    assert!(observed.response.is_none());
    let line = observed.log.single_line();
    assert_eq!(
        (&line["status"], &line["route"]),
        (&500.into(), &"/panics".into())
    );
}

#[actix_web::test]
async fn logs_status_499_after_a_disconnect() {
    let line = send(LogFormat::Json, TestRequest::get().uri("/hangs"))
        .await
        .log
        .single_line();
    assert_eq!(line["status"], 499);
}

#[actix_web::test]
async fn metric_labels_are_bounded() {
    let rendered = |request| async move { send(LogFormat::Json, request).await.metrics.render() };
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
async fn logs_errors_of_an_inner_middleware() {
    let log = CapturedLog::default();
    let writer = log.clone();
    let layer =
        telemetry_log::format_layer::<Registry, _>(LogFormat::Json, false, move || writer.clone());
    let _subscriber = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let reject = |_: ServiceRequest, _: Next<actix_web::body::BoxBody>| async {
        Err::<ServiceResponse, Error>(actix_web::error::ErrorForbidden("no"))
    };
    let app = init_service(App::new().wrap(from_fn(reject)).wrap(from_fn(observed))).await;
    let error = app
        .call(TestRequest::get().to_request())
        .await
        .err()
        .expect("an error")
        .error_response();
    assert_eq!(error.status(), 403);
    assert!(error.headers().contains_key(RequestId::HEADER));
    assert_eq!(log.single_line()["status"], 403);
}
