//! Error responses that handlers, middleware and configuration produce.

use std::sync::{Arc, Mutex};

use actix_web::{
    App, Error, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    dev::Service,
    test::{TestRequest, call_service, init_service, read_body},
    web,
};
use bearward::{
    AuthError, AuthFailure, AuthRejection, Bearward, Builder, ErrorContent, RejectionLog,
};
use bearward_testing::MockIdp;
use serde_json::{Value, json};
use test_support::raw_http::get;

use crate::{
    requirements::{Admin, routes},
    test_app::{TestApp, me},
};

/// Verifies the token of the query with `?`.
async fn verify(request: HttpRequest, auth: web::Data<Bearward>) -> Result<String, Error> {
    let user = auth.verify(request.query_string()).await?;
    user.require_role("admin")?;
    Ok(user.subject().to_owned())
}

/// Verifies the token of the query with `reject`.
async fn reject(request: HttpRequest, auth: web::Data<Bearward>) -> Result<String, Error> {
    let result = auth.verify(request.query_string()).await;
    let user = result.map_err(|failure| auth.reject(&request, failure))?;
    Ok(user.subject().to_owned())
}

async fn respond(app: &TestApp, path: &str) -> (u16, Vec<(String, String)>, Value) {
    let app = init_service(
        App::new()
            .app_data(web::Data::new(app.auth.clone()))
            .route("/verify", web::get().to(verify))
            .route("/reject", web::get().to(reject)),
    )
    .await;
    let response = call_service(&app, TestRequest::with_uri(path).to_request()).await;
    let status = response.status().as_u16();
    let headers = response.headers().iter();
    let headers = headers
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let body = serde_json::from_slice(&read_body(response).await).unwrap();
    (status, headers, body)
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(found, _)| found == name);
    found.map(|(_, value)| value.as_str())
}

#[actix_web::test]
async fn the_question_mark_keeps_status_and_challenge() {
    let app = TestApp::start_with(|builder| builder.realm("orders")).await;
    let (status, headers, body) = respond(&app, "/verify?x").await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (401, &json!("MALFORMED_TOKEN"))
    );
    let challenge = header(&headers, "www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer realm=\"bearward\", error=\"invalid_token\""));

    let (status, _, body) = respond(&app, &format!("/verify?{}", app.valid_token())).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (403, &json!("INSUFFICIENT_ROLE"))
    );

    let (_, headers, _) = respond(&app, "/reject?x").await;
    let challenge = header(&headers, "www-authenticate").unwrap();
    assert!(
        challenge.starts_with("Bearer realm=\"orders\""),
        "{challenge}"
    );
}

#[actix_web::test]
async fn the_question_mark_keeps_an_outage_at_503() {
    let idp = MockIdp::start().await;
    idp.outage();
    let app = TestApp::start_cold(idp, |builder| builder).await;
    for path in ["/verify", "/reject"] {
        let token = app.valid_token();
        let (status, headers, body) = respond(&app, &format!("{path}?{token}")).await;
        assert_eq!(
            (status, &body["error"]["code"]),
            (503, &json!("KEYS_UNAVAILABLE"))
        );
        assert!(header(&headers, "retry-after").is_some());
        assert!(header(&headers, "www-authenticate").is_none());
    }
}

#[actix_web::test]
async fn failures_have_a_status_a_challenge_and_a_retry_after() {
    let app = TestApp::start_with(|builder| builder.realm("orders")).await;
    let failure = app.auth.verify("x").await.unwrap_err();
    assert_eq!((failure.status(), failure.retry_after()), (401, None));
    assert_eq!(
        AuthError::NoToken.challenge(&app.auth).unwrap(),
        "Bearer realm=\"orders\""
    );
    assert!(
        failure
            .challenge(&app.auth)
            .unwrap()
            .contains("invalid_token")
    );
    let role = AuthError::InsufficientRole {
        required: "admin".into(),
    };
    assert_eq!((role.status(), role.challenge(&app.auth)), (403, None));
}

/// Returns the response of `/admin` for a valid token without the role, and of `/me` without one.
async fn bodies(
    change: impl FnOnce(Builder) -> Builder,
) -> [(u16, Option<String>, String, String); 2] {
    let app = TestApp::start_with(change).await;
    let server = app.serve(routes);
    let forbidden = get("/reader").bearer(&app.valid_token());
    let mut responses = Vec::new();
    for request in [forbidden, get("/me")] {
        let response = server.send_unchecked(request).await;
        assert_eq!(response.header("cache-control"), Some("no-store"));
        responses.push((
            response.status,
            response.header("www-authenticate").map(str::to_owned),
            response.header("content-type").unwrap().to_owned(),
            response.body.clone(),
        ));
    }
    responses.try_into().unwrap()
}

