//! Rule 5, header: one JSON object with unique members, an allowed `alg`, an accepted `typ`, no
//! `crit`, no `b64`, and a string `kid`.

use bearward::{Algorithm, AuthError, HeaderError, ObjectError, TypRule};
use bearward_testing::{KeyPair, Token};
use rstest::rstest;

use crate::fixture::{Fixture, assert_rejected};

#[rstest]
#[case::nothing_in_it("{}")]
#[case::null_alg(r#"{"alg":null}"#)]
#[case::number(r#"{"alg":256}"#)]
#[case::list(r#"{"alg":["ES256"]}"#)]
#[case::object(r#"{"alg":{"ES256":1}}"#)]
fn alg_must_be_a_string(#[case] header: &str) {
    let fixture = Fixture::new();
    let expected = HeaderError::NotAString("alg");
    assert_rejected!(fixture, fixture.with_header(header), "MALFORMED_TOKEN", AuthError::Header(error) if *error == expected);
}

#[rstest]
#[case::null("null")]
#[case::list("[]")]
#[case::string(r#""ES256""#)]
#[case::number("1")]
#[case::two_objects(r#"{"alg":"ES256"}{"alg":"ES256"}"#)]
#[case::something_after(r#"{"alg":"ES256"} x"#)]
#[case::cut("{\"alg\":\"ES256\"")]
#[case::byte_order_mark("\u{feff}{\"alg\":\"ES256\"}")]
#[case::comment(r#"{"alg":"ES256"/**/}"#)]
#[case::trailing_comma(r#"{"alg":"ES256",}"#)]
#[case::single_quotes("{'alg':'ES256'}")]
#[case::nan(r#"{"alg":"ES256","x":NaN}"#)]
#[case::half_a_surrogate(r#"{"alg":"ES256","\ud800":1}"#)]
#[case::bare_control_character("{\"alg\":\"ES256\",\"x\":\"\n\"}")]
fn the_header_must_be_one_json_object(#[case] header: &str) {
    let fixture = Fixture::new();
    let expected = HeaderError::Object(ObjectError::NotAnObject);
    assert_rejected!(fixture, fixture.with_header(header), "MALFORMED_TOKEN", AuthError::Header(error) if *error == expected);
}

#[test]
fn the_header_must_be_utf_8() {
    let fixture = Fixture::new();
    let good = fixture.with_header_member("x", "\"\u{e9}\"");
    fixture.verify_ok(&good);
    let [_, payload, _] = crate::fixture::split_token(&good);
    // The same character in Latin-1.
    let header = [br#"{"alg":"ES256","x":""#.as_slice(), &[0xe9], br#""}"#].concat();
    let signed = format!("{}.{payload}", bearward_testing::encode(&header));
    let token = format!(
        "{signed}.{}",
        bearward_testing::encode(&fixture.key.sign(signed.as_bytes()))
    );
    assert_rejected!(
        fixture,
        token,
        "MALFORMED_TOKEN",
        AuthError::Header(HeaderError::Object(ObjectError::NotAnObject))
    );
}

#[test]
fn json_whitespace_in_the_header_is_ignored() {
    let fixture = Fixture::new();
    fixture.verify_ok(&fixture.with_header(&format!(
        " {{ \"alg\" : \"ES256\" ,\r\n\t\"kid\" : \"{}\" }} ",
        fixture.key.kid()
    )));
}

#[test]
fn an_algorithm_not_listed_for_the_issuer_is_rejected() {
    let key = KeyPair::cached(Algorithm::RS256, 0);
    let listed = |list: &'static [Algorithm]| {
        Fixture::with_key(&key, move |issuer| {
            issuer.algorithms(list.iter().copied()).unwrap()
        })
    };
    let fixture = listed(&[Algorithm::RS256, Algorithm::ES256]);
    fixture.verify_ok(&fixture.token().sign());
    let ps256 = fixture
        .token()
        .key(key.clone().with_algorithm(Algorithm::PS256))
        .sign();
    let error = fixture.verify_err(&ps256);
    let AuthError::AlgorithmNotAllowed { found, allowed } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (found.as_str(), allowed.as_slice()),
        ("PS256", &[Algorithm::RS256, Algorithm::ES256][..])
    );
    assert_eq!(error.code(), "UNSUPPORTED_ALGORITHM");
}

