//! The extractor for axum of docs/other-frameworks.md.

// begin of the extractor
use axum::{
    extract::{FromRequestParts, OriginalUri},
    http::request::Parts,
    response::Response,
};
use bearward::{Bearward, RequestHead, Verified};

struct User(Verified);

impl FromRequestParts<Bearward> for User {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, auth: &Bearward) -> Result<Self, Response> {
        // A nested router removes its prefix from `parts.uri`.
        let original = parts.extensions.get::<OriginalUri>();
        let uri = original.map_or(&parts.uri, |OriginalUri(uri)| uri);
        let head = RequestHead::new(parts.method.as_str(), uri.path(), &parts.headers);
        auth.authenticate(&head).await.map(Self).map_err(|failure| {
            let error = auth.error_parts(&failure, None);
            let mut response = Response::builder().status(error.status);
            for (name, value) in error.headers {
                response = response.header(name, value);
            }
            response.body(error.body.into()).unwrap_or_default()
        })
    }
}
// end of the extractor

use axum::{Router, body::Body, http::Request, routing::get};
use bearward::ProtectedResource;
use serde_json::json;
use tower_service::Service;

use crate::test_app::TestApp;

async fn orders(User(user): User) -> String {
    format!("orders of {}", user.subject())
}

/// Returns the response of a service with one route.
async fn respond(auth: &Bearward, headers: &[(&str, &str)]) -> Response {
    let auth = auth.clone();
    let app = Router::new().route("/orders", get(orders)).with_state(auth);
    let mut service: Router = app;
    let request = headers
        .iter()
        .fold(Request::get("/orders"), |request, (name, value)| {
            request.header(*name, *value)
        });
    service
        .call(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

#[actix_web::test]
async fn the_axum_extractor_authenticates() {
    let app = TestApp::start().await;
    let bearer = format!("Bearer {}", app.valid_token());
    let response = respond(&app.auth, &[("authorization", &bearer)]).await;
    assert_eq!(response.status(), 200);

    let response = respond(&app.auth, &[]).await;
    assert_eq!(response.status(), 401);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("www-authenticate"), "Bearer realm=\"bearward\"");
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("cache-control"), "no-store");

    let twice = [
        ("authorization", bearer.as_str()),
        ("authorization", &bearer),
    ];
    assert_eq!(respond(&app.auth, &twice).await.status(), 400);
}

#[actix_web::test]
async fn the_axum_extractor_answers_503_during_an_outage() {
    let idp = bearward_testing::MockIdp::start().await;
    idp.outage();
    let app = TestApp::start_cold(idp, |builder| builder).await;
    let bearer = format!("Bearer {}", app.valid_token());
    let response = respond(&app.auth, &[("authorization", &bearer)]).await;
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
}

#[actix_web::test]
async fn the_audience_of_a_nested_router_is_that_of_the_whole_path() {
    let notes = "https://api.example.com/notes";
    let app = TestApp::start_with(|builder| {
        builder.protected_resource(ProtectedResource::new(notes).unwrap())
    })
    .await;
    let nested = Router::new().route("/list", get(orders));
    let mut service: Router = Router::new()
        .nest("/notes", nested)
        .with_state(app.auth.clone());
    for (audience, status) in [(notes, 200), ("https://api.example.com/other", 401)] {
        let token = app.token().claim("aud", json!(["authenticated", audience]));
        let bearer = format!("Bearer {}", token.sign());
        for target in ["/notes/list", "http://api.example.com/notes/list"] {
            let request = Request::get(target).header("authorization", &bearer);
            let request = request.body(Body::empty()).unwrap();
            let response = service.call(request).await.unwrap();
            assert_eq!(response.status(), status, "{audience} {target}");
        }
    }
}

#[test]
fn the_guide_shows_the_tested_extractor() {
    let (_, rest) = include_str!("axum.rs")
        .split_once("// begin of the extractor\n")
        .unwrap();
    let (extractor, _) = rest.split_once("// end of the extractor").unwrap();
    let guide = include_str!("../../../../docs/other-frameworks.md");
    assert!(
        guide.contains(extractor.trim_end()),
        "copy the extractor to the guide"
    );
}
