//! Compiles the code of `docs/library.md`, `docs/testing.md` and `docs/other-frameworks.md`;
//! `tests/cli/pages.rs` of the server checks that the pages show this code.
#![allow(clippy::unused_async, reason = "the pages show asynchronous functions")]

use actix_web::{
    App, HttpRequest, Responder, get,
    test::TestRequest,
    web::{self, ServiceConfig},
};
use bearward::{
    AsyncRequirement, AuthError, Bearward, ClaimMapping, Issuer, IssuerError, NoCustomClaims,
    Principal, Require, Requirement, Service, TypRule, Verified,
};
use bearward_testing::MockIdp;
use serde::Deserialize;
use serde_json::json;

struct Database;

impl Database {
    async fn has_role(&self, subject: &str, role: &str) -> Result<bool, actix_web::Error> {
        if subject == "outage" {
            return Err(actix_web::error::ErrorServiceUnavailable("no database"));
        }
        Ok((subject, role) == ("ada", "editor"))
    }
}

struct Editor;

impl AsyncRequirement for Editor {
    type Claims = NoCustomClaims;

    async fn check(user: &Verified, request: &HttpRequest) -> Result<(), actix_web::Error> {
        let database = request
            .app_data::<web::Data<Database>>()
            .expect("a database");
        let is_editor = database.has_role(user.subject(), "editor").await?; // an outage is not a 403
        Ok(user.require_that(is_editor, "the role \"editor\"")?)
    }
}

struct Admin;

impl Requirement for Admin {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_role("admin")
    }
}

#[derive(Deserialize)]
struct Membership {
    tenant: String,
}

async fn orders(user: Principal) -> String {
    format!("orders of {}", user.subject())
}

#[get("/reports")]
async fn reports(_admin: Require<Admin>) -> impl Responder {
    "all reports"
}

fn routes(config: &mut ServiceConfig) {
    config.service(reports);
}

/// In the application: used by `main` and by the tests.
pub fn issuer() -> Result<Issuer, IssuerError> {
    let claims = ClaimMapping::default().set("roles", "/realm_access/roles")?;
    Ok(Issuer::new("https://id.example.com/realms/shop", "orders")?.claim_mapping(claims))
}

#[allow(unused_must_use, reason = "the page shows one rule in each statement")]
fn rules(iss: &str, url: &str, tenant: &str) -> Result<(), Box<dyn std::error::Error>> {
    // Tokens without `aud`, accepted by their client (Amazon Cognito, Clerk, WorkOS).
    Issuer::with_client_ids(iss, ["1example23456789"])?.require_claim("token_use", "access")?;
    // OAuth clients of a Supabase project (tokens with `client_id`) have no access unless listed.
    Issuer::supabase(url)?.client_ids(["partner-app"])?;
    // Callers choose the audience, so claims restrict who may call (GitHub Actions, GitLab CI).
    Issuer::new(iss, "deploy")?.require_claim("sub", "repo:octo-org/*")?;
    // All tenants of Entra ID under one key set; accounts are keyed by the token's own `iss`.
    Issuer::new(
        "https://login.microsoftonline.com/{tid}/v2.0",
        "api://orders",
    )?
    .tenants([tenant])?;
    // Machine callers without `sub`; `Principal::is_machine()` distinguishes them.
    Issuer::new(iss, "orders")?.subject_from(["sub", "client_id"])?;
    // Roles in several claims, and other values of `typ`.
    let roles = ClaimMapping::default().set_any_of("roles", ["/realm_access/roles", "groups"])?;
    let typ = TypRule::one_of(["okta-internal-at+jwt"])?;
    Issuer::new(iss, "orders")?
        .claim_mapping(roles)
        .token_type(typ);
    Ok(())
}

#[test]
fn the_rules_of_the_page_are_accepted() {
    rules(
        "https://id.example.com",
        "https://abc.supabase.co",
        "8b1a9953-c461-4296-a827-abf8c47804d7",
    )
    .unwrap();
}

#[actix_web::test]
async fn a_handler_is_tested_as_a_function() {
    use bearward_testing::{principal, service};

    let ada = principal().subject("ada").role("admin").build();
    assert_eq!(orders(ada).await, "orders of ada");

    let member: Principal<Membership> = principal().claim("tenant", "acme").build_as();
    let admin = principal().role("admin").extract::<Require<Admin>>(); // panics with the rejection if the role is missing
    let cron: Service = service("cron").scope("reports:write").build(); // a machine caller with a service key

    assert_eq!(member.custom().tenant, "acme");
    assert!(admin.has_role("admin") && cron.has_scope("reports:write"));
}

#[actix_web::test]
async fn an_asynchronous_requirement_is_tested_as_a_function() {
    use bearward_testing::principal;

    let database = Database;
    let ada = principal().subject("ada").build();
    let request = TestRequest::default()
        .app_data(web::Data::new(database))
        .to_http_request();
    assert!(Editor::check(&ada, &request).await.is_ok());

    for (subject, status) in [("grace", 403), ("outage", 503)] {
        let user = principal().subject(subject).build();
        let error = Editor::check(&user, &request).await.unwrap_err();
        assert_eq!(error.error_response().status(), status);
    }
}

#[actix_web::test]
async fn an_application_is_tested_without_a_socket() -> Result<(), Box<dyn std::error::Error>> {
    use actix_web::test::{TestRequest, call_service, init_service};

    let idp = MockIdp::offline();
    let auth = Bearward::builder().issuer(idp.as_issuer()).build().await?;
    let app = init_service(App::new().app_data(auth).configure(routes)).await;

    let token = idp.token().sub("ada").role("admin").sign();
    let request = TestRequest::get()
        .uri("/reports")
        .insert_header(("authorization", format!("Bearer {token}")));
    assert_eq!(call_service(&app, request.to_request()).await.status(), 200);
    let without = TestRequest::get().uri("/reports").to_request();
    assert_eq!(call_service(&app, without).await.status(), 401);
    Ok(())
}

#[actix_web::test]
async fn a_stand_in_replaces_the_keys_only() -> Result<(), Box<dyn std::error::Error>> {
    let idp = MockIdp::offline();
    let stand_in = idp.stand_in_for(issuer()?);
    let auth = Bearward::builder()
        .issuer(stand_in.issuer())
        .build()
        .await?;
    let token = stand_in
        .token()
        .claim("realm_access", json!({ "roles": ["admin"] }))
        .sign();

    let user = auth.verify(&token).await.unwrap();
    assert!(user.has_role("admin"));
    Ok(())
}
