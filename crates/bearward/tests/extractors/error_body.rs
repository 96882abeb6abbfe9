//! Snapshots of the error body.

use actix_web::{HttpMessage, dev::Service, web};
use bearward::RequestId;
use test_support::raw_http::get;

use crate::{
    requirements::routes,
    test_app::{TestApp, me},
    test_server::TestServer,
};

#[actix_web::test]
async fn the_error_body_without_a_token() {
    let response = TestApp::start()
        .await
        .serve_default()
        .send(get("/me"))
        .await;
    insta::assert_snapshot!(response.body, @r#"{"success":false,"error":{"code":"MISSING_TOKEN","message":"no bearer token was sent; send it as \"Authorization: Bearer TOKEN\"","details":null},"request_id":null}"#);
}

#[actix_web::test]
async fn the_error_body_of_an_expired_token() {
    let test_app = TestApp::start().await;
    let response = test_app
        .serve_default()
        .send(get("/me").bearer(&test_app.token().expired().sign()))
        .await;
    insta::assert_snapshot!(response.body, @r#"{"success":false,"error":{"code":"TOKEN_EXPIRED","message":"the token has expired; get a new one from the issuer","details":null},"request_id":null}"#);
}

#[actix_web::test]
async fn the_error_body_of_two_headers() {
    let response = TestApp::start()
        .await
        .serve_default()
        .send(get("/me").bearer("a").bearer("b"))
        .await;
    insta::assert_snapshot!(response.body, @r#"{"success":false,"error":{"code":"INVALID_REQUEST","message":"credentials were sent more than once; send one Authorization header or the cookie, not both","details":null},"request_id":null}"#);
}

#[actix_web::test]
async fn the_error_body_of_a_missing_role() {
    let test_app = TestApp::start().await;
    let response = test_app
        .serve(routes)
        .send(get("/admin").bearer(&test_app.valid_token()))
        .await;
    insta::assert_snapshot!(response.body, @r#"{"success":false,"error":{"code":"INSUFFICIENT_ROLE","message":"missing role \"admin\"","details":null},"request_id":null}"#);
}

#[actix_web::test]
async fn the_error_body_of_a_missing_scope() {
    let test_app = TestApp::start().await;
    let response = test_app
        .serve(routes)
        .send(get("/reader").bearer(&test_app.valid_token()))
        .await;
    insta::assert_snapshot!(response.body, @r#"{"success":false,"error":{"code":"INSUFFICIENT_SCOPE","message":"missing scope \"orders:read orders:list\"","details":null},"request_id":null}"#);
}

#[actix_web::test]
async fn the_error_body_without_a_verifier() {
    let server = TestServer::start(|config| {
        config.route("/me", web::get().to(me));
    });
    let response = server.send(get("/me").bearer("x")).await;
    insta::assert_snapshot!(response.body, @r#"{"success":false,"error":{"code":"INTERNAL","message":"the server is not configured to verify tokens","details":null},"request_id":null}"#);
}

#[actix_web::test]
async fn the_error_body_includes_the_request_id() {
    let test_app = TestApp::start().await;
    let auth = test_app.auth.clone();
    let server = TestServer::start(move |config| {
        let scope = web::scope("").wrap_fn(|request, service| {
            request
                .extensions_mut()
                .insert(RequestId::parse("0f0e-from.outside").unwrap());
            service.call(request)
        });
        config
            .app_data(auth.clone())
            .service(scope.route("/me", web::get().to(me)));
    });
    insta::assert_snapshot!(server.send(get("/me")).await.body, @r#"{"success":false,"error":{"code":"MISSING_TOKEN","message":"no bearer token was sent; send it as \"Authorization: Bearer TOKEN\"","details":null},"request_id":"0f0e-from.outside"}"#);
}
