//! `Require<R>`: requirements on role, scope, assurance level and custom claims.

use actix_web::web::{self, ServiceConfig};
use bearward::{
    AuthError, MaybePrincipal, NoCustomClaims, Principal, Require, Requirement, Verified,
};
use serde::Deserialize;
use serde_json::json;
use test_support::raw_http::get;

use crate::{test_app::TestApp, test_server::TestServer};

/// Requires the role `admin`.
pub struct Admin;

impl Requirement for Admin {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_role("admin")
    }
}

/// Requires two scopes.
pub struct OrderReader;

impl Requirement for OrderReader {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_scope("orders:read orders:list")
    }
}

/// Requires a sign-in with two factors.
pub struct SecondFactor;

impl Requirement for SecondFactor {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_aal("aal2")
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Membership {
    pub plan: String,
    #[serde(default)]
    pub seats: u32,
}

/// Requires the plan `pro` in the custom claims.
pub struct ProPlan;

impl Requirement for ProPlan {
    type Claims = Membership;

    fn check(user: &Verified<Membership>) -> Result<(), AuthError> {
        user.require_that(user.custom().plan == "pro", "the plan pro")
    }
}

/// Combines two requirements. The first one that is not met determines the error.
pub struct AdminWithSecondFactor;

impl Requirement for AdminWithSecondFactor {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        Admin::check(user)?;
        SecondFactor::check(user)
    }
}

pub fn routes(config: &mut ServiceConfig) {
    async fn name<R: Requirement>(user: Require<R>) -> String {
        user.subject().to_owned()
    }
    config
        .route("/admin", web::route().to(name::<Admin>))
        .route("/reader", web::route().to(name::<OrderReader>))
        .route("/careful", web::route().to(name::<AdminWithSecondFactor>))
        .route("/two-factors", web::route().to(name::<SecondFactor>))
        .route(
            "/paying",
            web::route().to(|user: Require<ProPlan>| async move {
                format!("{} seats", user.custom().seats)
            }),
        );
}

async fn serve() -> (TestApp, TestServer) {
    let test_app = TestApp::start().await;
    let server = test_app.serve(routes);
    (test_app, server)
}

#[actix_web::test]
async fn roles_are_compared_exactly() {
    let (test_app, server) = serve().await;
    let admin = test_app.token().roles(["editor", "admin"]).sign();
    assert_eq!(server.send(get("/admin").bearer(&admin)).await.status, 200);
    for roles in [
        vec![],
        vec!["editor"],
        vec!["Admin"],
        vec!["admin "],
        vec!["administrator"],
        vec!["editor,admin"],
        vec!["editor admin"],
    ] {
        let response = server
            .send(get("/admin").bearer(&test_app.token().roles(roles.clone()).sign()))
            .await;
        assert_eq!(
            response.error(),
            (403, "INSUFFICIENT_ROLE".to_owned()),
            "{roles:?}"
        );
        assert_eq!(
            response.challenge(),
            None,
            "RFC 6750 defines no error for roles"
        );
    }
}

#[actix_web::test]
async fn database_role_and_user_metadata_are_not_application_roles() {
    let (test_app, server) = serve().await;
    let token = test_app
        .token()
        .claim("role", "admin")
        .claim("user_metadata", json!({ "roles": ["admin"] }))
        .claim("roles", json!(["admin"]));
    assert_eq!(
        server
            .send(get("/admin").bearer(&token.sign()))
            .await
            .error(),
        (403, "INSUFFICIENT_ROLE".to_owned())
    );
}

#[actix_web::test]
async fn every_required_scope_must_be_granted() {
    let (test_app, server) = serve().await;
    for scope in ["orders:read orders:list", "x orders:list  orders:read y"] {
        assert_eq!(
            server
                .send(get("/reader").bearer(&test_app.token().scope(scope).sign()))
                .await
                .status,
            200,
            "{scope}"
        );
    }
    for scope in [
        "",
        "orders:read",
        "orders:list",
        "orders:read,orders:list",
        "orders:readorders:list",
        "ORDERS:READ ORDERS:LIST",
        "orders:*",
    ] {
        let response = server
            .send(get("/reader").bearer(&test_app.token().scope(scope).sign()))
            .await;
        assert_eq!(
            response.error(),
            (403, "INSUFFICIENT_SCOPE".to_owned()),
            "{scope}"
        );
        let challenge = response.challenge().unwrap();
        assert_eq!(challenge.parameter("error"), Some("insufficient_scope"));
        assert_eq!(
            challenge.parameter("scope"),
            Some("orders:read orders:list")
        );
    }
}

