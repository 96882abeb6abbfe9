//! Dates that overflow, wrap around, or are not numbers. See `rule_9_times` for the limits.

use bearward::{AuthError, Timestamp};
use rstest::rstest;

use crate::fixture::{Fixture, NOW, assert_rejected};

#[rstest]
#[case::infinity("1e999")]
#[case::largest("1.7976931348623157e308")]
#[case::large("1e308")]
#[case::two_to_the_63("9223372036854775808")]
#[case::two_to_the_63_minus_1("9223372036854775807")]
#[case::two_to_the_64("18446744073709551616")]
#[case::two_to_the_128("340282366920938463463374607431768211456")]
#[case::milliseconds("1800003600000")]
#[case::year_10000("253402300800")]
#[case::ten_to_the_12("1e12")]
#[case::string("\"1800003600\"")]
#[case::word("\"never\"")]
#[case::truth("true")]
#[case::null("null")]
#[case::list("[1800003600]")]
fn an_out_of_range_exp_is_rejected(#[case] exp: &str) {
    let fixture = Fixture::new();
    assert_rejected!(fixture, fixture.with_claim("exp", exp), "INVALID_CLAIM", AuthError::InvalidClaim { name, .. } if &**name == "exp");
}

#[rstest]
#[case::minus_one("-1")]
#[case::zero("0")]
#[case::two_to_the_31_before_1970("-2147483648")]
#[case::fraction_of_nothing("1e-300")]
#[case::two_to_the_31("2147483647.0e-1")]
fn a_small_or_negative_exp_is_expired(#[case] exp: &str) {
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        fixture.with_claim("exp", exp),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
}

#[rstest]
#[case("1e10")]
#[case("1E10")]
#[case("1.0e+10")]
#[case("10000000000")]
#[case("100000000000e-1")]
#[case("0.00000001e18")]
fn an_exp_with_an_exponent_is_read_exactly(#[case] exp: &str) {
    let fixture = Fixture::new();
    assert_eq!(
        fixture
            .verify_ok(&fixture.with_claim("exp", exp))
            .claims()
            .expires_at(),
        Timestamp::from_unix(10_000_000_000)
    );
}

#[test]
fn leeway_arithmetic_does_not_overflow() {
    let fixture = Fixture::new();
    fixture.verify_ok(&fixture.with_claim("nbf", "-253402300799"));
    fixture.verify_ok(&fixture.with_claim("iat", "-253402300799"));
    for millis in [i64::MIN, i64::MAX] {
        fixture.clock.set_wall_clock(Timestamp::from_millis(millis));
        assert!(
            fixture
                .verify(&fixture.token().claim("exp", NOW).sign())
                .is_err()
        );
    }
}

#[test]
fn contradictory_nbf_and_exp_are_rejected() {
    let fixture = Fixture::new();
    assert_rejected!(
        fixture,
        fixture
            .token()
            .claim("nbf", NOW + 100)
            .claim("exp", NOW + 50)
            .sign(),
        "TOKEN_NOT_YET_VALID",
        AuthError::NotYetValid { .. }
    );
    assert_rejected!(
        fixture,
        fixture
            .token()
            .claim("nbf", NOW + 100)
            .claim("exp", NOW - 50)
            .sign(),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
}
