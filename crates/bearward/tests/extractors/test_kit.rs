//! The test kit: callers for unit tests, the offline mock, and the mock in the place of an issuer.

use actix_web::dev::Payload;
use bearward::{Algorithm, Bearward, ClaimMapping, Issuer, MaybePrincipal, Principal, Require};
use bearward_testing::{MockIdp, principal};
use serde_json::json;

use crate::requirements::Admin;

#[derive(serde::Deserialize)]
struct Membership {
    tenant: String,
}

#[test]
fn callers_have_the_claims_of_the_test() {
    let user = principal()
        .subject("ada")
        .email("a@example.com")
        .scope("a b")
        .aal("aal2");
    let user = user.roles(["admin", "editor"]).build();
    assert_eq!(
        (user.subject(), user.email()),
        ("ada", Some("a@example.com"))
    );
    assert!(user.has_role("editor") && user.has_scope("b") && user.require_aal("aal2").is_ok());

    let member: Principal<Membership> = principal().claim("tenant", "acme").build_as();
    assert_eq!(member.custom().tenant, "acme");
    let admin = principal()
        .subject("ada")
        .role("admin")
        .extract::<Require<Admin>>();
    assert_eq!(admin.subject(), "ada");
}

#[test]
#[should_panic(expected = "missing role \"admin\"")]
fn a_caller_does_not_pass_a_requirement_that_it_does_not_meet() {
    let _ = principal().role("editor").extract::<Require<Admin>>();
}

#[actix_web::test]
async fn the_request_of_a_caller_is_authenticated() {
    let request = principal().subject("ada").request().to_http_request();
    let user = MaybePrincipal::from_request(&request, &mut Payload::None).await;
    assert_eq!(user.unwrap().as_ref().unwrap().subject(), "ada");
}

#[actix_web::test]
async fn the_mock_is_as_strict_as_production() {
    let idp = MockIdp::start_with(Algorithm::PS256).await;
    let auth = Bearward::builder()
        .issuer(idp.as_issuer())
        .build()
        .await
        .unwrap();
    let failure = auth.verify(&idp.token().sign()).await.unwrap_err();
    assert_eq!(failure.error.code(), "UNSUPPORTED_ALGORITHM");
}

#[actix_web::test]
async fn an_offline_mock_needs_no_server() {
    let idp = MockIdp::offline();
    let auth = Bearward::builder()
        .issuer(idp.as_issuer())
        .build()
        .await
        .unwrap();
    assert!(auth.verify(&idp.token().sign()).await.is_ok());
    assert!(
        auth.verify(&idp.token().signed_by_stranger())
            .await
            .is_err()
    );
}

fn keycloak() -> Issuer {
    let claims = ClaimMapping::default()
        .set("roles", "/realm_access/roles")
        .unwrap();
    Issuer::new("https://id.example.com/realms/shop", "orders")
        .unwrap()
        .claim_mapping(claims)
}

#[actix_web::test]
async fn a_stand_in_has_the_configuration_of_the_issuer() {
    for idp in [MockIdp::start().await, MockIdp::offline()] {
        let stand_in = idp.stand_in_for(keycloak());
        let auth = Bearward::builder()
            .issuer(stand_in.issuer())
            .build()
            .await
            .unwrap();
        let roles = json!({ "roles": ["admin"] });
        let token = stand_in.token().claim("realm_access", roles).sign();
        let user = auth.verify(&token).await.unwrap();
        assert_eq!(user.issuer(), "https://id.example.com/realms/shop");
        assert!(user.has_role("admin"));

        let other_layout = stand_in
            .token()
            .claim("app_metadata", json!({"roles": ["admin"]}));
        assert!(
            !auth
                .verify(&other_layout.sign())
                .await
                .unwrap()
                .has_role("admin")
        );
        assert!(
            auth.verify(&stand_in.token().audience("other").sign())
                .await
                .is_err()
        );
        assert!(
            auth.verify(&idp.token().sign()).await.is_err(),
            "another issuer"
        );
    }
}

#[actix_web::test]
#[should_panic(expected = "the issuer does not accept PS256")]
async fn a_stand_in_signs_only_with_accepted_algorithms() {
    let idp = MockIdp::start_with(Algorithm::PS256).await;
    let _ = idp.stand_in_for(keycloak());
}
