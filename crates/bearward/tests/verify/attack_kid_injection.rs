//! A kid that is a query, a path, a command, or endless: it is a key into a table of the issuer's
//! keys and nothing else.

use {Algorithm, AuthError, HeaderError};
use bearward_testing::KeyPair;
use rstest::rstest;

use crate::stand::{Stand, refused};

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
fn a_kid_that_names_no_key_of_the_issuer_is_an_unknown_key(#[case] kid: &str) {
    let stand = Stand::new();
    let kid = kid.replace("KID", stand.key.kid());
    refused!(
        stand,
        stand.token().kid(&kid).sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}

#[test]
fn such_a_kid_works_where_the_issuer_has_published_it() {
    for kid in [
        "' OR '1'='1' --",
        "../../dev/null",
        "a\u{0}b",
        "\u{1f43b}",
        "\"\\",
    ] {
        let stand = Stand::of(
            &KeyPair::shared(Algorithm::ES256, 0).with_kid(kid),
            |issuer| issuer,
        );
        assert_eq!(stand.accepts(&stand.token().sign()).kid(), Some(kid));
    }
}

#[test]
fn a_very_long_kid_is_malformed_and_what_is_logged_of_it_is_short() {
    let stand = Stand::new();
    refused!(
        stand,
        stand.token().kid(&"k".repeat(4096)).sign(),
        "MALFORMED_TOKEN",
        AuthError::Header(HeaderError::LongKid)
    );
    let hostile = format!("\u{1b}[31m\r\n{}", "k".repeat(200));
    let bearward::Verification::Ready(Err(refusal)) =
        stand.auth.try_verify(&stand.token().kid(&hostile).sign())
    else {
        panic!()
    };
    let logged = refusal.kid.unwrap().to_string();
    assert!(
        logged.chars().count() <= 121 && !logged.contains(char::is_control),
        "{logged:?}"
    );
}
