//! Misconfiguration by the application: a log line with the remedy and an error response, no panic.

use actix_web::{
    App,
    test::{TestRequest, call_service, init_service, read_body},
    web,
};
use bearward::{Bearward, ClaimMapping, Issuer};
use test_support::{log_capture::LogCapture, raw_http::get};

use crate::{
    requirements::{Admin, routes},
    test_app::{TestApp, maybe, me},
    test_server::TestServer,
};

#[actix_web::test]
async fn without_a_verifier_only_protected_routes_are_500() {
    let server = TestServer::start(|config| {
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
            let response = server.send(request).await;
            assert_eq!(response.error(), (500, "INTERNAL".to_owned()), "{path}");
            assert_eq!(
                response.json()["error"]["message"],
                "the server is not configured to verify tokens"
            );
            assert_eq!(response.challenge(), None);
        }
    }
    assert_eq!(server.send(get("/public")).await.body, "public");
}

#[actix_web::test]
async fn the_log_names_the_route_and_the_remedy() {
    let log = LogCapture::start("bearward");
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
async fn debug_output_of_setup_errors_is_the_message() {
    let not_built = Bearward::builder().build().await.unwrap_err();
    let plain = Issuer::supabase("http://10.0.0.1").unwrap();
    let unreachable = Bearward::builder().issuer(plain).build().await.unwrap_err();
    for (printed, expected) in [
        (
            format!("{:?}", Issuer::supabase("abc.supabase.co").unwrap_err()),
            "such as https://abc.supabase.co",
        ),
        (
            format!("{:?}", Issuer::new("https://id.example", "").unwrap_err()),
            ".client_ids(..)",
        ),
        (
            format!(
                "{:?}",
                ClaimMapping::default().set("role", "/").unwrap_err()
            ),
            "names at least one member",
        ),
        (format!("{not_built:?}"), "add one with .issuer("),
        (format!("{unreachable:?}"), "must begin with https://"),
    ] {
        assert!(printed.contains(expected), "{printed}");
    }
}

#[actix_web::test]
async fn the_verifier_may_be_wrapped_in_data() {
    let test_app = TestApp::start().await;
    let data = web::Data::new(test_app.auth.clone());
    let server = TestServer::start(move |config| {
        config
            .app_data(data.clone())
            .route("/me", web::get().to(me));
    });
    assert_eq!(
        server
            .send(get("/me").bearer(&test_app.valid_token()))
            .await
            .body,
        "ada"
    );
    assert_eq!(
        server.send(get("/me")).await.error(),
        (401, "MISSING_TOKEN".to_owned())
    );
}

#[actix_web::test]
async fn the_same_verifier_may_be_registered_in_both_forms() {
    let test_app = TestApp::start().await;
    let auth = test_app.auth.clone();
    let server = TestServer::start(move |config| {
        config
            .app_data(auth.clone())
            .app_data(web::Data::new(auth.clone()))
            .route("/me", web::get().to(me));
    });
    assert_eq!(
        server
            .send(get("/me").bearer(&test_app.valid_token()))
            .await
            .body,
        "ada"
    );
}

#[actix_web::test]
async fn two_different_verifiers_in_both_forms_are_an_error() {
    let (partners, staff) = (TestApp::start().await, TestApp::start().await);
    let log = LogCapture::start("bearward");
    let scope = web::scope("/staff")
        .app_data(web::Data::new(staff.auth.clone()))
        .route("/me", web::get().to(me));
    let app = init_service(App::new().app_data(partners.auth.clone()).service(scope)).await;
    for test_app in [&partners, &staff] {
        let request = TestRequest::get().uri("/staff/me").insert_header((
            "authorization",
            format!("Bearer {}", test_app.valid_token()),
        ));
        assert_eq!(call_service(&app, request.to_request()).await.status(), 500);
    }
    assert!(
        log.lines()[0].contains("different verifiers"),
        "{:?}",
        log.lines()
    );
}

#[actix_web::test]
async fn a_guard_and_its_scope_must_use_the_same_verifier() {
    // Otherwise a guard around the application would determine the issuers of an inner scope.
    let (partners, staff) = (TestApp::start().await, TestApp::start().await);
    let (outer, inner) = (partners.auth.clone(), staff.auth.clone());
    let server = TestServer::start(move |config| {
        let guarded = |path: &str| {
            web::scope(path)
                .wrap(inner.require::<Admin>())
                .route("/me", web::get().to(me))
        };
        config
            .app_data(outer.clone())
            .service(guarded("/ambiguous"))
            .service(guarded("/explicit").app_data(inner.clone()));
    });
    let admin = staff.token().sub("ada").role("admin").sign();
    assert_eq!(
        server
            .send(get("/ambiguous/me").bearer(&admin))
            .await
            .error(),
        (500, "INTERNAL".to_owned())
    );
    assert_eq!(
        server.send(get("/explicit/me").bearer(&admin)).await.body,
        "ada"
    );
    for path in ["/ambiguous/me", "/explicit/me"] {
        let response = server
            .send(get(path).bearer(&partners.token().role("admin").sign()))
            .await;
        assert_eq!(response.error(), (401, "UNKNOWN_ISSUER".to_owned()));
    }
}

#[actix_web::test]
async fn a_scope_may_have_its_own_verifier() {
    let (partners, staff) = (TestApp::start().await, TestApp::start().await);
    let (outer, inner) = (partners.auth.clone(), staff.auth.clone());
    let server = TestServer::start(move |config| {
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
            .send(get("/me").bearer(&partners.valid_token()))
            .await
            .status,
        200
    );
    assert_eq!(
        server
            .send(get("/staff/me").bearer(&staff.valid_token()))
            .await
            .status,
        200
    );
    assert_eq!(
        server
            .send(get("/me").bearer(&staff.valid_token()))
            .await
            .error(),
        (401, "UNKNOWN_ISSUER".to_owned())
    );
    assert_eq!(
        server
            .send(get("/staff/me").bearer(&partners.valid_token()))
            .await
            .error(),
        (401, "UNKNOWN_ISSUER".to_owned())
    );
}

#[actix_web::test]
async fn a_verifier_needs_an_issuer() {
    let error = Bearward::builder().build().await.unwrap_err();
    assert!(error.to_string().contains(".issuer("), "{error}");
}

#[actix_web::test]
async fn a_guard_needs_no_app_data() {
    let test_app = TestApp::start().await;
    let auth = test_app.auth.clone();
    let server = TestServer::start(move |config| {
        config.service(
            web::scope("/admin")
                .wrap(auth.require::<Admin>())
                .route("/me", web::get().to(me)),
        );
    });
    assert_eq!(
        server
            .send(get("/admin/me").bearer(&test_app.token().sub("ada").role("admin").sign()))
            .await
            .body,
        "ada"
    );
}
