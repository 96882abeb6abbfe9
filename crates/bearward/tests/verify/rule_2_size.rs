//! Rule 2: a token over the size limit is rejected before parsing.

use bearward::{Algorithm, AuthError};
use bearward_testing::KeyPair;

use crate::fixture::{Fixture, assert_rejected};

/// Returns a valid token of exactly `bytes` bytes by padding its claims.
fn token_of_length(fixture: &Fixture, bytes: usize) -> String {
    let padded = |filler: usize| fixture.token().claim("filler", "f".repeat(filler)).sign();
    let start = padded(0).len();
    // Base64 encodes three bytes as four characters, so padding the payload cannot produce every
    // length. Padding the header as well can.
    (0..4)
        .find_map(|shift| {
            let with_shift = |filler: usize| {
                fixture
                    .token()
                    .header("x", "h".repeat(shift))
                    .claim("filler", "f".repeat(filler))
                    .sign()
            };
            let guess = (bytes - start) * 3 / 4;
            (guess.saturating_sub(16)..guess + 4)
                .map(with_shift)
                .find(|token| token.len() == bytes)
        })
        .expect("some padding produces this length")
}

#[test]
fn the_default_limit_is_8192_bytes() {
    let fixture = Fixture::new();
    fixture.verify_ok(&token_of_length(&fixture, 8192));
    assert_rejected!(
        fixture,
        token_of_length(&fixture, 8193),
        "MALFORMED_TOKEN",
        AuthError::TooLong { limit: 8192 }
    );
}

#[test]
fn claims_of_3_kib_are_accepted() {
    let fixture = Fixture::with_key(&KeyPair::cached(Algorithm::RS256, 0), |issuer| issuer);
    fixture.verify_ok(&fixture.token().claim("groups", "g".repeat(3 * 1024)).sign());
}

#[test]
fn the_limit_is_configurable() {
    let key = KeyPair::cached(Algorithm::ES256, 0);
    let fixture = Fixture::with_builder(
        &key,
        |issuer| issuer,
        |builder| builder.max_token_bytes(1500),
    );
    fixture.verify_ok(&token_of_length(&fixture, 1500));
    assert_rejected!(
        fixture,
        token_of_length(&fixture, 1501),
        "MALFORMED_TOKEN",
        AuthError::TooLong { limit: 1500 }
    );
}

#[test]
fn the_limit_is_checked_before_parsing() {
    let fixture = Fixture::new();
    for junk in [
        ".".repeat(8193),
        "sb_secret_".repeat(900),
        "\u{1f43b}".repeat(2049),
    ] {
        assert_rejected!(fixture, junk, "MALFORMED_TOKEN", AuthError::TooLong { .. });
    }
}
