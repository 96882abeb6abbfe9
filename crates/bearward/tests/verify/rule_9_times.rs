//! Rule 9, times: a token is rejected at or after `exp + leeway`, before `nbf - leeway`, and if `iat`
//! is later than now + leeway.

use std::time::Duration;

use bearward::{AuthError, IssuerError, Timestamp};
use rstest::rstest;

use crate::fixture::{Fixture, ISSUER, NOW, assert_rejected};

/// Sets the clock to [`NOW`] plus `millis` milliseconds.
fn set_clock(fixture: &Fixture, millis: i64) {
    fixture
        .clock
        .set_wall_clock(Timestamp::from_millis(NOW * 1000 + millis));
}

fn fixture_with_leeway(seconds: u64) -> Fixture {
    Fixture::with_issuer(|issuer| issuer.leeway(Duration::from_secs(seconds)).unwrap())
}

#[test]
fn a_token_expires_at_exp_plus_leeway() {
    let fixture = fixture_with_leeway(30);
    let token = || fixture.token().claim("exp", NOW).sign();
    for millis in [-1, 0, 1, 29_999] {
        set_clock(&fixture, millis);
        fixture.verify_ok(&token());
    }
    for millis in [30_000, 30_001, i64::from(u32::MAX)] {
        set_clock(&fixture, millis);
        assert_rejected!(fixture, token(), "TOKEN_EXPIRED", AuthError::Expired { at, .. } if at.unix() == NOW);
    }
}

#[test]
fn without_leeway_a_token_expires_at_exp() {
    let fixture = fixture_with_leeway(0);
    set_clock(&fixture, -1);
    fixture.verify_ok(&fixture.token().claim("exp", NOW).sign());
    set_clock(&fixture, 0);
    assert_rejected!(
        fixture,
        fixture.token().claim("exp", NOW).sign(),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
}

#[rstest]
fn nbf_and_iat_are_checked_with_leeway(#[values("nbf", "iat")] name: &str) {
    let fixture = fixture_with_leeway(30);
    let token = || {
        fixture
            .token()
            .claim("exp", NOW + 3600)
            .claim(name, NOW + 30)
            .sign()
    };
    for millis in [-1, -30_000] {
        set_clock(&fixture, millis);
        assert_rejected!(fixture, token(), "TOKEN_NOT_YET_VALID", AuthError::NotYetValid { claim, .. } if *claim == name);
    }
    for millis in [0, 1, 30_000] {
        set_clock(&fixture, millis);
        fixture.verify_ok(&token());
    }
}

#[test]
fn without_leeway_a_token_is_valid_from_nbf() {
    let fixture = fixture_with_leeway(0);
    let token = || fixture.token().claim("nbf", NOW).without("iat").sign();
    set_clock(&fixture, -1);
    assert_rejected!(
        fixture,
        token(),
        "TOKEN_NOT_YET_VALID",
        AuthError::NotYetValid { claim: "nbf", .. }
    );
    set_clock(&fixture, 0);
    fixture.verify_ok(&token());
}

#[test]
fn the_default_leeway_is_30_seconds() {
    let fixture = Fixture::new();
    set_clock(&fixture, 29_999);
    fixture.verify_ok(&fixture.token().claim("exp", NOW).sign());
    set_clock(&fixture, 30_000);
    assert_rejected!(
        fixture,
        fixture.token().claim("exp", NOW).sign(),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
}

#[test]
fn the_maximum_leeway_is_300_seconds() {
    let profile = || bearward::Issuer::new(ISSUER, "a").unwrap();
    assert!(profile().leeway(Duration::from_secs(300)).is_ok());
    assert_eq!(
        profile()
            .leeway(Duration::from_millis(300_001))
            .unwrap_err(),
        IssuerError::Leeway
    );
    let fixture = fixture_with_leeway(300);
    set_clock(&fixture, 299_999);
    fixture.verify_ok(&fixture.token().claim("exp", NOW).sign());
    set_clock(&fixture, 300_000);
    assert_rejected!(
        fixture,
        fixture.token().claim("exp", NOW).sign(),
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
fn dates_may_have_a_fraction_or_an_exponent(#[case] exp: &str, #[case] millis: i64) {
    let fixture = fixture_with_leeway(0);
    set_clock(&fixture, millis - 1);
    fixture.verify_ok(&fixture.with_claim("exp", exp));
    set_clock(&fixture, millis);
    assert_rejected!(
        fixture,
        fixture.with_claim("exp", exp),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
}

#[rstest]
fn dates_must_be_finite_numbers_up_to_the_year_9999(
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
    let fixture = Fixture::new();
    let token = fixture.with_claim(name, value);
    assert_rejected!(fixture, token, "INVALID_CLAIM", AuthError::InvalidClaim { name: found, .. } if &**found == name);
}

#[rstest]
#[case::nan("NaN")]
#[case::infinity("Infinity")]
#[case::hexadecimal("0x6b49d200")]
#[case::plus("+1800003600")]
#[case::leading_zero("01800003600")]
#[case::no_fraction("1800003600.")]
#[case::underscores("1_800_003_600")]
fn invalid_json_numbers_make_the_payload_malformed(#[case] value: &str) {
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        fixture.with_claim("exp", value),
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
fn a_past_exp_is_expired_in_every_notation(#[case] exp: &str) {
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        fixture.with_claim("exp", exp),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
}

#[test]
fn the_last_second_of_the_year_9999_is_accepted() {
    let fixture = Fixture::new();
    assert_eq!(
        fixture
            .verify_ok(&fixture.with_claim("exp", "253402300799"))
            .claims()
            .expires_at()
            .unix(),
        253_402_300_799
    );
    assert_rejected!(
        fixture,
        fixture.with_claim("exp", "253402300800"),
        "INVALID_CLAIM",
        AuthError::InvalidClaim { .. }
    );
}

#[test]
fn reported_dates_do_not_include_the_leeway() {
    let fixture = Fixture::new();
    let user = fixture.verify_ok(
        &fixture
            .token()
            .claim("exp", NOW + 60)
            .claim("nbf", NOW - 5)
            .claim("iat", NOW - 6)
            .sign(),
    );
    let claims = user.claims();
    assert_eq!(claims.expires_at().unix(), NOW + 60);
    assert_eq!(
        (
            claims.not_before().unwrap().unix(),
            claims.issued_at().unwrap().unix()
        ),
        (NOW - 5, NOW - 6)
    );
}

#[test]
fn an_old_iat_is_accepted() {
    let fixture = Fixture::new();
    fixture.verify_ok(&fixture.token().claim("iat", 0).sign());
}
