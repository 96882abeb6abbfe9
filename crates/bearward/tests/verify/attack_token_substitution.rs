//! Token substitution: tokens of the same issuer that are not access tokens, such as ID tokens,
//! logout tokens and `DPoP` proofs.

use bearward::{AuthError, TokenUse, TypRule};
use rstest::rstest;

use crate::fixture::{Fixture, assert_rejected};

#[test]
fn an_id_token_is_rejected_by_its_audience() {
    let fixture = Fixture::new();
    fixture.verify_ok(&fixture.token().sign());
    let id_token = fixture
        .token()
        .audience("1234.apps.example")
        .claim("nonce", "n")
        .claim("at_hash", "h")
        .claim("azp", "1234.apps.example");
    assert_rejected!(
        fixture,
        id_token.sign(),
        "INVALID_AUDIENCE",
        AuthError::WrongAudience { .. }
    );
}

#[test]
fn an_id_token_with_the_api_audience_is_rejected_by_typ() {
    let fixture = Fixture::with_issuer(|issuer| issuer.token_type(TypRule::AtJwt));
    let claims = fixture.token().claim("client_id", "app").claim("jti", "1");
    fixture.verify_ok(&claims.clone().header("typ", "at+jwt").sign());
    assert_rejected!(
        fixture,
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
fn tokens_of_other_types_are_rejected(#[case] typ: &str) {
    let fixture = Fixture::new();
    for typ in [
        typ.to_owned(),
        typ.to_uppercase(),
        format!("application/{typ}"),
    ] {
        assert_rejected!(
            fixture,
            fixture.token().header("typ", typ).sign(),
            "INVALID_TOKEN_TYPE",
            AuthError::WrongType { .. }
        );
    }
}

#[tokio::test]
async fn an_id_token_issuer_does_not_issue_bearer_tokens() {
    let fixture = Fixture::with_issuer(|issuer| issuer.token_use(TokenUse::IdToken));
    let token = fixture.token().sign();
    assert_rejected!(
        fixture,
        token.clone(),
        "UNKNOWN_ISSUER",
        AuthError::UnknownIssuer { .. }
    );
    assert!(fixture.auth.verify_credential(&token).await.is_ok());
    assert_rejected!(
        fixture,
        token,
        "UNKNOWN_ISSUER",
        AuthError::UnknownIssuer { .. }
    );
}
