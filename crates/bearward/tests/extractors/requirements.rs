//! `Require<R>`: a named requirement at compile time, by role, scope, level of authentication or
//! one's own claim.

use actix_web::web::{self, ServiceConfig};
use bearward::{
    AuthError, MaybePrincipal, NoCustomClaims, Principal, Require, Requirement, Verified,
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    wire::{Server, get},
    world::{World, world},
};

/// Administrators.
pub struct Admin;

impl Requirement for Admin {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_role("admin")
    }
}

/// Whoever may read and list orders.
pub struct Reader;

impl Requirement for Reader {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_scope("orders:read orders:list")
    }
}

/// Whoever signed in with a second factor.
pub struct TwoFactors;

impl Requirement for TwoFactors {
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

/// Whoever pays.
pub struct Paying;

impl Requirement for Paying {
    type Claims = Membership;

    fn check(user: &Verified<Membership>) -> Result<(), AuthError> {
        user.require_that(user.custom().plan == "pro", "the plan pro")
    }
}

/// Administrators with a second factor: the first thing that is lacking is named.
pub struct CarefulAdmin;

impl Requirement for CarefulAdmin {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        Admin::check(user)?;
        TwoFactors::check(user)
    }
}

pub fn routes(config: &mut ServiceConfig) {
    async fn name<R: Requirement>(user: Require<R>) -> String {
        user.subject().to_owned()
    }
    config
        .route("/admin", web::route().to(name::<Admin>))
        .route("/reader", web::route().to(name::<Reader>))
        .route("/careful", web::route().to(name::<CarefulAdmin>))
        .route("/two-factors", web::route().to(name::<TwoFactors>))
        .route(
            "/paying",
            web::route().to(|user: Require<Paying>| async move {
                format!("{} seats", user.custom().seats)
            }),
        );
}

async fn serve() -> (World, Server) {
    let world = world().await;
    let server = world.serve(routes);
    (world, server)
}

#[actix_web::test]
async fn a_role_is_asked_for_letter_for_letter() {
    let (world, server) = serve().await;
    let admin = world.token().roles(["editor", "admin"]).sign();
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
        let answer = server
            .send(get("/admin").bearer(&world.token().roles(roles.clone()).sign()))
            .await;
        assert_eq!(
            answer.refusal(),
            (403, "INSUFFICIENT_ROLE".to_owned()),
            "{roles:?}"
        );
        assert_eq!(
            answer.challenge(),
            None,
            "RFC 6750 knows no error for roles"
        );
    }
}

#[actix_web::test]
async fn the_database_role_and_what_the_user_writes_are_no_application_roles() {
    let (world, server) = serve().await;
    let token = world
        .token()
        .claim("role", "admin")
        .claim("user_metadata", json!({ "roles": ["admin"] }))
        .claim("roles", json!(["admin"]));
    assert_eq!(
        server
            .send(get("/admin").bearer(&token.sign()))
            .await
            .refusal(),
        (403, "INSUFFICIENT_ROLE".to_owned())
    );
}

#[actix_web::test]
async fn every_scope_is_asked_for() {
    let (world, server) = serve().await;
    for scope in ["orders:read orders:list", "x orders:list  orders:read y"] {
        assert_eq!(
            server
                .send(get("/reader").bearer(&world.token().scope(scope).sign()))
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
        let answer = server
            .send(get("/reader").bearer(&world.token().scope(scope).sign()))
            .await;
        assert_eq!(
            answer.refusal(),
            (403, "INSUFFICIENT_SCOPE".to_owned()),
            "{scope}"
        );
        let challenge = answer.challenge().unwrap();
        assert_eq!(challenge.attribute("error"), Some("insufficient_scope"));
        assert_eq!(
            challenge.attribute("scope"),
            Some("orders:read orders:list")
        );
    }
}

#[actix_web::test]
async fn a_higher_level_of_authentication_meets_a_lower_one() {
    let (world, server) = serve().await;
    for level in ["aal2", "aal3"] {
        assert_eq!(
            server
                .send(get("/two-factors").bearer(&world.token().aal(level).sign()))
                .await
                .status,
            200,
            "{level}"
        );
    }
    for level in ["aal1", "aal0", "AAL2", "2", "aal", ""] {
        let answer = server
            .send(get("/two-factors").bearer(&world.token().aal(level).sign()))
            .await;
        assert_eq!(
            answer.refusal(),
            (401, "STEP_UP_REQUIRED".to_owned()),
            "{level}"
        );
    }
    let answer = server
        .send(get("/two-factors").bearer(&world.token().without("aal").sign()))
        .await;
    assert_eq!(answer.refusal(), (401, "STEP_UP_REQUIRED".to_owned()));
}

#[actix_web::test]
async fn a_claim_of_ones_own_is_asked_for_in_ones_own_words() {
    let (world, server) = serve().await;
    let answer = server
        .send(get("/paying").bearer(&world.token().claim("plan", "pro").claim("seats", 7).sign()))
        .await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "7 seats"));
    let answer = server
        .send(get("/paying").bearer(&world.token().claim("plan", "free").sign()))
        .await;
    assert_eq!(answer.refusal(), (403, "REQUIREMENT_NOT_MET".to_owned()));
    assert_eq!(
        answer.json()["error"]["message"],
        "requirement not met: the plan pro"
    );
    let answer = server.send(get("/paying").bearer(&world.good())).await;
    assert_eq!(
        answer.refusal(),
        (401, "INVALID_CLAIM".to_owned()),
        "without the claim there is nothing to check"
    );
}

#[actix_web::test]
async fn requirements_are_put_together_of_others() {
    let (world, server) = serve().await;
    let cases = [
        (world.token().role("admin").aal("aal2").sign(), 200, ""),
        (world.token().role("admin").sign(), 401, "STEP_UP_REQUIRED"),
        (world.token().aal("aal2").sign(), 403, "INSUFFICIENT_ROLE"),
        (world.token().sign(), 403, "INSUFFICIENT_ROLE"),
    ];
    for (token, status, code) in cases {
        let answer = server.send(get("/careful").bearer(&token)).await;
        assert_eq!(answer.status, status);
        assert!(status == 200 || answer.refusal().1 == code, "{answer:?}");
    }
}

#[actix_web::test]
async fn who_sent_no_token_or_a_bad_one_is_told_so_and_not_what_the_route_requires() {
    let (world, server) = serve().await;
    for path in ["/admin", "/reader", "/two-factors", "/paying"] {
        assert_eq!(
            server.send(get(path)).await.refusal(),
            (401, "MISSING_TOKEN".to_owned()),
            "{path}"
        );
        let answer = server
            .send(get(path).bearer(&world.token().expired().sign()))
            .await;
        assert_eq!(
            answer.refusal(),
            (401, "TOKEN_EXPIRED".to_owned()),
            "{path}"
        );
        let challenge = answer.challenge().unwrap();
        assert_eq!(
            (
                challenge.attribute("scope"),
                challenge.attribute("acr_values")
            ),
            (None, None)
        );
    }
}

#[actix_web::test]
async fn several_extractors_in_one_handler_agree() {
    let world = world().await;
    let server = world.serve(|config| {
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
    let token = world
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
