//! Rule 6: `iss` must equal a configured issuer or alias exactly and selects the configuration. No
//! other unverified claim is used, except that an `exp` in the past may reject early.

use bearward::{Algorithm, AuthError, Bearward};
use bearward_testing::KeyPair;
use rstest::rstest;

use crate::fixture::{self, Fixture, ISSUER, NOW, assert_rejected};

#[test]
fn the_configured_issuer_is_accepted_and_reported() {
    let fixture = Fixture::new();
    assert_eq!(fixture.verify_ok(&fixture.token().sign()).issuer(), ISSUER);
}

#[rstest]
#[case::trailing_slash("https://id.example.com/auth/v1/")]
#[case::prefix("https://id.example.com/auth/v")]
#[case::longer("https://id.example.com/auth/v1.evil.example")]
#[case::upper_case("HTTPS://ID.EXAMPLE.COM/auth/v1")]
#[case::upper_case_path("https://id.example.com/Auth/v1")]
#[case::other_scheme("http://id.example.com/auth/v1")]
#[case::default_port("https://id.example.com:443/auth/v1")]
#[case::dot_segment("https://id.example.com/./auth/v1")]
#[case::percent("https://id.example.com/%61uth/v1")]
#[case::white_space(" https://id.example.com/auth/v1")]
#[case::line_end("https://id.example.com/auth/v1\n")]
#[case::nul("https://id.example.com/auth/v1\0")]
#[case::query("https://id.example.com/auth/v1?")]
#[case::empty("")]
#[case::other("https://evil.example/auth/v1")]
fn issuers_are_compared_exactly(#[case] iss: &str) {
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        fixture.token().issuer(iss).sign(),
        "UNKNOWN_ISSUER",
        AuthError::UnknownIssuer { .. }
    );
}

#[test]
fn an_issuer_alias_is_accepted_and_reported_as_sent() {
    let fixture = Fixture::with_issuer(|issuer| issuer.issuer_alias("id.example.com"));
    for iss in [ISSUER, "id.example.com"] {
        assert_eq!(
            fixture
                .verify_ok(&fixture.token().issuer(iss).sign())
                .issuer(),
            iss
        );
    }
    assert_rejected!(
        fixture,
        fixture.token().issuer("https://id.example.com").sign(),
        "UNKNOWN_ISSUER",
        AuthError::UnknownIssuer { .. }
    );
}

#[test]
fn json_escapes_in_iss_are_decoded() {
    let fixture = Fixture::new();
    fixture.verify_ok(&fixture.with_claim("iss", r#""https:\/\/id.example.com\/auth\/\u00761""#));
}

#[rstest]
#[case::list(r#"["https://id.example.com/auth/v1"]"#)]
#[case::object(r#"{"https://id.example.com/auth/v1":1}"#)]
#[case::null("null")]
#[case::number("1")]
fn iss_must_be_a_string(#[case] iss: &str) {
    let fixture = Fixture::new();
    assert_rejected!(fixture, fixture.with_claim("iss", iss), "INVALID_CLAIM", AuthError::InvalidClaim { name, .. } if &**name == "iss");
}

#[test]
fn iss_is_required() {
    let fixture = Fixture::new();
    assert_rejected!(fixture, fixture.token().without("iss").sign(), "MISSING_CLAIM", AuthError::MissingClaim(name) if &**name == "iss");
}

#[test]
fn each_issuer_is_validated_by_its_own_configuration() {
    let [ours, theirs] = [0, 1].map(|which| KeyPair::cached(Algorithm::ES256, which));
    let one = fixture::issuer_with_jwks("https://one.example", &fixture::jwks([&ours]));
    let two = fixture::issuer_with_jwks("https://two.example", &fixture::jwks([&theirs]))
        .require_claim_present("tenant");
    let auth = fixture::build(
        Bearward::builder().issuer(one).issuer(two),
        &fixture::clock(),
    );
    let fixture = Fixture {
        auth,
        clock: fixture::clock(),
        key: ours,
    };
    let two = || {
        fixture
            .token()
            .key(theirs.clone())
            .issuer("https://two.example")
    };
    fixture.verify_ok(&fixture.token().issuer("https://one.example").sign());
    fixture.verify_ok(&two().claim("tenant", "t").sign());
    assert_rejected!(
        fixture,
        two().sign(),
        "MISSING_CLAIM",
        AuthError::MissingClaim(_)
    );
}

#[test]
fn the_signature_is_verified_before_claims_are_validated() {
    let fixture = Fixture::new();
    // Tokens with invalid claims are rejected for their signature first.
    let altered = [
        fixture.token().claim("exp", NOW - 3600),
        fixture.token().audience("another-service"),
        fixture.token().without("sub"),
        fixture.token().claim("nbf", NOW + 3600),
    ];
    for token in altered {
        assert_rejected!(
            fixture,
            token.signed_by_stranger(),
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[test]
fn only_the_unverified_exp_can_reject_before_a_fetch() {
    let fixture = Fixture::new();
    let unknown = || fixture.token().kid("unknown");
    assert_rejected!(
        fixture,
        unknown().sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
    assert_rejected!(
        fixture,
        unknown().expired().sign(),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
    assert_rejected!(fixture, unknown().without("exp").sign(), "MISSING_CLAIM", AuthError::MissingClaim(name) if &**name == "exp");
    assert_rejected!(
        fixture,
        unknown().audience("another-service").sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}
