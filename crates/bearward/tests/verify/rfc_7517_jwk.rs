//! RFC 7517, JSON Web Key, and the key types of RFC 7518: which entries of a set are used and why
//! the others are ignored.

use bearward::{
    Algorithm,
    keys::{IgnoreReason, JwksError, ParsedJwks},
};
use bearward_testing::{KeyPair, encode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::fixture::{Fixture, decode, ignore_reason, jwk_with, jwks_from, read_vector};

fn ec_key() -> KeyPair {
    KeyPair::cached(Algorithm::ES256, 0)
}

fn parse(document: &str) -> Result<(ParsedJwks, Vec<IgnoreReason>), JwksError> {
    let parsed = ParsedJwks::parse(document.as_bytes(), Algorithm::ALL, 100)?;
    Ok((
        parsed.0,
        parsed.1.iter().map(|ignored| ignored.reason).collect(),
    ))
}

#[test]
fn section_5_invalid_keys_are_ignored_and_the_rest_is_used() {
    let good = ec_key();
    let bad = [
        (json!(null), IgnoreReason::Malformed),
        (json!("key"), IgnoreReason::Malformed),
        (json!([]), IgnoreReason::Malformed),
        (json!({}), IgnoreReason::MissingMember("kty")),
        (json!({ "kty": "RSA" }), IgnoreReason::MissingMember("n")),
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
    let document = jwks_from(
        bad.iter()
            .map(|(entry, _)| entry.clone())
            .chain([good.jwk().into()]),
    );
    let (keys, reasons) = parse(&document).unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(reasons, bad.map(|(_, reason)| reason));
    let fixture = Fixture::with_jwks(&good, &document);
    fixture.verify_ok(&fixture.token().sign());
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
fn section_5_a_document_without_usable_keys_is_an_error(
    #[case] document: &str,
    #[case] expected: JwksError,
) {
    assert_eq!(parse(document).unwrap_err(), expected);
}

#[test]
fn section_5_other_members_of_the_set_are_ignored() {
    let document = json!({ "keys": [ec_key().jwk()], "issuer": 1, "next": null }).to_string();
    assert_eq!(parse(&document).unwrap().0.len(), 1);
}

#[test]
fn a_set_has_at_most_100_keys() {
    let set_of_size = |count: usize| {
        jwks_from(
            (0..count).map(|number| jwk_with(&ec_key(), "kid", json!(format!("key-{number}")))),
        )
    };
    assert_eq!(parse(&set_of_size(100)).unwrap().0.len(), 100);
    assert_eq!(
        parse(&set_of_size(101)).unwrap_err(),
        JwksError::TooManyKeys {
            found: 101,
            limit: 100
        }
    );
}

#[test]
fn section_4_duplicate_members_of_a_key_are_malformed() {
    assert_eq!(
        ignore_reason(&jwk_with(&ec_key(), "x-unknown", json!([1]))),
        None
    );
    let text = Value::from(ec_key().jwk()).to_string();
    for duplicate in [r#"{"kty":"EC","#, r#"{"\u006bty":"EC","#, r#"{"x":"AAAA","#] {
        let document = format!("{{\"keys\":[{}]}}", text.replacen('{', duplicate, 1));
        let JwksError::NoUsableKey(ignored) = parse(&document).unwrap_err() else {
            panic!("{document}")
        };
        assert_eq!(ignored[0].reason, IgnoreReason::Malformed);
    }
}

#[rstest]
#[case::sig(json!("sig"), None)]
#[case::absent(json!(null), None)]
#[case::enc(json!("enc"), Some(IgnoreReason::Use))]
#[case::upper_case(json!("SIG"), Some(IgnoreReason::Use))]
#[case::empty(json!(""), Some(IgnoreReason::Use))]
#[case::list(json!(["sig"]), Some(IgnoreReason::InvalidMember("use")))]
fn section_4_2_use_must_be_sig_if_present(
    #[case] purpose: Value,
    #[case] expected: Option<IgnoreReason>,
) {
    assert_eq!(
        ignore_reason(&jwk_with(&ec_key(), "use", purpose)),
        expected
    );
}

#[rstest]
#[case::verify(json!(["verify"]), None)]
#[case::absent(json!(null), None)]
#[case::among_others(json!(["sign", "verify"]), None)]
#[case::sign(json!(["sign"]), Some(IgnoreReason::KeyOps))]
#[case::encrypt(json!(["encrypt", "wrapKey"]), Some(IgnoreReason::KeyOps))]
#[case::none(json!([]), Some(IgnoreReason::KeyOps))]
#[case::upper_case(json!(["VERIFY"]), Some(IgnoreReason::KeyOps))]
#[case::string(json!("verify"), Some(IgnoreReason::InvalidMember("key_ops")))]
#[case::numbers(json!([1]), Some(IgnoreReason::InvalidMember("key_ops")))]
#[case::twice(json!(["verify", "verify"]), Some(IgnoreReason::DuplicateKeyOps))]
#[case::other_twice(json!(["sign", "sign", "verify"]), Some(IgnoreReason::DuplicateKeyOps))]
fn section_4_3_key_ops_must_include_verify_if_present(
    #[case] operations: Value,
    #[case] expected: Option<IgnoreReason>,
) {
    assert_eq!(
        ignore_reason(&jwk_with(&ec_key(), "key_ops", operations)),
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
#[case::number(json!(256), Some(IgnoreReason::InvalidMember("alg")))]
fn section_4_4_alg_must_match_the_key_type(
    #[case] alg: Value,
    #[case] expected: Option<IgnoreReason>,
) {
    assert_eq!(ignore_reason(&jwk_with(&ec_key(), "alg", alg)), expected);
}

#[test]
fn a_key_for_an_unlisted_algorithm_is_ignored() {
    let document = jwks_from([Value::from(ec_key().jwk())]);
    let error = ParsedJwks::parse(document.as_bytes(), &[Algorithm::RS256], 100).unwrap_err();
    let JwksError::NoUsableKey(ignored) = error else {
        panic!("{error:?}")
    };
    assert_eq!(ignored[0].reason, IgnoreReason::NotListed);
    assert_eq!(
        ignored[0].kid.as_ref().map(ToString::to_string).unwrap(),
        document
            .split('"')
            .skip_while(|text| *text != "kid")
            .nth(2)
            .unwrap()
    );
}

#[test]
fn section_4_5_a_kid_is_a_string_of_at_most_256_bytes() {
    assert_eq!(
        ignore_reason(&jwk_with(&ec_key(), "kid", json!("k".repeat(256)))),
        None
    );
    for kid in [json!("k".repeat(257)), json!(1), json!([]), json!(true)] {
        assert_eq!(
            ignore_reason(&jwk_with(&ec_key(), "kid", kid)),
            Some(IgnoreReason::InvalidMember("kid"))
        );
    }
}

#[test]
fn section_4_7_certificate_members_are_ignored() {
    for (name, value) in [
        ("x5c", json!("no list")),
        ("x5c", json!(["no base64!"])),
        ("x5t", json!(1)),
        ("x5u", json!("file:///etc")),
    ] {
        assert_eq!(
            ignore_reason(&jwk_with(&ec_key(), name, value)),
            None,
            "{name}"
        );
    }
}

#[rstest]
fn private_keys_are_ignored(#[values("d", "p", "q", "dp", "dq", "qi", "oth", "priv")] name: &str) {
    assert_eq!(
        ignore_reason(&jwk_with(&ec_key(), name, json!("AAAA"))),
        Some(IgnoreReason::Private)
    );
}

#[test]
fn symmetric_keys_are_ignored() {
    assert_eq!(
        ignore_reason(&json!({ "kty": "oct", "k": "AAAA", "alg": "HS256" })),
        Some(IgnoreReason::Symmetric)
    );
    assert_eq!(
        ignore_reason(&json!({ "kty": "OCT", "k": "AAAA" })),
        Some(IgnoreReason::KeyType)
    );
}

#[test]
fn section_4_k_has_no_meaning_in_other_key_types() {
    for key in [ec_key(), KeyPair::cached(Algorithm::RS256, 0)] {
        assert_eq!(ignore_reason(&jwk_with(&key, "k", json!("AAAA"))), None);
    }
}

#[rstest]
fn a_member_with_the_value_null_is_absent(
    #[values("d", "k", "use", "key_ops", "alg", "kid", "x5c")] name: &str,
) {
    let mut jwk = ec_key().jwk();
    jwk.insert(name.to_owned(), Value::Null);
    assert_eq!(ignore_reason(&jwk.into()), None);
}

#[test]
fn rsa_keys_with_the_roca_fingerprint_are_used_and_marked() {
    // 65537^128, which has 2049 bits: a power of 65537 has the structure of a vulnerable modulus.
    let mut modulus = vec![1_u8];
    for _ in 0..128 {
        let shifted = [modulus.clone(), vec![0, 0]].concat();
        let mut sum: Vec<u8> = Vec::new();
        let mut carry = 0;
        for (index, byte) in shifted.iter().rev().enumerate() {
            let addend = modulus.iter().rev().nth(index).copied().unwrap_or(0);
            let total = u16::from(*byte) + u16::from(addend) + carry;
            sum.push(total.to_le_bytes()[0]);
            carry = total >> 8;
        }
        if carry > 0 {
            sum.push(1);
        }
        sum.reverse();
        modulus = sum;
    }
    let marked = |n: &[u8]| {
        let rsa = KeyPair::cached(Algorithm::RS256, 0);
        let document = jwks_from([jwk_with(&rsa, "n", json!(encode(n)))]);
        let (keys, _) = parse(&document).unwrap();
        keys.iter().next().unwrap().has_roca_fingerprint()
    };
    assert!(marked(&modulus));
    *modulus.last_mut().unwrap() ^= 2;
    assert!(!marked(&modulus));
}

#[rstest]
fn section_4_1_kty_is_required_and_case_sensitive(
    #[values("ec", "Ec", "rsa", "okp", "")] kty: &str,
) {
    assert_eq!(
        ignore_reason(&jwk_with(&ec_key(), "kty", json!(kty))),
        Some(IgnoreReason::KeyType)
    );
    assert_eq!(
        ignore_reason(&jwk_with(&ec_key(), "kty", Value::Null)),
        Some(IgnoreReason::MissingMember("kty"))
    );
}

#[rstest]
fn rfc_7518_section_6_2_1_coordinates_have_full_length(
    #[values(Algorithm::ES256, Algorithm::ES384, Algorithm::ES512)] algorithm: Algorithm,
    #[values("x", "y")] name: &str,
) {
    let key = KeyPair::cached(algorithm, 0);
    let valid = decode(key.jwk()[name].as_str().unwrap());
    let length = match algorithm {
        Algorithm::ES256 => 32,
        Algorithm::ES384 => 48,
        _ => 66,
    };
    assert_eq!(valid.len(), length);
    let with = |bytes: &[u8]| ignore_reason(&jwk_with(&key, name, json!(encode(bytes))));
    assert_eq!(with(&valid), None);
    for invalid in [
        &valid[..length - 1],
        &valid[1..],
        &[&[0], valid.as_slice()].concat(),
        &[valid.as_slice(), &[0]].concat(),
        &[],
    ] {
        // A missing leading zero is tolerated, and most coordinates on P-521 have one.
        if invalid == &valid[1..] && valid[0] == 0 {
            continue;
        }
        assert_eq!(
            with(invalid),
            Some(IgnoreReason::Point),
            "{} bytes",
            invalid.len()
        );
    }
}

#[test]
fn rfc_7518_section_6_2_1_missing_leading_zeros_are_tolerated() {
    // Generates keys until the x coordinate starts with a zero byte, which one key in 256 does.
    let with_zero = (0..5000)
        .map(|_| KeyPair::generate(Algorithm::ES256))
        .find_map(|key| {
            let x = decode(key.jwk()["x"].as_str().unwrap());
            (x[0] == 0).then_some((key, x))
        });
    let (key, x) = with_zero.expect("one key or signature in 256 matches");
    assert_eq!(ignore_reason(&key.jwk().into()), None);
    assert_eq!(
        ignore_reason(&jwk_with(&key, "x", json!(encode(&x[1..])))),
        None
    );
    assert_eq!(
        ignore_reason(&jwk_with(
            &key,
            "x",
            json!(encode(&[&[0], x.as_slice()].concat()))
        )),
        Some(IgnoreReason::Point)
    );
}

#[test]
fn points_not_on_the_curve_are_ignored() {
    let mut y = decode(ec_key().jwk()["y"].as_str().unwrap());
    y[31] ^= 1;
    assert_eq!(
        ignore_reason(&jwk_with(&ec_key(), "y", json!(encode(&y)))),
        Some(IgnoreReason::Point)
    );
    let zero = encode(&[0; 32]);
    let origin = json!({ "kty": "EC", "crv": "P-256", "x": zero, "y": zero });
    assert_eq!(ignore_reason(&origin), Some(IgnoreReason::Point));
    // A point of P-384 is not on P-256, and vice versa.
    assert_eq!(
        ignore_reason(&jwk_with(
            &KeyPair::cached(Algorithm::ES384, 0),
            "crv",
            json!("P-256")
        )),
        Some(IgnoreReason::Algorithm)
    );
    let unnamed = jwk_with(&ec_key(), "alg", Value::Null);
    let Value::Object(mut unnamed) = unnamed else {
        panic!()
    };
    unnamed.insert("crv".to_owned(), json!("P-384"));
    assert_eq!(ignore_reason(&unnamed.into()), Some(IgnoreReason::Point));
}

#[rstest]
#[case("secp256k1")]
#[case("p-256")]
#[case("P-256 ")]
#[case("")]
fn unsupported_curves_are_ignored(#[case] curve: &str) {
    assert_eq!(
        ignore_reason(&jwk_with(&ec_key(), "crv", json!(curve))),
        Some(IgnoreReason::Curve)
    );
}

#[test]
fn rfc_8037_okp_keys_are_ed25519_with_32_bytes() {
    let key = KeyPair::cached(Algorithm::EdDSA, 0);
    assert_eq!(ignore_reason(&key.jwk().into()), None);
    // RFC 9864 defines `Ed25519` as a fully specified name of the same algorithm.
    assert_eq!(
        ignore_reason(&jwk_with(&key, "alg", json!("Ed25519"))),
        None
    );
    for curve in ["Ed448", "X25519", "X448", "ed25519", "P-256"] {
        assert_eq!(
            ignore_reason(&jwk_with(&key, "crv", json!(curve))),
            Some(IgnoreReason::Curve),
            "{curve}"
        );
    }
    let x = decode(key.jwk()["x"].as_str().unwrap());
    for invalid in [&x[..31], &[x.as_slice(), &[0]].concat(), &[]] {
        assert_eq!(
            ignore_reason(&jwk_with(&key, "x", json!(encode(invalid)))),
            Some(IgnoreReason::Point),
            "{} bytes",
            invalid.len()
        );
    }
}

#[rstest]
#[case::number(json!(1))]
#[case::space(json!("AAAA AAAA"))]
#[case::line_break(json!("AAAA\nAAAA"))]
#[case::three_padding_characters(json!("A==="))]
#[case::padding_inside(json!("AA==AA"))]
#[case::trailing_bits(json!("AB"))]
#[case::list(json!([1, 2, 3]))]
fn invalid_key_material_is_ignored_and_the_member_named(#[case] value: Value) {
    for (key, name) in [
        (ec_key(), "y"),
        (KeyPair::cached(Algorithm::RS256, 0), "n"),
        (KeyPair::cached(Algorithm::RS256, 0), "e"),
        (KeyPair::cached(Algorithm::EdDSA, 0), "x"),
    ] {
        let reason = ignore_reason(&jwk_with(&key, name, value.clone())).unwrap();
        assert_eq!(reason, IgnoreReason::InvalidMember(name));
        assert!(
            reason.to_string().contains(&format!("{name:?}")),
            "{reason}"
        );
        assert_eq!(
            ignore_reason(&jwk_with(&key, name, Value::Null)),
            Some(IgnoreReason::MissingMember(name))
        );
    }
}

/// As jose and `PyJWT` do.
#[test]
fn key_material_in_standard_base64_is_used() {
    for (algorithm, name) in [
        (Algorithm::RS256, "n"),
        (Algorithm::RS256, "e"),
        (Algorithm::ES256, "x"),
        (Algorithm::EdDSA, "x"),
    ] {
        let key = KeyPair::cached(algorithm, 0);
        let bytes = decode(key.jwk()[name].as_str().unwrap());
        for text in [
            base64_simd::STANDARD.encode_to_string(&bytes),
            base64_simd::STANDARD_NO_PAD.encode_to_string(&bytes),
            base64_simd::URL_SAFE.encode_to_string(&bytes),
        ] {
            let fixture = Fixture::with_jwks(&key, &jwks_from([jwk_with(&key, name, json!(text))]));
            fixture.verify_ok(&fixture.token().sign());
        }
    }
}

#[test]
fn appendix_a_1_the_rsa_key_is_used_and_the_ec_key_is_not() {
    let (keys, reasons) = parse(&read_vector("rfc7517/a1.jwks")).unwrap();
    assert_eq!(keys.kids().collect::<Vec<_>>(), [Some("2011-04-29")]);
    assert!(
        keys.iter()
            .next()
            .unwrap()
            .algorithms()
            .eq([Algorithm::RS256])
    );
    assert_eq!(reasons, [IgnoreReason::Use]);
}

#[test]
fn appendix_a_2_private_and_a_3_symmetric_keys_are_ignored() {
    for (name, reason) in [
        ("a2", IgnoreReason::Private),
        ("a3", IgnoreReason::Symmetric),
    ] {
        let JwksError::NoUsableKey(ignored) =
            parse(&read_vector(&format!("rfc7517/{name}.jwks"))).unwrap_err()
        else {
            panic!("{name}")
        };
        assert_eq!(
            ignored
                .iter()
                .map(|ignored| ignored.reason)
                .collect::<Vec<_>>(),
            [reason, reason]
        );
    }
}

#[test]
fn rfc_7520_section_3_public_keys_are_used() {
    let key =
        |name: &str| serde_json::from_str(&read_vector(&format!("rfc7520/{name}.jwk"))).unwrap();
    assert_eq!(ignore_reason(&key("3_3")), None);
    assert_eq!(ignore_reason(&key("3_1")), None);
    assert_eq!(ignore_reason(&key("3_5")), Some(IgnoreReason::Symmetric));
}
