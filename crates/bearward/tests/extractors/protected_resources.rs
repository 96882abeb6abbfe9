//! Protected resources: metadata (RFC 9728), audiences (RFC 8707) and scopes in challenges.

use actix_web::{
    App, HttpServer,
    middleware::NormalizePath,
    web::{self, ServiceConfig},
};
use bearward::{
    AuthError, AuthFailure, NoCustomClaims, ProtectedResource, RequestHead, Require, Requirement,
    Verified,
};
use serde_json::json;
use test_support::raw_http::{get, request};

use crate::test_app::{TestApp, me};

const MCP: &str = "https://api.example.com/mcp";
const ORDERS: &str = "https://api.example.com/orders";

struct ReadsNotes;

impl Requirement for ReadsNotes {
    type Claims = NoCustomClaims;
    const SCOPES: &'static str = "notes:read";

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_scope("notes:read")
    }
}

/// Requires a scope that is not among those of the route.
struct WritesNotes;

impl Requirement for WritesNotes {
    type Claims = NoCustomClaims;
    const SCOPES: &'static str = "notes:read";

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_scope("notes:read notes:write")
    }
}

async fn reads(user: Require<ReadsNotes>) -> String {
    user.subject().to_owned()
}

async fn writes(user: Require<WritesNotes>) -> String {
    user.subject().to_owned()
}

fn resource(url: &str) -> ProtectedResource {
    ProtectedResource::new(url).unwrap()
}

/// The issuer accepts the audience `authenticated`, which every token of the test has too.
async fn app(resources: Vec<ProtectedResource>) -> TestApp {
    TestApp::start_with(|builder| {
        resources
            .into_iter()
            .fold(builder, bearward::Builder::protected_resource)
    })
    .await
}

fn routes(test_app: &TestApp) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let auth = test_app.auth.clone();
    move |config| {
        auth.metadata_routes(config);
        config
            .route("/mcp", web::get().to(reads))
            .route("/mcp/write", web::get().to(writes))
            .route("/orders", web::get().to(me))
            .service(
                web::scope("/mcp-guarded")
                    .wrap(auth.require::<ReadsNotes>())
                    .route("", web::get().to(me)),
            );
    }
}

fn token(test_app: &TestApp, resource: &str) -> String {
    test_app
        .token()
        .sub("ada")
        .claim("aud", json!(["authenticated", resource]))
        .scope("notes:read")
        .sign()
}

#[actix_web::test]
async fn metadata_is_served_for_every_resource_and_origin() {
    let test_app = app(vec![
        resource(MCP)
            .name("Notes")
            .scopes(["notes:read", "notes:write"])
            .documentation("https://example.com/docs".parse().unwrap()),
        resource("https://api.example.com/orders/")
            .authorization_servers(["https://id.example.com"]),
    ])
    .await;
    let server = test_app.serve(routes(&test_app));
    let mcp = json!({
        "resource": MCP, "authorization_servers": [test_app.idp.issuer()], "bearer_methods_supported": ["header"],
        "scopes_supported": ["notes:read", "notes:write"], "resource_name": "Notes",
        "resource_documentation": "https://example.com/docs",
    });
    let orders = json!({
        "resource": "https://api.example.com/orders/", "authorization_servers": ["https://id.example.com"],
        "bearer_methods_supported": ["header"],
    });
    for (path, document) in [
        ("/.well-known/oauth-protected-resource/mcp", &mcp),
        ("/.well-known/oauth-protected-resource", &mcp),
        ("/.well-known/oauth-protected-resource/orders/", &orders),
        ("/.well-known/oauth-protected-resource/orders", &orders),
    ] {
        let response = server.send_unchecked(get(path)).await;
        assert_eq!(
            (response.status, &response.json()),
            (200, document),
            "{path}"
        );
        assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    }
    for path in [
        "/.well-known/oauth-protected-resource/other",
        "/.well-known/oauth-protected-resource/mcp/tools",
    ] {
        assert_eq!(server.send_unchecked(get(path)).await.status, 404, "{path}");
    }
    let preflight = request("OPTIONS", "/.well-known/oauth-protected-resource/mcp");
    let response = server.send_unchecked(preflight).await;
    assert_eq!(response.status, 204);
    assert_eq!(response.header("access-control-allow-headers"), Some("*"));
}

#[actix_web::test]
async fn root_metadata_is_that_of_the_resource_without_a_path() {
    let test_app = app(vec![resource(MCP), resource("https://api.example.com")]).await;
    let server = test_app.serve(routes(&test_app));
    let response = server
        .send_unchecked(get("/.well-known/oauth-protected-resource"))
        .await;
    assert_eq!(response.json()["resource"], "https://api.example.com");
}

#[actix_web::test]
async fn token_is_accepted_only_at_the_resource_in_its_audience() {
    let test_app = app(vec![resource(MCP), resource(ORDERS)]).await;
    let server = test_app.serve(routes(&test_app));
    let (mcp, orders) = (token(&test_app, MCP), token(&test_app, ORDERS));
    let neither = token(&test_app, "https://api.example.com");
    for (path, token, status) in [
        ("/mcp", &mcp, 200),
        ("/mcp", &orders, 401),
        ("/mcp", &neither, 401),
        ("/orders", &orders, 200),
        ("/orders", &mcp, 401),
        ("/me", &mcp, 200),
        ("/me", &neither, 200),
    ] {
        let response = server.send(get(path).bearer(token)).await;
        assert_eq!(response.status, status, "{path}");
        if status == 401 {
            assert_eq!(response.error(), (401, "INVALID_AUDIENCE".to_owned()));
        }
    }
}

