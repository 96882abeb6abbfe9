//! RFC 7519, JSON Web Token: the statements about claims. The limits of each claim stand in
//! `rule_9_claims` and `rule_9_times`.

use {AuthError, ObjectError};

use crate::stand::{NOW, Stand, refused};

#[test]
fn section_2_a_numeric_date_may_have_a_fraction() {
    let stand = Stand::new();
    let user = stand.accepts(&stand.with_claim("exp", &format!("{}.25", NOW + 60)));
    assert_eq!(user.claims().expires_at().millis(), (NOW + 60) * 1000 + 250);
}

#[test]
fn section_4_claim_names_must_be_unique_also_when_escaped() {
    let stand = Stand::new();
    let claims = stand.token().claims().clone();
    for name in ["sub", "exp", "iss", "aud", "custom"] {
        let text = serde_json::Value::from(claims.clone()).to_string();
        let escaped = format!("\\u{:04x}{}", u32::from(name.as_bytes()[0]), &name[1..]);
        let first = text.replacen('{', &format!("{{\"{name}\":\"1\",\"{escaped}\":\"2\","), 1);
        let last = format!(
            "{},\"{escaped}\":\"2\",\"{name}\":\"1\"}}",
            &text[..text.len() - 1]
        );
        for twice in [first, last] {
            refused!(
                stand,
                stand.with_payload(twice),
                "MALFORMED_TOKEN",
                AuthError::Payload(ObjectError::Duplicate)
            );
        }
    }
    stand.accepts(&stand.with_claim("s\\u0075b2", "1"));
}

#[test]
fn section_4_claims_that_are_not_understood_are_ignored() {
    let stand = Stand::new();
    stand.accepts(&stand.with_claim("http://example.com/is_root", "true"));
}

#[test]
fn section_4_1_1_iss_is_a_case_sensitive_string() {
    let stand = Stand::new();
    refused!(
        stand,
        stand
            .token()
            .issuer(&crate::stand::ISSUER.to_uppercase())
            .sign(),
        "UNKNOWN_ISSUER",
        AuthError::UnknownIssuer { .. }
    );
}

#[test]
fn section_4_1_2_sub_is_a_case_sensitive_string_and_kept_so() {
    let stand = Stand::new();
    assert_eq!(
        stand.accepts(&stand.token().sub("Ada").sign()).subject(),
        "Ada"
    );
}

#[test]
fn section_4_1_3_aud_is_a_string_or_a_list_of_strings() {
    let stand = Stand::new();
    for aud in [r#""authenticated""#, r#"["other","authenticated"]"#] {
        stand.accepts(&stand.with_claim("aud", aud));
    }
    refused!(
        stand,
        stand.with_claim("aud", r#"["other"]"#),
        "INVALID_AUDIENCE",
        AuthError::WrongAudience { .. }
    );
}

#[test]
fn section_4_1_4_on_or_after_exp_a_token_is_not_accepted() {
    let stand = Stand::with(|issuer| issuer.leeway(std::time::Duration::ZERO).unwrap());
    stand.accepts(&stand.token().claim("exp", NOW + 1).sign());
    refused!(
        stand,
        stand.token().claim("exp", NOW).sign(),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
}

#[test]
fn section_4_1_5_before_nbf_a_token_is_not_accepted() {
    let stand = Stand::with(|issuer| issuer.leeway(std::time::Duration::ZERO).unwrap());
    stand.accepts(&stand.token().claim("nbf", NOW).sign());
    refused!(
        stand,
        stand.token().claim("nbf", NOW + 1).sign(),
        "TOKEN_NOT_YET_VALID",
        AuthError::NotYetValid { claim: "nbf", .. }
    );
}

#[test]
fn section_5_2_a_nested_token_is_no_claims_set() {
    let stand = Stand::new();
    let inner = stand.token().sign();
    let token = stand.sign(&stand.with_cty(), &inner);
    refused!(
        stand,
        token,
        "MALFORMED_TOKEN",
        AuthError::Payload(ObjectError::NotAnObject)
    );
    let quoted = stand.sign(&stand.with_cty(), &format!("\"{inner}\""));
    refused!(
        stand,
        quoted,
        "MALFORMED_TOKEN",
        AuthError::Payload(ObjectError::NotAnObject)
    );
}

#[test]
fn section_6_an_unsecured_token_is_refused() {
    let stand = Stand::new();
    refused!(
        stand,
        stand.token().alg_none(),
        "MALFORMED_TOKEN",
        AuthError::Form(_)
    );
}

impl Stand {
    /// A good header that announces a nested token.
    fn with_cty(&self) -> String {
        self.header().replacen('{', r#"{"cty":"JWT","#, 1)
    }
}
