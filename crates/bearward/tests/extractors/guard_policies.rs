//! Optional guards, excepted paths, asynchronous requirements, and the caller inside of a guard.

use std::{collections::HashSet, io};

use actix_web::{
    App, Error, FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    test::{TestRequest, call_service, init_service, read_body},
    web,
};
use bearward::{AsyncRequirement, Guard, NoCustomClaims, Principal, RequireAsync, Verified};
use futures_util::future::LocalBoxFuture;

use crate::{
    requirements::Admin,
    test_app::{TestApp, maybe, me},
};

/// Returns status and body of a GET request to an application inside of `guard`.
async fn respond(guard: Guard, path: &str, token: Option<&str>) -> (u16, String) {
    let app = init_service(
        App::new()
            .wrap(guard)
            .route("/me", web::get().to(me))
            .route("/maybe", web::get().to(maybe))
            .route("/of", web::get().to(caller))
            .route("/health", web::get().to(caller))
            .route("/assets/{file:.*}", web::get().to(caller))
            .default_service(web::to(HttpResponse::NotFound)),
    )
    .await;
    let request = TestRequest::with_uri(path);
    let request = match token {
        Some(token) => request.insert_header(("authorization", format!("Bearer {token}"))),
        None => request,
    };
    let response = call_service(&app, request.to_request()).await;
    let status = response.status().as_u16();
    let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
    (status, body)
}

/// Answers with the caller that the guard has authenticated.
async fn caller(request: HttpRequest) -> String {
    let user = Principal::of(&request);
    user.map_or_else(|| "anonymous".to_owned(), |user| user.subject().to_owned())
}

#[actix_web::test]
async fn a_guard_without_requirement_accepts_every_valid_token() {
    let app = TestApp::start().await;
    let token = app.valid_token();
    let guard = || app.auth.guard();
    for path in ["/me", "/of"] {
        assert_eq!(
            respond(guard(), path, Some(&token)).await,
            (200, "ada".into())
        );
        assert_eq!(respond(guard(), path, None).await.0, 401);
        assert_eq!(respond(guard(), path, Some("x")).await.0, 401);
    }
    assert_eq!(respond(guard(), "/unknown", None).await.0, 401);
}

#[actix_web::test]
async fn an_optional_guard_accepts_requests_without_a_token() {
    let app = TestApp::start().await;
    let (user, admin) = (
        app.valid_token(),
        app.token().sub("ada").role("admin").sign(),
    );
    let guard = || app.auth.guard().optional();
    assert_eq!(
        respond(guard(), "/of", None).await,
        (200, "anonymous".into())
    );
    assert_eq!(
        respond(guard(), "/maybe", None).await,
        (200, "anonymous".into())
    );
    assert_eq!(respond(guard(), "/me", None).await.0, 401);
    assert_eq!(
        respond(guard(), "/me", Some(&user)).await,
        (200, "ada".into())
    );
    assert_eq!(respond(guard(), "/of", Some("x")).await.0, 401);

    let guard = || app.auth.require::<Admin>().optional();
    assert_eq!(respond(guard(), "/of", None).await.0, 200);
    assert_eq!(respond(guard(), "/of", Some(&user)).await.0, 403);
    assert_eq!(respond(guard(), "/of", Some(&admin)).await.0, 200);
}

#[actix_web::test]
async fn only_whole_excepted_paths_are_public() {
    let app = TestApp::start().await;
    let guard = || app.auth.guard().except(["/health", "/assets/{file:.*}"]);
    for path in ["/health", "/health?x=1", "/assets/", "/assets/a/b.js"] {
        assert_eq!(
            respond(guard(), path, None).await,
            (200, "anonymous".into()),
            "{path}"
        );
        assert_eq!(respond(guard(), path, Some("x")).await.0, 200, "{path}");
    }
    for path in [
        "/me",
        "/",
        "/health/",
        "//health",
        "/healthz",
        "/HEALTH",
        "/health/x",
        "/x/health",
        "/assets",
        "/health;x",
        "/health%2f",
    ] {
        assert_eq!(respond(guard(), path, None).await.0, 401, "{path}");
    }
}

