//! The spans that an OTLP collector receives.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use actix_web::{App, HttpResponse, HttpServer, dev::ServerHandle, web};
use bearward_testing::MockIdp;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{ResourceSpans, Span, span::SpanKind},
};
use prost::Message;
use test_support::{
    http::{client, get, get_as, send},
    process::{Signal, TestProcess},
};

use crate::bearward;

/// An OTLP collector that records what it receives.
struct Collector {
    address: SocketAddr,
    received: Arc<Mutex<Vec<ResourceSpans>>>,
    handle: ServerHandle,
}

impl Collector {
    fn start() -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let store = web::Data::from(Arc::clone(&received));
        let receive = async |store: web::Data<Mutex<Vec<ResourceSpans>>>, body: web::Bytes| {
            store.lock().unwrap().extend(
                ExportTraceServiceRequest::decode(body)
                    .unwrap()
                    .resource_spans,
            );
            HttpResponse::Ok()
                .content_type("application/x-protobuf")
                .finish()
        };
        let server = HttpServer::new(move || {
            App::new()
                .app_data(store.clone())
                .route("/otlp/v1/traces", web::post().to(receive))
        });
        let server = server
            .workers(1)
            .disable_signals()
            .bind("127.0.0.1:0")
            .unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self {
            address,
            received,
            handle,
        }
    }

    fn spans(&self) -> Vec<Span> {
        let received = self.received.lock().unwrap();
        received
            .iter()
            .flat_map(|resource| &resource.scope_spans)
            .flat_map(|scope| scope.spans.clone())
            .collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// Starts a server that exports traces, with a database in memory and an unreachable completion
/// service.
fn start(idp: &MockIdp, endpoint: &str, variables: &[(&str, &str)]) -> (TestProcess, String) {
    let base = idp.base();
    let mut all = vec![
        ("SUPABASE_URL", base.as_str()),
        ("BEARWARD_TELEMETRY__OTLP_ENDPOINT", endpoint),
        ("BEARWARD_TELEMETRY__FORMAT", "json"),
        (
            "BEARWARD_VAULT__KEYS",
            "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ),
        ("BEARWARD_GENERATE__BASE_URL", "http://127.0.0.1:1/v1"),
        ("DATABASE_URL", "sqlite::memory:"),
    ];
    all.extend(variables);
    let server = TestProcess::start(bearward(&["serve", "--bind", "127.0.0.1:0"], &all));
    let line: serde_json::Value = serde_json::from_str(&server.line(" serves")).unwrap();
    let api = format!("http://{}", line["address"].as_str().unwrap());
    (server, api)
}

fn value<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a Value> {
    attributes
        .iter()
        .find(|attribute| attribute.key == name)?
        .value
        .as_ref()?
        .value
        .as_ref()
}

fn text(attributes: &[KeyValue], name: &str) -> Option<String> {
    match value(attributes, name)? {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

fn status(span: &Span) -> Option<&Value> {
    value(&span.attributes, "http.response.status_code")
}

#[actix_web::test]
async fn a_trusted_proxy_continues_its_trace_without_secrets() {
    let (collector, idp) = (Collector::start(), MockIdp::start().await);
    let trusted = [("BEARWARD_SERVER__TRUSTED_PROXIES", "127.0.0.1")];
    let endpoint = format!("http://{}/otlp/", collector.address);
    let (server, api) = start(&idp, &endpoint, &trusted);
    let token = idp.token().sub("ada").sign();
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = client().get(format!("{api}/protected?secret=in-the-query"));
    let request = request
        .header("traceparent", parent)
        .header("x-request-id", "of-the-test");
    assert_eq!(
        send(request.header("authorization", format!("Bearer {token}")))
            .await
            .status,
        200
    );
    assert_eq!(
        get_as(&format!("{api}/protected"), &idp.token().tampered())
            .await
            .status,
        401
    );
    let (exit, _, output) = server.stop(Signal::TERM);
    assert!(
        exit.success(),
        "pending spans are exported at shutdown: {output}"
    );

    let spans = collector.spans();
    let [good, bad] = spans.as_slice() else {
        panic!("two spans: {spans:?}")
    };
    assert_eq!(
        (good.name.as_str(), good.kind()),
        ("GET /protected", SpanKind::Server)
    );
    assert_eq!(
        good.trace_id,
        [
            0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e,
            0x47, 0x36
        ]
    );
    assert_eq!(
        good.parent_span_id,
        [0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]
    );
    assert_eq!(status(good), Some(&Value::IntValue(200)));
    assert_eq!(
        text(&good.attributes, "http.route").as_deref(),
        Some("/protected")
    );
    assert_eq!(
        text(&good.attributes, "bearward.request_id").as_deref(),
        Some("of-the-test")
    );
    assert!(
        bad.parent_span_id.is_empty() && bad.trace_id != good.trace_id,
        "a new trace"
    );
    assert_eq!(
        text(&bad.attributes, "bearward.refusal").as_deref(),
        Some("signature")
    );
    assert!(
        bad.status.as_ref().is_none_or(|status| status.code == 0),
        "a rejected token is not a server error"
    );
    let all = format!("{spans:?}");
    assert!(
        !all.contains("in-the-query") && !all.contains("eyJ"),
        "{all}"
    );
    let line = output
        .lines()
        .find(|line| line.contains("of-the-test"))
        .unwrap();
    assert!(
        line.contains(r#""trace_id":"4bf92f3577b34da6a3ce929d0e0e4736""#),
        "the log contains the trace id: {line}"
    );

    let resources = collector.received.lock().unwrap();
    let resource = &resources[0].resource.as_ref().unwrap().attributes;
    assert_eq!(text(resource, "service.name").as_deref(), Some("bearward"));
    assert_eq!(
        text(resource, "service.version").as_deref(),
        Some(env!("CARGO_PKG_VERSION"))
    );
}

/// `traceparent` with the sampled flag.
const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Requests `/protected` with `traceparent: SAMPLED`, and returns the exported spans.
async fn spans_of_a_sampled_parent(variables: &[(&str, &str)]) -> Vec<Span> {
    let (collector, idp) = (Collector::start(), MockIdp::start().await);
    let endpoint = format!("http://{}/otlp", collector.address);
    let (server, api) = start(&idp, &endpoint, variables);
    let request = client().get(format!("{api}/protected"));
    assert_eq!(
        send(request.header("traceparent", SAMPLED)).await.status,
        401
    );
    assert!(server.stop(Signal::TERM).0.success());
    collector.spans()
}

#[actix_web::test]
async fn an_untrusted_traceparent_is_a_link_and_not_the_parent() {
    let spans = spans_of_a_sampled_parent(&[]).await;
    let [span] = spans.as_slice() else {
        panic!("one span: {spans:?}")
    };
    assert!(span.parent_span_id.is_empty(), "{span:?}");
    let [link] = span.links.as_slice() else {
        panic!("one link: {span:?}")
    };
    assert_ne!(span.trace_id, link.trace_id);
    assert_eq!(link.trace_id[..2], [0x4b, 0xf9]);
    assert_eq!(link.span_id[..2], [0, 0xf0]);
}

#[actix_web::test]
async fn an_untrusted_traceparent_does_not_force_sampling() {
    let never = [
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0"),
    ];
    assert_eq!(spans_of_a_sampled_parent(&never).await.len(), 0);
    let trusted = [
        never[0],
        never[1],
        ("BEARWARD_SERVER__TRUSTED_PROXIES", "127.0.0.1"),
    ];
    assert_eq!(spans_of_a_sampled_parent(&trusted).await.len(), 1);
}

#[actix_web::test]
async fn a_call_to_another_service_is_a_child_span() {
    let (collector, idp) = (Collector::start(), MockIdp::start().await);
    let named = [("OTEL_SERVICE_NAME", "shop")];
    let (server, api) = start(&idp, &format!("http://{}/otlp", collector.address), &named);
    let bearer = format!("Bearer {}", idp.token().sub("ada").sign());
    let post = |path: &str, body: serde_json::Value| {
        let request = client()
            .post(format!("{api}{path}"))
            .header("authorization", &bearer);
        send(
            request
                .header("content-type", "application/json")
                .body(body.to_string()),
        )
    };
    let stored = post(
        "/api/user/api-keys",
        serde_json::json!({"togetherAI": "sk-0123456789012345678901234567"}),
    )
    .await;
    assert_eq!(stored.status, 200, "{stored:?}");
    assert_eq!(
        post("/api/generate", serde_json::json!({"prompt": "hello"}))
            .await
            .status,
        502
    );
    server.stop(Signal::TERM);

    let spans = collector.spans();
    let named = |name: &str| {
        spans
            .iter()
            .find(|span| span.name == name)
            .unwrap_or_else(|| panic!("{name} in {spans:?}"))
    };
    let (request, call) = (named("POST /api/generate"), named("chat completions"));
    assert_eq!(
        (call.kind(), &call.parent_span_id, &call.trace_id),
        (SpanKind::Client, &request.span_id, &request.trace_id)
    );
    assert_eq!(
        [call, request].map(|span| span.status.as_ref().unwrap().code),
        [2, 2],
        "both failed"
    );
    assert!(!format!("{spans:?}").contains("sk-0123"));
    let resources = collector.received.lock().unwrap();
    assert_eq!(
        text(
            &resources[0].resource.as_ref().unwrap().attributes,
            "service.name"
        )
        .as_deref(),
        Some("shop")
    );
}

#[actix_web::test]
async fn an_unreachable_collector_is_logged_and_fails_no_request() {
    let idp = MockIdp::start().await;
    let (server, api) = start(
        &idp,
        "http://127.0.0.1:1",
        &[("OTEL_BSP_SCHEDULE_DELAY", "50")],
    );
    assert_eq!(
        get_as(&format!("{api}/protected"), &idp.token().sign())
            .await
            .status,
        200
    );
    server.line("BatchSpanProcessor");
    assert_eq!(get(&format!("{api}/livez")).await.status, 200);
    let (exit, ..) = server.stop(Signal::TERM);
    assert!(exit.success(), "clean exit");
}
