//! Rule 5: one JSON object with distinct members, an allowed `alg`, a fitting `typ`, no `crit`, no
//! `b64`, `kid` a string.

use {Algorithm, AuthError, HeaderError, ObjectError, TypRule};
use bearward_testing::{KeyPair, Token};
use rstest::rstest;

use crate::stand::{Stand, refused};

#[rstest]
#[case::nothing_in_it("{}")]
#[case::null_alg(r#"{"alg":null}"#)]
#[case::number(r#"{"alg":256}"#)]
#[case::list(r#"{"alg":["ES256"]}"#)]
#[case::object(r#"{"alg":{"ES256":1}}"#)]
fn alg_must_be_a_string(#[case] header: &str) {
    let stand = Stand::new();
    let refusal = HeaderError::NotAString("alg");
    refused!(stand, stand.with_header(header), "MALFORMED_TOKEN", AuthError::Header(error) if *error == refusal);
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
fn the_header_is_one_json_object(#[case] header: &str) {
    let stand = Stand::new();
    let refusal = HeaderError::Object(ObjectError::NotAnObject);
    refused!(stand, stand.with_header(header), "MALFORMED_TOKEN", AuthError::Header(error) if *error == refusal);
}

#[test]
fn the_header_is_utf_8() {
    let stand = Stand::new();
    let good = stand.with_header_member("x", "\"\u{e9}\"");
    stand.accepts(&good);
    let [_, payload, _] = crate::stand::parts(&good);
    // The same character in Latin-1.
    let header = [br#"{"alg":"ES256","x":""#.as_slice(), &[0xe9], br#""}"#].concat();
    let signed = format!("{}.{payload}", bearward_testing::encode(&header));
    let token = format!(
        "{signed}.{}",
        bearward_testing::encode(&stand.key.sign(signed.as_bytes()))
    );
    refused!(
        stand,
        token,
        "MALFORMED_TOKEN",
        AuthError::Header(HeaderError::Object(ObjectError::NotAnObject))
    );
}

#[test]
fn white_space_around_and_in_the_json_of_the_header_is_nothing() {
    let stand = Stand::new();
    stand.accepts(&stand.with_header(&format!(
        " {{ \"alg\" : \"ES256\" ,\r\n\t\"kid\" : \"{}\" }} ",
        stand.key.kid()
    )));
}

#[test]
fn an_algorithm_that_is_not_on_the_issuers_list_is_unsupported() {
    let key = KeyPair::shared(Algorithm::RS256, 0);
    let listed = |list: &'static [Algorithm]| {
        Stand::of(&key, move |issuer| {
            issuer.algorithms(list.iter().copied()).unwrap()
        })
    };
    let stand = listed(&[Algorithm::RS256, Algorithm::ES256]);
    stand.accepts(&stand.token().sign());
    let ps256 = stand
        .token()
        .key(key.clone().with_algorithm(Algorithm::PS256))
        .sign();
    let refusal = stand.refusal(&ps256);
    let AuthError::AlgorithmNotAllowed { found, allowed } = &refusal else {
        panic!("{refusal:?}")
    };
    assert_eq!(
        (found.as_str(), allowed.as_slice()),
        ("PS256", &[Algorithm::RS256, Algorithm::ES256][..])
    );
    assert_eq!(refusal.code(), "UNSUPPORTED_ALGORITHM");
}

#[test]
fn a_list_may_mix_key_types_and_each_of_its_algorithms_works() {
    for algorithm in Algorithm::ALL {
        let key = KeyPair::shared(Algorithm::RS256, 0);
        let key = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => KeyPair::shared(algorithm, 0),
            _ => key.with_algorithm(algorithm),
        };
        let stand = Stand::of(&key, |issuer| issuer);
        assert_eq!(stand.accepts(&stand.token().sign()).algorithm(), algorithm);
    }
}

#[test]
fn the_default_list_is_rs256_es256_and_eddsa() {
    for algorithm in Algorithm::ALL {
        let key = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => KeyPair::shared(algorithm, 0),
            _ => KeyPair::shared(Algorithm::RS256, 0).with_algorithm(algorithm),
        };
        let also = KeyPair::shared(Algorithm::ES256, 1);
        let profile = |issuer: bearward::Issuer| issuer.algorithms(Algorithm::DEFAULT).unwrap();
        let keys = bearward::KeySource::Fixed(crate::stand::set([&key, &also]));
        let stand = Stand::built(&key, |issuer| profile(issuer).keys(keys), |builder| builder);
        let token = stand.token().sign();
        if Algorithm::DEFAULT.contains(&algorithm) {
            stand.accepts(&token);
        } else {
            refused!(
                stand,
                token,
                "UNSUPPORTED_ALGORITHM",
                AuthError::AlgorithmNotAllowed { .. }
            );
        }
    }
}

#[rstest]
#[case::hs256("HS256")]
#[case::es512("ES512")]
#[case::es256k("ES256K")]
#[case::ed25519_by_its_newer_name("Ed25519")]
#[case::ed448("Ed448")]
#[case::rsa1_5("RSA1_5")]
#[case::lower_case("es256")]
#[case::white_space("ES256 ")]
#[case::empty("")]
#[case::nul("ES256\\u0000")]
fn an_algorithm_that_no_key_serves_is_unsupported(#[case] alg: &str) {
    let stand = Stand::new();
    let token = stand.with_header_member("alg", &format!("\"{alg}\""));
    refused!(stand, token, "UNSUPPORTED_ALGORITHM", AuthError::AlgorithmNotAllowed { allowed, .. } if allowed.is_empty());
}

