//! Access log, metrics and trace span of each request.

mod id;
mod metrics;

use std::{
    net::{IpAddr, Ipv4Addr},
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse,
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        Method,
        header::{HeaderMap, HeaderName, HeaderValue},
    },
};
use bearward::{RejectionLog, RequestId, Service};
use opentelemetry::trace::FutureExt;
use tracing::{Instrument, info_span};

pub use self::metrics::RequestMetrics;
use super::traces::RequestSpan;
use crate::audit;

/// The status in log and metrics if the client disconnects before the response, as in nginx.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Maximum length of a key id in the log. The sender of a token chooses it.
const MAX_KID_CHARS: usize = 64;

/// The address of the client, in the extensions of its request.
#[derive(Debug, Clone, Copy)]
struct ClientAddress(IpAddr);

/// Returns the address of the client behind trusted proxies, as [`observe`] received it; 0.0.0.0
/// outside of that middleware.
pub(crate) fn client_address(request: &HttpRequest) -> IpAddr {
    let address = request.extensions().get::<ClientAddress>().copied();
    address.map_or(Ipv4Addr::UNSPECIFIED.into(), |ClientAddress(address)| {
        address
    })
}

/// Assigns the request id, calls the next middleware and writes the access log.
///
/// The [`RequestId`] is the inbound `x-request-id` if it is well-formed, else a new UUID v7. It is
/// set as a request extension and as a response header. The rest of the request runs inside a span.
/// At the end one line is logged with method, route pattern, status, duration, request id, the
/// address of the client, the name and the key id of a [`Service`], and the [`RejectionLog`] if the
/// response has one, which is also recorded in the audit log. The line is also written if a handler panics (status
/// 500) and if the client disconnects (499). The duration ends with the response head; a streamed
/// body is not included.
///
/// `client` is the address of the client behind trusted proxies. `continues_trace` says whether the request's `traceparent` becomes the parent of its span, and
/// not only a link. `metrics` are those of the worker.
///
/// Path, query and header values are never logged. The labels of the metrics are limited to
/// existing routes.
///
/// # Errors
/// Passes on errors of the inner service, with the request id added to their response.
pub async fn observe<B>(
    metrics: Rc<RequestMetrics>,
    continues_trace: bool,
    client: IpAddr,
    request: ServiceRequest,
    next: impl AsyncFnOnce(ServiceRequest) -> Result<ServiceResponse<B>, Error>,
) -> Result<ServiceResponse<B>, Error> {
    let id = inbound_request_id(request.headers()).unwrap_or_else(id::new_request_id);
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(ClientAddress(client));
    let method = method_label(request.method());
    let route = request
        .match_pattern()
        .unwrap_or_else(|| "unmatched".to_owned());
    let trace = RequestSpan::start(
        request.headers(),
        continues_trace,
        method,
        &route,
        id.as_str(),
    );
    let context = trace.as_ref().map(RequestSpan::context);
    let mut entry = AccessLogEntry {
        started: Instant::now(),
        metrics,
        client,
        method,
        route,
        id: id.clone(),
        trace,
        written: false,
    };
    let span = info_span!(
        "request",
        request_id = id.as_str(),
        method = entry.method,
        route = entry.route.as_str()
    );
    let response = next(request).instrument(span);
    let result = match context {
        Some(context) => response.with_context(context).await,
        None => response.await,
    };
    match result {
        Ok(mut response) => {
            entry.write(
                response.status().as_u16(),
                response.response().extensions().get(),
                Service::of(response.request()).as_ref(),
            );
            set_request_id(response.headers_mut(), &id);
            Ok(response)
        }
        // An inner middleware returned an error; its response needs the header too.
        Err(error) => {
            let mut response: HttpResponse = error.error_response();
            entry.write(
                response.status().as_u16(),
                response.extensions().get(),
                None,
            );
            set_request_id(response.headers_mut(), &id);
            Err(InternalError::from_response(error, response).into())
        }
    }
}

/// Logs and counts a request whose head could not be parsed. It has no method, route and id.
pub(crate) fn record_unparsed_request(status: u16, reason: &'static str) {
    let (method, route) = ("other", "unparsed");
    let labels = [
        ("method", method.to_owned()),
        ("route", route.to_owned()),
        ("status", status.to_string()),
    ];
    ::metrics::counter!("http_requests_total", &labels).increment(1);
    tracing::info!(method, route, status, reason, "request");
}

/// One line of the access log, written once.
struct AccessLogEntry {
    started: Instant,
    metrics: Rc<RequestMetrics>,
    client: IpAddr,
    method: &'static str,
    route: String,
    id: RequestId,
    trace: Option<RequestSpan>,
    written: bool,
}

impl AccessLogEntry {
    fn write(&mut self, status: u16, rejection: Option<&RejectionLog>, service: Option<&Service>) {
        self.written = true;
        let elapsed = self.started.elapsed();
        self.metrics
            .record(self.method, &self.route, status, elapsed);
        let kid = rejection
            .and_then(|rejection| rejection.kid.as_deref())
            .or(service.map(Service::key_id))
            .map(|kid| kid.chars().take(MAX_KID_CHARS).collect::<String>());
        let kid = kid.as_deref();
        let reason = rejection.map(|rejection| rejection.reason);
        let issuer = rejection.and_then(|rejection| rejection.issuer.as_deref());
        let service = rejection
            .and_then(|rejection| rejection.service.as_deref())
            .or(service.map(Service::name));
        if let Some(trace) = &self.trace {
            trace.end(status, reason);
        }
        let trace_id = self.trace.as_ref().map(RequestSpan::trace_id);
        let trace_id = trace_id.as_deref();
        let (method, route, request_id, duration_ms) = (
            self.method,
            self.route.as_str(),
            self.id.as_str(),
            millis(elapsed),
        );
        let client = self.client;
        // Without the span as parent, which would repeat its fields. Both formats escape text.
        if status >= 500 {
            tracing::warn!(parent: None, method, route, status, duration_ms, %client, request_id, trace_id, reason, issuer, kid, service, "request");
        } else {
            tracing::info!(parent: None, method, route, status, duration_ms, %client, request_id, trace_id, reason, issuer, kid, service, "request");
        }
        if let Some(reason) = reason {
            audit::record_rejection(client, &self.id, route, reason, issuer, kid, service);
        }
    }
}

/// An entry that was not written is dropped for one of two reasons: a panic unwinds the request's
/// future, or the future is dropped because the client disconnected.
impl Drop for AccessLogEntry {
    fn drop(&mut self) {
        if !self.written {
            self.write(
                if thread::panicking() {
                    500
                } else {
                    CLIENT_CLOSED_REQUEST
                },
                None,
                None,
            );
        }
    }
}

fn inbound_request_id(headers: &HeaderMap) -> Option<RequestId> {
    RequestId::parse(headers.get(RequestId::HEADER)?.to_str().ok()?)
}

fn set_request_id(headers: &mut HeaderMap, id: &RequestId) {
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        headers.insert(HeaderName::from_static(RequestId::HEADER), value);
    }
}

/// Returns the metric label of a method. Clients can send any method, so unknown ones share a
/// label.
fn method_label(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
    ];
    KNOWN
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("other")
}

/// Returns milliseconds with three decimal places.
fn millis(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
