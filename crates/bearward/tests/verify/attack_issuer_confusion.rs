//! Issuer confusion: with several issuers, one is mistaken for another (GHSA-75c5-xw7c-p5pm).

use bearward::{Algorithm, AuthError, Bearward, BuildError, Issuer, KeySource};
use bearward_testing::KeyPair;
use futures_util::FutureExt;
use rstest::rstest;
use serde_json::json;

use crate::fixture::{self, AUDIENCE, Fixture, assert_rejected};

const ONE: &str = "https://id.example.com/one";
const TWO: &str = "https://id.example.com/one/two";

/// Returns a verifier of two issuers, one a prefix of the other, whose keys have the same kid.
fn two_issuers() -> (Fixture, KeyPair, KeyPair) {
    let [one, two] = [0, 1].map(|which| KeyPair::cached(Algorithm::ES256, which).with_kid("same"));
    let builder = Bearward::builder()
        .issuer(fixture::issuer_with_jwks(ONE, &fixture::jwks([&one])))
        .issuer(
            Issuer::new(TWO, "two")
                .unwrap()
                .keys(KeySource::Fixed(fixture::jwks([&two]))),
        );
    let fixture = Fixture {
        auth: fixture::build(builder, &fixture::clock()),
        clock: fixture::clock(),
        key: one.clone(),
    };
    (fixture, one, two)
}

#[test]
fn tokens_signed_by_the_key_of_their_issuer_are_accepted() {
    let (fixture, one, two) = two_issuers();
    assert_eq!(
        fixture
            .verify_ok(&fixture.token().key(one).issuer(ONE).sign())
            .issuer(),
        ONE
    );
    assert_eq!(
        fixture
            .verify_ok(&fixture.token().key(two).issuer(TWO).audience("two").sign())
            .issuer(),
        TWO
    );
}

#[test]
fn a_key_of_another_issuer_with_the_same_kid_is_rejected() {
    let (fixture, one, two) = two_issuers();
    assert_rejected!(
        fixture,
        fixture.token().key(two).issuer(ONE).sign(),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    assert_rejected!(
        fixture,
        fixture.token().key(one).issuer(TWO).audience("two").sign(),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn an_audience_of_another_issuer_is_rejected() {
    let (fixture, one, two) = two_issuers();
    assert_rejected!(
        fixture,
        fixture.token().key(one).issuer(ONE).audience("two").sign(),
        "INVALID_AUDIENCE",
        AuthError::WrongAudience { .. }
    );
    assert_rejected!(
        fixture,
        fixture
            .token()
            .key(two)
            .issuer(TWO)
            .audience(AUDIENCE)
            .sign(),
        "INVALID_AUDIENCE",
        AuthError::WrongAudience { .. }
    );
}

#[test]
fn algorithms_of_another_issuer_are_rejected() {
    let key = KeyPair::cached(Algorithm::ES384, 0);
    let (fixture, ..) = two_issuers();
    let token = |iss: &str| fixture.token().key(key.clone()).issuer(iss).sign();
    // The first issuer lists ES384 but has no such key; the second uses the default list.
    assert_rejected!(fixture, token(ONE), "UNKNOWN_KEY", AuthError::UnknownKey);
    assert_rejected!(
        fixture,
        token(TWO),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}

#[rstest]
#[case::prefix("https://id.example.com/on")]
#[case::between("https://id.example.com/one/")]
#[case::longer("https://id.example.com/one/two/three")]
#[case::upper_case("https://ID.example.com/one")]
#[case::slash("https://id.example.com/one/two/")]
#[case::both("https://id.example.com/one https://id.example.com/one/two")]
#[case::both_with_comma("https://id.example.com/one,https://id.example.com/one/two")]
#[case::user_part("https://id.example.com@evil.example/one")]
#[case::suffix_host("https://id.example.com.evil.example/one")]
#[case::backslash("https:\\\\id.example.com\\one")]
#[case::nothing("")]
fn similar_issuers_are_unknown(#[case] iss: &str) {
    let (fixture, one, two) = two_issuers();
    for key in [one, two] {
        assert_rejected!(
            fixture,
            fixture.token().key(key).issuer(iss).sign(),
            "UNKNOWN_ISSUER",
            AuthError::UnknownIssuer { .. }
        );
    }
}

#[test]
fn ghsa_75c5_xw7c_p5pm_a_list_of_issuers_is_rejected() {
    let (fixture, one, _) = two_issuers();
    for iss in [
        json!([ONE]),
        json!([ONE, "https://evil.example"]),
        json!(["https://evil.example", ONE]),
        json!({ "0": ONE }),
    ] {
        let token = fixture.token().key(one.clone()).claim("iss", iss).sign();
        assert_rejected!(fixture, token, "INVALID_CLAIM", AuthError::InvalidClaim { name, .. } if &**name == "iss");
    }
}

#[test]
fn duplicate_issuers_and_names_are_build_errors() {
    let key = KeyPair::cached(Algorithm::ES256, 0);
    let set = fixture::jwks([&key]);
    let build = |one: Issuer, two: Issuer| {
        Bearward::builder()
            .issuer(one)
            .issuer(two)
            .build()
            .now_or_never()
            .unwrap()
    };
    let duplicate_issuer = build(
        fixture::issuer_with_jwks(ONE, &set).name("a"),
        fixture::issuer_with_jwks(TWO, &set)
            .name("b")
            .issuer_alias(ONE),
    );
    assert!(matches!(duplicate_issuer, Err(BuildError::DoubledIssuer(iss)) if iss == ONE));
    let duplicate_name = build(
        fixture::issuer_with_jwks(ONE, &set).name("same"),
        fixture::issuer_with_jwks(TWO, &set).name("same"),
    );
    assert!(matches!(duplicate_name, Err(BuildError::DoubledName(name)) if name == "same"));
    assert!(
        build(
            fixture::issuer_with_jwks(ONE, &set),
            fixture::issuer_with_jwks(TWO, &set)
        )
        .is_ok()
    );
}
