//! Rule 2: a token over the limit is not looked at.

use {Algorithm, AuthError};
use bearward_testing::KeyPair;

use crate::stand::{Stand, refused};

/// A good token of exactly this many bytes: its claims are padded.
fn of_length(stand: &Stand, bytes: usize) -> String {
    let padded = |filler: usize| stand.token().claim("filler", "f".repeat(filler)).sign();
    let start = padded(0).len();
    // Base64 writes three bytes as four characters, so a length may be skipped; the header's
    // padding finds the others.
    (0..4)
        .find_map(|shift| {
            let with_shift = |filler: usize| {
                stand
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
        .expect("some padding gives this length")
}

#[test]
fn a_token_of_8192_bytes_is_accepted_and_one_of_8193_is_malformed() {
    let stand = Stand::new();
    stand.accepts(&of_length(&stand, 8192));
    refused!(
        stand,
        of_length(&stand, 8193),
        "MALFORMED_TOKEN",
        AuthError::TooLong { limit: 8192 }
    );
}

#[test]
fn three_kilobytes_of_claims_pass() {
    let stand = Stand::of(&KeyPair::shared(Algorithm::RS256, 0), |issuer| issuer);
    stand.accepts(&stand.token().claim("groups", "g".repeat(3 * 1024)).sign());
}

#[test]
fn the_limit_is_the_configured_one() {
    let key = KeyPair::shared(Algorithm::ES256, 0);
    let stand = Stand::built(
        &key,
        |issuer| issuer,
        |builder| builder.max_token_bytes(1500),
    );
    stand.accepts(&of_length(&stand, 1500));
    refused!(
        stand,
        of_length(&stand, 1501),
        "MALFORMED_TOKEN",
        AuthError::TooLong { limit: 1500 }
    );
}

#[test]
fn the_limit_comes_before_every_other_look_at_the_token() {
    let stand = Stand::new();
    for junk in [
        ".".repeat(8193),
        "sb_secret_".repeat(900),
        "\u{1f43b}".repeat(2049),
    ] {
        refused!(stand, junk, "MALFORMED_TOKEN", AuthError::TooLong { .. });
    }
}
