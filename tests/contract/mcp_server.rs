//! An MCP endpoint with one flaw in its authorization, for the group `mcp`.

use std::net::TcpListener;

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::Method,
    web::{self, Data},
};
use bearward::{Algorithm, Bearward, Issuer, KeySource, Verified};
use serde_json::{Value, json};

/// How the server deviates from a correct one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum McpFlaw {
    None,
    /// The challenges have no `resource_metadata`.
    NoMetadataInChallenge,
    /// The metadata is only where the challenge says, not at the path of RFC 9728.
    OtherLocation,
    OtherResource,
    NoAuthorizationServers,
    OtherAuthorizationServer,
    QueryMethod,
    NoCors,
    AnyAudience,
    /// The audience is compared as a prefix of the URL.
    OriginAudience,
    /// The URL is compared as a prefix of the audience.
    LongerAudience,
    /// A missing scope is 403 without a challenge.
    SilentForbidden,
    /// A missing scope is 401.
    InvalidToken,
    TokenInQuery,
    /// A session id replaces the token.
    Session,
    /// GET opens the stream of messages without a token.
    OpenStream,
}

/// A running server, which stops when it is dropped.
pub(crate) struct McpServer {
    pub(crate) url: String,
    handle: ServerHandle,
}

#[derive(serde::Deserialize)]
struct AudienceClaim {
    #[serde(default)]
    aud: Value,
}

struct State {
    flaw: McpFlaw,
    url: String,
    issuer: String,
    auth: Bearward,
}

impl McpServer {
    /// Binds a port; the URL is the audience.
    pub(crate) fn bind() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        (listener, url)
    }

    pub(crate) async fn start(
        listener: TcpListener,
        url: &str,
        issuer: &str,
        jwks_url: &str,
        flaw: McpFlaw,
    ) -> Self {
        let trusted = Issuer::new(issuer, url)
            .unwrap()
            .dangerous_any_audience()
            .algorithms(Algorithm::ALL.iter().copied())
            .unwrap();
        let auth = Bearward::builder()
            .issuer(trusted.keys(KeySource::Url(jwks_url.parse().unwrap())))
            .build()
            .await
            .unwrap();
        let state = Data::new(State {
            flaw,
            url: url.to_owned(),
            issuer: issuer.to_owned(),
            auth,
        });
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || {
                    App::new()
                        .app_data(state.clone())
                        .route("/mcp", web::to(mcp))
                        .default_service(web::to(metadata))
                };
                let server = HttpServer::new(app)
                    .workers(1)
                    .disable_signals()
                    .shutdown_timeout(0)
                    .listen(listener)
                    .unwrap()
                    .run();
                sender.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self {
            url: url.to_owned(),
            handle: receiver.recv().unwrap(),
        }
    }
}

impl Drop for McpServer {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl State {
    /// The path of the metadata.
    fn location(&self) -> &'static str {
        match self.flaw {
            McpFlaw::OtherLocation => "/metadata",
            _ => "/.well-known/oauth-protected-resource/mcp",
        }
    }

    fn challenge(&self, attributes: &str) -> (&'static str, String) {
        let metadata = if matches!(self.flaw, McpFlaw::NoMetadataInChallenge) {
            String::new()
        } else {
            let url = self.url.replace("/mcp", self.location());
            format!(", resource_metadata=\"{url}\"")
        };
        (
            "www-authenticate",
            format!("Bearer realm=\"test\"{attributes}{metadata}"),
        )
    }

    fn accepts_audience(&self, user: &Verified) -> bool {
        let claim: AudienceClaim = serde_json::from_str(&user.claims_json()).unwrap();
        let accepts = |audience: &Value| {
            let audience = audience.as_str().unwrap_or_default();
            match self.flaw {
                McpFlaw::AnyAudience => true,
                McpFlaw::OriginAudience => self.url.starts_with(audience),
                McpFlaw::LongerAudience => audience.starts_with(&self.url),
                _ => audience == self.url,
            }
        };
        match &claim.aud {
            Value::Array(audiences) => audiences.iter().any(accepts),
            audience => accepts(audience),
        }
    }
}

async fn metadata(state: Data<State>, request: HttpRequest) -> HttpResponse {
    if request.path() != state.location() {
        return HttpResponse::NotFound().finish();
    }
    let resource = match state.flaw {
        McpFlaw::OtherResource => "http://127.0.0.1:1/mcp",
        _ => &state.url,
    };
    let servers = match state.flaw {
        McpFlaw::NoAuthorizationServers => Value::Null,
        McpFlaw::OtherAuthorizationServer => json!(["https://other.example"]),
        _ => json!([state.issuer]),
    };
    let methods = match state.flaw {
        McpFlaw::QueryMethod => json!(["header", "query"]),
        _ => json!(["header"]),
    };
    let mut response = HttpResponse::Ok();
    if state.flaw != McpFlaw::NoCors {
        response.insert_header(("access-control-allow-origin", "*"));
    }
    response.json(json!({
        "resource": resource, "authorization_servers": servers, "bearer_methods_supported": methods,
    }))
}

async fn mcp(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    if state.flaw == McpFlaw::Session && header("mcp-session-id") == Some("session-1") {
        return HttpResponse::Ok().finish();
    }
    if state.flaw == McpFlaw::OpenStream && request.method() == Method::GET {
        return HttpResponse::Ok()
            .content_type("text/event-stream")
            .finish();
    }
    let in_header = header("authorization")
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token);
    let in_query = request
        .query_string()
        .strip_prefix("access_token=")
        .filter(|_| state.flaw == McpFlaw::TokenInQuery);
    let Some(token) = in_header.or(in_query) else {
        return HttpResponse::Unauthorized()
            .insert_header(state.challenge(", scope=\"read\""))
            .finish();
    };
    let invalid_token = || {
        HttpResponse::Unauthorized()
            .insert_header(state.challenge(", error=\"invalid_token\""))
            .finish()
    };
    let Ok(user) = state.auth.verify(token).await else {
        return invalid_token();
    };
    if !state.accepts_audience(&user) {
        return invalid_token();
    }
    if !user.has_scope("read") {
        return match state.flaw {
            McpFlaw::SilentForbidden => HttpResponse::Forbidden().finish(),
            McpFlaw::InvalidToken => invalid_token(),
            _ => HttpResponse::Forbidden()
                .insert_header(state.challenge(", error=\"insufficient_scope\", scope=\"read\""))
                .finish(),
        };
    }
    if request.method() != Method::POST {
        return HttpResponse::MethodNotAllowed().finish();
    }
    HttpResponse::Ok()
        .insert_header(("mcp-session-id", "session-1"))
        .json(json!({ "jsonrpc": "2.0", "id": 1, "result": {} }))
}
