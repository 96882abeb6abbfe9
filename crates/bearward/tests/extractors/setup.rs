//! Mistakes of the application's author: each is a clear line in the log and an answer without a
//! panic.

use actix_web::{
    App,
    test::{TestRequest, call_service, init_service, read_body},
    web,
};
use bearward::{Bearward, ClaimMapping, Issuer};

use crate::{
    log::Log,
    requirements::{Admin, routes},
    wire::{Server, get},
    world::{maybe, me, world},
};

#[actix_web::test]
async fn without_a_verifier_every_protected_route_answers_500_and_nothing_else_does() {
    let server = Server::start(|config| {
        config
            .route("/me", web::get().to(me))
            .route("/maybe", web::get().to(maybe))
            .route("/public", web::get().to(|| async { "public" }))
            .configure(routes);
    });
    for path in ["/me", "/maybe", "/admin", "/paying"] {
        for request in [
            get(path),
            get(path).bearer("x"),
            get(path).bearer("x").bearer("y"),
        ] {
            let answer = server.send(request).await;
            assert_eq!(answer.refusal(), (500, "INTERNAL".to_owned()), "{path}");
            assert_eq!(
                answer.json()["error"]["message"],
                "the server is not configured to verify tokens"
            );
            assert_eq!(answer.challenge(), None);
        }
    }
    assert_eq!(server.send(get("/public")).await.body, "public");
}

#[actix_web::test]
async fn the_log_says_which_route_lacks_what() {
    let log = Log::listen_to("bearward");
    let app = init_service(App::new().route("/orders/{id}", web::get().to(me))).await;
    let response = call_service(
        &app,
        TestRequest::get().uri("/orders/SECRET-7").to_request(),
    )
    .await;
    assert_eq!(response.status(), 500);
    let body = read_body(response).await;
    assert!(
        !String::from_utf8_lossy(&body).contains("app_data"),
        "{body:?}"
    );
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("ERROR") && lines[0].contains(".app_data(auth.clone())"),
        "{lines:?}"
    );
    assert!(
        lines[0].contains("/orders/{id}") && !lines[0].contains("SECRET"),
        "{lines:?}"
    );
}

#[actix_web::test]
async fn a_main_that_ends_with_a_mistake_prints_its_message_and_not_its_name() {
    let not_built = Bearward::builder().build().await.unwrap_err();
    let plain = Issuer::supabase("http://10.0.0.1").unwrap();
    let unreachable = Bearward::builder().issuer(plain).build().await.unwrap_err();
    for (printed, told) in [
        (
            format!("{:?}", Issuer::supabase("abc.supabase.co").unwrap_err()),
            "such as https://abc.supabase.co",
        ),
        (
            format!("{:?}", Issuer::new("https://id.example", "").unwrap_err()),
            "dangerous_any_audience()",
        ),
        (
            format!(
                "{:?}",
                ClaimMapping::default().set("role", "role").unwrap_err()
            ),
            "starts with \"/\"",
        ),
        (format!("{not_built:?}"), "add one with .issuer("),
        (format!("{unreachable:?}"), "must begin with https://"),
    ] {
        assert!(printed.contains(told), "{printed}");
    }
}

#[actix_web::test]
async fn the_verifier_may_be_given_as_data_too() {
    let world = world().await;
    let data = web::Data::new(world.auth.clone());
    let server = Server::start(move |config| {
        config
            .app_data(data.clone())
            .route("/me", web::get().to(me));
    });
    assert_eq!(
        server.send(get("/me").bearer(&world.good())).await.body,
        "ada"
    );
    assert_eq!(
        server.send(get("/me")).await.refusal(),
        (401, "MISSING_TOKEN".to_owned())
    );
}

#[actix_web::test]
async fn the_same_verifier_in_both_forms_is_one() {
    let world = world().await;
    let auth = world.auth.clone();
    let server = Server::start(move |config| {
        config
            .app_data(auth.clone())
            .app_data(web::Data::new(auth.clone()))
            .route("/me", web::get().to(me));
    });
    assert_eq!(
        server.send(get("/me").bearer(&world.good())).await.body,
        "ada"
    );
}