#[actix_web::test]
async fn extractors_on_excepted_paths_authenticate_themselves() {
    let app = TestApp::start().await;
    let guard = || app.auth.guard().except(["/me", "/maybe"]);
    assert_eq!(respond(guard(), "/me", None).await.0, 401);
    assert_eq!(
        respond(guard(), "/me", Some(&app.valid_token())).await,
        (200, "ada".into())
    );
    assert_eq!(respond(guard(), "/maybe", Some("x")).await.0, 401);
}

#[actix_web::test]
async fn principal_of_is_none_without_a_guard() {
    let app = TestApp::start().await;
    let header = ("authorization", format!("Bearer {}", app.valid_token()));
    let request = TestRequest::default().insert_header(header);
    let request = request.app_data(app.auth.clone()).to_http_request();
    assert!(Principal::of(&request).is_none());
    assert_eq!(Principal::extract(&request).await.unwrap().subject(), "ada");
}

/// The editors; `None` means that the database is unavailable.
struct Editors(Option<HashSet<String>>);

struct Editor;

impl AsyncRequirement for Editor {
    type Claims = NoCustomClaims;

    async fn check(user: &Verified, request: &HttpRequest) -> Result<(), Error> {
        let editors = request.app_data::<web::Data<Editors>>().unwrap();
        let editors = editors.0.as_ref().ok_or_else(|| io::Error::other("away"))?;
        Ok(user.require_that(editors.contains(user.subject()), "an editor")?)
    }
}

async fn drafts(editor: RequireAsync<Editor>) -> String {
    editor.subject().to_owned()
}

/// Returns the statuses of the extractor and of the guard.
async fn statuses(app: &TestApp, editors: Option<&[&str]>, token: Option<&str>) -> [u16; 2] {
    let editors = editors.map(|editors| editors.iter().map(ToString::to_string).collect());
    let guarded = web::resource("/guarded").wrap(app.auth.require_async::<Editor>());
    let service = init_service(
        App::new()
            .app_data(app.auth.clone())
            .app_data(web::Data::new(Editors(editors)))
            .route("/extracted", web::get().to(drafts))
            .service(guarded.route(web::get().to(me))),
    )
    .await;
    let mut statuses = [0; 2];
    for (status, path) in statuses.iter_mut().zip(["/extracted", "/guarded"]) {
        let request = TestRequest::with_uri(path);
        let request = match token {
            Some(token) => request.insert_header(("authorization", format!("Bearer {token}"))),
            None => request,
        };
        let response = call_service(&service, request.to_request()).await;
        *status = response.status().as_u16();
        let body = read_body(response).await;
        if *status == 403 {
            let body = String::from_utf8(body.to_vec()).unwrap();
            assert!(body.contains("requirement not met: an editor"), "{body}");
        }
    }
    statuses
}

#[actix_web::test]
async fn asynchronous_requirements_read_application_state() {
    let app = TestApp::start().await;
    let token = app.valid_token();
    let token = Some(token.as_str());
    assert_eq!(statuses(&app, Some(&["ada"]), token).await, [200, 200]);
    assert_eq!(statuses(&app, Some(&["bob"]), token).await, [403, 403]);
    assert_eq!(statuses(&app, Some(&["ada"]), None).await, [401, 401]);
    assert_eq!(statuses(&app, Some(&["ada"]), Some("x")).await, [401, 401]);
    assert_eq!(
        statuses(&app, None, token).await,
        [500, 500],
        "not a 401 or 403"
    );
}

/// An extractor of the application on top of `Principal`.
struct Account(String);

impl FromRequest for Account {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let principal = Principal::from_request(request, payload);
        Box::pin(async move { Ok(Self(format!("account of {}", principal.await?.subject()))) })
    }
}

#[actix_web::test]
async fn an_own_extractor_builds_on_principal() {
    let app = TestApp::start().await;
    let header = ("authorization", format!("Bearer {}", app.valid_token()));
    let request = TestRequest::default().app_data(app.auth.clone());
    let request = request.insert_header(header).to_http_request();
    assert_eq!(
        Account::extract(&request).await.unwrap().0,
        "account of ada"
    );

    let request = TestRequest::default().app_data(app.auth.clone());
    let error = Account::extract(&request.to_http_request())
        .await
        .err()
        .unwrap();
    assert_eq!(error.error_response().status(), 401);
}
