//! RFC 8725, JSON Web Token Best Current Practices, and its successor, draft rfc8725bis.

use bearward::{Algorithm, AuthError, Bearward, FormatError, TypRule};
use bearward_testing::{KeyPair, Token};

use crate::fixture::{self, Fixture, assert_rejected, read_vector};

#[test]
fn section_3_1_only_listed_algorithms_are_used() {
    let key = KeyPair::cached(Algorithm::RS256, 0);
    let fixture = Fixture::with_key(&key, |issuer| {
        issuer.algorithms([Algorithm::RS256]).unwrap()
    });
    fixture.verify_ok(&fixture.token().sign());
    let other = fixture
        .token()
        .key(key.with_algorithm(Algorithm::RS512))
        .sign();
    assert_rejected!(
        fixture,
        other,
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}

#[test]
fn section_3_3_every_cryptographic_operation_is_checked() {
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        fixture.token().signed_by_stranger(),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    let inner_unsigned = fixture.sign(&fixture.header(), &fixture.token().alg_none());
    assert_rejected!(
        fixture,
        inner_unsigned,
        "MALFORMED_TOKEN",
        AuthError::Payload(_)
    );
}

#[test]
fn section_3_8_the_keys_belong_to_the_issuer() {
    let [ours, theirs] = [0, 1].map(|which| KeyPair::cached(Algorithm::ES256, which));
    let one = fixture::issuer_with_jwks("https://one.example", &fixture::jwks([&ours]));
    let two = fixture::issuer_with_jwks("https://two.example", &fixture::jwks([&theirs]));
    let auth = fixture::build(
        Bearward::builder().issuer(one).issuer(two),
        &fixture::clock(),
    );
    let fixture = Fixture {
        auth,
        clock: fixture::clock(),
        key: ours,
    };
    fixture.verify_ok(&fixture.token().issuer("https://one.example").sign());
    assert_rejected!(
        fixture,
        fixture.token().issuer("https://two.example").sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}

#[test]
fn section_3_8_a_token_must_have_a_subject() {
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        fixture.token().without("sub").sign(),
        "MISSING_CLAIM",
        AuthError::MissingClaim(_)
    );
}

#[test]
fn section_3_9_the_audience_is_always_checked() {
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        fixture.token().without("aud").sign(),
        "MISSING_CLAIM",
        AuthError::MissingClaim(_)
    );
    assert_rejected!(
        fixture,
        fixture.token().audience("another-service").sign(),
        "INVALID_AUDIENCE",
        AuthError::WrongAudience { .. }
    );
}

#[test]
fn section_3_10_received_claims_are_not_trusted() {
    // A kid is used only to look up a key of the issuer, see `attack_kid_injection`.
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        fixture.token().kid("../../../../dev/null").sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}

#[test]
fn section_3_11_explicit_typing_is_enforced() {
    let fixture = Fixture::with_issuer(|issuer| issuer.token_type(TypRule::AtJwt));
    let token = |typ: &str| {
        fixture
            .token()
            .claim("client_id", "app")
            .claim("jti", "1")
            .header("typ", typ)
            .sign()
    };
    fixture.verify_ok(&token("at+jwt"));
    assert_rejected!(
        fixture,
        token("JWT"),
        "INVALID_TOKEN_TYPE",
        AuthError::WrongType { .. }
    );
    let default_rule = Fixture::new();
    default_rule.verify_ok(&default_rule.token().header("typ", "JWT").sign());
    assert_rejected!(
        default_rule,
        default_rule.token().header("typ", "secevent+jwt").sign(),
        "INVALID_TOKEN_TYPE",
        AuthError::WrongType { .. }
    );
}

#[test]
fn rfc8725bis_encrypted_tokens_are_rejected() {
    let fixture = Fixture::new();
    for name in ["rfc7520/5_3.jwe", "rfc7520/5_9.jwe"] {
        assert_rejected!(
            fixture,
            read_vector(name),
            "MALFORMED_TOKEN",
            AuthError::Format(FormatError::Encrypted)
        );
    }
}

#[test]
fn rfc8725bis_json_serializations_are_rejected() {
    let fixture = Fixture::new();
    for name in ["rfc7515/a6.json", "rfc7515/a7.json"] {
        assert_rejected!(
            fixture,
            read_vector(name),
            "MALFORMED_TOKEN",
            AuthError::Format(_)
        );
    }
}

#[test]
fn rfc8725bis_alg_is_compared_exactly() {
    let fixture = Fixture::new();
    let claims = fixture.token().claims().clone();
    for alg in ["es256", "ES256\u{0}", "ES\u{200b}256", "\u{ff25}S256"] {
        let mut header = fixture.token().header_members().clone();
        header.insert("alg".to_owned(), alg.into());
        let token = Token::new(&header, &claims).sign(&fixture.key);
        assert_rejected!(
            fixture,
            token,
            "UNSUPPORTED_ALGORITHM",
            AuthError::AlgorithmNotAllowed { .. }
        );
    }
}