#[actix_web::test]
async fn two_different_verifiers_in_two_forms_are_refused_because_neither_is_nearer() {
    let (partners, staff) = (world().await, world().await);
    let log = Log::listen_to("bearward");
    let scope = web::scope("/staff")
        .app_data(web::Data::new(staff.auth.clone()))
        .route("/me", web::get().to(me));
    let app = init_service(App::new().app_data(partners.auth.clone()).service(scope)).await;
    for world in [&partners, &staff] {
        let request = TestRequest::get()
            .uri("/staff/me")
            .insert_header(("authorization", format!("Bearer {}", world.good())));
        assert_eq!(call_service(&app, request.to_request()).await.status(), 500);
    }
    assert!(
        log.lines()[0].contains("different verifiers"),
        "{:?}",
        log.lines()
    );
}

#[actix_web::test]
async fn a_guards_verifier_must_be_the_one_that_its_scope_has() {
    // Otherwise a guard around the application would decide whose tokens an inner scope takes.
    let (partners, staff) = (world().await, world().await);
    let (outer, inner) = (partners.auth.clone(), staff.auth.clone());
    let server = Server::start(move |config| {
        let guarded = |path: &str| {
            web::scope(path)
                .wrap(inner.require::<Admin>())
                .route("/me", web::get().to(me))
        };
        config
            .app_data(outer.clone())
            .service(guarded("/doubtful"))
            .service(guarded("/clear").app_data(inner.clone()));
    });
    let admin = staff.token().sub("ada").role("admin").sign();
    assert_eq!(
        server
            .send(get("/doubtful/me").bearer(&admin))
            .await
            .refusal(),
        (500, "INTERNAL".to_owned())
    );
    assert_eq!(
        server.send(get("/clear/me").bearer(&admin)).await.body,
        "ada"
    );
    for path in ["/doubtful/me", "/clear/me"] {
        let answer = server
            .send(get(path).bearer(&partners.token().role("admin").sign()))
            .await;
        assert_eq!(answer.refusal(), (401, "UNKNOWN_ISSUER".to_owned()));
    }
}

#[actix_web::test]
async fn a_scope_may_have_a_verifier_of_its_own() {
    let (partners, staff) = (world().await, world().await);
    let (outer, inner) = (partners.auth.clone(), staff.auth.clone());
    let server = Server::start(move |config| {
        let scope = web::scope("/staff")
            .app_data(inner.clone())
            .route("/me", web::get().to(me));
        config
            .app_data(outer.clone())
            .service(scope)
            .route("/me", web::get().to(me));
    });
    assert_eq!(
        server
            .send(get("/me").bearer(&partners.good()))
            .await
            .status,
        200
    );
    assert_eq!(
        server
            .send(get("/staff/me").bearer(&staff.good()))
            .await
            .status,
        200
    );
    assert_eq!(
        server
            .send(get("/me").bearer(&staff.good()))
            .await
            .refusal(),
        (401, "UNKNOWN_ISSUER".to_owned())
    );
    assert_eq!(
        server
            .send(get("/staff/me").bearer(&partners.good()))
            .await
            .refusal(),
        (401, "UNKNOWN_ISSUER".to_owned())
    );
}

#[actix_web::test]
async fn a_verifier_without_an_issuer_is_not_built() {
    let error = Bearward::builder().build().await.unwrap_err();
    assert!(error.to_string().contains(".issuer("), "{error}");
}

#[actix_web::test]
async fn a_guard_needs_no_app_data() {
    let world = world().await;
    let auth = world.auth.clone();
    let server = Server::start(move |config| {
        config.service(
            web::scope("/admin")
                .wrap(auth.require::<Admin>())
                .route("/me", web::get().to(me)),
        );
    });
    assert_eq!(
        server
            .send(get("/admin/me").bearer(&world.token().sub("ada").role("admin").sign()))
            .await
            .body,
        "ada"
    );
}