#[actix_web::test]
async fn a_higher_assurance_level_meets_a_lower_requirement() {
    let (test_app, server) = serve().await;
    for level in ["aal2", "aal3"] {
        assert_eq!(
            server
                .send(get("/two-factors").bearer(&test_app.token().aal(level).sign()))
                .await
                .status,
            200,
            "{level}"
        );
    }
    for level in ["aal1", "aal0", "AAL2", "2", "aal", ""] {
        let response = server
            .send(get("/two-factors").bearer(&test_app.token().aal(level).sign()))
            .await;
        assert_eq!(
            response.error(),
            (401, "STEP_UP_REQUIRED".to_owned()),
            "{level}"
        );
    }
    let response = server
        .send(get("/two-factors").bearer(&test_app.token().without("aal").sign()))
        .await;
    assert_eq!(response.error(), (401, "STEP_UP_REQUIRED".to_owned()));
}

#[actix_web::test]
async fn a_requirement_can_check_custom_claims() {
    let (test_app, server) = serve().await;
    let response = server
        .send(
            get("/paying").bearer(
                &test_app
                    .token()
                    .claim("plan", "pro")
                    .claim("seats", 7)
                    .sign(),
            ),
        )
        .await;
    assert_eq!((response.status, response.body.as_str()), (200, "7 seats"));
    let response = server
        .send(get("/paying").bearer(&test_app.token().claim("plan", "free").sign()))
        .await;
    assert_eq!(response.error(), (403, "REQUIREMENT_NOT_MET".to_owned()));
    assert_eq!(
        response.json()["error"]["message"],
        "requirement not met: the plan pro"
    );
    let response = server
        .send(get("/paying").bearer(&test_app.valid_token()))
        .await;
    assert_eq!(
        response.error(),
        (401, "INVALID_CLAIM".to_owned()),
        "the custom claims do not deserialize"
    );
}

#[actix_web::test]
async fn requirements_can_be_combined() {
    let (test_app, server) = serve().await;
    let cases = [
        (test_app.token().role("admin").aal("aal2").sign(), 200, ""),
        (
            test_app.token().role("admin").sign(),
            401,
            "STEP_UP_REQUIRED",
        ),
        (
            test_app.token().aal("aal2").sign(),
            403,
            "INSUFFICIENT_ROLE",
        ),
        (test_app.token().sign(), 403, "INSUFFICIENT_ROLE"),
    ];
    for (token, status, code) in cases {
        let response = server.send(get("/careful").bearer(&token)).await;
        assert_eq!(response.status, status);
        assert!(status == 200 || response.error().1 == code, "{response:?}");
    }
}

#[actix_web::test]
async fn token_errors_do_not_reveal_the_requirement() {
    let (test_app, server) = serve().await;
    for path in ["/admin", "/reader", "/two-factors", "/paying"] {
        assert_eq!(
            server.send(get(path)).await.error(),
            (401, "MISSING_TOKEN".to_owned()),
            "{path}"
        );
        let response = server
            .send(get(path).bearer(&test_app.token().expired().sign()))
            .await;
        assert_eq!(
            response.error(),
            (401, "TOKEN_EXPIRED".to_owned()),
            "{path}"
        );
        let challenge = response.challenge().unwrap();
        assert_eq!(
            (
                challenge.parameter("scope"),
                challenge.parameter("acr_values")
            ),
            (None, None)
        );
    }
}

#[actix_web::test]
async fn several_extractors_in_one_handler_agree() {
    let test_app = TestApp::start().await;
    let server = test_app.serve(|config| {
        config.route(
                "/all",
                web::get().to(
                    |a: Principal,
                     b: MaybePrincipal,
                     c: Require<Admin>,
                     d: Principal<Membership>| async move {
                        format!(
                            "{} {} {} {}",
                            a.subject(),
                            b.into_inner().unwrap().subject(),
                            c.into_inner().subject(),
                            d.into_inner().into_custom().plan
                        )
                    },
                ),
            );
    });
    let token = test_app
        .token()
        .sub("ada")
        .role("admin")
        .claim("plan", "pro")
        .sign();
    assert_eq!(
        server.send(get("/all").bearer(&token)).await.body,
        "ada ada ada pro"
    );
}
