//! Rule 9, without the times: strict types, distinct names, `iss`, `aud`, `exp`, `sub` required, no
//! sender-constrained token.

use {AuthError, Issuer, IssuerError, ObjectError};
use rstest::rstest;

use crate::stand::{AUDIENCE, ISSUER, Stand, refused};

#[rstest]
fn the_required_claims_are_required(#[values("iss", "aud", "exp", "sub")] name: &str) {
    let stand = Stand::new();
    let token = stand.token().without(name).sign();
    refused!(stand, token, "MISSING_CLAIM", AuthError::MissingClaim(missing) if &**missing == name);
}

#[test]
fn no_other_claim_is_required() {
    let stand = Stand::new();
    let least = format!(
        r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","exp":{},"sub":"u"}}"#,
        crate::stand::NOW + 60
    );
    let user = stand.accepts(&stand.with_payload(least));
    assert_eq!(
        (user.subject(), user.email(), user.claims().aal()),
        ("u", None, None)
    );
    assert_eq!(
        (user.claims().roles().len(), user.claims().scopes().len()),
        (0, 0)
    );
    assert_eq!(
        (user.claims().issued_at(), user.claims().not_before()),
        (None, None)
    );
}

#[rstest]
#[case::null("null")]
#[case::list("[]")]
#[case::string("\"payload\"")]
#[case::empty("")]
#[case::no_json("It's a dangerous business, Frodo")]
#[case::something_after("{} {}")]
fn the_payload_is_one_json_object(#[case] payload: &str) {
    let stand = Stand::new();
    let token = stand.with_payload(if payload.is_empty() { " " } else { payload });
    refused!(
        stand,
        token,
        "MALFORMED_TOKEN",
        AuthError::Payload(ObjectError::NotAnObject)
    );
}

#[test]
fn the_payload_is_utf_8() {
    let stand = Stand::new();
    let token = stand.with_payload(b"{\"sub\":\"\xff\"}".as_slice());
    refused!(
        stand,
        token,
        "MALFORMED_TOKEN",
        AuthError::Payload(ObjectError::NotAnObject)
    );
}

#[test]
fn the_names_of_the_top_level_are_distinct() {
    let stand = Stand::new();
    for name in ["sub", "exp", "aud", "iss", "email", "role", "anything"] {
        let mut claims = stand.token().claims().clone();
        claims.insert(
            name.to_owned(),
            claims.get(name).cloned().unwrap_or_default(),
        );
        let twice = crate::stand::with_member(&claims, name, "\"again\"");
        refused!(
            stand,
            stand.with_payload(twice),
            "MALFORMED_TOKEN",
            AuthError::Payload(ObjectError::Duplicate)
        );
    }
    stand.accepts(&stand.with_claim("Sub", "\"names are case-sensitive\""));
}

