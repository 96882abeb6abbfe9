//! RFC 8725, JSON Web Token Best Current Practices, and its successor draft.

use {Algorithm, AuthError, Bearward, FormatError, TypRule};
use bearward_testing::{KeyPair, Token};

use crate::stand::{self, Stand, refused, vector};

#[test]
fn section_3_1_only_algorithms_on_the_list_are_used_and_a_key_only_with_its_own() {
    let key = KeyPair::shared(Algorithm::RS256, 0);
    let stand = Stand::of(&key, |issuer| {
        issuer.algorithms([Algorithm::RS256]).unwrap()
    });
    stand.accepts(&stand.token().sign());
    let other = stand
        .token()
        .key(key.with_algorithm(Algorithm::RS512))
        .sign();
    refused!(
        stand,
        other,
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}

#[test]
fn section_3_3_every_cryptographic_operation_is_checked_or_the_whole_token_is_refused() {
    let stand = Stand::new();
    refused!(
        stand,
        stand.token().signed_by_stranger(),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
    let inner_unsigned = stand.sign(&stand.header(), &stand.token().alg_none());
    refused!(
        stand,
        inner_unsigned,
        "MALFORMED_TOKEN",
        AuthError::Payload(_)
    );
}

#[test]
fn section_3_8_the_keys_belong_to_the_issuer() {
    let [ours, theirs] = [0, 1].map(|which| KeyPair::shared(Algorithm::ES256, which));
    let one = stand::trusting("https://one.example", &stand::set([&ours]));
    let two = stand::trusting("https://two.example", &stand::set([&theirs]));
    let auth = stand::build(Bearward::builder().issuer(one).issuer(two), &stand::clock());
    let stand = Stand {
        auth,
        clock: stand::clock(),
        key: ours,
    };
    stand.accepts(&stand.token().issuer("https://one.example").sign());
    refused!(
        stand,
        stand.token().issuer("https://two.example").sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}

#[test]
fn section_3_8_a_token_must_have_a_subject() {
    let stand = Stand::new();
    refused!(
        stand,
        stand.token().without("sub").sign(),
        "MISSING_CLAIM",
        AuthError::MissingClaim(_)
    );
}

#[test]
fn section_3_9_the_audience_is_always_checked() {
    let stand = Stand::new();
    refused!(
        stand,
        stand.token().without("aud").sign(),
        "MISSING_CLAIM",
        AuthError::MissingClaim(_)
    );
    refused!(
        stand,
        stand.token().audience("another-service").sign(),
        "INVALID_AUDIENCE",
        AuthError::WrongAudience { .. }
    );
}

#[test]
fn section_3_10_claims_received_are_not_trusted_as_commands() {
    // A kid is a key into a table of the issuer's keys and nothing else: see
    // `attack_kid_injection`.
    let stand = Stand::new();
    refused!(
        stand,
        stand.token().kid("../../../../dev/null").sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}

#[test]
fn section_3_11_explicit_typing_tells_kinds_of_tokens_apart() {
    let stand = Stand::with(|issuer| issuer.token_type(TypRule::AtJwt));
    let token = |typ: &str| {
        stand
            .token()
            .claim("client_id", "app")
            .claim("jti", "1")
            .header("typ", typ)
            .sign()
    };
    stand.accepts(&token("at+jwt"));
    refused!(
        stand,
        token("JWT"),
        "INVALID_TOKEN_TYPE",
        AuthError::WrongType { .. }
    );
    let lax = Stand::new();
    lax.accepts(&lax.token().header("typ", "JWT").sign());
    refused!(
        lax,
        lax.token().header("typ", "secevent+jwt").sign(),
        "INVALID_TOKEN_TYPE",
        AuthError::WrongType { .. }
    );
}

#[test]
fn the_successor_an_encrypted_token_is_refused_unopened() {
    let stand = Stand::new();
    for name in ["rfc7520/5_3.jwe", "rfc7520/5_9.jwe"] {
        refused!(
            stand,
            vector(name),
            "MALFORMED_TOKEN",
            AuthError::Form(FormatError::Encrypted)
        );
    }
}

#[test]
fn the_successor_a_json_serialization_is_refused() {
    let stand = Stand::new();
    for name in ["rfc7515/a6.json", "rfc7515/a7.json"] {
        refused!(stand, vector(name), "MALFORMED_TOKEN", AuthError::Form(_));
    }
}

#[test]
fn the_successor_alg_is_compared_as_it_stands() {
    let stand = Stand::new();
    let claims = stand.token().claims().clone();
    for alg in ["es256", "ES256\u{0}", "ES\u{200b}256", "\u{ff25}S256"] {
        let mut header = stand.token().header_members().clone();
        header.insert("alg".to_owned(), alg.into());
        let token = Token::new(&header, &claims).sign(&stand.key);
        refused!(
            stand,
            token,
            "UNSUPPORTED_ALGORITHM",
            AuthError::AlgorithmNotAllowed { .. }
        );
    }
}
