//! Property tests: no input panics, and every altered token is rejected.

use bearward::{Algorithm, Bearward, keys::ParsedJwks};
use bearward_testing::{KeyPair, Token, encode};
use futures_util::FutureExt;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::fixture::{Fixture, ISSUER, NOW, verify};

/// Returns one fixture for all cases of a property, because building it parses keys.
fn fixture() -> Fixture {
    Fixture::with_key(&KeyPair::cached(Algorithm::EdDSA, 0), |issuer| issuer)
}

/// Generates arbitrary JSON, biased toward values that claims have.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (NOW - 100..NOW + 100).prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(json!(ISSUER)),
        Just(json!("authenticated")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,8}", inner), 0..4)
                .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

/// Generates objects with known member names, so that the values are read.
fn members(names: &'static [&'static str]) -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec(
        (prop::sample::select(names).prop_map(str::to_owned), json()),
        0..6,
    )
    .prop_map(|members| members.into_iter().collect())
}

const CLAIMS: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "email",
    "role",
    "app_metadata",
    "scope",
    "aal",
    "cnf",
    "jti",
    "x",
];
const HEADER: &[&str] = &[
    "alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c", "zip", "enc", "x",
];
const JWK: &[&str] = &[
    "kty", "kid", "alg", "use", "key_ops", "n", "e", "crv", "x", "y", "d", "k",
];

/// Verifies and explains a token. Returns whether it was accepted.
fn verify_and_explain(auth: &Bearward, token: &str) -> bool {
    let accepted = verify(auth, token).is_ok();
    let explanation = auth.explain(token).now_or_never();
    assert!(
        explanation.is_some(),
        "explaining with fixed keys does not wait"
    );
    accepted
}

#[test]
fn arbitrary_strings_are_rejected_without_panic() {
    let fixture = fixture();
    proptest!(|(text in ".{0,300}")| prop_assert!(!verify_and_explain(&fixture.auth, &text)));
    proptest!(|(text in "[A-Za-z0-9_=.-]{0,300}")| prop_assert!(!verify_and_explain(&fixture.auth, &text)));
    proptest!(|(text in "[eyJ0{}\":.A-D]{0,80}\\.[eyJ0A-D]{0,80}\\.[A-D_-]{0,90}")| prop_assert!(!verify_and_explain(&fixture.auth, &text)));
}

#[test]
fn three_parts_of_arbitrary_bytes_are_rejected_without_panic() {
    let fixture = fixture();
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    proptest!(|(header in bytes(), payload in bytes(), signature in bytes())| {
        let token = format!("{}.{}.{}", encode(&header), encode(&payload), encode(&signature));
        prop_assert!(!verify_and_explain(&fixture.auth, &token));
    });
}

#[test]
fn arbitrary_signed_headers_and_claims_do_not_panic() {
    let fixture = fixture();
    let (good_header, good_claims) = (
        fixture.token().header_members().clone(),
        fixture.token().claims().clone(),
    );
    proptest!(|(header in members(HEADER), claims in members(CLAIMS), from_good in any::<bool>())| {
        let (mut all_header, mut all_claims) = if from_good { (good_header.clone(), good_claims.clone()) } else { Default::default() };
        all_header.extend(header);
        all_claims.extend(claims);
        let token = Token::new(&all_header, &all_claims).sign(&fixture.key);
        let accepted = verify_and_explain(&fixture.auth, &token);
        // Every accepted token satisfies these conditions.
        if accepted {
            prop_assert!(all_claims["sub"].as_str().is_some_and(|sub| !sub.is_empty() && sub.len() <= 255));
            prop_assert_eq!(&all_claims["iss"], &json!(ISSUER));
            prop_assert!(all_claims["exp"].as_f64().is_some_and(|exp| exp > 1_799_999_970.0));
            prop_assert!(!all_header.contains_key("crit") && !all_header.contains_key("b64") && !all_claims.contains_key("cnf"));
        }
    });
}

#[test]
fn arbitrary_key_sets_do_not_panic() {
    proptest!(|(text in ".{0,200}")| drop(ParsedJwks::parse(text.as_bytes(), Algorithm::ALL, 100)));
    let good = KeyPair::cached(Algorithm::ES256, 0).jwk();
    proptest!(|(changes in prop::collection::vec(members(JWK), 1..4), from_good in any::<bool>())| {
        let entries = changes.into_iter().map(|change| {
            let mut entry = if from_good { good.clone() } else { Map::new() };
            entry.extend(change);
            Value::from(entry)
        });
        drop(ParsedJwks::parse(crate::fixture::jwks_from(entries).as_bytes(), Algorithm::ALL, 100));
    });
}

#[test]
fn replacing_any_character_is_rejected() {
    let fixture = fixture();
    let token = fixture.token().sign();
    fixture.verify_ok(&token);
    proptest!(|(at in 0..token.len(), character in any::<char>())| {
        let altered = format!("{}{character}{}", &token[..at], &token[at + 1..]);
        prop_assert!(altered == token || !verify_and_explain(&fixture.auth, &altered));
    });
    let alphabet: Vec<char> = ('A'..='Z')
        .chain('a'..='z')
        .chain('0'..='9')
        .chain(['-', '_'])
        .collect();
    proptest!(|(at in 0..token.len(), character in prop::sample::select(alphabet))| {
        let altered = format!("{}{character}{}", &token[..at], &token[at + 1..]);
        prop_assert!(altered == token || !verify_and_explain(&fixture.auth, &altered));
    });
}

#[test]
fn inserting_removing_or_swapping_characters_is_rejected() {
    let fixture = fixture();
    let token = fixture.token().sign();
    fixture.verify_ok(&token);
    proptest!(|(at in 0..token.len(), other in 0..token.len(), character in "[A-Za-z0-9_.-]")| {
        let longer = format!("{}{character}{}", &token[..at], &token[at..]);
        let shorter = format!("{}{}", &token[..at], &token[at + 1..]);
        let mut bytes = token.clone().into_bytes();
        bytes.swap(at, other);
        for altered in [longer, shorter, String::from_utf8(bytes).unwrap()] {
            prop_assert!(altered == token || !verify_and_explain(&fixture.auth, &altered));
        }
    });
}
