//! The routes in the whole server, on a free port, with tokens of a mock identity provider.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use actix_web::web::{self, Data};
use bearward_server::{RunningServer, Server, Shutdown, StartError, settings::Sources};
use bearward_testing::MockIdp;
use reqwest::{Client, Method, Response};
use serde_json::Value;
use tokio::sync::Notify;

use crate::server;

struct TestServer {
    idp: MockIdp,
    server: RunningServer,
    client: Client,
}

/// The configuration of tests: a free port, a database in memory, and the mock identity provider.
fn sources(idp: &MockIdp) -> Sources {
    Sources::new(None, [])
        .with("server.bind", "127.0.0.1:0")
        .with("server.workers", "1")
        .with("server.cors_origins", "https://app.example.com")
        .with("database.url", "sqlite::memory:")
        .with("issuers.mock.issuer", idp.issuer())
        .with("issuers.mock.jwks_url", idp.jwks_url())
        .with("issuers.mock.audiences", idp.audience())
}

impl TestServer {
    async fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_with(settings, |server| server).await
    }

    async fn start_with(settings: &[(&str, &str)], add: impl FnOnce(Server) -> Server) -> Self {
        let idp = MockIdp::start().await.with_movable_clock();
        let sources = settings
            .iter()
            .fold(sources(&idp), |sources, (key, value)| {
                sources.with(*key, *value)
            });
        let server = add(server(&sources).unwrap()).clock(Arc::new(idp.clock()));
        let server = server.start().await.unwrap();
        let client = Client::builder().no_proxy().build().unwrap();
        Self {
            idp,
            server,
            client,
        }
    }

    fn token(&self) -> String {
        self.idp.token().sub("ada").sign()
    }

    async fn send(&self, method: Method, path: &str, token: &str, body: &str) -> Response {
        let url = format!("{}{path}", self.server.url());
        let mut request = self
            .client
            .request(method, url)
            .header("origin", "https://app.example.com");
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if !body.is_empty() {
            request = request
                .header("content-type", "application/json")
                .body(body.to_owned());
        }
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str, token: &str) -> Response {
        self.send(Method::GET, path, token, "").await
    }
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// Asserts the error envelope, the headers of every response, and the code.
#[track_caller]
fn check_headers(response: &Response) {
    assert!(!header(response, "x-request-id").is_empty(), "{response:?}");
    assert_eq!(
        header(response, "x-content-type-options"),
        "nosniff",
        "{response:?}"
    );
    assert_eq!(
        header(response, "access-control-allow-origin"),
        "https://app.example.com",
        "{response:?}"
    );
}

async fn assert_error(response: Response, status: u16, code: &str) -> Value {
    assert_eq!(response.status().as_u16(), status, "{response:?}");
    check_headers(&response);
    let id = header(&response, "x-request-id").to_owned();
    let text = response.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    assert_eq!(body["error"]["code"], code, "{body}");
    assert_eq!(
        (&body["success"], &body["request_id"]),
        (&false.into(), &id.into()),
        "{body}"
    );
    body["error"]["details"].clone()
}

