//! Injection through the kid: queries, paths, commands, very long values. A kid is used only to look
//! up a key of the issuer.

use bearward::{Algorithm, AuthError, HeaderError};
use bearward_testing::KeyPair;
use rstest::rstest;

use crate::fixture::{Fixture, assert_rejected};

#[rstest]
#[case::query("' OR '1'='1' --")]
#[case::union("x' UNION SELECT 'AAAA';--")]
#[case::path("../../../../../../dev/null")]
#[case::absolute_path("/proc/sys/kernel/randomize_va_space")]
#[case::windows_path("..\\..\\windows\\win.ini")]
#[case::command("|/usr/bin/id")]
#[case::substitution("$(id)")]
#[case::template("{{7*7}}")]
#[case::lookup("${jndi:ldap://127.0.0.1/a}")]
#[case::address("http://127.0.0.1:1/jwks.json")]
#[case::file_address("file:///etc/passwd")]
#[case::nul("KID\u{0}")]
#[case::nul_and_more("KID\u{0}.pem")]
#[case::line_ends("KID\r\nSet-Cookie: a=b")]
#[case::white_space(" KID ")]
#[case::percent("%00KID")]
#[case::format("%s%n%x")]
#[case::prototype("__proto__")]
#[case::constructor("constructor")]
#[case::zero("0")]
#[case::empty("")]
#[case::direction("\u{202e}KID")]
#[case::zero_width("KID\u{200b}")]
#[case::not_a_character("\u{fffe}")]
#[case::beyond_the_basic_plane("\u{1f43b}")]
fn hostile_kids_are_unknown_keys(#[case] kid: &str) {
    let fixture = Fixture::new();
    let kid = kid.replace("KID", fixture.key.kid());
    assert_rejected!(
        fixture,
        fixture.token().kid(&kid).sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}

#[test]
fn hostile_looking_kids_work_if_published() {
    for kid in [
        "' OR '1'='1' --",
        "../../dev/null",
        "a\u{0}b",
        "\u{1f43b}",
        "\"\\",
    ] {
        let fixture = Fixture::with_key(
            &KeyPair::cached(Algorithm::ES256, 0).with_kid(kid),
            |issuer| issuer,
        );
        assert_eq!(fixture.verify_ok(&fixture.token().sign()).kid(), Some(kid));
    }
}

#[test]
fn a_long_kid_is_malformed_and_truncated_in_the_log() {
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        fixture.token().kid(&"k".repeat(4096)).sign(),
        "MALFORMED_TOKEN",
        AuthError::Header(HeaderError::LongKid)
    );
    let hostile = format!("\u{1b}[31m\r\n{}", "k".repeat(200));
    let bearward::Verification::Ready(Err(failure)) = fixture
        .auth
        .try_verify(&fixture.token().kid(&hostile).sign())
    else {
        panic!()
    };
    let logged = failure.kid.unwrap().to_string();
    assert!(
        logged.chars().count() <= 121 && !logged.contains(char::is_control),
        "{logged:?}"
    );
}
