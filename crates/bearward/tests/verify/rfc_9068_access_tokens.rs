//! RFC 9068 §4: what an issuer with `token_type = "at+jwt"` must have put into its tokens.

use {AuthError, TypRule};
use bearward_testing::TokenBuilder;
use rstest::rstest;

use crate::stand::{NOW, Stand, refused};

fn access_tokens() -> (Stand, TokenBuilder) {
    let stand = Stand::with(|issuer| issuer.token_type(TypRule::AtJwt));
    let token = stand
        .token()
        .header("typ", "at+jwt")
        .claim("client_id", "app")
        .claim("jti", "1");
    (stand, token)
}

#[test]
fn a_complete_access_token_is_accepted() {
    let (stand, token) = access_tokens();
    stand.accepts(&token.sign());
}

#[rstest]
fn each_claim_of_section_2_2_is_required(
    #[values("iss", "exp", "aud", "sub", "client_id", "iat", "jti")] name: &str,
) {
    let (stand, token) = access_tokens();
    refused!(stand, token.without(name).sign(), "MISSING_CLAIM", AuthError::MissingClaim(missing) if &**missing == name);
}

#[rstest]
fn a_claim_that_is_null_is_missing(#[values("client_id", "jti")] name: &str) {
    let (stand, token) = access_tokens();
    let token = token.claim(name, serde_json::Value::Null).sign();
    refused!(stand, token, "MISSING_CLAIM", AuthError::MissingClaim(missing) if &**missing == name);
}

#[test]
fn the_other_token_type_asks_for_none_of_the_three() {
    let stand = Stand::new();
    stand.accepts(&stand.token().without("iat").header("typ", "at+jwt").sign());
}

#[rstest]
#[case("at+jwt", true)]
#[case("application/at+jwt", true)]
#[case("AT+JWT", true)]
#[case("JWT", false)]
#[case("id+jwt", false)]
fn the_type_is_at_jwt(#[case] typ: &str, #[case] accepted: bool) {
    let (stand, token) = access_tokens();
    let token = token.header("typ", typ).sign();
    assert_eq!(stand.verify(&token).is_ok(), accepted);
}

#[test]
fn issuer_audience_signature_and_expiry_are_checked_as_everywhere() {
    let (stand, token) = access_tokens();
    refused!(
        stand,
        token.clone().issuer("https://evil.example").sign(),
        "UNKNOWN_ISSUER",
        AuthError::UnknownIssuer { .. }
    );
    refused!(
        stand,
        token.clone().audience("other").sign(),
        "INVALID_AUDIENCE",
        AuthError::WrongAudience { .. }
    );
    refused!(
        stand,
        token.clone().signed_by_stranger(),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    refused!(
        stand,
        token.clone().claim("exp", NOW - 30).sign(),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
    refused!(
        stand,
        token.header("alg", "none").sign(),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}
