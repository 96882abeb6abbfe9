//! The MCP server over a real port: challenges, metadata, audiences, scopes and ownership.
//! `tests/mcp` drives it with the client of the official SDK.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::net::TcpListener;

use actix_web::{App, HttpServer, dev::ServerHandle};
use bearward::{Algorithm, KeySource};
use bearward_testing::{MockIdp, TokenBuilder};
use mcp_server::{McpService, routes, verifier};
use reqwest::{Client, Response};
use serde_json::{Value, json};

/// A running server and its identity provider.
struct TestServer {
    idp: MockIdp,
    resource: String,
    handle: ServerHandle,
}

impl TestServer {
    async fn start() -> Self {
        let idp = MockIdp::start_with(Algorithm::ES256).await;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let resource = format!("http://{}/mcp", listener.local_addr().unwrap());
        let keys = KeySource::Url(idp.jwks_url().parse().unwrap());
        let auth = verifier(&idp.issuer(), keys, &resource).await.unwrap();
        let service = McpService::new(["127.0.0.1".to_owned()]);
        let app = move || App::new().configure(|config| routes(&auth, &service, config));
        let server = HttpServer::new(app)
            .workers(1)
            .disable_signals()
            .shutdown_timeout(0)
            .listen(listener)
            .unwrap()
            .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            idp,
            resource,
            handle,
        }
    }

    fn token(&self, subject: &str, scope: &str) -> TokenBuilder {
        let token = self.idp.token().sub(subject).scope(scope);
        token.claim("aud", self.resource.as_str())
    }

    async fn post(&self, token: Option<&str>, message: &Value) -> Response {
        let client = Client::builder().no_proxy().build().unwrap();
        let mut request = client
            .post(&self.resource)
            .header("accept", "application/json, text/event-stream")
            .json(message);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    }

    /// Calls a tool and returns its text.
    async fn call(&self, token: &str, tool: &str, arguments: Value) -> String {
        let response = self.post(Some(token), &tool_call(tool, arguments)).await;
        assert_eq!(response.status().as_u16(), 200);
        let message: Value = response.json().await.unwrap();
        let text = message["result"]["content"][0]["text"].as_str();
        text.unwrap_or_else(|| panic!("{message}")).to_owned()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

fn tool_call(tool: &str, arguments: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": arguments } })
}

fn initialize() -> Value {
    json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": { "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } },
    })
}

fn challenge(response: &Response) -> &str {
    response.headers()["www-authenticate"].to_str().unwrap()
}

#[actix_web::test]
async fn request_without_a_token_leads_to_the_metadata() {
    let server = TestServer::start().await;
    let response = server.post(None, &initialize()).await;
    assert_eq!(response.status().as_u16(), 401);
    let metadata = server
        .resource
        .replace("/mcp", "/.well-known/oauth-protected-resource/mcp");
    assert_eq!(
        challenge(&response),
        format!(
            "Bearer realm=\"bearward\", scope=\"notes:read\", resource_metadata=\"{metadata}\""
        )
    );
    let document: Value = reqwest::get(&metadata).await.unwrap().json().await.unwrap();
    assert_eq!(document["resource"], server.resource);
    assert_eq!(
        document["authorization_servers"],
        json!([server.idp.issuer()])
    );
    assert_eq!(
        document["scopes_supported"],
        json!(["notes:read", "notes:write"])
    );
}

#[actix_web::test]
async fn only_tokens_for_this_server_are_accepted() {
    let server = TestServer::start().await;
    let token = server.token("ada", "notes:read");
    assert_eq!(
        server
            .post(Some(&token.clone().sign()), &initialize())
            .await
            .status()
            .as_u16(),
        200
    );
    for rejected in [
        token.clone().claim("aud", "authenticated").sign(),
        token.clone().claim("aud", "http://127.0.0.1/mcp").sign(),
        token.clone().expired().sign(),
        token.tampered(),
    ] {
        let response = server.post(Some(&rejected), &initialize()).await;
        assert_eq!(response.status().as_u16(), 401);
        assert!(challenge(&response).contains("error=\"invalid_token\""));
    }
}

#[actix_web::test]
async fn writing_tools_require_the_second_scope() {
    let server = TestServer::start().await;
    let reader = server.token("ada", "notes:read").sign();
    let message = tool_call("add_note", json!({ "text": "Write tests" }));
    let response = server.post(Some(&reader), &message).await;
    assert_eq!(response.status().as_u16(), 403);
    let challenge = challenge(&response);
    assert!(
        challenge.contains("error=\"insufficient_scope\""),
        "{challenge}"
    );
    assert!(
        challenge.contains("scope=\"notes:read notes:write\""),
        "{challenge}"
    );
    assert_eq!(server.call(&reader, "list_notes", json!({})).await, "[]");
    let without = server.token("ada", "other").sign();
    let response = server.post(Some(&without), &initialize()).await;
    assert_eq!(response.status().as_u16(), 403);
}

/// A message that the check of the endpoint does not recognize reaches the check of the tool.
#[actix_web::test]
async fn batches_do_not_avoid_the_second_scope() {
    let server = TestServer::start().await;
    let reader = server.token("ada", "notes:read").sign();
    let batch = json!([tool_call("add_note", json!({ "text": "x" }))]);
    let response = server.post(Some(&reader), &batch).await;
    drop(response.text().await);
    assert_eq!(server.call(&reader, "list_notes", json!({})).await, "[]");
}

#[actix_web::test]
async fn users_see_only_their_own_notes() {
    let server = TestServer::start().await;
    let ada = server.token("ada", "notes:read notes:write").sign();
    let bob = server.token("bob", "notes:read notes:write").sign();
    let added = server
        .call(&ada, "add_note", json!({ "text": "Write tests" }))
        .await;
    assert_eq!(added, r#"{"id":1,"text":"Write tests"}"#);
    assert_eq!(
        server.call(&ada, "list_notes", json!({})).await,
        format!("[{added}]")
    );
    assert_eq!(server.call(&bob, "list_notes", json!({})).await, "[]");
    assert_eq!(
        server.call(&bob, "delete_note", json!({ "id": 1 })).await,
        "there is no note 1"
    );
    assert_eq!(
        server.call(&ada, "delete_note", json!({ "id": 1 })).await,
        "note 1 is deleted"
    );
}
