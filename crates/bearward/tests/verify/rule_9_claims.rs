//! Rule 9, claims other than times: strict types, unique names, required `iss`, `aud`, `exp` and
//! `sub`, no sender-constrained tokens.

use bearward::{AuthError, Issuer, IssuerError, ObjectError};
use rstest::rstest;

use crate::fixture::{AUDIENCE, Fixture, ISSUER, assert_rejected};

#[rstest]
fn iss_aud_exp_and_sub_are_required(#[values("iss", "aud", "exp", "sub")] name: &str) {
    let fixture = Fixture::new();
    let token = fixture.token().without(name).sign();
    assert_rejected!(fixture, token, "MISSING_CLAIM", AuthError::MissingClaim(missing) if &**missing == name);
}

#[test]
fn all_other_claims_are_optional() {
    let fixture = Fixture::new();
    let minimal = format!(
        r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","exp":{},"sub":"u"}}"#,
        crate::fixture::NOW + 60
    );
    let user = fixture.verify_ok(&fixture.with_payload(minimal));
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
#[case::no_json("plain text")]
#[case::something_after("{} {}")]
fn the_payload_must_be_one_json_object(#[case] payload: &str) {
    let fixture = Fixture::new();
    let token = fixture.with_payload(if payload.is_empty() { " " } else { payload });
    assert_rejected!(
        fixture,
        token,
        "MALFORMED_TOKEN",
        AuthError::Payload(ObjectError::NotAnObject)
    );
}

#[test]
fn the_payload_must_be_utf_8() {
    let fixture = Fixture::new();
    let token = fixture.with_payload(b"{\"sub\":\"\xff\"}".as_slice());
    assert_rejected!(
        fixture,
        token,
        "MALFORMED_TOKEN",
        AuthError::Payload(ObjectError::NotAnObject)
    );
}

#[test]
fn duplicate_top_level_names_are_rejected() {
    let fixture = Fixture::new();
    for name in ["sub", "exp", "aud", "iss", "email", "role", "anything"] {
        let mut claims = fixture.token().claims().clone();
        claims.insert(
            name.to_owned(),
            claims.get(name).cloned().unwrap_or_default(),
        );
        let duplicate = crate::fixture::with_member(&claims, name, "\"again\"");
        assert_rejected!(
            fixture,
            fixture.with_payload(duplicate),
            "MALFORMED_TOKEN",
            AuthError::Payload(ObjectError::Duplicate)
        );
    }
    fixture.verify_ok(&fixture.with_claim("Sub", "\"names are case-sensitive\""));
}

#[test]
fn a_name_may_be_reused_in_a_nested_object() {
    let fixture = Fixture::new();
    fixture.verify_ok(&fixture.with_claim("nested", r#"{"sub":"x","sub2":[{"sub":"y"}]}"#));
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
fn sub_must_be_a_nonempty_string_without_control_characters(#[case] sub: &str) {
    let fixture = Fixture::new();
    assert_rejected!(fixture, fixture.with_claim("sub", sub), "INVALID_CLAIM", AuthError::InvalidClaim { name, .. } if &**name == "sub");
}

#[test]
fn a_sub_has_at_most_255_bytes() {
    let fixture = Fixture::new();
    assert_eq!(
        fixture
            .verify_ok(&fixture.token().sub("s").sign())
            .subject(),
        "s"
    );
    assert_eq!(
        fixture
            .verify_ok(&fixture.token().sub(&"s".repeat(255)).sign())
            .subject()
            .len(),
        255
    );
    assert_rejected!(
        fixture,
        fixture.token().sub(&"s".repeat(256)).sign(),
        "INVALID_CLAIM",
        AuthError::InvalidClaim { .. }
    );
    // The limit counts bytes of the decoded string, not characters or JSON escapes.
    fixture.verify_ok(
        &fixture
            .token()
            .sub(&format!("{}s", "\u{e9}".repeat(127)))
            .sign(),
    );
    assert_rejected!(
        fixture,
        fixture.token().sub(&"\u{e9}".repeat(128)).sign(),
        "INVALID_CLAIM",
        AuthError::InvalidClaim { .. }
    );
    fixture.verify_ok(&fixture.with_claim("sub", &format!("\"{}\"", "\\u0073".repeat(255))));
}

#[test]
fn a_sub_is_returned_unchanged() {
    let fixture = Fixture::new();
    for sub in [
        "a\"b\\c/d",
        "auth0|123",
        "熊",
        "' OR 1=1 --",
        " spaces ",
        "\u{202e}",
    ] {
        assert_eq!(
            fixture
                .verify_ok(&fixture.token().sub(sub).sign())
                .subject(),
            sub
        );
    }
}

#[rstest]
#[case::string("\"authenticated\"")]
#[case::list("[\"authenticated\"]")]
#[case::among_others("[\"a\",\"b\",\"authenticated\"]")]
#[case::escaped("\"\\u0061uthenticated\"")]
#[case::escaped_in_a_list("[\"\\u0061uthenticated\"]")]
fn aud_is_a_string_or_a_list_with_one_match(#[case] aud: &str) {
    let fixture = Fixture::new();
    fixture.verify_ok(&fixture.with_claim("aud", aud));
}

#[rstest]
#[case::other("\"another-service\"")]
#[case::prefix("\"authenticate\"")]
#[case::longer("\"authenticated2\"")]
#[case::upper_case("\"AUTHENTICATED\"")]
#[case::white_space("\"authenticated \"")]
#[case::list_in_a_string("\"authenticated,other\"")]
#[case::empty("\"\"")]
#[case::empty_list("[]")]
#[case::list_of_others("[\"a\",\"b\"]")]
fn other_audiences_are_rejected(#[case] aud: &str) {
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        fixture.with_claim("aud", aud),
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
fn an_aud_of_another_type_is_rejected(#[case] aud: &str) {
    let fixture = Fixture::new();
    assert_rejected!(fixture, fixture.with_claim("aud", aud), "INVALID_CLAIM", AuthError::InvalidClaim { name, .. } if &**name == "aud");
}

#[test]
fn every_configured_audience_is_accepted() {
    let fixture =
        Fixture::with_issuer(|issuer| issuer.audience("https://api.example.com").unwrap());
    for audience in [AUDIENCE, "https://api.example.com"] {
        fixture.verify_ok(&fixture.token().audience(audience).sign());
    }
    let error = fixture.verify_err(&fixture.token().audience("other").sign());
    let AuthError::WrongAudience { found, expected } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(found[0].as_str(), "other");
    assert_eq!(
        expected.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
        [AUDIENCE, "https://api.example.com"]
    );
}

#[test]
fn an_issuer_needs_an_audience_or_an_explicit_opt_out() {
    assert_eq!(
        Issuer::new(ISSUER, "").unwrap_err(),
        IssuerError::EmptyAudience
    );
    assert_eq!(
        Issuer::new("", AUDIENCE).unwrap_err(),
        IssuerError::EmptyIssuer
    );
    let fixture = Fixture::with_issuer(Issuer::dangerous_any_audience);
    fixture.verify_ok(&fixture.token().audience("another-service").sign());
    fixture.verify_ok(&fixture.token().without("aud").sign());
    // A claim that is present must be well-formed.
    assert_rejected!(
        fixture,
        fixture.with_claim("aud", "[1]"),
        "INVALID_CLAIM",
        AuthError::InvalidClaim { .. }
    );
}

#[test]
fn a_star_in_aud_has_no_special_meaning() {
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        fixture.token().audience("*").sign(),
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
fn an_email_that_is_not_a_string_is_none(
    #[case] email: Option<&str>,
    #[case] expected: Option<&str>,
) {
    let fixture = Fixture::new();
    let token = match email {
        Some(email) => fixture.with_claim("email", email),
        None => fixture.token().without("email").sign(),
    };
    assert_eq!(fixture.verify_ok(&token).email(), expected);
}

#[rstest]
#[case::dpop(r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#)]
#[case::mutual_tls(r#"{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}"#)]
#[case::empty("{}")]
#[case::null("null")]
fn sender_constrained_tokens_are_rejected(#[case] cnf: &str) {
    let fixture = Fixture::new();
    fixture.verify_ok(&fixture.with_claim("cnf2", cnf));
    assert_rejected!(fixture, fixture.with_claim("cnf", cnf), "INVALID_CLAIM", AuthError::InvalidClaim { name, .. } if &**name == "cnf");
}
