//! Rule 9, the times: refused at or after `exp + leeway`, before `nbf - leeway`, and with `iat`
//! beyond now + leeway.

use std::time::Duration;

use {AuthError, IssuerError, Timestamp};
use rstest::rstest;

use crate::stand::{ISSUER, NOW, Stand, refused};

/// Puts the clock so many milliseconds after [`NOW`].
fn at(stand: &Stand, millis: i64) {
    stand
        .clock
        .set_wall_clock(Timestamp::from_millis(NOW * 1000 + millis));
}

fn leeway(seconds: u64) -> Stand {
    Stand::with(|issuer| issuer.leeway(Duration::from_secs(seconds)).unwrap())
}

#[test]
fn a_token_lives_until_a_millisecond_before_exp_plus_leeway_and_not_at_it() {
    let stand = leeway(30);
    let token = || stand.token().claim("exp", NOW).sign();
    for millis in [-1, 0, 1, 29_999] {
        at(&stand, millis);
        stand.accepts(&token());
    }
    for millis in [30_000, 30_001, i64::from(u32::MAX)] {
        at(&stand, millis);
        refused!(stand, token(), "TOKEN_EXPIRED", AuthError::Expired { at, .. } if at.unix() == NOW);
    }
}

#[test]
fn without_leeway_a_token_dies_at_exp_itself() {
    let stand = leeway(0);
    at(&stand, -1);
    stand.accepts(&stand.token().claim("exp", NOW).sign());
    at(&stand, 0);
    refused!(
        stand,
        stand.token().claim("exp", NOW).sign(),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
}

#[rstest]
fn a_token_is_not_valid_before_nbf_and_iat_minus_leeway(#[values("nbf", "iat")] name: &str) {
    let stand = leeway(30);
    let token = || {
        stand
            .token()
            .claim("exp", NOW + 3600)
            .claim(name, NOW + 30)
            .sign()
    };
    for millis in [-1, -30_000] {
        at(&stand, millis);
        refused!(stand, token(), "TOKEN_NOT_YET_VALID", AuthError::NotYetValid { claim, .. } if *claim == name);
    }
    for millis in [0, 1, 30_000] {
        at(&stand, millis);
        stand.accepts(&token());
    }
}

#[test]
fn without_leeway_a_token_begins_at_nbf_itself() {
    let stand = leeway(0);
    let token = || stand.token().claim("nbf", NOW).without("iat").sign();
    at(&stand, -1);
    refused!(
        stand,
        token(),
        "TOKEN_NOT_YET_VALID",
        AuthError::NotYetValid { claim: "nbf", .. }
    );
    at(&stand, 0);
    stand.accepts(&token());
}

#[test]
fn the_leeway_is_30_seconds_unless_set() {
    let stand = Stand::new();
    at(&stand, 29_999);
    stand.accepts(&stand.token().claim("exp", NOW).sign());
    at(&stand, 30_000);
    refused!(
        stand,
        stand.token().claim("exp", NOW).sign(),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
}

#[test]
fn a_leeway_of_300_seconds_is_the_most() {
    let profile = || bearward::Issuer::new(ISSUER, "a").unwrap();
    assert!(profile().leeway(Duration::from_secs(300)).is_ok());
    assert_eq!(
        profile()
            .leeway(Duration::from_millis(300_001))
            .unwrap_err(),
        IssuerError::Leeway
    );
    let stand = leeway(300);
    at(&stand, 299_999);
    stand.accepts(&stand.token().claim("exp", NOW).sign());
    at(&stand, 300_000);
    refused!(
        stand,
        stand.token().claim("exp", NOW).sign(),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
}

#[rstest]
#[case("1800000000.5", 500)]
#[case("1800000000.001", 1)]
#[case("1.8000000005e9", 500)]
#[case("18000000000e-1", 0)]
#[case("1800000000", 0)]
#[case("1800000000.0", 0)]
#[case("1.8e9", 0)]
#[case("18E8", 0)]
fn a_date_may_have_a_fraction_or_an_exponent(#[case] exp: &str, #[case] millis: i64) {
    let stand = leeway(0);
    at(&stand, millis - 1);
    stand.accepts(&stand.with_claim("exp", exp));
    at(&stand, millis);
    refused!(
        stand,
        stand.with_claim("exp", exp),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
}

#[rstest]
fn each_date_must_be_a_finite_number_within_the_year_9999(
    #[values("exp", "nbf", "iat")] name: &str,
    #[values(
        "1e999",
        "-1e999",
        "1e308",
        "-1e308",
        "9223372036854775808",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551616",
        "253402300800",
        "253402300800.0",
        "-253402300800",
        "\"1800000000\"",
        "\"\"",
        "true",
        "false",
        "null",
        "[1800000000]",
        "{}"
    )]
    value: &str,
) {
    let stand = Stand::new();
    let token = stand.with_claim(name, value);
    refused!(stand, token, "INVALID_CLAIM", AuthError::InvalidClaim { name: refused, .. } if &**refused == name);
}

#[rstest]
#[case::nan("NaN")]
#[case::infinity("Infinity")]
#[case::hexadecimal("0x6b49d200")]
#[case::plus("+1800003600")]
#[case::leading_zero("01800003600")]
#[case::no_fraction("1800003600.")]
#[case::underscores("1_800_003_600")]
fn what_is_no_json_number_is_no_date_nor_a_payload(#[case] value: &str) {
    let stand = Stand::new();
    refused!(
        stand,
        stand.with_claim("exp", value),
        "MALFORMED_TOKEN",
        AuthError::Payload(_)
    );
}

#[rstest]
#[case("0")]
#[case("-0")]
#[case("-0.0")]
#[case("-1")]
#[case("-1.5")]
#[case("1e-400")]
#[case("1799999969.999")]
fn an_exp_long_ago_is_expired_however_it_is_written(#[case] exp: &str) {
    let stand = Stand::new();
    refused!(
        stand,
        stand.with_claim("exp", exp),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
}

#[test]
fn the_last_second_of_the_year_9999_is_a_date() {
    let stand = Stand::new();
    assert_eq!(
        stand
            .accepts(&stand.with_claim("exp", "253402300799"))
            .claims()
            .expires_at()
            .unix(),
        253_402_300_799
    );
    refused!(
        stand,
        stand.with_claim("exp", "253402300800"),
        "INVALID_CLAIM",
        AuthError::InvalidClaim { .. }
    );
}

#[test]
fn the_dates_are_told_as_they_stand_without_the_leeway() {
    let stand = Stand::new();
    let user = stand.accepts(
        &stand
            .token()
            .claim("exp", NOW + 60)
            .claim("nbf", NOW - 5)
            .claim("iat", NOW - 6)
            .sign(),
    );
    let seen = user.claims();
    assert_eq!(seen.expires_at().unix(), NOW + 60);
    assert_eq!(
        (
            seen.not_before().unwrap().unix(),
            seen.issued_at().unwrap().unix()
        ),
        (NOW - 5, NOW - 6)
    );
}

#[test]
fn an_iat_in_the_past_says_nothing_however_old() {
    let stand = Stand::new();
    stand.accepts(&stand.token().claim("iat", 0).sign());
}