#[test]
fn alg_may_be_written_with_escapes_for_json_means_the_same_string() {
    let stand = Stand::new();
    stand.accepts(&stand.with_header_member("alg", r#""\u0045S256""#));
}

#[rstest]
#[case::empty("[]")]
#[case::null("null")]
#[case::unknown(r#"["exp"]"#)]
#[case::naming_b64(r#"["b64"]"#)]
#[case::naming_a_standard_member(r#"["alg"]"#)]
#[case::no_list("\"exp\"")]
fn crit_must_be_absent(#[case] crit: &str) {
    let stand = Stand::new();
    stand.accepts(&stand.with_header_member("Crit", crit));
    refused!(
        stand,
        stand.with_header_member("crit", crit),
        "MALFORMED_TOKEN",
        AuthError::Header(HeaderError::Critical)
    );
}

#[rstest]
fn b64_must_be_absent(#[values("true", "false", "null")] b64: &str) {
    let stand = Stand::new();
    refused!(
        stand,
        stand.with_header_member("b64", b64),
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
fn these_types_are_jwts(#[case] typ: &str) {
    let stand = Stand::new();
    stand.accepts(&stand.token().header("typ", typ).sign());
}

#[test]
fn a_token_without_typ_is_a_jwt() {
    let stand = Stand::new();
    stand.accepts(&stand.token().without_header("typ").sign());
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
fn any_other_type_is_refused(#[case] typ: &str) {
    let stand = Stand::new();
    let token = stand.token().header("typ", typ).sign();
    refused!(stand, token, "INVALID_TOKEN_TYPE", AuthError::WrongType { found: Some(found), .. } if found.as_str() == typ);
}

#[rstest]
fn typ_must_be_a_string(#[values("null", "1", "[\"JWT\"]", "{}")] typ: &str) {
    let stand = Stand::new();
    let refusal = HeaderError::NotAString("typ");
    refused!(stand, stand.with_header_member("typ", typ), "MALFORMED_TOKEN", AuthError::Header(error) if *error == refusal);
}

#[rstest]
#[case("at+jwt", true)]
#[case("AT+jwt", true)]
#[case("application/at+jwt", true)]
#[case("JWT", false)]
#[case("application/jwt", false)]
#[case("", false)]
fn an_issuer_of_access_tokens_accepts_at_jwt_alone(#[case] typ: &str, #[case] accepted: bool) {
    let stand = Stand::with(|issuer| issuer.token_type(TypRule::AtJwt));
    let token = stand
        .token()
        .claim("client_id", "app")
        .claim("jti", "1")
        .header("typ", typ);
    if accepted {
        stand.accepts(&token.sign());
    } else {
        refused!(
            stand,
            token.sign(),
            "INVALID_TOKEN_TYPE",
            AuthError::WrongType {
                expected: "at+jwt",
                ..
            }
        );
    }
}

#[test]
fn an_issuer_of_access_tokens_refuses_a_token_without_typ() {
    let stand = Stand::with(|issuer| issuer.token_type(TypRule::AtJwt));
    let token = stand
        .token()
        .claim("client_id", "app")
        .claim("jti", "1")
        .without_header("typ")
        .sign();
    refused!(
        stand,
        token,
        "INVALID_TOKEN_TYPE",
        AuthError::WrongType {
            found: None,
            expected: "at+jwt"
        }
    );
}

#[rstest]
fn kid_must_be_a_string(#[values("null", "1", "[]", "{}", "true")] kid: &str) {
    let stand = Stand::new();
    let refusal = HeaderError::NotAString("kid");
    refused!(stand, stand.with_header_member("kid", kid), "MALFORMED_TOKEN", AuthError::Header(error) if *error == refusal);
}

#[test]
fn a_kid_of_256_bytes_is_looked_up_and_one_of_257_is_malformed() {
    let key = KeyPair::shared(Algorithm::ES256, 0).with_kid("k".repeat(256));
    let stand = Stand::of(&key, |issuer| issuer);
    stand.accepts(&stand.token().sign());
    refused!(
        stand,
        stand.token().kid(&"k".repeat(257)).sign(),
        "MALFORMED_TOKEN",
        AuthError::Header(HeaderError::LongKid)
    );
    // The limit counts bytes, not characters.
    refused!(
        stand,
        stand.token().kid(&"\u{e9}".repeat(128)).sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
    refused!(
        stand,
        stand.token().kid(&"\u{e9}".repeat(129)).sign(),
        "MALFORMED_TOKEN",
        AuthError::Header(HeaderError::LongKid)
    );
}

#[test]
fn unknown_members_are_ignored_whatever_they_hold() {
    let stand = Stand::new();
    for value in ["null", "{\"deep\":[[[1]]]}", "\"x\"", "1e400"] {
        stand.accepts(&stand.with_header_member("x-unknown", value));
    }
    for name in [
        "cty", "x5t", "x5t#S256", "jwk", "jku", "x5u", "x5c", "url", "nonce",
    ] {
        stand.accepts(&stand.with_header_member(name, "[1]"));
    }
}

#[test]
fn the_header_is_judged_before_the_payload() {
    let stand = Stand::new();
    let token = Token::raw(r#"{"alg":"none"}"#, "not json").sign(&stand.key);
    refused!(
        stand,
        token,
        "UNSUPPORTED_ALGORITHM",
        AuthError::AlgorithmNotAllowed { .. }
    );
}
