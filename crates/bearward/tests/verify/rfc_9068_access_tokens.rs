//! RFC 9068 §4: validation of tokens of an issuer with `token_type = "at+jwt"`.

use bearward::{AuthError, TypRule};
use bearward_testing::TokenBuilder;
use rstest::rstest;

use crate::fixture::{Fixture, NOW, assert_rejected};

fn access_tokens() -> (Fixture, TokenBuilder) {
    let fixture = Fixture::with_issuer(|issuer| issuer.token_type(TypRule::AtJwt));
    let token = fixture
        .token()
        .header("typ", "at+jwt")
        .claim("client_id", "app")
        .claim("jti", "1");
    (fixture, token)
}

#[test]
fn a_complete_access_token_is_accepted() {
    let (fixture, token) = access_tokens();
    fixture.verify_ok(&token.sign());
}

#[rstest]
fn the_claims_of_section_2_2_are_required(
    #[values("iss", "exp", "aud", "sub", "client_id", "iat", "jti")] name: &str,
) {
    let (fixture, token) = access_tokens();
    assert_rejected!(fixture, token.without(name).sign(), "MISSING_CLAIM", AuthError::MissingClaim(missing) if &**missing == name);
}

#[rstest]
fn null_claims_are_missing(#[values("client_id", "jti")] name: &str) {
    let (fixture, token) = access_tokens();
    let token = token.claim(name, serde_json::Value::Null).sign();
    assert_rejected!(fixture, token, "MISSING_CLAIM", AuthError::MissingClaim(missing) if &**missing == name);
}

#[rstest]
fn client_id_and_jti_are_strings_and_not_empty(
    #[values("client_id", "jti")] name: &str,
    #[values("1", "true", "[\"a\"]", "{}", "\"\"")] value: &str,
) {
    let (fixture, token) = access_tokens();
    let value: serde_json::Value = serde_json::from_str(value).unwrap();
    assert_rejected!(fixture, token.claim(name, value).sign(), "INVALID_CLAIM", AuthError::InvalidClaim { name: found, .. } if &**found == name);
}

#[test]
fn aud_is_required_even_if_any_audience_is_accepted() {
    let fixture = Fixture::with_issuer(|issuer| {
        let issuer = issuer.token_type(TypRule::AtJwt);
        issuer.dangerous_any_audience()
    });
    let token = fixture
        .token()
        .header("typ", "at+jwt")
        .claim("client_id", "app")
        .claim("jti", "1");
    fixture.verify_ok(&token.clone().audience("any").sign());
    assert_rejected!(fixture, token.without("aud").sign(), "MISSING_CLAIM", AuthError::MissingClaim(name) if &**name == "aud");
}

#[test]
fn the_jwt_rule_does_not_require_these_claims() {
    let fixture = Fixture::new();
    fixture.verify_ok(
        &fixture
            .token()
            .without("iat")
            .header("typ", "at+jwt")
            .sign(),
    );
}

#[rstest]
#[case("at+jwt", true)]
#[case("application/at+jwt", true)]
#[case("AT+JWT", true)]
#[case("JWT", false)]
#[case("id+jwt", false)]
fn typ_must_be_at_jwt(#[case] typ: &str, #[case] accepted: bool) {
    let (fixture, token) = access_tokens();
    let token = token.header("typ", typ).sign();
    assert_eq!(fixture.verify(&token).is_ok(), accepted);
}

#[test]
fn issuer_audience_signature_and_expiry_are_checked() {
    let (fixture, token) = access_tokens();
    assert_rejected!(
        fixture,
        token.clone().issuer("https://evil.example").sign(),
        "UNKNOWN_ISSUER",
        AuthError::UnknownIssuer { .. }
    );
    assert_rejected!(
        fixture,
        token.clone().audience("other").sign(),
        "INVALID_AUDIENCE",
        AuthError::WrongAudience { .. }
    );
    assert_rejected!(
        fixture,
        token.clone().signed_by_stranger(),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    assert_rejected!(
        fixture,
        token.clone().claim("exp", NOW - 30).sign(),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
    assert_rejected!(
        fixture,
        token.header("alg", "none").sign(),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}
