//! Parser differentials: duplicate names, escaped names and names that look the same, which two
//! parsers may read differently.

use bearward::{AuthError, ClaimMapping, HeaderError, ObjectError};
use rstest::rstest;

use crate::fixture::{AUDIENCE, Fixture, ISSUER, NOW, assert_rejected};

fn claims(fixture: &Fixture, extra: &str) -> String {
    let exp = NOW + 60;
    fixture.with_payload(format!(
        r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","exp":{exp},"sub":"user"{extra}}}"#
    ))
}

#[rstest]
#[case::plain(r#","sub":"admin""#)]
#[case::escaped(r#","s\u0075b":"admin""#)]
#[case::escaped_wholly(r#","\u0073\u0075\u0062":"admin""#)]
#[case::escaped_in_upper_case_digits(r#","su\u0062":"admin""#)]
#[case::same_value(r#","sub":"user""#)]
#[case::null(r#","sub":null"#)]
#[case::exp(r#","exp":9999999999"#)]
#[case::issuer(r#","iss":"https://evil.example""#)]
#[case::audience(r#","aud":["other"]"#)]
#[case::unknown_names(r#","x":1,"y":2,"x":1"#)]
#[case::empty_names(r#","":1,"":2"#)]
#[case::solidus(r#","a/b":1,"a\/b":2"#)]
#[case::surrogates("\u{2c}\"\u{1f43b}\":1,\"\\ud83d\\udc3b\":2")]
fn duplicate_names_in_the_payload_are_rejected(#[case] extra: &str) {
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        claims(&fixture, extra),
        "MALFORMED_TOKEN",
        AuthError::Payload(ObjectError::Duplicate)
    );
}

#[rstest]
#[case::nothing("")]
#[case::other_case(r#","SUB":"admin""#)]
#[case::white_space(r#","sub ":"admin""#)]
#[case::nul(r#","sub\u0000":"admin""#)]
#[case::zero_width(r#","sub\u200b":"admin""#)]
#[case::long_s(r#","\u017fub":"admin""#)]
#[case::composed_and_decomposed(r#","\u00e9":1,"e\u0301":2"#)]
#[case::escaped_backslash(r#","s\\u0075b":"admin""#)]
#[case::deeper(r#","x":{"sub":"admin"}"#)]
fn similar_names_are_distinct_and_ignored(#[case] extra: &str) {
    let fixture = Fixture::new();
    assert_eq!(
        fixture.verify_ok(&claims(&fixture, extra)).subject(),
        "user"
    );
}

#[test]
fn a_duplicate_name_in_a_mapped_object_grants_nothing() {
    let fixture = Fixture::new();
    let user = fixture.verify_ok(&claims(
        &fixture,
        r#","app_metadata":{"roles":["admin"],"roles":[]}"#,
    ));
    assert_eq!(user.claims().roles().len(), 0);
    let user = fixture.verify_ok(&claims(
        &fixture,
        r#","app_metadata":{"roles":[],"role\u0073":["admin"]}"#,
    ));
    assert_eq!(user.claims().roles().len(), 0);
    let user = fixture.verify_ok(&claims(&fixture, r#","app_metadata":{"roles":["admin"]}"#));
    assert!(user.has_role("admin"));
}

#[rstest]
#[case::plain(r#","ext":{"id":"a","id":"b"}"#)]
#[case::escaped(r#","ext":{"id":"a","i\u0064":"b"}"#)]
#[case::null(r#","ext":{"id":null,"id":null}"#)]
#[case::the_object(r#","x":{"ext":{"id":"a"},"ext":{}}"#)]
fn a_duplicate_name_on_the_path_to_the_subject_selects_no_other_subject(#[case] extra: &str) {
    let subjects = ["/ext/id", "/x/ext/id", "sub"];
    let fixture = Fixture::with_issuer(|issuer| issuer.subject_from(subjects).unwrap());
    assert_rejected!(
        fixture,
        claims(&fixture, extra),
        "INVALID_CLAIM",
        AuthError::InvalidClaim { name, .. } if name.ends_with("ext/id")
    );
    for (extra, subject) in [
        ("", "user"),
        (r#","ext":{"id":"a"}"#, "a"),
        (r#","ext":{"x":1,"x":2}"#, "user"),
    ] {
        assert_eq!(
            fixture.verify_ok(&claims(&fixture, extra)).subject(),
            subject
        );
    }
}

#[test]
fn a_duplicate_name_on_the_path_to_a_mapped_claim_selects_no_other_claim() {
    let mapping = ClaimMapping::default().set_any_of("tenant", ["/org/id", "tenant"]);
    let fixture = Fixture::with_issuer(|issuer| issuer.claim_mapping(mapping.unwrap()));
    for (extra, tenant) in [
        (r#","org":{"id":"a","id":"b"},"tenant":"c""#, None),
        (r#","org":{"id":"a"},"tenant":"c""#, Some("a")),
        (r#","org":{"x":1,"x":2},"tenant":"c""#, Some("c")),
        (r#","org":{"id":7},"tenant":"c""#, Some("c")),
    ] {
        let user = fixture.verify_ok(&claims(&fixture, extra));
        assert_eq!(user.claims().tenant(), tenant, "{extra}");
    }
}

#[rstest]
#[case::alg(r#","alg":"none""#)]
#[case::alg_escaped(r#","a\u006cg":"none""#)]
#[case::kid(r#","kid":"other""#)]
#[case::typ(r#","typ":"JWT","typ":"JWT""#)]
#[case::unknown(r#","x":1,"\u0078":1"#)]
fn duplicate_names_in_the_header_are_rejected(#[case] extra: &str) {
    let fixture = Fixture::new();
    let header = format!(r#"{{"alg":"ES256","kid":"{}"{extra}}}"#, fixture.key.kid());
    let expected = HeaderError::Object(ObjectError::Duplicate);
    assert_rejected!(fixture, fixture.with_header(&header), "MALFORMED_TOKEN", AuthError::Header(error) if *error == expected);
}
