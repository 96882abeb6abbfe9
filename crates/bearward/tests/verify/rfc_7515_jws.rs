//! RFC 7515, JSON Web Signature: requirements for compact tokens, and the test vectors of appendix A.

use bearward::{Algorithm, AuthError, FormatError, HeaderError, ObjectError, Timestamp};
use serde_json::{Value, json};

use crate::fixture::{self, Fixture, NOW, assert_rejected, read_vector, split_token};

#[test]
fn section_2_base64url_has_no_padding_or_white_space() {
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    fixture.verify_ok(&token);
    for altered in [
        format!("{token}="),
        format!("{token}\n"),
        token.replacen('.', ".\r\n", 1),
        token.replacen('.', " .", 1),
    ] {
        assert_rejected!(
            fixture,
            altered,
            "MALFORMED_TOKEN",
            AuthError::Format(FormatError::Base64)
        );
    }
}

#[test]
fn section_4_duplicate_header_names_are_rejected() {
    let fixture = Fixture::new();
    let kid = fixture.key.kid().to_owned();
    for duplicate in [
        format!(r#"{{"alg":"ES256","kid":"{kid}","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"none","alg":"ES256","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"ES256","kid":"{kid}","\u0061lg":"none"}}"#),
        format!(r#"{{"alg":"ES256","kid":"{kid}","x":1,"x":1}}"#),
    ] {
        let expected = HeaderError::Object(ObjectError::Duplicate);
        assert_rejected!(fixture, fixture.with_header(&duplicate), "MALFORMED_TOKEN", AuthError::Header(error) if *error == expected);
    }
    // Names are case-sensitive, so these are different members.
    fixture.verify_ok(&fixture.with_header(&format!(
        r#"{{"alg":"ES256","kid":"{kid}","ALG":"none","Kid":"x"}}"#
    )));
}

#[test]
fn section_4_unknown_members_are_ignored() {
    let fixture = Fixture::new();
    fixture.verify_ok(
        &fixture
            .token()
            .header("http://example.com/is_root", true)
            .header("x", json!({ "alg": "none" }))
            .sign(),
    );
}

#[test]
fn section_4_1_1_alg_is_case_sensitive() {
    let fixture = Fixture::new();
    fixture.verify_ok(&fixture.token().header("alg", "ES256").sign());
    for alg in ["es256", "Es256", "eS256"] {
        assert_rejected!(
            fixture,
            fixture.token().header("alg", alg).sign(),
            "UNSUPPORTED_ALGORITHM",
            AuthError::AlgorithmNotAllowed { .. }
        );
    }
}

#[test]
fn section_4_1_9_typ_is_case_insensitive_with_optional_prefix() {
    let fixture = Fixture::new();
    for typ in ["JWT", "jwt", "application/jwt", "APPLICATION/JWT"] {
        fixture.verify_ok(&fixture.token().header("typ", typ).sign());
    }
    assert_rejected!(
        fixture,
        fixture.token().header("typ", "example/jwt").sign(),
        "INVALID_TOKEN_TYPE",
        AuthError::WrongType { .. }
    );
}

#[test]
fn section_4_1_11_every_crit_is_rejected() {
    let fixture = Fixture::new();
    let with = |crit: Value| {
        fixture
            .token()
            .header("crit", crit)
            .header("exp", NOW)
            .sign()
    };
    for crit in [
        json!(["exp"]),
        json!([]),
        json!(["alg"]),
        json!(["exp", "exp"]),
        json!(["absent"]),
        json!("exp"),
        json!(null),
    ] {
        assert_rejected!(
            fixture,
            with(crit),
            "MALFORMED_TOKEN",
            AuthError::Header(HeaderError::Critical)
        );
    }
    // Without `crit`, the same member is unknown and ignored.
    fixture.verify_ok(&fixture.token().header("exp", NOW).sign());
}

#[test]
fn section_5_2_the_header_must_be_a_json_object() {
    let fixture = Fixture::new();
    let expected = HeaderError::Object(ObjectError::NotAnObject);
    for header in ["[]", "\"{}\"", "{", "", " ", "{}{}"] {
        let token = fixture.with_header(if header.is_empty() { "\n" } else { header });
        assert_rejected!(fixture, token, "MALFORMED_TOKEN", AuthError::Header(error) if *error == expected);
    }
}

#[test]
fn section_7_2_json_serializations_are_rejected() {
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    let [protected, payload, signature] = split_token(&token);
    let flattened = json!({ "protected": protected, "payload": payload, "signature": signature });
    let general = json!({ "payload": payload, "signatures": [{ "protected": protected, "signature": signature }] });
    let published = [
        read_vector("rfc7515/a6.json"),
        read_vector("rfc7515/a7.json"),
    ];
    for serialized in [flattened.to_string(), general.to_string()]
        .into_iter()
        .chain(published)
    {
        let error = fixture.verify_err(&serialized);
        assert!(matches!(error, AuthError::Format(_)), "{error:?}");
        assert_eq!(error.code(), "MALFORMED_TOKEN");
    }
}

/// Returns a fixture and the token of a test vector. The vectors have no `sub`, so a valid signature
/// leads to `MISSING_CLAIM`.
fn appendix(name: &str) -> (Fixture, String) {
    let jwk: Value = serde_json::from_str(&read_vector(&format!("rfc7515/{name}.jwk"))).unwrap();
    let keys = fixture::jwks_from([jwk]);
    let profile = fixture::issuer_with_jwks("joe", &keys);
    let clock = fixture::clock();
    clock.set_wall_clock(Timestamp::from_unix(1_300_819_379));
    let auth = fixture::build(bearward::Bearward::builder().issuer(profile), &clock);
    let key = bearward_testing::KeyPair::cached(Algorithm::ES256, 0);
    (
        Fixture { auth, clock, key },
        read_vector(&format!("rfc7515/{name}.jws")),
    )
}

#[test]
fn appendix_a_2_rs256_and_a_3_es256_verify() {
    for name in ["a2", "a3"] {
        let (fixture, token) = appendix(name);
        assert_rejected!(fixture, token.clone(), "MISSING_CLAIM", AuthError::MissingClaim(claim) if &**claim == "sub");
        let [header, payload, signature] = split_token(&token);
        let mut bytes = fixture::decode(signature);
        bytes[7] ^= 1;
        let altered = format!("{header}.{payload}.{}", bearward_testing::encode(&bytes));
        assert_rejected!(
            fixture,
            altered,
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
        let changed = String::from_utf8(fixture::decode(payload))
            .unwrap()
            .replace("1300819380", "1300819381");
        let altered = format!(
            "{header}.{}.{signature}",
            bearward_testing::encode(changed.as_bytes())
        );
        assert_rejected!(
            fixture,
            altered,
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[test]
fn appendix_a_1_hs256_and_a_5_none_are_rejected() {
    let (fixture, _) = appendix("a2");
    assert_rejected!(
        fixture,
        read_vector("rfc7515/a1.jws"),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
    let unsecured = read_vector("rfc7515/a5.jws");
    assert_rejected!(
        fixture,
        unsecured.clone(),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Empty)
    );
    assert_rejected!(
        fixture,
        format!("{unsecured}AA"),
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}

#[test]
fn appendix_a_4_the_es512_key_is_used_and_the_payload_is_not_a_jwt() {
    let (fixture, _) = appendix("a3");
    assert_rejected!(
        fixture,
        read_vector("rfc7515/a4.jws"),
        "MALFORMED_TOKEN",
        AuthError::Payload(_)
    );
    let key: Value = serde_json::from_str(&read_vector("rfc7515/a4.jwk")).unwrap();
    assert_eq!(fixture::ignore_reason(&key), None);
}