#[actix_web::test]
async fn users_have_their_own_orders_and_staff_sees_all() {
    let app = TestServer::start(&[("app.menu", "stew")]).await;
    let menu = app.get("/menu", "").await;
    check_headers(&menu);
    assert_eq!(menu.text().await.unwrap(), "stew");
    // A public route ignores the token, as in any actix-web application.
    assert_eq!(app.get("/menu", "x").await.status(), 200);
    let order = r#"{"item": "soup", "quantity": 2}"#;
    let created = app.send(Method::POST, "/orders", &app.token(), order).await;
    assert_eq!(created.status(), 201);
    let grace = app.idp.token().sub("grace").sign();
    assert_eq!(app.get("/orders", &grace).await.text().await.unwrap(), "[]");
    let staff = app.idp.token().sub("grace").roles(["staff"]).sign();
    let all = app.get("/staff/orders", &staff).await.text().await.unwrap();
    assert_eq!(all, r#"[{"item":"soup","quantity":2}]"#);
    app.server.stop().await.unwrap();
}

#[actix_web::test]
async fn errors_have_the_envelope_of_the_server() {
    let app = TestServer::start(&[("server.body_limit", "1KiB")]).await;
    let token = app.token();
    let response = app.get("/orders", "").await;
    assert!(header(&response, "www-authenticate").starts_with("Bearer "));
    assert_error(response, 401, "MISSING_TOKEN").await;
    let tampered = app.idp.token().tampered();
    assert_error(
        app.get("/orders", &tampered).await,
        401,
        "INVALID_SIGNATURE",
    )
    .await;
    assert_error(
        app.get("/staff/orders", &token).await,
        403,
        "INSUFFICIENT_ROLE",
    )
    .await;
    assert_error(app.get("/nothing", &token).await, 404, "NOT_FOUND").await;
    let response = app.send(Method::DELETE, "/orders", &token, "").await;
    assert_eq!(header(&response, "allow"), "GET, POST");
    assert_error(response, 405, "METHOD_NOT_ALLOWED").await;
    let post = async |body: &str| app.send(Method::POST, "/orders", &token, body).await;
    let details = assert_error(post(&"x".repeat(1025)).await, 413, "PAYLOAD_TOO_LARGE").await;
    assert_eq!(details["limit_bytes"], 1024);
    assert_error(post("").await, 415, "UNSUPPORTED_MEDIA_TYPE").await;
    assert_error(post("{").await, 400, "INVALID_REQUEST").await;
    let details = assert_error(post(r#"{"item": "soup"}"#).await, 422, "VALIDATION_FAILED").await;
    assert_eq!(details[0]["field"], "quantity");
}

#[actix_web::test]
async fn panics_and_slow_handlers_get_the_envelope() {
    let timeout = [("server.request_timeout", "100ms")];
    let app = TestServer::start_with(&timeout, |server| {
        server.routes(|routes| {
            routes
                .route(
                    "/panics",
                    web::get().to(async || -> &str { panic!("in a test") }),
                )
                .route("/hangs", web::get().to(std::future::pending::<&str>));
        })
    })
    .await;
    assert_error(app.get("/panics", "").await, 500, "INTERNAL").await;
    assert_error(app.get("/hangs", "").await, 503, "TIMEOUT").await;
}

#[actix_web::test]
async fn browsers_may_call_from_the_configured_origin() {
    let app = TestServer::start(&[]).await;
    let preflight = async |origin: &str| {
        let url = format!("{}/orders", app.server.url());
        let request = app
            .client
            .request(Method::OPTIONS, url)
            .header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        request.send().await.unwrap()
    };
    let allowed = preflight("https://app.example.com").await;
    assert_eq!(allowed.status(), 200);
    check_headers(&allowed);
    assert_eq!(preflight("https://evil.example.com").await.status(), 403);
}

#[actix_web::test]
async fn users_and_invalid_tokens_are_rate_limited() {
    let limits = [
        ("rate_limit.per_user", "6"),
        ("rate_limit.per_address", "6"),
        ("rate_limit.burst", "3"),
    ];
    let app = TestServer::start(&limits).await;
    for _ in 0..3 {
        assert_eq!(app.get("/orders", &app.token()).await.status(), 200);
        assert_eq!(app.get("/orders", "x").await.status(), 401);
    }
    let limited = app.get("/orders", &app.token()).await;
    assert_eq!(header(&limited, "retry-after"), "10");
    assert_error(limited, 429, "RATE_LIMITED").await;
    assert_error(app.get("/orders", "x").await, 429, "RATE_LIMITED").await;
    let other = app.idp.token().sub("grace").sign();
    assert_eq!(app.get("/orders", &other).await.status(), 200);
    assert_eq!(app.get("/orders", "").await.status(), 401);
}

#[actix_web::test]
async fn requests_are_counted_by_route() {
    let app = TestServer::start(&[]).await;
    app.get("/staff/orders", &app.token()).await;
    let metrics = app.get("/metrics", "").await.text().await.unwrap();
    let line = r#"http_requests_total{method="GET",route="/staff/orders",status="403"}"#;
    assert!(metrics.contains(line), "{metrics}");
}

#[actix_web::test]
async fn the_openapi_document_contains_both() {
    let app = TestServer::start(&[]).await;
    let document: Value =
        serde_json::from_str(&app.get("/openapi.json", "").await.text().await.unwrap()).unwrap();
    for path in ["/orders", "/staff/orders", "/menu", "/api/auth/me"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    assert_eq!(document["info"]["title"], "server-with-routes");
    let errors = &document["paths"]["/orders"]["post"]["responses"];
    assert!(errors["401"].is_object() && errors["413"].is_object());
    assert!(document["paths"]["/menu"]["get"]["responses"]["401"].is_null());
    assert!(document["components"]["schemas"]["NewOrder"].is_object());
    let docs = app.get("/docs/", "").await;
    assert_eq!(docs.status(), 200);
    assert!(docs.text().await.unwrap().contains("docs.js"));
}

#[actix_web::test]
async fn requests_in_flight_finish_when_the_server_stops() {
    let entered = Arc::new(Notify::new());
    let handler_entered = Arc::clone(&entered);
    let app = TestServer::start_with(&[], |server| {
        server.routes(move |routes| {
            let entered = Arc::clone(&handler_entered);
            let slow = move |shutdown: Data<Shutdown>| {
                entered.notify_one();
                async move {
                    shutdown.started().await;
                    "finished"
                }
            };
            routes.route("/slow", web::get().to(slow));
        })
    })
    .await;
    let url = format!("{}/slow", app.server.url());
    let slow = actix_web::rt::spawn(app.client.get(url).send());
    entered.notified().await;
    app.server.stop().await.unwrap();
    let response = slow.await.unwrap().unwrap();
    assert_eq!(response.text().await.unwrap(), "finished");
}

#[actix_web::test]
async fn background_tasks_see_the_shutdown() {
    let ended = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = Arc::clone(&ended);
    let app = TestServer::start_with(&[], |server| {
        server.background_task(async move |shutdown: Shutdown| {
            shutdown.started().await;
            flag.store(true, std::sync::atomic::Ordering::SeqCst);
        })
    })
    .await;
    app.server.stop().await.unwrap();
    assert!(ended.load(std::sync::atomic::Ordering::SeqCst));
}

#[actix_web::test]
async fn a_path_of_a_built_in_route_is_refused() {
    for (own, built_in) in [
        ("/health", "/health"),
        ("/api/admin/users/{user}", "/api/admin/users/{id}"),
        ("/docs/{page:.*}", "/docs/{file}"),
    ] {
        let idp = MockIdp::start().await;
        let server = Server::from_sources(&sources(&idp))
            .unwrap()
            .routes(|routes| {
                routes.route(own, web::get().to(async || "own"));
            });
        let error = server.start().await.unwrap_err();
        let StartError::RouteCollision {
            own: found,
            built_in: other,
        } = &error
        else {
            panic!("{error}");
        };
        assert_eq!((found.as_str(), other.as_str()), (own, built_in), "{error}");
    }
}

#[actix_web::test]
async fn an_unreachable_documented_path_is_refused() {
    #[utoipa::path(get, path = "/docs/guide", responses((status = 200)))]
    #[expect(dead_code, reason = "only its description is used")]
    fn guide() {}
    #[derive(utoipa::OpenApi)]
    #[openapi(paths(guide))]
    struct Guide;
    let idp = MockIdp::start().await;
    let server = Server::from_sources(&sources(&idp)).unwrap();
    let server = server
        .openapi(<Guide as utoipa::OpenApi>::openapi())
        .routes(|routes| {
            routes.route("/docs/guide", web::get().to(async || "own"));
        });
    let error = server.start().await.unwrap_err().to_string();
    assert!(
        error.contains("/docs/guide") && error.contains("/docs/{file"),
        "{error}"
    );
}
