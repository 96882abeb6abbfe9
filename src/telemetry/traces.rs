//! Traces: a span for each request and for each call of another service, sent to an OpenTelemetry
//! collector.

use std::{sync::OnceLock, time::Duration};

use actix_web::http::header::{HeaderMap, HeaderName};
use opentelemetry::{
    Context, Key, KeyValue,
    propagation::{Extractor, TextMapPropagator},
    trace::{FutureExt, SpanKind, Status, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider},
};
use url::Url;

/// The tracer of this process, from the moment when somebody wants traces.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// How long the end of the process may wait for a collector that does not take what is left.
const LAST_CALL: Duration = Duration::from_secs(3);

/// Sends spans until it is dropped; what has not been sent then is sent at last, for 3 s at most.
///
/// Spans wait in memory, 2,048 at most, and go out every 5 s. A collector that cannot be reached
/// costs the spans, and a line in the log, but no request.
#[derive(Debug)]
#[must_use = "traces end when it is dropped"]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to trace, once in a process, and sends to `/v1/traces` below `endpoint` (OTLP 1.x,
    /// protobuf over HTTP).
    ///
    /// `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER` and
    /// `OTEL_EXPORTER_OTLP_HEADERS` mean what OpenTelemetry says of them.
    ///
    /// # Errors
    /// When the HTTP client cannot be made. Whether a collector listens is not looked at.
    pub fn start(endpoint: &Url) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(below(endpoint))
            .build()?;
        let provider = SdkTracerProvider::builder()
            .with_resource(resource())
            .with_batch_exporter(exporter)
            .build();
        TRACER.get_or_init(|| provider.tracer("bearward"));
        Ok(Self(provider))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // What went wrong is in the log already.
        let _ = self.0.shutdown_with_timeout(LAST_CALL);
    }
}

fn below(endpoint: &Url) -> String {
    format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/'))
}

/// Who it is that traces: what the environment calls it, else `bearward`.
fn resource() -> Resource {
    let resource = || {
        Resource::builder()
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
    };
    let told = resource().build();
    // The SDK's word where the environment has none.
    let is_nameless = told
        .get(&Key::new("service.name"))
        .is_none_or(|name| name.as_str().starts_with("unknown_service"));
    if is_nameless {
        resource().with_service_name("bearward").build()
    } else {
        told
    }
}

/// The span of one request. It ends when it is told the status, or dropped.
pub(super) struct RequestSpan(Context);

impl RequestSpan {
    /// Begins the span, within the trace that the request's `traceparent` names (W3C Trace
    /// Context); None where nothing is traced.
    ///
    /// Like the log it holds nothing of path, query and headers.
    pub(super) fn begin(
        headers: &HeaderMap,
        method: &'static str,
        route: &str,
        request_id: &str,
    ) -> Option<Self> {
        let tracer = TRACER.get()?;
        let parent =
            TraceContextPropagator::new().extract_with_context(&Context::new(), &Sent(headers));
        let span = tracer
            .span_builder(format!("{method} {route}"))
            .with_kind(SpanKind::Server)
            .with_attributes([
                KeyValue::new("http.request.method", method),
                KeyValue::new("http.route", route.to_owned()),
                KeyValue::new("bearward.request_id", request_id.to_owned()),
            ])
            .start_with_context(tracer, &parent);
        Some(Self(parent.with_span(span)))
    }

    /// What runs within the span carries this.
    pub(super) fn context(&self) -> Context {
        self.0.clone()
    }

    /// For the line in the log: 32 hexadecimal digits.
    pub(super) fn trace_id(&self) -> String {
        self.0.span().span_context().trace_id().to_string()
    }

    /// Ends the span. Only what the server has to answer for is an error of it.
    pub(super) fn end(&self, status: u16, refusal: Option<&'static str>) {
        let span = self.0.span();
        span.set_attribute(KeyValue::new(
            "http.response.status_code",
            i64::from(status),
        ));
        if let Some(reason) = refusal {
            span.set_attribute(KeyValue::new("bearward.refusal", reason));
        }
        if status >= 500 {
            span.set_attribute(KeyValue::new("error.type", status.to_string()));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

/// Runs a call of another service within a span of its own, below the one of the request that needs
/// it.
///
/// The service is told nothing of the trace: it is somebody else's.
///
/// # Errors
/// Those of the call.
pub async fn called<T, E>(
    name: &'static str,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let Some(tracer) = TRACER.get() else {
        return call.await;
    };
    let span = tracer
        .span_builder(name)
        .with_kind(SpanKind::Client)
        .start_with_context(tracer, &Context::current());
    let context = Context::current_with_span(span);
    let answer = call.with_context(context.clone()).await;
    if answer.is_err() {
        context.span().set_status(Status::error(""));
    }
    context.span().end();
    answer
}

/// The headers of a request, as a propagator reads them.
struct Sent<'a>(&'a HeaderMap);

impl Extractor for Sent<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}
