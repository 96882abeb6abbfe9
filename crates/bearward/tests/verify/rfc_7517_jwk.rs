//! RFC 7517, JSON Web Key, and the key parts of RFC 7518: which entries of a set are used, and why
//! the rest is not.

use bearward::{
    Algorithm,
    keys::{IgnoreReason, JwksError, ParsedJwks},
};
use bearward_testing::{KeyPair, encode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::stand::{Stand, decode, jwk_with, set_of, skipped, vector};

fn elliptic() -> KeyPair {
    KeyPair::shared(Algorithm::ES256, 0)
}

fn parse(document: &str) -> Result<(ParsedJwks, Vec<IgnoreReason>), JwksError> {
    let parsed = ParsedJwks::parse(document.as_bytes(), &Algorithm::ALL, 100)?;
    Ok((
        parsed.0,
        parsed.1.iter().map(|skipped| skipped.reason).collect(),
    ))
}

#[test]
fn section_5_a_bad_key_is_skipped_and_the_set_lives() {
    let good = elliptic();
    let bad = [
        (json!(null), IgnoreReason::Malformed),
        (json!("key"), IgnoreReason::Malformed),
        (json!([]), IgnoreReason::Malformed),
        (json!({}), IgnoreReason::Malformed),
        (json!({ "kty": "RSA" }), IgnoreReason::Malformed),
        (
            json!({ "kty": "oct", "k": "c2VjcmV0" }),
            IgnoreReason::Symmetric,
        ),
        (
            json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA" }),
            IgnoreReason::KeyType,
        ),
        (
            json!({ "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA" }),
            IgnoreReason::Curve,
        ),
    ];
    let document = set_of(
        bad.iter()
            .map(|(entry, _)| entry.clone())
            .chain([good.jwk().into()]),
    );
    let (keys, reasons) = parse(&document).unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(reasons, bad.map(|(_, reason)| reason));
    let stand = Stand::of_set(&good, &document);
    stand.accepts(&stand.token().sign());
}

#[rstest]
#[case::no_json("<html>", JwksError::NotJson)]
#[case::list("[]", JwksError::NotJson)]
#[case::empty("", JwksError::NotJson)]
#[case::something_after("{\"keys\":[]} x", JwksError::NotJson)]
#[case::keys_twice("{\"keys\":[],\"keys\":[]}", JwksError::NotJson)]
#[case::no_keys("{}", JwksError::NotJwks)]
#[case::a_single_key("{\"kty\":\"EC\"}", JwksError::NotJwks)]
#[case::keys_no_list("{\"keys\":{}}", JwksError::NotJwks)]
#[case::keys_null("{\"keys\":null}", JwksError::NotJwks)]
#[case::empty_set("{\"keys\":[]}", JwksError::NoUsableKey(Vec::new()))]
fn section_5_what_is_no_set_with_a_usable_key_is_none(
    #[case] document: &str,
    #[case] expected: JwksError,
) {
    assert_eq!(parse(document).unwrap_err(), expected);
}

#[test]
fn section_5_members_of_the_set_beside_keys_are_ignored() {
    let document = json!({ "keys": [elliptic().jwk()], "issuer": 1, "next": null }).to_string();
    assert_eq!(parse(&document).unwrap().0.len(), 1);
}

#[test]
fn a_set_of_100_keys_is_read_and_one_of_101_is_not() {
    let set = |count: usize| {
        set_of(
            (0..count).map(|number| jwk_with(&elliptic(), "kid", json!(format!("key-{number}")))),
        )
    };
    assert_eq!(parse(&set(100)).unwrap().0.len(), 100);
    assert_eq!(
        parse(&set(101)).unwrap_err(),
        JwksError::TooManyKeys {
            found: 101,
            limit: 100
        }
    );
}

#[test]
fn section_4_unknown_members_of_a_key_are_ignored_and_doubled_ones_spoil_it() {
    assert_eq!(
        skipped(&jwk_with(&elliptic(), "x-unknown", json!([1]))),
        None
    );
    let text = Value::from(elliptic().jwk()).to_string();
    for twice in [r#"{"kty":"EC","#, r#"{"\u006bty":"EC","#, r#"{"x":"AAAA","#] {
        let document = format!("{{\"keys\":[{}]}}", text.replacen('{', twice, 1));
        let JwksError::NoUsableKey(skipped) = parse(&document).unwrap_err() else {
            panic!("{document}")
        };
        assert_eq!(skipped[0].reason, IgnoreReason::Malformed);
    }
}

#[rstest]
#[case::sig(json!("sig"), None)]
#[case::absent(json!(null), None)]
#[case::enc(json!("enc"), Some(IgnoreReason::Use))]
#[case::upper_case(json!("SIG"), Some(IgnoreReason::Use))]
#[case::empty(json!(""), Some(IgnoreReason::Use))]
#[case::list(json!(["sig"]), Some(IgnoreReason::Malformed))]
fn section_4_2_a_key_whose_use_is_not_sig_is_not_used(
    #[case] purpose: Value,
    #[case] expected: Option<IgnoreReason>,
) {
    assert_eq!(skipped(&jwk_with(&elliptic(), "use", purpose)), expected);
}

#[rstest]
#[case::verify(json!(["verify"]), None)]
#[case::absent(json!(null), None)]
#[case::among_others(json!(["sign", "verify"]), None)]
#[case::sign(json!(["sign"]), Some(IgnoreReason::KeyOps))]
#[case::encrypt(json!(["encrypt", "wrapKey"]), Some(IgnoreReason::KeyOps))]
#[case::none(json!([]), Some(IgnoreReason::KeyOps))]
#[case::upper_case(json!(["VERIFY"]), Some(IgnoreReason::KeyOps))]
#[case::string(json!("verify"), Some(IgnoreReason::Malformed))]
#[case::numbers(json!([1]), Some(IgnoreReason::Malformed))]
fn section_4_3_a_key_without_the_operation_verify_is_not_used(
    #[case] operations: Value,
    #[case] expected: Option<IgnoreReason>,
) {
    assert_eq!(
        skipped(&jwk_with(&elliptic(), "key_ops", operations)),
        expected
    );
}

#[rstest]
#[case::custom(json!("ES256"), None)]
#[case::absent(json!(null), None)]
#[case::other_curve(json!("ES384"), Some(IgnoreReason::Algorithm))]
#[case::other_type(json!("RS256"), Some(IgnoreReason::Algorithm))]
#[case::symmetric(json!("HS256"), Some(IgnoreReason::Algorithm))]
#[case::none(json!("none"), Some(IgnoreReason::Algorithm))]
#[case::lower_case(json!("es256"), Some(IgnoreReason::Algorithm))]
#[case::encryption(json!("ECDH-ES"), Some(IgnoreReason::Algorithm))]
#[case::number(json!(256), Some(IgnoreReason::Malformed))]
fn section_4_4_a_key_whose_alg_does_not_fit_its_type_is_not_used(
    #[case] alg: Value,
    #[case] expected: Option<IgnoreReason>,
) {
    assert_eq!(skipped(&jwk_with(&elliptic(), "alg", alg)), expected);
}

#[test]
fn a_key_whose_alg_the_issuer_does_not_list_is_not_used() {
    let document = set_of([Value::from(elliptic().jwk())]);
    let error = ParsedJwks::parse(document.as_bytes(), &[Algorithm::RS256], 100).unwrap_err();
    let JwksError::NoUsableKey(skipped) = error else {
        panic!("{error:?}")
    };
    assert_eq!(skipped[0].reason, IgnoreReason::NotListed);
    assert_eq!(
        skipped[0].kid.as_ref().map(ToString::to_string).unwrap(),
        document
            .split('"')
            .skip_while(|text| *text != "kid")
            .nth(2)
            .unwrap()
    );
}

#[test]
fn section_4_5_a_kid_is_a_string_of_256_bytes_at_most() {
    assert_eq!(
        skipped(&jwk_with(&elliptic(), "kid", json!("k".repeat(256)))),
        None
    );
    for kid in [json!("k".repeat(257)), json!(1), json!([]), json!(true)] {
        assert_eq!(
            skipped(&jwk_with(&elliptic(), "kid", kid)),
            Some(IgnoreReason::Malformed)
        );
    }
}

#[test]
fn section_4_7_certificates_are_not_read_so_their_form_does_not_matter() {
    for (name, value) in [
        ("x5c", json!("no list")),
        ("x5c", json!(["no base64!"])),
        ("x5t", json!(1)),
        ("x5u", json!("file:///etc")),
    ] {
        assert_eq!(skipped(&jwk_with(&elliptic(), name, value)), None, "{name}");
    }
}

#[rstest]
fn a_published_private_key_is_not_used(
    #[values("d", "p", "q", "dp", "dq", "qi", "oth", "priv")] name: &str,
) {
    assert_eq!(
        skipped(&jwk_with(&elliptic(), name, json!("AAAA"))),
        Some(IgnoreReason::Private)
    );
}

#[test]
fn a_symmetric_key_is_not_used_whatever_it_calls_itself() {
    assert_eq!(
        skipped(&json!({ "kty": "oct", "k": "AAAA", "alg": "HS256" })),
        Some(IgnoreReason::Symmetric)
    );
    assert_eq!(
        skipped(&jwk_with(&elliptic(), "k", json!("AAAA"))),
        Some(IgnoreReason::Symmetric)
    );
    assert_eq!(
        skipped(&json!({ "kty": "OCT", "k": "AAAA" })),
        Some(IgnoreReason::Symmetric)
    );
}

#[rstest]
fn section_4_1_kty_is_required_and_case_sensitive(
    #[values("ec", "Ec", "rsa", "okp", "")] kty: &str,
) {
    assert_eq!(
        skipped(&jwk_with(&elliptic(), "kty", json!(kty))),
        Some(IgnoreReason::KeyType)
    );
    assert_eq!(
        skipped(&jwk_with(&elliptic(), "kty", Value::Null)),
        Some(IgnoreReason::Malformed)
    );
}

#[rstest]
fn rfc_7518_section_6_2_1_a_coordinate_has_exactly_the_curves_length(
    #[values(Algorithm::ES256, Algorithm::ES384)] algorithm: Algorithm,
    #[values("x", "y")] name: &str,
) {
    let key = KeyPair::shared(algorithm, 0);
    let right = decode(key.jwk()[name].as_str().unwrap());
    let length = if algorithm == Algorithm::ES256 {
        32
    } else {
        48
    };
    assert_eq!(right.len(), length);
    let with = |bytes: &[u8]| skipped(&jwk_with(&key, name, json!(encode(bytes))));
    assert_eq!(with(&right), None);
    for wrong in [
        &right[..length - 1],
        &right[1..],
        &[&[0], right.as_slice()].concat(),
        &[right.as_slice(), &[0]].concat(),
        &[],
    ] {
        assert_eq!(
            with(wrong),
            Some(IgnoreReason::Point),
            "{} bytes",
            wrong.len()
        );
    }
}

#[test]
fn rfc_7518_section_6_2_1_a_coordinate_whose_leading_zero_bytes_were_dropped_is_read_all_the_same()
{
    // The generator's point of P-256, doubled until a coordinate starts with a zero byte, cannot be
    // had without arithmetic: a key is made until one does. One in 128 has it.
    let with_zero = (0..5000)
        .map(|_| KeyPair::generate(Algorithm::ES256))
        .find_map(|key| {
            let x = decode(key.jwk()["x"].as_str().unwrap());
            (x[0] == 0).then_some((key, x))
        });
    let (key, x) = with_zero.expect("one in 256");
    assert_eq!(skipped(&key.jwk().into()), None);
    assert_eq!(skipped(&jwk_with(&key, "x", json!(encode(&x[1..])))), None);
    assert_eq!(
        skipped(&jwk_with(
            &key,
            "x",
            json!(encode(&[&[0], x.as_slice()].concat()))
        )),
        Some(IgnoreReason::Point)
    );
}

#[test]
fn a_point_off_the_curve_is_not_used() {
    let mut y = decode(elliptic().jwk()["y"].as_str().unwrap());
    y[31] ^= 1;
    assert_eq!(
        skipped(&jwk_with(&elliptic(), "y", json!(encode(&y)))),
        Some(IgnoreReason::Point)
    );
    let zero = encode(&[0; 32]);
    let origin = json!({ "kty": "EC", "crv": "P-256", "x": zero, "y": zero });
    assert_eq!(skipped(&origin), Some(IgnoreReason::Point));
    // A point of P-384 is none of P-256, nor the other way round.
    assert_eq!(
        skipped(&jwk_with(
            &KeyPair::shared(Algorithm::ES384, 0),
            "crv",
            json!("P-256")
        )),
        Some(IgnoreReason::Algorithm)
    );
    let unnamed = jwk_with(&elliptic(), "alg", Value::Null);
    let Value::Object(mut unnamed) = unnamed else {
        panic!()
    };
    unnamed.insert("crv".to_owned(), json!("P-384"));
    assert_eq!(skipped(&unnamed.into()), Some(IgnoreReason::Point));
}

#[rstest]
#[case("P-521")]
#[case("secp256k1")]
#[case("p-256")]
#[case("P-256 ")]
#[case("")]
fn a_curve_that_bearward_does_not_know_is_not_used(#[case] curve: &str) {
    assert_eq!(
        skipped(&jwk_with(&elliptic(), "crv", json!(curve))),
        Some(IgnoreReason::Curve)
    );
}

#[test]
fn rfc_8037_an_octet_key_is_ed25519_of_32_bytes() {
    let key = KeyPair::shared(Algorithm::EdDSA, 0);
    assert_eq!(skipped(&key.jwk().into()), None);
    // RFC 9864 gives the same algorithm a more exact name.
    assert_eq!(skipped(&jwk_with(&key, "alg", json!("Ed25519"))), None);
    for curve in ["Ed448", "X25519", "X448", "ed25519", "P-256"] {
        assert_eq!(
            skipped(&jwk_with(&key, "crv", json!(curve))),
            Some(IgnoreReason::Curve),
            "{curve}"
        );
    }
    let x = decode(key.jwk()["x"].as_str().unwrap());
    for wrong in [&x[..31], &[x.as_slice(), &[0]].concat(), &[]] {
        assert_eq!(
            skipped(&jwk_with(&key, "x", json!(encode(wrong)))),
            Some(IgnoreReason::Point),
            "{} bytes",
            wrong.len()
        );
    }
}

#[rstest]
#[case::number(json!(1))]
#[case::standard_base64(json!("ab+/"))]
#[case::padded(json!("AAA="))]
#[case::list(json!([1, 2, 3]))]
#[case::absent(json!(null))]
fn key_material_that_is_no_base64url_is_malformed(#[case] value: Value) {
    assert_eq!(
        skipped(&jwk_with(&elliptic(), "x", value.clone())),
        Some(IgnoreReason::Malformed)
    );
    assert_eq!(
        skipped(&jwk_with(
            &KeyPair::shared(Algorithm::RS256, 0),
            "n",
            value.clone()
        )),
        Some(IgnoreReason::Malformed)
    );
    assert_eq!(
        skipped(&jwk_with(&KeyPair::shared(Algorithm::EdDSA, 0), "x", value)),
        Some(IgnoreReason::Malformed)
    );
}

#[test]
fn appendix_a_1_its_rsa_key_is_used_and_its_elliptic_key_is_for_encryption() {
    let (keys, reasons) = parse(&vector("rfc7517/a1.jwks")).unwrap();
    assert_eq!(keys.kids().collect::<Vec<_>>(), [Some("2011-04-29")]);
    assert_eq!(keys.iter().next().unwrap().algorithm(), Algorithm::RS256);
    assert_eq!(reasons, [IgnoreReason::Use]);
}

#[test]
fn appendix_a_2_private_keys_and_a_3_symmetric_keys_are_not_used() {
    for (name, reason) in [
        ("a2", IgnoreReason::Private),
        ("a3", IgnoreReason::Symmetric),
    ] {
        let JwksError::NoUsableKey(skipped) =
            parse(&vector(&format!("rfc7517/{name}.jwks"))).unwrap_err()
        else {
            panic!("{name}")
        };
        assert_eq!(
            skipped
                .iter()
                .map(|skipped| skipped.reason)
                .collect::<Vec<_>>(),
            [reason, reason]
        );
    }
}

#[test]
fn rfc_7520_section_3_the_rsa_key_is_used_and_those_of_p_521_and_for_hmac_are_not() {
    let key = |name: &str| serde_json::from_str(&vector(&format!("rfc7520/{name}.jwk"))).unwrap();
    assert_eq!(skipped(&key("3_3")), None);
    assert_eq!(skipped(&key("3_1")), Some(IgnoreReason::Curve));
    assert_eq!(skipped(&key("3_5")), Some(IgnoreReason::Symmetric));
}
