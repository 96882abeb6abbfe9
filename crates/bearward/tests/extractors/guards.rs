//! The scope-wide guard: `web::scope("/admin").wrap(auth.require::<Admin>())`.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use actix_cors::Cors;
use actix_web::{
    App,
    dev::Service,
    http::header::{self, HeaderValue},
    test::{TestRequest, call_service, init_service, read_body},
    web,
};
use bearward::{MaybePrincipal, Principal, Require};
use test_support::raw_http::{get, post, request};

use crate::{
    requirements::{Admin, Membership, OrderReader, ProPlan, SecondFactor},
    test_app::{TestApp, counting_verifier, maybe, me},
    test_server::TestServer,
};

const APP: &str = "https://app.example.com";

/// Serves `/admin/…` behind a guard and `/me` without one.
async fn serve() -> (TestApp, TestServer) {
    let test_app = TestApp::start().await;
    let auth = test_app.auth.clone();
    let server = test_app.serve(move |config| {
        let scope = web::scope("/admin")
            .wrap(auth.require::<Admin>())
            .route("/me", web::route().to(me))
            .route("/maybe", web::get().to(maybe));
        config.service(scope);
    });
    (test_app, server)
}

#[actix_web::test]
async fn a_guard_passes_users_who_meet_its_requirement() {
    let (test_app, server) = serve().await;
    let admin = test_app.token().sub("ada").role("admin").sign();
    assert_eq!(
        server.send(get("/admin/me").bearer(&admin)).await.body,
        "ada"
    );
    assert_eq!(
        server.send(get("/admin/maybe").bearer(&admin)).await.body,
        "ada"
    );
}

#[actix_web::test]
async fn a_guard_rejects_like_the_extractor() {
    let (test_app, server) = serve().await;
    assert_eq!(
        server.send(get("/admin/me")).await.error(),
        (401, "MISSING_TOKEN".to_owned())
    );
    assert_eq!(
        server.send(get("/admin/maybe")).await.error(),
        (401, "MISSING_TOKEN".to_owned())
    );
    assert_eq!(
        server
            .send(get("/admin/me").bearer(&test_app.valid_token()))
            .await
            .error(),
        (403, "INSUFFICIENT_ROLE".to_owned())
    );
    assert_eq!(
        server
            .send(get("/admin/me").bearer("x").bearer("y"))
            .await
            .error(),
        (400, "INVALID_REQUEST".to_owned())
    );
    for (token, code) in crate::principals::invalid_tokens(&test_app) {
        assert_eq!(
            server.send(get("/admin/me").bearer(&token)).await.error(),
            (401, code.to_owned()),
            "{token}"
        );
    }
}

#[actix_web::test]
async fn a_guard_rejects_before_routing() {
    let (test_app, server) = serve().await;
    for request in [
        get("/admin/nothing-here"),
        post("/admin/maybe"),
        get("/admin/"),
    ] {
        assert_eq!(
            server.send(request).await.error(),
            (401, "MISSING_TOKEN".to_owned())
        );
    }
    let admin = test_app.token().role("admin").sign();
    assert_eq!(
        server
            .send_unchecked(get("/admin/nothing-here").bearer(&admin))
            .await
            .status,
        404
    );
}

#[actix_web::test]
async fn routes_outside_the_scope_are_not_guarded() {
    let (test_app, server) = serve().await;
    assert_eq!(
        server
            .send(get("/me").bearer(&test_app.valid_token()))
            .await
            .status,
        200
    );
    assert_eq!(server.send(get("/maybe")).await.body, "anonymous");
}