#[actix_web::test]
async fn problem_details_follow_rfc_9457() {
    let [forbidden, missing] = bodies(Builder::problem_details).await;
    assert_eq!(
        (missing.0, missing.2.as_str()),
        (401, "application/problem+json")
    );
    assert_eq!(missing.1.as_deref(), Some("Bearer realm=\"bearward\""));
    let body: Value = serde_json::from_str(&missing.3).unwrap();
    let detail = AuthError::NoToken.to_string();
    assert_eq!(
        body,
        json!({ "type": "about:blank", "title": "Unauthorized", "status": 401, "detail": detail, "code": "MISSING_TOKEN" })
    );
    assert_eq!(forbidden.0, 403);
    let body: Value = serde_json::from_str(&forbidden.3).unwrap();
    assert_eq!(
        (&body["title"], &body["status"]),
        (&json!("Forbidden"), &json!(403))
    );
}

#[actix_web::test]
async fn an_own_body_keeps_status_and_challenge() {
    let [forbidden, missing] = bodies(|builder| {
        builder.error_body(|error, request| json!({ "why": error.code(), "path": request.path() }))
    })
    .await;
    assert_eq!((missing.0, missing.2.as_str()), (401, "application/json"));
    assert_eq!(missing.1.as_deref(), Some("Bearer realm=\"bearward\""));
    assert_eq!(missing.3, r#"{"path":"/me","why":"MISSING_TOKEN"}"#);
    assert!(forbidden.1.unwrap().contains("insufficient_scope"));

    let [_, missing] = bodies(|builder| {
        builder.error_body(|error, _| ErrorContent::new("text/html", format!("<p>{error}</p>")))
    })
    .await;
    assert_eq!((missing.0, missing.2.as_str()), (401, "text/html"));
}

#[actix_web::test]
async fn an_own_body_of_an_outage_keeps_503_and_retry_after() {
    let idp = MockIdp::start().await;
    idp.outage();
    let app = TestApp::start_cold(idp, |builder| builder.error_body(|_, _| json!({}))).await;
    let request = get("/me").bearer(&app.valid_token());
    let response = app.serve_default().send_unchecked(request).await;
    assert_eq!((response.status, response.body.as_str()), (503, "{}"));
    assert!(response.header("retry-after").is_some());
}

#[actix_web::test]
async fn middleware_finds_the_rejection() {
    let app = TestApp::start().await;
    let found: Arc<Mutex<Vec<String>>> = Arc::default();
    for path in ["/guarded", "/extracted"] {
        let seen = Arc::clone(&found);
        let guarded = web::resource("/guarded").wrap(app.auth.require::<Admin>());
        let service = init_service(
            App::new()
                .app_data(app.auth.clone())
                .wrap_fn(move |request, service| {
                    let (seen, response) = (Arc::clone(&seen), service.call(request));
                    async move {
                        let response = response.await?;
                        let error = response.response().error();
                        let rejection = error.and_then(|error| error.as_error::<AuthRejection>());
                        let failure = response
                            .request()
                            .extensions()
                            .get::<AuthFailure>()
                            .cloned();
                        let log = response
                            .response()
                            .extensions()
                            .get::<RejectionLog>()
                            .cloned();
                        seen.lock().unwrap().push(format!(
                            "{:?} {:?} {:?}",
                            rejection.map(|rejection| rejection.error().code()),
                            failure.map(|failure| failure.error.code()),
                            log.map(|log| log.reason),
                        ));
                        Ok(response)
                    }
                })
                .service(guarded.route(web::get().to(me)))
                .route("/extracted", web::get().to(me)),
        )
        .await;
        call_service(&service, TestRequest::with_uri(path).to_request()).await;
    }
    let expected = r#"Some("MISSING_TOKEN") Some("MISSING_TOKEN") Some("no_token")"#;
    assert_eq!(*found.lock().unwrap(), [expected, expected]);
}

#[actix_web::test]
async fn error_response_is_the_response_of_the_rejection() {
    let app = TestApp::start().await;
    let request = TestRequest::default().to_http_request();
    let response: HttpResponse = app.auth.error_response(&request, AuthError::UnknownKey);
    assert_eq!(response.status(), 401);
    assert!(response.headers().contains_key("www-authenticate"));
    let rejection = response
        .error()
        .unwrap()
        .as_error::<AuthRejection>()
        .unwrap();
    assert_eq!(rejection.status_code(), 401);
}
