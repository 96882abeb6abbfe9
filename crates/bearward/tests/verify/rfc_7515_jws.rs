//! RFC 7515, JSON Web Signature: what its statements mean for a token, and the vectors of its
//! appendix A.

use {Algorithm, AuthError, FormatError, HeaderError, ObjectError, Timestamp};
use serde_json::{Value, json};

use crate::stand::{self, NOW, Stand, parts, refused, vector};

#[test]
fn section_2_base64url_has_no_padding_white_space_or_line_breaks() {
    let stand = Stand::new();
    let token = stand.token().sign();
    stand.accepts(&token);
    for spoilt in [
        format!("{token}="),
        format!("{token}\n"),
        token.replacen('.', ".\r\n", 1),
        token.replacen('.', " .", 1),
    ] {
        refused!(
            stand,
            spoilt,
            "MALFORMED_TOKEN",
            AuthError::Form(FormatError::Base64)
        );
    }
}

#[test]
fn section_4_header_names_must_be_unique_also_when_escaped() {
    let stand = Stand::new();
    let kid = stand.key.kid().to_owned();
    for twice in [
        format!(r#"{{"alg":"ES256","kid":"{kid}","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"none","alg":"ES256","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"ES256","kid":"{kid}","\u0061lg":"none"}}"#),
        format!(r#"{{"alg":"ES256","kid":"{kid}","x":1,"x":1}}"#),
    ] {
        let refusal = HeaderError::Object(ObjectError::Duplicate);
        refused!(stand, stand.with_header(&twice), "MALFORMED_TOKEN", AuthError::Header(error) if *error == refusal);
    }
    // Names are case-sensitive: these are two.
    stand.accepts(&stand.with_header(&format!(
        r#"{{"alg":"ES256","kid":"{kid}","ALG":"none","Kid":"x"}}"#
    )));
}

#[test]
fn section_4_unknown_members_are_ignored() {
    let stand = Stand::new();
    stand.accepts(
        &stand
            .token()
            .header("http://example.com/is_root", true)
            .header("x", json!({ "alg": "none" }))
            .sign(),
    );
}

#[test]
fn section_4_1_1_alg_is_case_sensitive() {
    let stand = Stand::new();
    stand.accepts(&stand.token().header("alg", "ES256").sign());
    for alg in ["es256", "Es256", "eS256"] {
        refused!(
            stand,
            stand.token().header("alg", alg).sign(),
            "UNSUPPORTED_ALGORITHM",
            AuthError::AlgorithmNotAllowed { .. }
        );
    }
}

#[test]
fn section_4_1_9_typ_may_leave_out_application_and_is_compared_in_any_case() {
    let stand = Stand::new();
    for typ in ["JWT", "jwt", "application/jwt", "APPLICATION/JWT"] {
        stand.accepts(&stand.token().header("typ", typ).sign());
    }
    refused!(
        stand,
        stand.token().header("typ", "example/jwt").sign(),
        "INVALID_TOKEN_TYPE",
        AuthError::WrongType { .. }
    );
}

#[test]
fn section_4_1_11_crit_is_refused_unknown_empty_and_naming_standard_members() {
    let stand = Stand::new();
    let with = |crit: Value| stand.token().header("crit", crit).header("exp", NOW).sign();
    for crit in [
        json!(["exp"]),
        json!([]),
        json!(["alg"]),
        json!(["exp", "exp"]),
        json!(["absent"]),
        json!("exp"),
        json!(null),
    ] {
        refused!(
            stand,
            with(crit),
            "MALFORMED_TOKEN",
            AuthError::Header(HeaderError::Critical)
        );
    }
    // The same member without `crit` is an unknown one.
    stand.accepts(&stand.token().header("exp", NOW).sign());
}

#[test]
fn section_5_2_the_header_is_a_json_object_in_utf_8() {
    let stand = Stand::new();
    let refusal = HeaderError::Object(ObjectError::NotAnObject);
    for header in ["[]", "\"{}\"", "{", "", " ", "{}{}"] {
        let token = stand.with_header(if header.is_empty() { "\n" } else { header });
        refused!(stand, token, "MALFORMED_TOKEN", AuthError::Header(error) if *error == refusal);
    }
}

#[test]
fn section_7_2_the_json_serializations_are_refused() {
    let stand = Stand::new();
    let token = stand.token().sign();
    let [protected, payload, signature] = parts(&token);
    let flattened = json!({ "protected": protected, "payload": payload, "signature": signature });
    let general = json!({ "payload": payload, "signatures": [{ "protected": protected, "signature": signature }] });
    let published = [vector("rfc7515/a6.json"), vector("rfc7515/a7.json")];
    for serialized in [flattened.to_string(), general.to_string()]
        .into_iter()
        .chain(published)
    {
        let refusal = stand.refusal(&serialized);
        assert!(matches!(refusal, AuthError::Form(_)), "{refusal:?}");
        assert_eq!(refusal.code(), "MALFORMED_TOKEN");
    }
}

/// The vectors' claims have no `sub`, so the first refusal after a good signature is exactly that.
fn appendix(name: &str) -> (Stand, String) {
    let jwk: Value = serde_json::from_str(&vector(&format!("rfc7515/{name}.jwk"))).unwrap();
    let keys = stand::set_of([jwk]);
    let profile = stand::trusting("joe", &keys);
    let clock = stand::clock();
    clock.set_wall_clock(Timestamp::from_unix(1_300_819_379));
    let auth = stand::build(bearward::Bearward::builder().issuer(profile), &clock);
    let key = bearward_testing::KeyPair::shared(Algorithm::ES256, 0);
    (
        Stand { auth, clock, key },
        vector(&format!("rfc7515/{name}.jws")),
    )
}

#[test]
fn appendix_a_2_rs256_and_a_3_es256_verify_and_one_altered_byte_does_not() {
    for name in ["a2", "a3"] {
        let (stand, token) = appendix(name);
        refused!(stand, token.clone(), "MISSING_CLAIM", AuthError::MissingClaim(claim) if &**claim == "sub");
        let [header, payload, signature] = parts(&token);
        let mut bytes = stand::decode(signature);
        bytes[7] ^= 1;
        let altered = format!("{header}.{payload}.{}", bearward_testing::encode(&bytes));
        refused!(
            stand,
            altered,
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
        let later = String::from_utf8(stand::decode(payload))
            .unwrap()
            .replace("1300819380", "1300819381");
        let altered = format!(
            "{header}.{}.{signature}",
            bearward_testing::encode(later.as_bytes())
        );
        refused!(
            stand,
            altered,
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[test]
fn appendix_a_1_hs256_and_a_5_none_are_refused_for_their_algorithm_or_their_missing_signature() {
    let (stand, _) = appendix("a2");
    refused!(
        stand,
        vector("rfc7515/a1.jws"),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
    let unsecured = vector("rfc7515/a5.jws");
    refused!(
        stand,
        unsecured.clone(),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Empty)
    );
    refused!(
        stand,
        format!("{unsecured}AA"),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}

#[test]
fn appendix_a_4_es512_is_no_algorithm_of_bearward_and_its_key_no_usable_one() {
    let (stand, _) = appendix("a3");
    refused!(
        stand,
        vector("rfc7515/a4.jws"),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
    let key: Value = serde_json::from_str(&vector("rfc7515/a4.jwk")).unwrap();
    assert_eq!(
        stand::skipped(&key),
        Some(bearward::keys::IgnoreReason::Curve)
    );
}