#[actix_web::test]
async fn a_guard_rejects_before_the_handler_and_the_body() {
    let test_app = TestApp::start().await;
    let (auth, runs) = (test_app.auth.clone(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&runs);
    let server = TestServer::start(move |config| {
        let counter = Arc::clone(&counter);
        let handler = move |body: web::Bytes| {
            counter.fetch_add(1, Ordering::SeqCst);
            async move { format!("{} bytes", body.len()) }
        };
        config.service(
            web::scope("/admin")
                .wrap(auth.require::<Admin>())
                .route("/upload", web::post().to(handler)),
        );
    });
    let admin = test_app.token().role("admin").sign();
    for request in [
        post("/admin/upload"),
        post("/admin/upload").bearer("x"),
        post("/admin/upload").bearer(&test_app.valid_token()),
    ] {
        let response = server
            .send(request.partial_body("application/json", 10_000_000_000, "{"))
            .await;
        assert!(matches!(response.status, 401 | 403), "{response:?}");
    }
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    let response = server
        .send(
            post("/admin/upload")
                .bearer(&admin)
                .body("application/json", "{}"),
        )
        .await;
    assert_eq!(
        (response.body.as_str(), runs.load(Ordering::SeqCst)),
        ("2 bytes", 1)
    );
}

#[actix_web::test]
async fn extractors_behind_a_guard_reuse_its_verification() {
    let (auth, clock, token) = counting_verifier().await;
    let token = token.role("admin").claim("plan", "pro").sign();
    let all_extractors = |a: Principal,
                          b: MaybePrincipal,
                          c: Require<Admin>,
                          d: Principal<Membership>,
                          e: Require<ProPlan>| async move {
        [
            a.subject() == b.as_ref().unwrap().subject(),
            c.subject() == d.subject(),
            e.custom().plan == "pro",
        ]
        .iter()
        .all(|equal| *equal)
        .to_string()
    };
    let app = init_service(
        App::new()
            .service(
                web::scope("/guarded")
                    .wrap(auth.require::<Admin>())
                    .route("", web::get().to(all_extractors)),
            )
            .service(
                web::scope("/plain")
                    .app_data(auth.clone())
                    .route("", web::get().to(all_extractors)),
            ),
    )
    .await;
    for (path, verifications) in [("/guarded", 1), ("/plain", 5)] {
        let before = clock.reads();
        let request = TestRequest::get()
            .uri(path)
            .insert_header(("authorization", format!("Bearer {token}")))
            .to_request();
        let response = call_service(&app, request).await;
        assert_eq!(response.status(), 200);
        assert_eq!(read_body(response).await, "true");
        assert_eq!(clock.reads() - before, verifications, "{path}");
    }
}

#[actix_web::test]
async fn extractors_behind_a_guard_check_their_own_requirements() {
    let test_app = TestApp::start().await;
    let auth = test_app.auth.clone();
    let server = TestServer::start(move |config| {
        let scope = web::scope("/admin").wrap(auth.require::<Admin>());
        config.service(
            scope
                .route(
                    "/orders",
                    web::get().to(|_: Require<OrderReader>| async { "" }),
                )
                .route("/plan", web::get().to(|_: Require<ProPlan>| async { "" })),
        );
    });
    let admin = || test_app.token().role("admin");
    assert_eq!(
        server
            .send(get("/admin/orders").bearer(&admin().scope("orders:read orders:list").sign()))
            .await
            .status,
        200
    );
    assert_eq!(
        server
            .send(get("/admin/orders").bearer(&admin().sign()))
            .await
            .error(),
        (403, "INSUFFICIENT_SCOPE".to_owned())
    );
    assert_eq!(
        server
            .send(get("/admin/plan").bearer(&admin().sign()))
            .await
            .error(),
        (401, "INVALID_CLAIM".to_owned())
    );
}

#[actix_web::test]
async fn nested_guards_are_all_checked() {
    let test_app = TestApp::start().await;
    let auth = test_app.auth.clone();
    let server = TestServer::start(move |config| {
        let inner = web::scope("/careful")
            .wrap(auth.require::<SecondFactor>())
            .route("", web::get().to(me));
        config.service(
            web::scope("/admin")
                .wrap(auth.require::<Admin>())
                .service(inner),
        );
    });
    let token = || test_app.token().sub("ada");
    assert_eq!(
        server
            .send(get("/admin/careful").bearer(&token().role("admin").aal("aal2").sign()))
            .await
            .body,
        "ada"
    );
    let response = server
        .send(get("/admin/careful").bearer(&token().role("admin").sign()))
        .await;
    assert_eq!(response.error(), (401, "STEP_UP_REQUIRED".to_owned()));
    let response = server
        .send(get("/admin/careful").bearer(&token().aal("aal2").sign()))
        .await;
    assert_eq!(response.error(), (403, "INSUFFICIENT_ROLE".to_owned()));
}

#[actix_web::test]
async fn a_guard_can_check_custom_claims() {
    let test_app = TestApp::start().await;
    let auth = test_app.auth.clone();
    let server = TestServer::start(move |config| {
        config.service(
            web::scope("/paid")
                .wrap(auth.require::<ProPlan>())
                .route("", web::get().to(me)),
        );
    });
    assert_eq!(
        server
            .send(get("/paid").bearer(&test_app.token().claim("plan", "pro").sign()))
            .await
            .status,
        200
    );
    let response = server
        .send(get("/paid").bearer(&test_app.token().claim("plan", "free").sign()))
        .await;
    assert_eq!(response.error(), (403, "REQUIREMENT_NOT_MET".to_owned()));
    assert_eq!(
        server
            .send(get("/paid").bearer(&test_app.valid_token()))
            .await
            .error(),
        (401, "INVALID_CLAIM".to_owned())
    );
}

#[actix_web::test]
async fn changing_the_header_after_the_guard_has_no_effect() {
    let test_app = TestApp::start().await;
    let forged = HeaderValue::try_from(format!(
        "Bearer {}",
        test_app
            .token()
            .sub("eve")
            .claim("plan", "pro")
            .signed_by_stranger()
    ))
    .unwrap();
    let scope = web::scope("/own")
        .wrap_fn(move |mut request, service| {
            request
                .headers_mut()
                .insert(header::AUTHORIZATION, forged.clone());
            service.call(request)
        })
        .wrap(test_app.auth.require::<ProPlan>());
    let handler = |user: Principal<Membership>| async move {
        format!("{} {}", user.subject(), user.custom().seats)
    };
    let app = init_service(App::new().service(scope.route("", web::get().to(handler)))).await;
    let token = test_app
        .token()
        .sub("ada")
        .claim("plan", "pro")
        .claim("seats", 3)
        .sign();
    let request = TestRequest::get()
        .uri("/own")
        .insert_header(("authorization", format!("Bearer {token}")))
        .to_request();
    assert_eq!(read_body(call_service(&app, request).await).await, "ada 3");
}

#[actix_web::test]
async fn a_verified_principal_does_not_leak_to_the_next_request() {
    // actix-web reuses the allocation of a finished request for the next one.
    let test_app = TestApp::start().await;
    let scope = web::scope("/admin")
        .wrap(test_app.auth.require::<Admin>())
        .route("", web::get().to(me));
    let app = init_service(
        App::new()
            .app_data(test_app.auth.clone())
            .service(scope)
            .route("/maybe", web::get().to(maybe)),
    )
    .await;
    let admin = test_app.token().role("admin").sign();
    for _ in 0..5 {
        let request = TestRequest::get()
            .uri("/admin")
            .insert_header(("authorization", format!("Bearer {admin}")))
            .to_request();
        assert_eq!(call_service(&app, request).await.status(), 200);
        let response = call_service(&app, TestRequest::get().uri("/maybe").to_request()).await;
        assert_eq!(read_body(response).await, "anonymous");
    }
}

#[actix_web::test]
async fn cors_around_a_guard_covers_preflights_and_rejections() {
    let test_app = TestApp::start().await;
    let auth = test_app.auth.clone();
    let server = TestServer::start(move |config| {
        let cors = Cors::default()
            .allowed_origin(APP)
            .allowed_methods(["GET", "POST"])
            .allowed_header(header::AUTHORIZATION)
            .expose_headers([header::WWW_AUTHENTICATE]);
        config.service(
            web::scope("/admin")
                .wrap(auth.require::<Admin>())
                .wrap(cors)
                .route("/me", web::route().to(me)),
        );
    });
    let preflight = request("OPTIONS", "/admin/me")
        .header("origin", APP)
        .header("access-control-request-method", "POST");
    let response = server
        .send(preflight.header("access-control-request-headers", "authorization"))
        .await;
    assert_eq!(
        (
            response.status,
            response.header("access-control-allow-origin")
        ),
        (200, Some(APP))
    );

    for (request, status) in [
        (get("/admin/me"), 401),
        (get("/admin/me").bearer("x"), 401),
        (get("/admin/me").bearer(&test_app.valid_token()), 403),
    ] {
        let response = server.send(request.header("origin", APP)).await;
        assert_eq!(response.status, status);
        assert_eq!(
            response.header("access-control-allow-origin"),
            Some(APP),
            "{response:?}"
        );
        assert_eq!(
            response.header("access-control-expose-headers"),
            Some("www-authenticate"),
            "{response:?}"
        );
    }
    let admin = test_app.token().role("admin").sign();
    let response = server
        .send(post("/admin/me").bearer(&admin).header("origin", APP))
        .await;
    assert_eq!(
        (
            response.status,
            response.header("access-control-allow-origin")
        ),
        (200, Some(APP))
    );
}

#[actix_web::test]
async fn cors_around_the_application_covers_extractor_rejections() {
    let test_app = TestApp::start().await;
    let cors = Cors::default().allowed_origin(APP);
    let app = init_service(
        App::new()
            .wrap(cors)
            .app_data(test_app.auth.clone())
            .route("/me", web::get().to(me)),
    )
    .await;
    let response = call_service(
        &app,
        TestRequest::get()
            .uri("/me")
            .insert_header(("origin", APP))
            .to_request(),
    )
    .await;
    assert_eq!(response.status(), 401);
    assert_eq!(
        response
            .headers()
            .get("access-control-allow-origin")
            .unwrap(),
        APP
    );
    assert!(response.headers().contains_key("www-authenticate"));
}

#[actix_web::test]
async fn a_guard_can_wrap_the_whole_application() {
    let test_app = TestApp::start().await;
    let app = init_service(
        App::new()
            .wrap(test_app.auth.require::<Admin>())
            .route("/me", web::get().to(me)),
    )
    .await;
    assert_eq!(
        call_service(&app, TestRequest::get().uri("/me").to_request())
            .await
            .status(),
        401
    );
    let admin = test_app.token().role("admin").sign();
    let request = TestRequest::get()
        .uri("/me")
        .insert_header(("authorization", format!("Bearer {admin}")))
        .to_request();
    assert_eq!(call_service(&app, request).await.status(), 200);
}
