//! The routes of the example.

use actix_web::{
    App,
    http::{Method, StatusCode},
    test::{self, TestRequest},
    web::Data,
};
use serde_json::{Value, json};

use crate::fixture::Fixture;

/// Sends one request and returns the status and the JSON body, if there is one.
async fn send(
    fixture: &Fixture,
    method: Method,
    path: &str,
    token: Option<&str>,
    body: Option<Value>,
) -> (StatusCode, Value) {
    let app = test::init_service(
        App::new()
            .app_data(fixture.auth.clone())
            .app_data(Data::new(fixture.pool(2)))
            .configure(supabase_rls::routes),
    )
    .await;
    let mut request = TestRequest::with_uri(path).method(method);
    if let Some(token) = token {
        request = request.insert_header(("authorization", format!("Bearer {token}")));
    }
    if let Some(body) = body {
        request = request.set_json(body);
    }
    let response = test::call_service(&app, request.to_request()).await;
    let status = response.status();
    let body = test::read_body(response).await;
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[actix_web::test]
async fn users_work_with_their_own_todos() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let (ada, bob) = (fixture.token(1).sign(), fixture.token(2).sign());
    let third = fixture.token(3).sign();
    let (ada, bob, third) = (Some(&*ada), Some(&*bob), Some(&*third));
    let new = Some(json!({"title": "Write tests"}));
    let (status, todo) = send(&fixture, Method::POST, "/todos", ada, new).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(todo["title"], "Write tests");
    let path = format!("/todos/{}", todo["id"]);
    for (title, expected) in [
        (String::new(), StatusCode::UNPROCESSABLE_ENTITY),
        ("ä".repeat(201), StatusCode::UNPROCESSABLE_ENTITY),
        ("ä".repeat(200), StatusCode::CREATED),
    ] {
        let new = Some(json!({"title": title}));
        let (status, _) = send(&fixture, Method::POST, "/todos", third, new).await;
        assert_eq!(status, expected);
    }

    let done = || Some(json!({"done": true}));
    let (status, body) = send(&fixture, Method::PATCH, &path, bob, done()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(body["error"]["code"], "NOT_FOUND");
    let (status, _) = send(&fixture, Method::DELETE, &path, bob, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (_, todos) = send(&fixture, Method::GET, "/todos", bob, None).await;
    assert_eq!(todos, json!([]));

    let (status, changed) = send(&fixture, Method::PATCH, &path, ada, done()).await;
    assert_eq!((status, &changed["done"]), (StatusCode::OK, &json!(true)));
    let (_, todos) = send(&fixture, Method::GET, "/todos", ada, None).await;
    assert_eq!(todos, json!([changed]));
    let (status, _) = send(&fixture, Method::DELETE, &path, ada, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (_, todos) = send(&fixture, Method::GET, "/todos", ada, None).await;
    assert_eq!(todos, json!([]));
}

#[actix_web::test]
async fn announcements_need_no_token() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let user = fixture.token(1).sign();
    for token in [None, Some(user.as_str())] {
        let (status, texts) = send(&fixture, Method::GET, "/announcements", token, None).await;
        assert_eq!((status, texts), (StatusCode::OK, json!(["Welcome"])));
    }
    for token in [None, Some("no.valid.token")] {
        let (status, _) = send(&fixture, Method::GET, "/todos", token, None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    let service = fixture.token(1).claim("role", "service_role").sign();
    let (status, body) = send(&fixture, Method::GET, "/todos", Some(&service), None).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(body["error"]["code"], "ROLE_NOT_ALLOWED");
}
