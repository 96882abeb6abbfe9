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
use {MaybePrincipal, Principal, Require};

use crate::{
    requirements::{Admin, Membership, Paying, Reader, TwoFactors},
    wire::{Server, get, post, request},
    world::{World, counted, maybe, me, world},
};

const APP: &str = "https://app.example.com";

/// `/admin/..` behind a guard, `/me` beside it.
async fn serve() -> (World, Server) {
    let world = world().await;
    let auth = world.auth.clone();
    let server = world.serve(move |config| {
        let scope = web::scope("/admin")
            .wrap(auth.require::<Admin>())
            .route("/me", web::route().to(me))
            .route("/maybe", web::get().to(maybe));
        config.service(scope);
    });
    (world, server)
}

#[actix_web::test]
async fn a_guard_lets_pass_who_meets_its_requirement() {
    let (world, server) = serve().await;
    let admin = world.token().sub("ada").role("admin").sign();
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
async fn a_guard_refuses_as_the_extractor_does() {
    let (world, server) = serve().await;
    assert_eq!(
        server.send(get("/admin/me")).await.refusal(),
        (401, "MISSING_TOKEN".to_owned())
    );
    assert_eq!(
        server.send(get("/admin/maybe")).await.refusal(),
        (401, "MISSING_TOKEN".to_owned())
    );
    assert_eq!(
        server
            .send(get("/admin/me").bearer(&world.good()))
            .await
            .refusal(),
        (403, "INSUFFICIENT_ROLE".to_owned())
    );
    assert_eq!(
        server
            .send(get("/admin/me").bearer("x").bearer("y"))
            .await
            .refusal(),
        (400, "INVALID_REQUEST".to_owned())
    );
    for (token, code) in crate::principals::bad_tokens(&world) {
        assert_eq!(
            server.send(get("/admin/me").bearer(&token)).await.refusal(),
            (401, code.to_owned()),
            "{token}"
        );
    }
}

#[actix_web::test]
async fn a_guard_answers_before_the_scope_says_what_is_in_it() {
    let (world, server) = serve().await;
    for request in [
        get("/admin/nothing-here"),
        post("/admin/maybe"),
        get("/admin/"),
    ] {
        assert_eq!(
            server.send(request).await.refusal(),
            (401, "MISSING_TOKEN".to_owned())
        );
    }
    let admin = world.token().role("admin").sign();
    assert_eq!(
        server
            .exchange(get("/admin/nothing-here").bearer(&admin))
            .await
            .status,
        404
    );
}

#[actix_web::test]
async fn what_stands_beside_the_scope_is_not_guarded() {
    let (world, server) = serve().await;
    assert_eq!(
        server.send(get("/me").bearer(&world.good())).await.status,
        200
    );
    assert_eq!(server.send(get("/maybe")).await.body, "nobody");
}

#[actix_web::test]
async fn a_guard_refuses_before_the_handler_runs_and_before_the_body_is_read() {
    let world = world().await;
    let (auth, runs) = (world.auth.clone(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&runs);
    let server = Server::start(move |config| {
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
    let admin = world.token().role("admin").sign();
    for request in [
        post("/admin/upload"),
        post("/admin/upload").bearer("x"),
        post("/admin/upload").bearer(&world.good()),
    ] {
        let answer = server
            .send(request.unfinished_body("application/json", 10_000_000_000, "{"))
            .await;
        assert!(matches!(answer.status, 401 | 403), "{answer:?}");
    }
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    let answer = server
        .send(
            post("/admin/upload")
                .bearer(&admin)
                .body("application/json", "{}"),
        )
        .await;
    assert_eq!(
        (answer.body.as_str(), runs.load(Ordering::SeqCst)),
        ("2 bytes", 1)
    );
}

#[actix_web::test]
async fn extractors_behind_a_guard_verify_nothing_again() {
    let (auth, clock, token) = counted().await;
    let token = token.role("admin").claim("plan", "pro").sign();
    let everything = |a: Principal,
                      b: MaybePrincipal,
                      c: Require<Admin>,
                      d: Principal<Membership>,
                      e: Require<Paying>| async move {
        [
            a.subject() == b.as_ref().unwrap().subject(),
            c.subject() == d.subject(),
            e.custom().plan == "pro",
        ]
        .iter()
        .all(|same| *same)
        .to_string()
    };
    let app = init_service(
        App::new()
            .service(
                web::scope("/guarded")
                    .wrap(auth.require::<Admin>())
                    .route("", web::get().to(everything)),
            )
            .service(
                web::scope("/plain")
                    .app_data(auth.clone())
                    .route("", web::get().to(everything)),
            ),
    )
    .await;
    for (path, verifications) in [("/guarded", 1), ("/plain", 5)] {
        let before = clock.asked();
        let request = TestRequest::get()
            .uri(path)
            .insert_header(("authorization", format!("Bearer {token}")))
            .to_request();
        let response = call_service(&app, request).await;
        assert_eq!(response.status(), 200);
        assert_eq!(read_body(response).await, "true");
        assert_eq!(clock.asked() - before, verifications, "{path}");
    }
}

#[actix_web::test]
async fn an_extractor_behind_a_guard_still_asks_for_what_it_asks_for() {
    let world = world().await;
    let auth = world.auth.clone();
    let server = Server::start(move |config| {
        let scope = web::scope("/admin").wrap(auth.require::<Admin>());
        config.service(
            scope
                .route("/orders", web::get().to(|_: Require<Reader>| async { "" }))
                .route("/plan", web::get().to(|_: Require<Paying>| async { "" })),
        );
    });
    let admin = || world.token().role("admin");
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
            .refusal(),
        (403, "INSUFFICIENT_SCOPE".to_owned())
    );
    assert_eq!(
        server
            .send(get("/admin/plan").bearer(&admin().sign()))
            .await
            .refusal(),
        (401, "INVALID_CLAIM".to_owned())
    );
}

#[actix_web::test]
async fn guards_inside_guards_all_ask() {
    let world = world().await;
    let auth = world.auth.clone();
    let server = Server::start(move |config| {
        let inner = web::scope("/careful")
            .wrap(auth.require::<TwoFactors>())
            .route("", web::get().to(me));
        config.service(
            web::scope("/admin")
                .wrap(auth.require::<Admin>())
                .service(inner),
        );
    });
    let token = || world.token().sub("ada");
    assert_eq!(
        server
            .send(get("/admin/careful").bearer(&token().role("admin").aal("aal2").sign()))
            .await
            .body,
        "ada"
    );
    let answer = server
        .send(get("/admin/careful").bearer(&token().role("admin").sign()))
        .await;
    assert_eq!(answer.refusal(), (401, "STEP_UP_REQUIRED".to_owned()));
    let answer = server
        .send(get("/admin/careful").bearer(&token().aal("aal2").sign()))
        .await;
    assert_eq!(answer.refusal(), (403, "INSUFFICIENT_ROLE".to_owned()));
}

#[actix_web::test]
async fn a_guard_by_ones_own_claim() {
    let world = world().await;
    let auth = world.auth.clone();
    let server = Server::start(move |config| {
        config.service(
            web::scope("/paid")
                .wrap(auth.require::<Paying>())
                .route("", web::get().to(me)),
        );
    });
    assert_eq!(
        server
            .send(get("/paid").bearer(&world.token().claim("plan", "pro").sign()))
            .await
            .status,
        200
    );
    let answer = server
        .send(get("/paid").bearer(&world.token().claim("plan", "free").sign()))
        .await;
    assert_eq!(answer.refusal(), (403, "REQUIREMENT_NOT_MET".to_owned()));
    assert_eq!(
        server
            .send(get("/paid").bearer(&world.good()))
            .await
            .refusal(),
        (401, "INVALID_CLAIM".to_owned())
    );
}

#[actix_web::test]
async fn a_middleware_between_guard_and_handler_cannot_put_other_claims_under_the_evidence() {
    let world = world().await;
    let forged = HeaderValue::try_from(format!(
        "Bearer {}",
        world
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
        .wrap(world.auth.require::<Paying>());
    let handler = |user: Principal<Membership>| async move {
        format!("{} {}", user.subject(), user.custom().seats)
    };
    let app = init_service(App::new().service(scope.route("", web::get().to(handler)))).await;
    let token = world
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
async fn what_a_guard_leaves_is_gone_with_its_request() {
    // actix-web uses the memory of a finished request again for the next one.
    let world = world().await;
    let scope = web::scope("/admin")
        .wrap(world.auth.require::<Admin>())
        .route("", web::get().to(me));
    let app = init_service(
        App::new()
            .app_data(world.auth.clone())
            .service(scope)
            .route("/maybe", web::get().to(maybe)),
    )
    .await;
    let admin = world.token().role("admin").sign();
    for _ in 0..5 {
        let request = TestRequest::get()
            .uri("/admin")
            .insert_header(("authorization", format!("Bearer {admin}")))
            .to_request();
        assert_eq!(call_service(&app, request).await.status(), 200);
        let response = call_service(&app, TestRequest::get().uri("/maybe").to_request()).await;
        assert_eq!(read_body(response).await, "nobody");
    }
}

#[actix_web::test]
async fn with_cors_around_the_guard_a_preflight_passes_and_a_refusal_can_be_read() {
    let world = world().await;
    let auth = world.auth.clone();
    let server = Server::start(move |config| {
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
    let answer = server
        .send(preflight.header("access-control-request-headers", "authorization"))
        .await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, Some(APP))
    );

    for (request, status) in [
        (get("/admin/me"), 401),
        (get("/admin/me").bearer("x"), 401),
        (get("/admin/me").bearer(&world.good()), 403),
    ] {
        let answer = server.send(request.header("origin", APP)).await;
        assert_eq!(answer.status, status);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some(APP),
            "{answer:?}"
        );
        assert_eq!(
            answer.header("access-control-expose-headers"),
            Some("www-authenticate"),
            "{answer:?}"
        );
    }
    let admin = world.token().role("admin").sign();
    let answer = server
        .send(post("/admin/me").bearer(&admin).header("origin", APP))
        .await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, Some(APP))
    );
}

#[actix_web::test]
async fn with_cors_around_the_application_the_extractors_refusal_can_be_read_too() {
    let world = world().await;
    let cors = Cors::default().allowed_origin(APP);
    let app = init_service(
        App::new()
            .wrap(cors)
            .app_data(world.auth.clone())
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
async fn a_guard_around_the_whole_application() {
    let world = world().await;
    let app = init_service(
        App::new()
            .wrap(world.auth.require::<Admin>())
            .route("/me", web::get().to(me)),
    )
    .await;
    assert_eq!(
        call_service(&app, TestRequest::get().uri("/me").to_request())
            .await
            .status(),
        401
    );
    let admin = world.token().role("admin").sign();
    let request = TestRequest::get()
        .uri("/me")
        .insert_header(("authorization", format!("Bearer {admin}")))
        .to_request();
    assert_eq!(call_service(&app, request).await.status(), 200);
}