#[test]
fn every_supported_algorithm_verifies() {
    for &algorithm in Algorithm::ALL {
        let key = KeyPair::cached(Algorithm::RS256, 0);
        let key = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 | Algorithm::EdDSA => {
                KeyPair::cached(algorithm, 0)
            }
            _ => key.with_algorithm(algorithm),
        };
        let fixture = Fixture::with_key(&key, |issuer| issuer);
        assert_eq!(
            fixture.verify_ok(&fixture.token().sign()).algorithm(),
            algorithm
        );
    }
}

#[test]
fn the_default_algorithms_are_rs256_es256_and_eddsa() {
    for &algorithm in Algorithm::ALL {
        let key = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 | Algorithm::EdDSA => {
                KeyPair::cached(algorithm, 0)
            }
            _ => KeyPair::cached(Algorithm::RS256, 0).with_algorithm(algorithm),
        };
        let also = KeyPair::cached(Algorithm::ES256, 1);
        let profile = |issuer: bearward::Issuer| {
            issuer
                .algorithms(Algorithm::DEFAULT.iter().copied())
                .unwrap()
        };
        let keys = bearward::KeySource::Fixed(crate::fixture::jwks([&key, &also]));
        let fixture =
            Fixture::with_builder(&key, |issuer| profile(issuer).keys(keys), |builder| builder);
        let token = fixture.token().sign();
        if Algorithm::DEFAULT.contains(&algorithm) {
            fixture.verify_ok(&token);
        } else {
            assert_rejected!(
                fixture,
                token,
                "UNSUPPORTED_ALGORITHM",
                AuthError::AlgorithmNotAllowed { .. }
            );
        }
    }
}

#[rstest]
#[case::hs256("HS256")]
#[case::es256k("ES256K")]
#[case::ed448("Ed448")]
#[case::rsa1_5("RSA1_5")]
#[case::lower_case("es256")]
#[case::white_space("ES256 ")]
#[case::empty("")]
#[case::nul("ES256\\u0000")]
fn unknown_algorithms_are_rejected(#[case] alg: &str) {
    let fixture = Fixture::new();
    let token = fixture.with_header_member("alg", &format!("\"{alg}\""));
    assert_rejected!(fixture, token, "UNSUPPORTED_ALGORITHM", AuthError::AlgorithmNotAllowed { allowed, .. } if allowed.is_empty());
}

