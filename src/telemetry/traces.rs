//! OpenTelemetry traces: a span for each request and for each call to another service, exported to
//! a collector.

use std::{sync::OnceLock, time::Duration};

use actix_web::http::header::{HeaderMap, HeaderName};
use opentelemetry::{
    Context, Key, KeyValue,
    propagation::{Extractor, TextMapPropagator},
    trace::{FutureExt, Link, SpanKind, Status, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider},
};
use url::Url;

/// The tracer of this process, set by [`Traces::start`].
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// How long dropping [`Traces`] waits for the collector to accept the remaining spans.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);

/// Exports spans until it is dropped. Dropping it exports the remaining spans, for at most 3 s.
///
/// At most 2,048 spans are buffered; they are exported every 5 s. If the collector is unreachable,
/// spans are lost and the failure is logged. Requests are not affected.
#[derive(Debug)]
#[must_use = "dropping it stops the export"]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Starts tracing, once per process. Exports to `/v1/traces` below `endpoint` (OTLP 1.x,
    /// protobuf over HTTP).
    ///
    /// The environment variables `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`,
    /// `OTEL_TRACES_SAMPLER` and `OTEL_EXPORTER_OTLP_HEADERS` are read by the OpenTelemetry SDK.
    ///
    /// # Errors
    /// [`ExporterBuildError`] if the HTTP client cannot be built. The collector is not contacted.
    pub fn start(endpoint: &Url) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(traces_url(endpoint))
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
        // The SDK logs errors itself.
        let _ = self.0.shutdown_with_timeout(SHUTDOWN_TIMEOUT);
    }
}

fn traces_url(endpoint: &Url) -> String {
    format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/'))
}

/// Returns the resource of all spans. The service name is `bearward` unless the environment sets
/// it.
fn resource() -> Resource {
    let builder = || {
        Resource::builder()
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
    };
    let from_env = builder().build();
    // The SDK's default name starts with `unknown_service`.
    let has_default_name = from_env
        .get(&Key::new("service.name"))
        .is_none_or(|name| name.as_str().starts_with("unknown_service"));
    if has_default_name {
        builder().with_service_name("bearward").build()
    } else {
        from_env
    }
}

/// The span of one request. It ends with [`end`](Self::end) or when it is dropped.
pub(super) struct RequestSpan(Context);

impl RequestSpan {
    /// Starts the span. If `continues_trace`, it is part of the trace in the request's `traceparent`
    /// (W3C Trace Context), and the sender decides whether it is sampled. Otherwise it starts a new
    /// trace, with a link to the span in `traceparent`. Returns `None` if tracing is off.
    ///
    /// The span contains no path, query or header values.
    pub(super) fn start(
        headers: &HeaderMap,
        continues_trace: bool,
        method: &'static str,
        route: &str,
        request_id: &str,
    ) -> Option<Self> {
        let tracer = TRACER.get()?;
        let received = TraceContextPropagator::new()
            .extract_with_context(&Context::new(), &HeaderExtractor(headers));
        let (parent, links) = if continues_trace {
            (received, Vec::new())
        } else {
            let linked = received.span().span_context().clone();
            let links = linked.is_valid().then(|| Link::with_context(linked));
            (Context::new(), links.into_iter().collect())
        };
        let span = tracer
            .span_builder(format!("{method} {route}"))
            .with_kind(SpanKind::Server)
            .with_links(links)
            .with_attributes([
                KeyValue::new("http.request.method", method),
                KeyValue::new("http.route", route.to_owned()),
                KeyValue::new("bearward.request_id", request_id.to_owned()),
            ])
            .start_with_context(tracer, &parent);
        Some(Self(parent.with_span(span)))
    }

    /// Returns the context for operations inside the span.
    pub(super) fn context(&self) -> Context {
        self.0.clone()
    }

    /// Returns the trace id as 32 hexadecimal digits.
    pub(super) fn trace_id(&self) -> String {
        self.0.span().span_context().trace_id().to_string()
    }

    /// Ends the span. Only a status of 500 and above marks it as an error.
    pub(super) fn end(&self, status: u16, rejection: Option<&'static str>) {
        let span = self.0.span();
        span.set_attribute(KeyValue::new(
            "http.response.status_code",
            i64::from(status),
        ));
        if let Some(reason) = rejection {
            span.set_attribute(KeyValue::new("bearward.refusal", reason));
        }
        if status >= 500 {
            span.set_attribute(KeyValue::new("error.type", status.to_string()));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

/// Runs a call to another service inside a client span, as a child of the request's span.
///
/// The trace context is not sent to the service, which belongs to a third party.
///
/// # Errors
/// The error of the call.
pub async fn client_span<T, E>(
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
    let result = call.with_context(context.clone()).await;
    if result.is_err() {
        context.span().set_status(Status::error(""));
    }
    context.span().end();
    result
}

/// Adapts request headers to a propagator.
struct HeaderExtractor<'a>(&'a HeaderMap);

impl Extractor for HeaderExtractor<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}