#[actix_web::test]
async fn guards_and_request_heads_check_the_audience_too() {
    let guarded = "https://api.example.com/mcp-guarded";
    let test_app = app(vec![resource(guarded), resource(ORDERS)]).await;
    let server = test_app.serve(routes(&test_app));
    for (audience, status) in [(guarded, 200), (ORDERS, 401)] {
        let token = token(&test_app, audience);
        let response = server.send(get("/mcp-guarded").bearer(&token)).await;
        assert_eq!(response.status, status, "{audience}");
        let header = format!("Bearer {token}");
        for target in [
            "/mcp-guarded?x=/orders",
            "http://api.example.com/mcp-guarded?x=/orders",
        ] {
            let head = RequestHead::new("GET", target, [("authorization", header.as_bytes())]);
            let result: Result<Verified, AuthFailure> = test_app.auth.authenticate(&head).await;
            assert_eq!(result.is_ok(), status == 200, "{audience} {target}");
        }
    }
}

#[actix_web::test]
async fn audience_of_a_deeply_nested_payload_is_found() {
    let test_app = app(vec![resource(MCP)]).await;
    let server = test_app.serve(routes(&test_app));
    let nested = (0..200).fold(json!(0), |inner, _| json!([inner]));
    let token = test_app.token().sub("ada").scope("notes:read");
    let token = token.claim("aud", json!(["authenticated", MCP]));
    let token = token.claim("x", json!({ "y": nested })).sign();
    assert_eq!(server.send(get("/mcp").bearer(&token)).await.status, 200);
}

/// The path is checked as it was routed, not as it was sent.
#[actix_web::test]
async fn normalized_and_encoded_paths_do_not_avoid_the_check() {
    let test_app = app(vec![resource(MCP)]).await;
    let auth = test_app.auth.clone();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let factory = move || {
        App::new()
            .wrap(auth.guard())
            .wrap(NormalizePath::trim())
            .route("/mcp", web::get().to(me))
    };
    let server = HttpServer::new(factory)
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    let (mine, other) = (token(&test_app, MCP), token(&test_app, ORDERS));
    for path in ["/mcp", "//mcp", "/mcp/", "/%6dcp"] {
        for (token, status) in [(&mine, 200), (&other, 401)] {
            let response = get(path).bearer(token).exchange(address).await;
            assert_eq!(response.status, status, "{path}");
        }
    }
    drop(handle.stop(false));
}

#[actix_web::test]
async fn audience_may_be_normalized_by_the_client() {
    let test_app = app(vec![resource("https://api.example.com")]).await;
    let server = test_app.serve(routes(&test_app));
    for (audience, status) in [
        ("https://api.example.com", 200),
        ("https://api.example.com/", 200),
        ("https://api.example.com//", 401),
        ("https://API.example.com", 401),
    ] {
        let token = token(&test_app, audience);
        let response = server.send(get("/me").bearer(&token)).await;
        assert_eq!(response.status, status, "{audience}");
    }
    let test_app = app(vec![resource(MCP).dangerous_any_issuer_audience()]).await;
    let server = test_app.serve(routes(&test_app));
    let token = token(&test_app, ORDERS);
    assert_eq!(server.send(get("/mcp").bearer(&token)).await.status, 200);
}

#[actix_web::test]
async fn challenges_name_the_resource_and_the_scopes_of_the_route() {
    let test_app = app(vec![resource(MCP), resource(ORDERS)]).await;
    let server = test_app.serve(routes(&test_app));
    let valid = token(&test_app, MCP);
    let without_scope = test_app
        .token()
        .claim("aud", json!(["authenticated", MCP]))
        .sign();
    let metadata =
        |path| format!("https://api.example.com/.well-known/oauth-protected-resource/{path}");
    for (sent, status, path, scope) in [
        (get("/mcp"), 401, "mcp", Some("notes:read")),
        (get("/mcp").bearer("x"), 401, "mcp", Some("notes:read")),
        (
            get("/mcp").bearer(&without_scope),
            403,
            "mcp",
            Some("notes:read"),
        ),
        (
            get("/mcp/write").bearer(&valid),
            403,
            "mcp",
            Some("notes:read notes:write"),
        ),
        (get("/mcp-guarded"), 401, "mcp", Some("notes:read")),
        (get("/orders"), 401, "orders", None),
        (get("/mcp").bearer(&valid).bearer(&valid), 400, "mcp", None),
    ] {
        let response = server.send(sent).await;
        assert_eq!(response.status, status);
        let challenge = response.challenge().unwrap();
        assert_eq!(
            challenge.parameter("resource_metadata"),
            Some(metadata(path).as_str())
        );
        assert_eq!(challenge.parameter("scope"), scope);
    }
}

#[actix_web::test]
async fn without_a_request_the_challenge_names_the_first_resource() {
    let test_app = app(vec![resource(MCP), resource(ORDERS)]).await;
    assert_eq!(
        AuthError::NoToken.challenge(&test_app.auth).as_deref(),
        Some(
            "Bearer realm=\"bearward\", resource_metadata=\"https://api.example.com/.well-known/oauth-protected-resource/mcp\""
        )
    );
}