#[test]
fn json_escapes_in_alg_are_decoded() {
    let fixture = Fixture::new();
    fixture.verify_ok(&fixture.with_header_member("alg", r#""\u0045S256""#));
}

#[rstest]
#[case::empty("[]")]
#[case::null("null")]
#[case::unknown(r#"["exp"]"#)]
#[case::naming_b64(r#"["b64"]"#)]
#[case::naming_a_standard_member(r#"["alg"]"#)]
#[case::no_list("\"exp\"")]
fn crit_must_be_absent(#[case] crit: &str) {
    let fixture = Fixture::new();
    fixture.verify_ok(&fixture.with_header_member("Crit", crit));
    assert_rejected!(
        fixture,
        fixture.with_header_member("crit", crit),
        "MALFORMED_TOKEN",
        AuthError::Header(HeaderError::Critical)
    );
}

#[rstest]
fn b64_must_be_absent(#[values("true", "false", "null")] b64: &str) {
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        fixture.with_header_member("b64", b64),
        "MALFORMED_TOKEN",
        AuthError::Header(HeaderError::Unencoded)
    );
}

#[rstest]
#[case("JWT")]
#[case("jwt")]
#[case("Jwt")]
#[case("at+jwt")]
#[case("AT+JWT")]
#[case("application/jwt")]
#[case("application/JWT")]
#[case("Application/At+Jwt")]
#[case("APPLICATION/AT+JWT")]
fn accepted_values_of_typ(#[case] typ: &str) {
    let fixture = Fixture::new();
    fixture.verify_ok(&fixture.token().header("typ", typ).sign());
}

#[test]
fn typ_is_optional_for_jwt() {
    let fixture = Fixture::new();
    fixture.verify_ok(&fixture.token().without_header("typ").sign());
}

#[rstest]
#[case("logout+jwt")]
#[case("dpop+jwt")]
#[case("secevent+jwt")]
#[case("application/logout+jwt")]
#[case("id_token+jwt")]
#[case("JOSE")]
#[case("")]
#[case("application/")]
#[case("application/application/jwt")]
#[case("text/jwt")]
#[case(" JWT")]
#[case("JWT ")]
#[case("at jwt")]
#[case("applicationé/jwt")]
#[case("\u{212a}WT")]
fn other_values_of_typ_are_rejected(#[case] typ: &str) {
    let fixture = Fixture::new();
    let token = fixture.token().header("typ", typ).sign();
    assert_rejected!(fixture, token, "INVALID_TOKEN_TYPE", AuthError::WrongType { found: Some(found), .. } if found.as_str() == typ);
}

#[rstest]
fn typ_must_be_a_string(#[values("null", "1", "[\"JWT\"]", "{}")] typ: &str) {
    let fixture = Fixture::new();
    let expected = HeaderError::NotAString("typ");
    assert_rejected!(fixture, fixture.with_header_member("typ", typ), "MALFORMED_TOKEN", AuthError::Header(error) if *error == expected);
}

#[rstest]
#[case("at+jwt", true)]
#[case("AT+jwt", true)]
#[case("application/at+jwt", true)]
#[case("JWT", false)]
#[case("application/jwt", false)]
#[case("", false)]
fn the_at_jwt_rule_accepts_only_at_jwt(#[case] typ: &str, #[case] accepted: bool) {
    let fixture = Fixture::with_issuer(|issuer| issuer.token_type(TypRule::AtJwt));
    let token = fixture
        .token()
        .claim("client_id", "app")
        .claim("jti", "1")
        .header("typ", typ);
    if accepted {
        fixture.verify_ok(&token.sign());
    } else {
        assert_rejected!(
            fixture,
            token.sign(),
            "INVALID_TOKEN_TYPE",
            AuthError::WrongType { expected, .. } if expected == "at+jwt"
        );
    }
}

#[test]
fn the_at_jwt_rule_rejects_a_missing_typ() {
    let fixture = Fixture::with_issuer(|issuer| issuer.token_type(TypRule::AtJwt));
    let token = fixture
        .token()
        .claim("client_id", "app")
        .claim("jti", "1")
        .without_header("typ")
        .sign();
    assert_rejected!(
        fixture,
        token,
        "INVALID_TOKEN_TYPE",
        AuthError::WrongType { found: None, expected } if expected == "at+jwt"
    );
}

#[rstest]
fn kid_must_be_a_string(#[values("null", "1", "[]", "{}", "true")] kid: &str) {
    let fixture = Fixture::new();
    let expected = HeaderError::NotAString("kid");
    assert_rejected!(fixture, fixture.with_header_member("kid", kid), "MALFORMED_TOKEN", AuthError::Header(error) if *error == expected);
}

#[test]
fn a_kid_has_at_most_256_bytes() {
    let key = KeyPair::cached(Algorithm::ES256, 0).with_kid("k".repeat(256));
    let fixture = Fixture::with_key(&key, |issuer| issuer);
    fixture.verify_ok(&fixture.token().sign());
    assert_rejected!(
        fixture,
        fixture.token().kid(&"k".repeat(257)).sign(),
        "MALFORMED_TOKEN",
        AuthError::Header(HeaderError::LongKid)
    );
    // The limit counts bytes, not characters.
    assert_rejected!(
        fixture,
        fixture.token().kid(&"\u{e9}".repeat(128)).sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
    assert_rejected!(
        fixture,
        fixture.token().kid(&"\u{e9}".repeat(129)).sign(),
        "MALFORMED_TOKEN",
        AuthError::Header(HeaderError::LongKid)
    );
}

#[test]
fn unknown_header_members_are_ignored() {
    let fixture = Fixture::new();
    for value in ["null", "{\"deep\":[[[1]]]}", "\"x\"", "1e400"] {
        fixture.verify_ok(&fixture.with_header_member("x-unknown", value));
    }
    for name in [
        "cty", "x5t", "x5t#S256", "jwk", "jku", "x5u", "x5c", "url", "nonce",
    ] {
        fixture.verify_ok(&fixture.with_header_member(name, "[1]"));
    }
}

#[test]
fn the_header_is_validated_before_the_payload() {
    let fixture = Fixture::new();
    let token = Token::raw(r#"{"alg":"none"}"#, "not json").sign(&fixture.key);
    assert_rejected!(
        fixture,
        token,
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}
