//! One span, one line and two metrics for each request; a span of a trace where traces are wanted.

use std::{
    thread,
    time::{Duration, Instant},
};

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        Method,
        header::{HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
};
use bearward::{RejectionLog, RequestId};
use opentelemetry::trace::FutureExt;
use tracing::{Instrument, info_span};
use uuid::Uuid;

use super::traces::RequestSpan;

/// The status in line and metrics when the client has gone before the answer; nginx uses the same.
const CLIENT_GONE: u16 = 499;

/// A key id in the line is cut here: its sender chose it, and verification knows no key id that
/// long.
const KID_CHARS: usize = 64;

/// A middleware for [`from_fn`](actix_web::middleware::from_fn), the outermost of the application.
///
/// Gives the request a [`RequestId`] (the inbound `x-request-id` when it is well-formed, else a new
/// UUID v7) as an extension and as a response header; runs the rest inside a span; ends with one
/// line of method, route pattern, status, duration, request id, and of a [`RejectionLog`] when the
/// response carries one. The line is written also when a handler panics (status 500) and when the
/// client hangs up (499). The duration ends with the response's head; a streamed body is not
/// counted.
///
/// # Errors
/// What the rest of the application answers with an error, as it is but for the header.
///
/// Never logged: path, query, header values. The labels of the metrics are bounded by the routes
/// that exist.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let id = inbound(request.headers()).unwrap_or_else(|| {
        RequestId::parse(&Uuid::now_v7().to_string()).expect("a UUID is a valid request id")
    });
    request.extensions_mut().insert(id.clone());
    let method = method_label(request.method());
    let route = request
        .match_pattern()
        .unwrap_or_else(|| "unmatched".to_owned());
    let trace = RequestSpan::begin(request.headers(), method, &route, id.as_str());
    let context = trace.as_ref().map(RequestSpan::context);
    let mut line = AccessLogEntry {
        started: Instant::now(),
        method,
        route,
        id: id.clone(),
        trace,
        written: false,
    };
    let span = info_span!(
        "request",
        request_id = id.as_str(),
        method = line.method,
        route = line.route.as_str()
    );
    let answered = next.call(request).instrument(span);
    let answered = match context {
        Some(context) => answered.with_context(context).await,
        None => answered.await,
    };
    match answered {
        Ok(mut response) => {
            line.write(
                response.status().as_u16(),
                response.response().extensions().get(),
            );
            echo(response.headers_mut(), &id);
            Ok(response)
        }
        // A middleware has refused; its answer gets the header like any other.
        Err(error) => {
            let mut response: HttpResponse = error.error_response();
            line.write(response.status().as_u16(), response.extensions().get());
            echo(response.headers_mut(), &id);
            Err(InternalError::from_response(error, response).into())
        }
    }
}

struct AccessLogEntry {
    started: Instant,
    method: &'static str,
    route: String,
    id: RequestId,
    trace: Option<RequestSpan>,
    written: bool,
}

impl AccessLogEntry {
    fn write(&mut self, status: u16, refusal: Option<&RejectionLog>) {
        self.written = true;
        let elapsed = self.started.elapsed();
        let status_label = status.to_string();
        let labels = [
            ("method", self.method.to_owned()),
            ("route", self.route.clone()),
            ("status", status_label),
        ];
        metrics::histogram!("http_request_duration_seconds", &labels[..2]).record(elapsed);
        metrics::counter!("http_requests_total", &labels).increment(1);
        let kid = refusal
            .and_then(|note| note.kid.as_deref())
            .map(|kid| kid.chars().take(KID_CHARS).collect::<String>());
        let kid = kid.as_deref();
        let reason = refusal.map(|note| note.reason);
        let issuer = refusal.and_then(|note| note.issuer.as_deref());
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
        // Outside of the span, whose fields would come twice. Text fields are escaped by every
        // format.
        if status >= 500 {
            tracing::warn!(parent: None, method, route, status, duration_ms, request_id, trace_id, reason, issuer, kid, "request");
        } else {
            tracing::info!(parent: None, method, route, status, duration_ms, request_id, trace_id, reason, issuer, kid, "request");
        }
    }
}

/// The future of a request ends early for two reasons only: a panic unwinds it, or the connection
/// is gone and it is dropped.
impl Drop for AccessLogEntry {
    fn drop(&mut self) {
        if !self.written {
            self.write(
                if thread::panicking() {
                    500
                } else {
                    CLIENT_GONE
                },
                None,
            );
        }
    }
}

fn inbound(headers: &HeaderMap) -> Option<RequestId> {
    RequestId::parse(headers.get(RequestId::HEADER)?.to_str().ok()?)
}

fn echo(headers: &mut HeaderMap, id: &RequestId) {
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        headers.insert(HeaderName::from_static(RequestId::HEADER), value);
    }
}

/// A client can make up methods, so the label takes only those that routes can have.
fn method_label(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
    ];
    KNOWN
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("other")
}

/// Milliseconds to three places, which is what a person compares.
fn millis(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
