//! Resource exhaustion: oversized tokens, many dots, deep nesting, many members (CVE-2025-30204,
//! CVE-2025-27144).

use bearward::{Algorithm, AuthError, FormatError, ObjectError};
use bearward_testing::{KeyPair, encode};

use crate::fixture::{Fixture, assert_rejected, with_member};

/// Returns a verifier with a very large size limit, to test what the limit usually protects.
fn fixture_without_limit() -> Fixture {
    let key = KeyPair::cached(Algorithm::ES256, 0);
    Fixture::with_builder(
        &key,
        |issuer| issuer,
        |builder| builder.max_token_bytes(64 << 20),
    )
}

#[test]
fn cve_2025_30204_cve_2025_27144_many_dots_are_rejected() {
    let dots = ".".repeat(1_000_000);
    assert_rejected!(
        Fixture::new(),
        dots.clone(),
        "MALFORMED_TOKEN",
        AuthError::TooLong { .. }
    );
    assert_rejected!(
        fixture_without_limit(),
        dots.clone(),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Parts(6))
    );
    assert_rejected!(
        fixture_without_limit(),
        format!("a{dots}"),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Parts(6))
    );
    assert_rejected!(
        Fixture::new(),
        ".".repeat(8192),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Parts(6))
    );
}

#[test]
fn tokens_of_several_megabytes_are_rejected() {
    let fixture = Fixture::new();
    for unit in ["a", "{", "=", "\0", "eyJhbGciOiJub25lIn0.", "\u{1f43b}"] {
        assert_rejected!(
            fixture,
            unit.repeat((4 << 20) / unit.len()),
            "MALFORMED_TOKEN",
            AuthError::TooLong { .. }
        );
    }
}

#[test]
fn claims_nested_10000_deep_do_not_overflow_the_stack() {
    let deep =
        |open: &str, close: &str| format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
    for claim in [deep("[", "]"), deep("{\"a\":", "}")] {
        assert_rejected!(
            Fixture::new(),
            Fixture::new().with_claim("deep", &claim),
            "MALFORMED_TOKEN",
            AuthError::TooLong { .. }
        );
        let fixture = fixture_without_limit();
        // A signed claim that is not mapped may have any value.
        assert!(
            fixture
                .verify_ok(&fixture.with_claim("deep", &claim))
                .claims()
                .roles()
                .len()
                == 0
        );
        // A claim that is read has the wrong type.
        for name in ["sub", "aud", "exp", "iss", "nbf"] {
            assert_rejected!(
                fixture,
                fixture.with_claim(name, &claim),
                "INVALID_CLAIM",
                AuthError::InvalidClaim { .. }
            );
        }
        for name in ["app_metadata", "email", "scope", "aal"] {
            let user = fixture.verify_ok(&fixture.with_claim(name, &claim));
            assert!(user.claims().roles().len() == 0 && user.claims().tenant().is_none());
        }
    }
}

#[test]
fn headers_nested_10000_deep_do_not_overflow_the_stack() {
    let fixture = fixture_without_limit();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    fixture.verify_ok(&fixture.with_header_member("deep", &deep));
    assert_rejected!(
        fixture,
        fixture.with_header_member("kid", &deep),
        "MALFORMED_TOKEN",
        AuthError::Header(_)
    );
    assert_rejected!(
        fixture,
        fixture.with_header(&deep),
        "MALFORMED_TOKEN",
        AuthError::Header(_)
    );
    assert_rejected!(
        fixture,
        fixture.with_payload(deep),
        "MALFORMED_TOKEN",
        AuthError::Payload(ObjectError::NotAnObject)
    );
    assert_rejected!(
        fixture,
        fixture.with_payload("[".repeat(100_000)),
        "MALFORMED_TOKEN",
        AuthError::Payload(ObjectError::NotAnObject)
    );
}

#[test]
fn duplicates_are_found_among_100000_members() {
    let fixture = fixture_without_limit();
    let many = (0..100_000)
        .map(|number| format!("\"m{number}\":{number}"))
        .collect::<Vec<_>>()
        .join(",");
    let claims = fixture.token().claims().clone();
    let payload = with_member(&claims, "first", &format!("1,{many}"));
    fixture.verify_ok(&fixture.with_payload(payload.clone()));
    let repeated = payload.replacen("\"m99999\"", "\"m7\"", 1);
    assert_rejected!(
        fixture,
        fixture.with_payload(repeated),
        "MALFORMED_TOKEN",
        AuthError::Payload(ObjectError::Duplicate)
    );
}

#[test]
fn only_8_of_100000_audiences_are_reported() {
    let fixture = fixture_without_limit();
    let many = (0..100_000)
        .map(|number| format!("\"a{number}\""))
        .collect::<Vec<_>>()
        .join(",");
    let error = fixture.verify_err(&fixture.with_claim("aud", &format!("[{many}]")));
    let AuthError::WrongAudience { found, .. } = error else {
        panic!("{error:?}")
    };
    assert!(found.len() <= 8);
    fixture.verify_ok(&fixture.with_claim("aud", &format!("[{many},\"authenticated\"]")));
}

#[test]
fn dates_with_100000_digits_are_handled() {
    let fixture = fixture_without_limit();
    for digits in [
        "9".repeat(100_000),
        format!("1{}", "0".repeat(100_000)),
        format!("1e{}", "9".repeat(100_000)),
    ] {
        assert_rejected!(fixture, fixture.with_claim("exp", &digits), "INVALID_CLAIM", AuthError::InvalidClaim { name, .. } if &**name == "exp");
    }
    // A small number in a long notation.
    fixture.verify_ok(&fixture.with_claim(
        "exp",
        &format!("{}.{}1", crate::fixture::NOW + 60, "0".repeat(100_000)),
    ));
}

#[test]
fn a_signature_of_one_megabyte_is_rejected_by_its_length() {
    let fixture = fixture_without_limit();
    let token = fixture.token().sign();
    let body = token.rsplit_once('.').unwrap().0;
    assert_rejected!(
        fixture,
        format!("{body}.{}", encode(&vec![1; 1 << 20])),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::LongSignature)
    );
}
