//! Rule 10: the claims that the profile requires, then what the route asks for: role, scope,
//! assurance level, any claim.

use {AuthError, VerificationStep, Verified};
use rstest::rstest;
use serde_json::json;

use crate::stand::{Stand, refused};

#[rstest]
#[case::present("\"acme\"", true)]
#[case::number("0", true)]
#[case::falsehood("false", true)]
#[case::empty("\"\"", true)]
#[case::null("null", false)]
fn a_required_claim_is_there_and_not_null(#[case] value: &str, #[case] accepted: bool) {
    let stand = Stand::with(|issuer| issuer.require_claim("org_id"));
    if accepted {
        stand.accepts(&stand.with_claim("org_id", value));
    } else {
        refused!(stand, stand.with_claim("org_id", value), "MISSING_CLAIM", AuthError::MissingClaim(name) if &**name == "org_id");
    }
}

#[test]
fn an_absent_required_claim_is_missing_and_one_elsewhere_does_not_count() {
    let stand = Stand::with(|issuer| issuer.require_claim("org_id"));
    refused!(
        stand,
        stand.token().sign(),
        "MISSING_CLAIM",
        AuthError::MissingClaim(_)
    );
    refused!(
        stand,
        stand.with_claim("nested", r#"{"org_id":1}"#),
        "MISSING_CLAIM",
        AuthError::MissingClaim(_)
    );
    refused!(
        stand,
        stand.with_claim("ORG_ID", "1"),
        "MISSING_CLAIM",
        AuthError::MissingClaim(_)
    );
}

#[test]
fn every_required_claim_is_required() {
    let stand = Stand::with(|issuer| issuer.require_claim("one").require_claim("two"));
    stand.accepts(&stand.token().claim("one", 1).claim("two", 2).sign());
    refused!(stand, stand.token().claim("one", 1).sign(), "MISSING_CLAIM", AuthError::MissingClaim(name) if &**name == "two");
    refused!(stand, stand.token().claim("two", 2).sign(), "MISSING_CLAIM", AuthError::MissingClaim(name) if &**name == "one");
}

#[test]
fn a_role_is_held_letter_for_letter() {
    let stand = Stand::new();
    let user = stand.accepts(&stand.token().roles(["admin", "editor"]).sign());
    assert!(user.require_role("admin").is_ok() && user.require_role("editor").is_ok());
    for other in [
        "Admin",
        "admi",
        "admin ",
        "admin,editor",
        "",
        "authenticated",
    ] {
        let rejection = user.require_role(other).unwrap_err();
        assert_eq!(rejection.code(), "INSUFFICIENT_ROLE", "{other:?}");
        assert_eq!(
            rejection,
            AuthError::InsufficientRole {
                required: other.into()
            }
        );
        assert_eq!(rejection.step(), VerificationStep::Policy);
    }
}

#[test]
fn the_database_role_is_no_application_role() {
    let stand = Stand::new();
    let user = stand.accepts(&stand.token().claim("role", "admin").sign());
    assert_eq!(user.claims().role(), Some("admin"));
    assert!(!user.has_role("admin"));
}

#[test]
fn what_users_can_write_themselves_grants_nothing() {
    let stand = Stand::new();
    let forged = json!({ "roles": ["admin"], "scope": "all", "aal": "aal3" });
    let user = stand.accepts(&stand.token().claim("user_metadata", forged).sign());
    assert!(
        !user.has_role("admin") && !user.has_scope("all") && user.claims().aal() == Some("aal1")
    );
}

#[test]
fn every_scope_asked_for_must_be_held() {
    let stand = Stand::new();
    let user = stand.accepts(&stand.token().scope("read write").sign());
    for held in ["read", "write", "read write", "write read"] {
        assert!(user.require_scope(held).is_ok(), "{held}");
    }
    for lacking in ["delete", "read delete", "rea", "READ", ""] {
        let rejection = user.require_scope(lacking).unwrap_err();
        assert_eq!(rejection.code(), "INSUFFICIENT_SCOPE", "{lacking:?}");
        assert_eq!(
            rejection,
            AuthError::InsufficientScope {
                required: lacking.into()
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
#[case::object(json!({ "read": true }), &[])]
#[case::comma(json!("read,write"), &["read,write"])]
fn scopes_of_another_type_grant_nothing(#[case] scope: serde_json::Value, #[case] held: &[&str]) {
    let stand = Stand::new();
    let user = stand.accepts(&stand.token().claim("scope", scope).sign());
    assert_eq!(user.claims().scopes().collect::<Vec<_>>(), held);
}

#[rstest]
#[case(json!("aal1"), "aal1", true)]
#[case(json!("aal2"), "aal1", true)]
#[case(json!("aal3"), "aal2", true)]
#[case(json!("aal1"), "aal2", false)]
#[case(json!("aal10"), "aal2", true)]
#[case(json!("AAL2"), "aal2", false)]
#[case(json!("aal"), "aal1", false)]
#[case(json!("aal-1"), "aal1", false)]
#[case(json!("aal256"), "aal1", false)]
#[case(json!(2), "aal2", false)]
#[case(json!(null), "aal1", false)]
#[case(json!("urn:mace:incommon:iap:silver"), "urn:mace:incommon:iap:silver", true)]
#[case(json!("urn:mace:incommon:iap:silver"), "urn:mace:incommon:iap:gold", false)]
fn an_assurance_level_is_met_by_the_same_or_a_higher_one(
    #[case] held: serde_json::Value,
    #[case] required: &'static str,
    #[case] met: bool,
) {
    let stand = Stand::new();
    let user = stand.accepts(&stand.token().claim("aal", held).sign());
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
fn a_team_may_require_anything_in_its_own_words() {
    let stand = Stand::new();
    let user: Verified = stand.accepts(&stand.token().sign());
    assert_eq!(user.require_that(true, "a verified address"), Ok(()));
    let rejection = user.require_that(false, "a verified address").unwrap_err();
    assert_eq!(
        (rejection.code(), rejection.step()),
        ("REQUIREMENT_NOT_MET", VerificationStep::Policy)
    );
}