#[test]
fn a_name_may_occur_again_at_another_level() {
    let stand = Stand::new();
    stand.accepts(&stand.with_claim("nested", r#"{"sub":"x","sub2":[{"sub":"y"}]}"#));
}

#[rstest]
#[case::null("null")]
#[case::number("1")]
#[case::list("[\"u\"]")]
#[case::object("{}")]
#[case::boolean("true")]
#[case::empty("\"\"")]
#[case::nul("\"u\\u0000\"")]
#[case::line_end("\"u\\n\"")]
#[case::delete("\"u\\u007f\"")]
#[case::c1_control("\"u\\u0085\"")]
fn sub_is_a_string_with_something_in_it_and_no_control_characters(#[case] sub: &str) {
    let stand = Stand::new();
    refused!(stand, stand.with_claim("sub", sub), "INVALID_CLAIM", AuthError::InvalidClaim { name, .. } if &**name == "sub");
}

#[test]
fn a_sub_of_255_bytes_is_accepted_and_one_of_256_is_not() {
    let stand = Stand::new();
    assert_eq!(stand.accepts(&stand.token().sub("s").sign()).subject(), "s");
    assert_eq!(
        stand
            .accepts(&stand.token().sub(&"s".repeat(255)).sign())
            .subject()
            .len(),
        255
    );
    refused!(
        stand,
        stand.token().sub(&"s".repeat(256)).sign(),
        "INVALID_CLAIM",
        AuthError::InvalidClaim { .. }
    );
    // The limit counts bytes, not characters, and not the escapes of its JSON.
    stand.accepts(
        &stand
            .token()
            .sub(&format!("{}s", "\u{e9}".repeat(127)))
            .sign(),
    );
    refused!(
        stand,
        stand.token().sub(&"\u{e9}".repeat(128)).sign(),
        "INVALID_CLAIM",
        AuthError::InvalidClaim { .. }
    );
    stand.accepts(&stand.with_claim("sub", &format!("\"{}\"", "\\u0073".repeat(255))));
}

#[test]
fn a_sub_with_quotes_backslashes_and_other_scripts_is_kept_as_it_is() {
    let stand = Stand::new();
    for sub in [
        "a\"b\\c/d",
        "auth0|123",
        "熊",
        "' OR 1=1 --",
        " spaces ",
        "\u{202e}",
    ] {
        assert_eq!(stand.accepts(&stand.token().sub(sub).sign()).subject(), sub);
    }
}

#[rstest]
#[case::string("\"authenticated\"")]
#[case::list("[\"authenticated\"]")]
#[case::among_others("[\"a\",\"b\",\"authenticated\"]")]
#[case::escaped("\"\\u0061uthenticated\"")]
#[case::escaped_in_a_list("[\"\\u0061uthenticated\"]")]
fn aud_is_a_string_or_a_list_of_strings_and_one_must_match(#[case] aud: &str) {
    let stand = Stand::new();
    stand.accepts(&stand.with_claim("aud", aud));
}

#[rstest]
#[case::other("\"somebody else\"")]
#[case::prefix("\"authenticate\"")]
#[case::longer("\"authenticated2\"")]
#[case::upper_case("\"AUTHENTICATED\"")]
#[case::white_space("\"authenticated \"")]
#[case::list_in_a_string("\"authenticated,other\"")]
#[case::empty("\"\"")]
#[case::empty_list("[]")]
#[case::list_of_others("[\"a\",\"b\"]")]
fn any_other_audience_is_refused(#[case] aud: &str) {
    let stand = Stand::new();
    refused!(
        stand,
        stand.with_claim("aud", aud),
        "INVALID_AUDIENCE",
        AuthError::WrongAudience { .. }
    );
}

#[rstest]
#[case::null("null")]
#[case::number("1")]
#[case::boolean("true")]
#[case::object("{\"authenticated\":true}")]
#[case::mixed_list("[\"authenticated\",1]")]
#[case::null_in_a_list("[\"authenticated\",null]")]
#[case::nested_list("[[\"authenticated\"]]")]
fn aud_of_another_type_is_refused_though_it_holds_the_right_word(#[case] aud: &str) {
    let stand = Stand::new();
    refused!(stand, stand.with_claim("aud", aud), "INVALID_CLAIM", AuthError::InvalidClaim { name, .. } if &**name == "aud");
}

#[test]
fn every_configured_audience_is_accepted() {
    let stand = Stand::with(|issuer| issuer.audience("https://api.example.com").unwrap());
    for audience in [AUDIENCE, "https://api.example.com"] {
        stand.accepts(&stand.token().audience(audience).sign());
    }
    let refusal = stand.refusal(&stand.token().audience("other").sign());
    let AuthError::WrongAudience { found, expected } = &refusal else {
        panic!("{refusal:?}")
    };
    assert_eq!(found[0].as_str(), "other");
    assert_eq!(
        expected.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
        [AUDIENCE, "https://api.example.com"]
    );
}

#[test]
fn a_profile_without_an_audience_cannot_be_made_and_the_way_out_is_written_out() {
    assert_eq!(
        Issuer::new(ISSUER, "").unwrap_err(),
        IssuerError::EmptyAudience
    );
    assert_eq!(
        Issuer::new("", AUDIENCE).unwrap_err(),
        IssuerError::EmptyIssuer
    );
    let stand = Stand::with(Issuer::dangerous_any_audience);
    stand.accepts(&stand.token().audience("somebody else").sign());
    // Still strict about what is there.
    refused!(
        stand,
        stand.token().without("aud").sign(),
        "MISSING_CLAIM",
        AuthError::MissingClaim(_)
    );
    refused!(
        stand,
        stand.with_claim("aud", "[1]"),
        "INVALID_CLAIM",
        AuthError::InvalidClaim { .. }
    );
}

#[test]
fn a_mistaken_star_is_an_audience_like_any_other() {
    let stand = Stand::new();
    refused!(
        stand,
        stand.token().audience("*").sign(),
        "INVALID_AUDIENCE",
        AuthError::WrongAudience { .. }
    );
}

#[rstest]
#[case::absent(None, None)]
#[case::string(Some("\"ada@example.com\""), Some("ada@example.com"))]
#[case::null(Some("null"), None)]
#[case::number(Some("1"), None)]
#[case::list(Some("[\"ada@example.com\"]"), None)]
#[case::object(Some("{}"), None)]
#[case::boolean(Some("true"), None)]
#[case::empty(Some("\"\""), None)]
fn an_email_that_is_no_string_is_null_to_the_application(
    #[case] email: Option<&str>,
    #[case] seen: Option<&str>,
) {
    let stand = Stand::new();
    let token = match email {
        Some(email) => stand.with_claim("email", email),
        None => stand.token().without("email").sign(),
    };
    assert_eq!(stand.accepts(&token).email(), seen);
}

#[rstest]
#[case::dpop(r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#)]
#[case::mutual_tls(r#"{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}"#)]
#[case::empty("{}")]
#[case::null("null")]
fn a_token_that_is_bound_to_a_proof_is_no_bearer_token(#[case] cnf: &str) {
    let stand = Stand::new();
    stand.accepts(&stand.with_claim("cnf2", cnf));
    refused!(stand, stand.with_claim("cnf", cnf), "INVALID_CLAIM", AuthError::InvalidClaim { name, .. } if &**name == "cnf");
}
