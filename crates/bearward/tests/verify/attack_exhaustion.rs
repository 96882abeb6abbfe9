//! Tokens that cost the verifier more than their sender: oversize, a million dots, depth, width
//! (CVE-2025-30204, CVE-2025-27144).

use {Algorithm, AuthError, FormatError, ObjectError};
use bearward_testing::{KeyPair, encode};

use crate::stand::{Stand, refused, with_member};

/// A verifier whose limit is far away, so that what lies behind the limit has to hold by itself.
fn generous() -> Stand {
    let key = KeyPair::shared(Algorithm::ES256, 0);
    Stand::built(
        &key,
        |issuer| issuer,
        |builder| builder.max_token_bytes(64 << 20),
    )
}

#[test]
fn cve_2025_30204_and_cve_2025_27144_a_million_dots_are_too_long_and_without_a_limit_counted_no_further_than_six()
 {
    let dots = ".".repeat(1_000_000);
    refused!(
        Stand::new(),
        dots.clone(),
        "MALFORMED_TOKEN",
        AuthError::TooLong { .. }
    );
    refused!(
        generous(),
        dots.clone(),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Parts(6))
    );
    refused!(
        generous(),
        format!("a{dots}"),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Parts(6))
    );
    refused!(
        Stand::new(),
        ".".repeat(8192),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Parts(6))
    );
}

#[test]
fn megabytes_of_anything_are_too_long() {
    let stand = Stand::new();
    for unit in ["a", "{", "=", "\0", "eyJhbGciOiJub25lIn0.", "\u{1f43b}"] {
        refused!(
            stand,
            unit.repeat((4 << 20) / unit.len()),
            "MALFORMED_TOKEN",
            AuthError::TooLong { .. }
        );
    }
}

#[test]
fn a_claim_nested_ten_thousand_deep_is_too_long_and_without_a_limit_neither_crashes_nor_harms() {
    let deep =
        |open: &str, close: &str| format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
    for claim in [deep("[", "]"), deep("{\"a\":", "}")] {
        refused!(
            Stand::new(),
            Stand::new().with_claim("deep", &claim),
            "MALFORMED_TOKEN",
            AuthError::TooLong { .. }
        );
        let stand = generous();
        // It is signed and nothing looks into it: a claim that nobody asks for may be anything.
        assert!(
            stand
                .accepts(&stand.with_claim("deep", &claim))
                .claims()
                .roles()
                .len()
                == 0
        );
        // Where something looks, it is of the wrong type.
        for name in ["sub", "aud", "exp", "iss", "nbf"] {
            refused!(
                stand,
                stand.with_claim(name, &claim),
                "INVALID_CLAIM",
                AuthError::InvalidClaim { .. }
            );
        }
        for name in ["app_metadata", "email", "scope", "aal"] {
            let user = stand.accepts(&stand.with_claim(name, &claim));
            assert!(user.claims().roles().len() == 0 && user.claims().tenant().is_none());
        }
    }
}

#[test]
fn a_header_nested_ten_thousand_deep_neither_crashes_nor_harms() {
    let stand = generous();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    stand.accepts(&stand.with_header_member("deep", &deep));
    refused!(
        stand,
        stand.with_header_member("kid", &deep),
        "MALFORMED_TOKEN",
        AuthError::Header(_)
    );
    refused!(
        stand,
        stand.with_header(&deep),
        "MALFORMED_TOKEN",
        AuthError::Header(_)
    );
    refused!(
        stand,
        stand.with_payload(deep),
        "MALFORMED_TOKEN",
        AuthError::Payload(ObjectError::NotAnObject)
    );
    refused!(
        stand,
        stand.with_payload("[".repeat(100_000)),
        "MALFORMED_TOKEN",
        AuthError::Payload(ObjectError::NotAnObject)
    );
}

#[test]
fn a_hundred_thousand_members_are_read_in_no_time_and_the_repeated_one_is_found() {
    let stand = generous();
    let many = (0..100_000)
        .map(|number| format!("\"m{number}\":{number}"))
        .collect::<Vec<_>>()
        .join(",");
    let claims = stand.token().claims().clone();
    let payload = with_member(&claims, "first", &format!("1,{many}"));
    stand.accepts(&stand.with_payload(payload.clone()));
    let repeated = payload.replacen("\"m99999\"", "\"m7\"", 1);
    refused!(
        stand,
        stand.with_payload(repeated),
        "MALFORMED_TOKEN",
        AuthError::Payload(ObjectError::Duplicate)
    );
}

#[test]
fn a_hundred_thousand_audiences_are_compared_and_what_is_reported_of_them_is_short() {
    let stand = generous();
    let many = (0..100_000)
        .map(|number| format!("\"a{number}\""))
        .collect::<Vec<_>>()
        .join(",");
    let rejection = stand.refusal(&stand.with_claim("aud", &format!("[{many}]")));
    let AuthError::WrongAudience { found, .. } = rejection else {
        panic!("{rejection:?}")
    };
    assert!(found.len() <= 8);
    stand.accepts(&stand.with_claim("aud", &format!("[{many},\"authenticated\"]")));
}

#[test]
fn a_number_of_a_hundred_thousand_digits_is_no_date() {
    let stand = generous();
    for digits in [
        "9".repeat(100_000),
        format!("1{}", "0".repeat(100_000)),
        format!("1e{}", "9".repeat(100_000)),
    ] {
        refused!(stand, stand.with_claim("exp", &digits), "INVALID_CLAIM", AuthError::InvalidClaim { name, .. } if &**name == "exp");
    }
    // A long way to write a small number.
    stand.accepts(&stand.with_claim(
        "exp",
        &format!("{}.{}1", crate::stand::NOW + 60, "0".repeat(100_000)),
    ));
}

#[test]
fn a_signature_of_megabytes_is_refused_before_any_arithmetic() {
    let stand = generous();
    let token = stand.token().sign();
    let body = token.rsplit_once('.').unwrap().0;
    refused!(
        stand,
        format!("{body}.{}", encode(&vec![1; 1 << 20])),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Base64)
    );
}
