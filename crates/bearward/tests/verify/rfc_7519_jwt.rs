//! RFC 7519, JSON Web Token: requirements for claims. See `rule_9_claims` and `rule_9_times` for the
//! limits of each claim.

use bearward::{AuthError, ObjectError};

use crate::fixture::{Fixture, NOW, assert_rejected};

#[test]
fn section_2_a_numeric_date_may_have_a_fraction() {
    let fixture = Fixture::new();
    let user = fixture.verify_ok(&fixture.with_claim("exp", &format!("{}.25", NOW + 60)));
    assert_eq!(user.claims().expires_at().millis(), (NOW + 60) * 1000 + 250);
}

#[test]
fn section_4_duplicate_claim_names_are_rejected() {
    let fixture = Fixture::new();
    let claims = fixture.token().claims().clone();
    for name in ["sub", "exp", "iss", "aud", "custom"] {
        let text = serde_json::Value::from(claims.clone()).to_string();
        let escaped = format!("\\u{:04x}{}", u32::from(name.as_bytes()[0]), &name[1..]);
        let first = text.replacen('{', &format!("{{\"{name}\":\"1\",\"{escaped}\":\"2\","), 1);
        let last = format!(
            "{},\"{escaped}\":\"2\",\"{name}\":\"1\"}}",
            &text[..text.len() - 1]
        );
        for duplicate in [first, last] {
            assert_rejected!(
                fixture,
                fixture.with_payload(duplicate),
                "MALFORMED_TOKEN",
                AuthError::Payload(ObjectError::Duplicate)
            );
        }
    }
    fixture.verify_ok(&fixture.with_claim("s\\u0075b2", "1"));
}

#[test]
fn section_4_unknown_claims_are_ignored() {
    let fixture = Fixture::new();
    fixture.verify_ok(&fixture.with_claim("http://example.com/is_root", "true"));
}

#[test]
fn section_4_1_1_iss_is_a_case_sensitive_string() {
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        fixture
            .token()
            .issuer(&crate::fixture::ISSUER.to_uppercase())
            .sign(),
        "UNKNOWN_ISSUER",
        AuthError::UnknownIssuer { .. }
    );
}

#[test]
fn section_4_1_2_sub_is_a_case_sensitive_string() {
    let fixture = Fixture::new();
    assert_eq!(
        fixture
            .verify_ok(&fixture.token().sub("Ada").sign())
            .subject(),
        "Ada"
    );
}

#[test]
fn section_4_1_3_aud_is_a_string_or_a_list_of_strings() {
    let fixture = Fixture::new();
    for aud in [r#""authenticated""#, r#"["other","authenticated"]"#] {
        fixture.verify_ok(&fixture.with_claim("aud", aud));
    }
    assert_rejected!(
        fixture,
        fixture.with_claim("aud", r#"["other"]"#),
        "INVALID_AUDIENCE",
        AuthError::WrongAudience { .. }
    );
}

#[test]
fn section_4_1_4_a_token_is_rejected_at_exp() {
    let fixture = Fixture::with_issuer(|issuer| issuer.leeway(std::time::Duration::ZERO).unwrap());
    fixture.verify_ok(&fixture.token().claim("exp", NOW + 1).sign());
    assert_rejected!(
        fixture,
        fixture.token().claim("exp", NOW).sign(),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
}

#[test]
fn section_4_1_5_a_token_is_rejected_before_nbf() {
    let fixture = Fixture::with_issuer(|issuer| issuer.leeway(std::time::Duration::ZERO).unwrap());
    fixture.verify_ok(&fixture.token().claim("nbf", NOW).sign());
    assert_rejected!(
        fixture,
        fixture.token().claim("nbf", NOW + 1).sign(),
        "TOKEN_NOT_YET_VALID",
        AuthError::NotYetValid { claim: "nbf", .. }
    );
}

#[test]
fn section_5_2_nested_tokens_are_rejected() {
    let fixture = Fixture::new();
    let inner = fixture.token().sign();
    let token = fixture.sign(&fixture.with_cty(), &inner);
    assert_rejected!(
        fixture,
        token,
        "MALFORMED_TOKEN",
        AuthError::Payload(ObjectError::NotAnObject)
    );
    let quoted = fixture.sign(&fixture.with_cty(), &format!("\"{inner}\""));
    assert_rejected!(
        fixture,
        quoted,
        "MALFORMED_TOKEN",
        AuthError::Payload(ObjectError::NotAnObject)
    );
}

#[test]
fn section_6_unsecured_tokens_are_rejected() {
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        fixture.token().alg_none(),
        "MALFORMED_TOKEN",
        AuthError::Format(_)
    );
}

impl Fixture {
    /// Returns a valid header that declares a nested token.
    fn with_cty(&self) -> String {
        self.header().replacen('{', r#"{"cty":"JWT","#, 1)
    }
}
