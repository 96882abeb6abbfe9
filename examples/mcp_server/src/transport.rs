//! The MCP endpoint: passes authenticated requests to `rmcp`.

use std::sync::Arc;

use actix_web::{
    Error, HttpRequest, HttpResponse,
    error::ErrorBadRequest,
    http::StatusCode,
    web::{Bytes, Data},
};
use bearward::{Bearward, Require, Verified};
use http_body_util::{BodyExt, Full};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};

use crate::{
    authorization::{ReadsNotes, check_message},
    notes::Notes,
    tools::NoteTools,
};

/// The protocol implementation with the notes. Clones share them.
#[derive(Clone)]
pub struct McpService(StreamableHttpService<NoteTools, NeverSessionManager>);

impl McpService {
    /// Creates a service without notes. `hosts` are the host names that clients use; requests with
    /// another `Host` are rejected (DNS rebinding).
    ///
    /// It has no sessions: a token is checked with every request, and a session could outlive it.
    pub fn new(hosts: impl IntoIterator<Item = String>) -> Self {
        let notes = Arc::new(Notes::default());
        let config = StreamableHttpServerConfig::default()
            .with_allowed_hosts(hosts)
            .with_legacy_session_mode(false)
            .with_json_response(true);
        Self(StreamableHttpService::new(
            move || Ok(NoteTools::new(Arc::clone(&notes))),
            Arc::new(NeverSessionManager::default()),
            config,
        ))
    }
}

/// Handles every method of the endpoint. `Require` authenticates before the body is read.
pub(crate) async fn mcp(
    user: Require<ReadsNotes>,
    request: HttpRequest,
    auth: Data<Bearward>,
    service: Data<McpService>,
    body: Bytes,
) -> Result<HttpResponse, Error> {
    let user: &Verified = &user;
    check_message(user, &body).map_err(|error| auth.reject(&request, user.failure(error)))?;
    let request = to_http(&request, user.clone(), body).map_err(ErrorBadRequest)?;
    let (parts, body) = service.0.handle(request).await.into_parts();
    let status = StatusCode::from_u16(parts.status.as_u16()).map_err(ErrorBadRequest)?;
    let mut response = HttpResponse::build(status);
    // The body is streamed, so its length is not known.
    let headers = parts.headers.iter();
    for (name, value) in headers.filter(|(name, _)| *name != http::header::CONTENT_LENGTH) {
        response.append_header((name.as_str(), value.as_bytes()));
    }
    Ok(response.streaming(body.into_data_stream()))
}

/// Converts the request, because actix-web uses an older version of the crate `http`.
fn to_http(
    request: &HttpRequest,
    user: Verified,
    body: Bytes,
) -> Result<http::Request<Full<Bytes>>, http::Error> {
    let mut converted = http::Request::builder()
        .method(request.method().as_str())
        .uri(request.uri().to_string())
        .extension(user);
    for (name, value) in request.headers() {
        converted = converted.header(name.as_str(), value.as_bytes());
    }
    converted.body(Full::new(body))
}
