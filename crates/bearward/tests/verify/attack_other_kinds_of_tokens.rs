//! A token of the same issuer that was never meant as an access token: ID tokens, logout tokens,
//! proofs, refresh tokens.

use {AuthError, TokenUse, TypRule};
use rstest::rstest;

use crate::stand::{Stand, refused};

#[test]
fn an_id_token_is_for_the_client_and_its_audience_says_so() {
    let stand = Stand::new();
    stand.accepts(&stand.token().sign());
    let id_token = stand
        .token()
        .audience("1234.apps.example")
        .claim("nonce", "n")
        .claim("at_hash", "h")
        .claim("azp", "1234.apps.example");
    refused!(
        stand,
        id_token.sign(),
        "INVALID_AUDIENCE",
        AuthError::WrongAudience { .. }
    );
}

#[test]
fn an_id_token_with_the_right_audience_is_told_apart_by_its_type() {
    let stand = Stand::with(|issuer| issuer.token_type(TypRule::AtJwt));
    let claims = stand.token().claim("client_id", "app").claim("jti", "1");
    stand.accepts(&claims.clone().header("typ", "at+jwt").sign());
    refused!(
        stand,
        claims.header("typ", "JWT").sign(),
        "INVALID_TOKEN_TYPE",
        AuthError::WrongType { .. }
    );
}

#[rstest]
#[case("logout+jwt")]
#[case("dpop+jwt")]
#[case("secevent+jwt")]
#[case("oauth-authz-req+jwt")]
#[case("jwk-set+jwt")]
#[case("token-introspection+jwt")]
#[case("kb+jwt")]
#[case("dc+sd-jwt")]
#[case("client-authentication+jwt")]
fn a_typed_token_of_another_kind_is_refused_whatever_its_claims(#[case] typ: &str) {
    let stand = Stand::new();
    for typ in [
        typ.to_owned(),
        typ.to_uppercase(),
        format!("application/{typ}"),
    ] {
        refused!(
            stand,
            stand.token().header("typ", typ).sign(),
            "INVALID_TOKEN_TYPE",
            AuthError::WrongType { .. }
        );
    }
}

#[tokio::test]
async fn a_sign_in_credential_is_no_bearer_token() {
    let stand = Stand::with(|issuer| issuer.token_use(TokenUse::IdToken));
    let token = stand.token().sign();
    refused!(
        stand,
        token.clone(),
        "UNKNOWN_ISSUER",
        AuthError::UnknownIssuer { .. }
    );
    assert!(stand.auth.verify_credential(&token).await.is_ok());
    refused!(
        stand,
        token,
        "UNKNOWN_ISSUER",
        AuthError::UnknownIssuer { .. }
    );
}
