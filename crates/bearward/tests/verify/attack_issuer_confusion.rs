//! Among several issuers, one is taken for another (GHSA-75c5-xw7c-p5pm).

use {Algorithm, AuthError, Bearward, BuildError, Issuer, KeySource};
use bearward_testing::KeyPair;
use futures_util::FutureExt;
use rstest::rstest;
use serde_json::json;

use crate::stand::{self, AUDIENCE, Stand, refused};

const ONE: &str = "https://id.example.com/one";
const TWO: &str = "https://id.example.com/one/two";

/// Two issuers, one a prefix of the other, whose keys have one kid.
fn two() -> (Stand, KeyPair, KeyPair) {
    let [one, two] = [0, 1].map(|which| KeyPair::shared(Algorithm::ES256, which).with_kid("same"));
    let builder = Bearward::builder()
        .issuer(stand::trusting(ONE, &stand::set([&one])))
        .issuer(
            Issuer::new(TWO, "two")
                .unwrap()
                .keys(KeySource::Fixed(stand::set([&two]))),
        );
    let stand = Stand {
        auth: stand::build(builder, &stand::clock()),
        clock: stand::clock(),
        key: one.clone(),
    };
    (stand, one, two)
}

#[test]
fn each_issuers_own_key_is_accepted() {
    let (stand, one, two) = two();
    assert_eq!(
        stand
            .accepts(&stand.token().key(one).issuer(ONE).sign())
            .issuer(),
        ONE
    );
    assert_eq!(
        stand
            .accepts(&stand.token().key(two).issuer(TWO).audience("two").sign())
            .issuer(),
        TWO
    );
}

#[test]
fn another_issuers_key_with_the_same_kid_is_refused() {
    let (stand, one, two) = two();
    refused!(
        stand,
        stand.token().key(two).issuer(ONE).sign(),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    refused!(
        stand,
        stand.token().key(one).issuer(TWO).audience("two").sign(),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn another_issuers_audience_is_refused() {
    let (stand, one, two) = two();
    refused!(
        stand,
        stand.token().key(one).issuer(ONE).audience("two").sign(),
        "INVALID_AUDIENCE",
        AuthError::WrongAudience { .. }
    );
    refused!(
        stand,
        stand.token().key(two).issuer(TWO).audience(AUDIENCE).sign(),
        "INVALID_AUDIENCE",
        AuthError::WrongAudience { .. }
    );
}

#[test]
fn another_issuers_algorithms_are_refused() {
    let key = KeyPair::shared(Algorithm::ES384, 0);
    let (stand, ..) = two();
    let token = |iss: &str| stand.token().key(key.clone()).issuer(iss).sign();
    // The first lists ES384 and has no such key, the second keeps to the default list.
    refused!(stand, token(ONE), "UNKNOWN_KEY", AuthError::UnknownKey);
    refused!(
        stand,
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
fn an_iss_that_is_nearly_one_of_them_is_none_of_them(#[case] iss: &str) {
    let (stand, one, two) = two();
    for key in [one, two] {
        refused!(
            stand,
            stand.token().key(key).issuer(iss).sign(),
            "UNKNOWN_ISSUER",
            AuthError::UnknownIssuer { .. }
        );
    }
}

#[test]
fn ghsa_75c5_xw7c_p5pm_a_list_of_issuers_is_no_issuer() {
    let (stand, one, _) = two();
    for iss in [
        json!([ONE]),
        json!([ONE, "https://evil.example"]),
        json!(["https://evil.example", ONE]),
        json!({ "0": ONE }),
    ] {
        let token = stand.token().key(one.clone()).claim("iss", iss).sign();
        refused!(stand, token, "INVALID_CLAIM", AuthError::InvalidClaim { name, .. } if &**name == "iss");
    }
}

#[test]
fn two_profiles_cannot_claim_one_issuer_or_one_name() {
    let key = KeyPair::shared(Algorithm::ES256, 0);
    let set = stand::set([&key]);
    let built = |one: Issuer, two: Issuer| {
        Bearward::builder()
            .issuer(one)
            .issuer(two)
            .build()
            .now_or_never()
            .unwrap()
    };
    let doubled = built(
        stand::trusting(ONE, &set).name("a"),
        stand::trusting(TWO, &set).name("b").issuer_alias(ONE),
    );
    assert!(matches!(doubled, Err(BuildError::DoubledIssuer(iss)) if iss == ONE));
    let named = built(
        stand::trusting(ONE, &set).name("same"),
        stand::trusting(TWO, &set).name("same"),
    );
    assert!(matches!(named, Err(BuildError::DoubledName(name)) if name == "same"));
    assert!(built(stand::trusting(ONE, &set), stand::trusting(TWO, &set)).is_ok());
}
