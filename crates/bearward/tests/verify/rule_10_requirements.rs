//! Rule 10: claims required by the issuer configuration, then requirements of the route: role,
//! scope, assurance level, or a custom condition.

use bearward::{AuthError, VerificationStep, Verified};
use rstest::rstest;
use serde_json::json;

use crate::fixture::{Fixture, assert_rejected};

#[rstest]
#[case::present("\"acme\"", true)]
#[case::number("0", true)]
#[case::falsehood("false", true)]
#[case::empty("\"\"", true)]
#[case::null("null", false)]
fn a_required_claim_must_be_present_and_not_null(#[case] value: &str, #[case] accepted: bool) {
    let fixture = Fixture::with_issuer(|issuer| issuer.require_claim_present("org_id"));
    if accepted {
        fixture.verify_ok(&fixture.with_claim("org_id", value));
    } else {
        assert_rejected!(fixture, fixture.with_claim("org_id", value), "MISSING_CLAIM", AuthError::MissingClaim(name) if &**name == "org_id");
    }
}

#[test]
fn a_required_claim_must_be_at_the_top_level() {
    let fixture = Fixture::with_issuer(|issuer| issuer.require_claim_present("org_id"));
    assert_rejected!(
        fixture,
        fixture.token().sign(),
        "MISSING_CLAIM",
        AuthError::MissingClaim(_)
    );
    assert_rejected!(
        fixture,
        fixture.with_claim("nested", r#"{"org_id":1}"#),
        "MISSING_CLAIM",
        AuthError::MissingClaim(_)
    );
    assert_rejected!(
        fixture,
        fixture.with_claim("ORG_ID", "1"),
        "MISSING_CLAIM",
        AuthError::MissingClaim(_)
    );
}

#[test]
fn all_required_claims_must_be_present() {
    let fixture = Fixture::with_issuer(|issuer| {
        issuer
            .require_claim_present("one")
            .require_claim_present("two")
    });
    fixture.verify_ok(&fixture.token().claim("one", 1).claim("two", 2).sign());
    assert_rejected!(fixture, fixture.token().claim("one", 1).sign(), "MISSING_CLAIM", AuthError::MissingClaim(name) if &**name == "two");
    assert_rejected!(fixture, fixture.token().claim("two", 2).sign(), "MISSING_CLAIM", AuthError::MissingClaim(name) if &**name == "one");
}

#[test]
fn roles_are_compared_exactly() {
    let fixture = Fixture::new();
    let user = fixture.verify_ok(&fixture.token().roles(["admin", "editor"]).sign());
    assert!(user.require_role("admin").is_ok() && user.require_role("editor").is_ok());
    for other in [
        "Admin",
        "admi",
        "admin ",
        "admin,editor",
        "",
        "authenticated",
    ] {
        let error = user.require_role(other).unwrap_err();
        assert_eq!(error.code(), "INSUFFICIENT_ROLE", "{other:?}");
        assert_eq!(
            error,
            AuthError::InsufficientRole {
                required: other.into()
            }
        );
        assert_eq!(error.step(), VerificationStep::Requirement);
    }
}

#[test]
fn the_database_role_is_not_an_application_role() {
    let fixture = Fixture::new();
    let user = fixture.verify_ok(&fixture.token().claim("role", "admin").sign());
    assert_eq!(user.claims().role(), Some("admin"));
    assert!(!user.has_role("admin"));
}

#[test]
fn user_metadata_grants_nothing() {
    let fixture = Fixture::new();
    let forged = json!({ "roles": ["admin"], "scope": "all", "aal": "aal3" });
    let user = fixture.verify_ok(&fixture.token().claim("user_metadata", forged).sign());
    assert!(
        !user.has_role("admin") && !user.has_scope("all") && user.claims().aal() == Some("aal1")
    );
}

#[test]
fn every_required_scope_must_be_granted() {
    let fixture = Fixture::new();
    let user = fixture.verify_ok(&fixture.token().scope("read write").sign());
    for granted in ["read", "write", "read write", "write read"] {
        assert!(user.require_scope(granted).is_ok(), "{granted}");
    }
    for missing in ["delete", "read delete", "rea", "READ", ""] {
        let error = user.require_scope(missing).unwrap_err();
        assert_eq!(error.code(), "INSUFFICIENT_SCOPE", "{missing:?}");
        assert_eq!(
            error,
            AuthError::InsufficientScope {
                required: missing.into()
            }
        );
    }
}

#[rstest]
#[case::string(json!("read write"), &["read", "write"])]
#[case::several_spaces(json!("  read   write "), &["read", "write"])]
#[case::list(json!(["read", "write"]), &["read", "write"])]
#[case::empty(json!(""), &[])]
#[case::null(json!(null), &[])]
#[case::number(json!(1), &[])]
#[case::mixed_list(json!(["read", 1]), &[])]
#[case::keys(json!({ "read": true, "write": false }), &["read"])]
#[case::object_of_lists(json!({ "read": ["a"] }), &[])]
#[case::comma(json!("read,write"), &["read,write"])]
fn scopes_are_read_from_lists_and_keys(#[case] scope: serde_json::Value, #[case] granted: &[&str]) {
    let fixture = Fixture::new();
    let user = fixture.verify_ok(&fixture.token().claim("scope", scope).sign());
    assert_eq!(user.claims().scopes().collect::<Vec<_>>(), granted);
}

#[rstest]
#[case(json!("aal1"), "aal1", true)]
#[case(json!("aal2"), "aal1", true)]
#[case(json!("aal3"), "aal2", true)]
#[case(json!("aal1"), "aal2", false)]
#[case(json!("aal10"), "aal2", false)]
#[case(json!("aal20"), "aal2", false)]
#[case(json!("aal02"), "aal2", false)]
#[case(json!("aal+2"), "aal2", false)]
#[case(json!("aal4"), "aal2", false)]
#[case(json!("AAL2"), "aal2", false)]
#[case(json!("aal"), "aal1", false)]
#[case(json!("aal-1"), "aal1", false)]
#[case(json!("aal256"), "aal1", false)]
#[case(json!(2), "aal2", false)]
#[case(json!(null), "aal1", false)]
#[case(json!("urn:mace:incommon:iap:silver"), "urn:mace:incommon:iap:silver", true)]
#[case(json!("urn:mace:incommon:iap:silver"), "urn:mace:incommon:iap:gold", false)]
fn an_equal_or_higher_assurance_level_is_sufficient(
    #[case] granted: serde_json::Value,
    #[case] required: &'static str,
    #[case] met: bool,
) {
    let fixture = Fixture::new();
    let user = fixture.verify_ok(&fixture.token().claim("aal", granted).sign());
    let expected = if met {
        Ok(())
    } else {
        Err(AuthError::StepUpRequired {
            required: required.into(),
        })
    };
    assert_eq!(user.require_aal(required), expected);
    assert_eq!(
        AuthError::StepUpRequired {
            required: required.into()
        }
        .code(),
        "STEP_UP_REQUIRED"
    );
}

#[test]
fn custom_requirements_carry_their_own_description() {
    let fixture = Fixture::new();
    let user: Verified = fixture.verify_ok(&fixture.token().sign());
    assert_eq!(user.require_that(true, "a verified address"), Ok(()));
    let error = user.require_that(false, "a verified address").unwrap_err();
    assert_eq!(
        (error.code(), error.step()),
        ("REQUIREMENT_NOT_MET", VerificationStep::Requirement)
    );
}
