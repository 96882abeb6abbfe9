//! The one envelope, byte for byte.

use actix_web::{HttpMessage, dev::Service, web};
use bearward::RequestId;

use crate::{
    requirements::routes,
    wire::{Server, get},
    world::{me, world},
};

#[actix_web::test]
async fn without_a_token() {
    let answer = world().await.plain().send(get("/me")).await;
    insta::assert_snapshot!(answer.body, @r#"{"success":false,"error":{"code":"MISSING_TOKEN","message":"no bearer token was sent; send it as \"Authorization: Bearer TOKEN\"","details":null},"request_id":null}"#);
}

#[actix_web::test]
async fn with_an_expired_token() {
    let world = world().await;
    let answer = world
        .plain()
        .send(get("/me").bearer(&world.token().expired().sign()))
        .await;
    insta::assert_snapshot!(answer.body, @r#"{"success":false,"error":{"code":"TOKEN_EXPIRED","message":"the token has expired; get a new one from the issuer","details":null},"request_id":null}"#);
}

#[actix_web::test]
async fn with_two_headers() {
    let answer = world()
        .await
        .plain()
        .send(get("/me").bearer("a").bearer("b"))
        .await;
    insta::assert_snapshot!(answer.body, @r#"{"success":false,"error":{"code":"INVALID_REQUEST","message":"credentials were sent more than once; send one Authorization header or the cookie, not both","details":null},"request_id":null}"#);
}

#[actix_web::test]
async fn without_the_role() {
    let world = world().await;
    let answer = world
        .serve(routes)
        .send(get("/admin").bearer(&world.good()))
        .await;
    insta::assert_snapshot!(answer.body, @r#"{"success":false,"error":{"code":"INSUFFICIENT_ROLE","message":"missing role \"admin\"","details":null},"request_id":null}"#);
}

#[actix_web::test]
async fn without_the_scope() {
    let world = world().await;
    let answer = world
        .serve(routes)
        .send(get("/reader").bearer(&world.good()))
        .await;
    insta::assert_snapshot!(answer.body, @r#"{"success":false,"error":{"code":"INSUFFICIENT_SCOPE","message":"missing scope \"orders:read orders:list\"","details":null},"request_id":null}"#);
}

#[actix_web::test]
async fn without_a_verifier() {
    let server = Server::start(|config| {
        config.route("/me", web::get().to(me));
    });
    let answer = server.send(get("/me").bearer("x")).await;
    insta::assert_snapshot!(answer.body, @r#"{"success":false,"error":{"code":"INTERNAL","message":"the server is not configured to verify tokens","details":null},"request_id":null}"#);
}

#[actix_web::test]
async fn with_the_id_of_the_request_where_a_middleware_gave_it_one() {
    let world = world().await;
    let auth = world.auth.clone();
    let server = Server::start(move |config| {
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
