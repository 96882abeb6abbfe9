//! What holds for every input: nothing panics, and no altered token is the token.

use {Algorithm, Bearward, keys::ParsedJwks};
use bearward_testing::{KeyPair, Token, encode};
use futures_util::FutureExt;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::stand::{ISSUER, NOW, Stand, verify};

/// One stand for all cases of a property: to build one parses keys.
fn stand() -> Stand {
    Stand::of(&KeyPair::shared(Algorithm::EdDSA, 0), |issuer| issuer)
}

/// Any JSON, with a taste for what claims hold.
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

/// Members by their real names, so that they are looked at.
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

/// The answer, and the explanation of it, without a panic and without waiting.
fn holds(auth: &Bearward, token: &str) -> bool {
    let accepted = verify(auth, token).is_ok();
    let explanation = auth.explain(token).now_or_never();
    assert!(explanation.is_some(), "nothing is waited for");
    accepted
}

#[test]
fn no_string_panics_and_none_is_accepted() {
    let stand = stand();
    proptest!(|(text in ".{0,300}")| prop_assert!(!holds(&stand.auth, &text)));
    proptest!(|(text in "[A-Za-z0-9_=.-]{0,300}")| prop_assert!(!holds(&stand.auth, &text)));
    proptest!(|(text in "[eyJ0{}\":.A-D]{0,80}\\.[eyJ0A-D]{0,80}\\.[A-D_-]{0,90}")| prop_assert!(!holds(&stand.auth, &text)));
}

#[test]
fn no_three_parts_of_any_bytes_panic() {
    let stand = stand();
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    proptest!(|(header in bytes(), payload in bytes(), signature in bytes())| {
        let token = format!("{}.{}.{}", encode(&header), encode(&payload), encode(&signature));
        prop_assert!(!holds(&stand.auth, &token));
    });
}

#[test]
fn no_header_and_no_claims_panic_though_rightly_signed() {
    let stand = stand();
    let (good_header, good_claims) = (
        stand.token().header_members().clone(),
        stand.token().claims().clone(),
    );
    proptest!(|(header in members(HEADER), claims in members(CLAIMS), from_good in any::<bool>())| {
        let (mut all_header, mut all_claims) = if from_good { (good_header.clone(), good_claims.clone()) } else { Default::default() };
        all_header.extend(header);
        all_claims.extend(claims);
        let token = Token::new(&all_header, &all_claims).sign(&stand.key);
        let accepted = holds(&stand.auth, &token);
        // Whatever was accepted has what every accepted token has.
        if accepted {
            prop_assert!(all_claims["sub"].as_str().is_some_and(|sub| !sub.is_empty() && sub.len() <= 255));
            prop_assert_eq!(&all_claims["iss"], &json!(ISSUER));
            prop_assert!(all_claims["exp"].as_f64().is_some_and(|exp| exp > 1_799_999_970.0));
            prop_assert!(!all_header.contains_key("crit") && !all_header.contains_key("b64") && !all_claims.contains_key("cnf"));
        }
    });
}

#[test]
fn no_key_set_panics() {
    proptest!(|(text in ".{0,200}")| drop(ParsedJwks::parse(text.as_bytes(), &Algorithm::ALL, 100)));
    let good = KeyPair::shared(Algorithm::ES256, 0).jwk();
    proptest!(|(changes in prop::collection::vec(members(JWK), 1..4), from_good in any::<bool>())| {
        let entries = changes.into_iter().map(|change| {
            let mut entry = if from_good { good.clone() } else { Map::new() };
            entry.extend(change);
            Value::from(entry)
        });
        drop(ParsedJwks::parse(crate::stand::set_of(entries).as_bytes(), &Algorithm::ALL, 100));
    });
}

#[test]
fn any_other_character_at_any_place_of_a_token_is_refused() {
    let stand = stand();
    let token = stand.token().sign();
    stand.accepts(&token);
    proptest!(|(at in 0..token.len(), character in any::<char>())| {
        let altered = format!("{}{character}{}", &token[..at], &token[at + 1..]);
        prop_assert!(altered == token || !holds(&stand.auth, &altered));
    });
    let alphabet: Vec<char> = ('A'..='Z')
        .chain('a'..='z')
        .chain('0'..='9')
        .chain(['-', '_'])
        .collect();
    proptest!(|(at in 0..token.len(), character in prop::sample::select(alphabet))| {
        let altered = format!("{}{character}{}", &token[..at], &token[at + 1..]);
        prop_assert!(altered == token || !holds(&stand.auth, &altered));
    });
}

#[test]
fn characters_put_in_taken_out_or_swapped_are_refused() {
    let stand = stand();
    let token = stand.token().sign();
    stand.accepts(&token);
    proptest!(|(at in 0..token.len(), other in 0..token.len(), character in "[A-Za-z0-9_.-]")| {
        let longer = format!("{}{character}{}", &token[..at], &token[at..]);
        let shorter = format!("{}{}", &token[..at], &token[at + 1..]);
        let mut bytes = token.clone().into_bytes();
        bytes.swap(at, other);
        for altered in [longer, shorter, String::from_utf8(bytes).unwrap()] {
            prop_assert!(altered == token || !holds(&stand.auth, &altered));
        }
    });
}
