//! Rule 6: `iss`, exactly equal to one configured spelling, picks the profile; nothing else of an
//! unverified claim decides anything.

use {Algorithm, AuthError, Bearward};
use bearward_testing::KeyPair;
use rstest::rstest;

use crate::stand::{self, ISSUER, NOW, Stand, refused};

#[test]
fn the_configured_spelling_is_accepted_and_reported() {
    let stand = Stand::new();
    assert_eq!(stand.accepts(&stand.token().sign()).issuer(), ISSUER);
}

#[rstest]
#[case::trailing_slash("https://id.example.com/auth/v1/")]
#[case::prefix("https://id.example.com/auth/v")]
#[case::longer("https://id.example.com/auth/v1.evil.example")]
#[case::upper_case("HTTPS://ID.EXAMPLE.COM/auth/v1")]
#[case::upper_case_path("https://id.example.com/Auth/v1")]
#[case::other_scheme("http://id.example.com/auth/v1")]
#[case::default_port("https://id.example.com:443/auth/v1")]
#[case::dot_segment("https://id.example.com/./auth/v1")]
#[case::percent("https://id.example.com/%61uth/v1")]
#[case::white_space(" https://id.example.com/auth/v1")]
#[case::line_end("https://id.example.com/auth/v1\n")]
#[case::nul("https://id.example.com/auth/v1\0")]
#[case::query("https://id.example.com/auth/v1?")]
#[case::empty("")]
#[case::other("https://evil.example/auth/v1")]
fn any_other_spelling_is_an_unknown_issuer(#[case] iss: &str) {
    let stand = Stand::new();
    refused!(
        stand,
        stand.token().issuer(iss).sign(),
        "UNKNOWN_ISSUER",
        AuthError::UnknownIssuer { .. }
    );
}

#[test]
fn each_accepted_spelling_is_accepted_and_kept_apart() {
    let stand = Stand::with(|issuer| issuer.issuer_alias("id.example.com"));
    for iss in [ISSUER, "id.example.com"] {
        assert_eq!(
            stand.accepts(&stand.token().issuer(iss).sign()).issuer(),
            iss
        );
    }
    refused!(
        stand,
        stand.token().issuer("https://id.example.com").sign(),
        "UNKNOWN_ISSUER",
        AuthError::UnknownIssuer { .. }
    );
}

#[test]
fn an_iss_with_escapes_is_the_string_that_it_means() {
    let stand = Stand::new();
    stand.accepts(&stand.with_claim("iss", r#""https:\/\/id.example.com\/auth\/\u00761""#));
}

#[rstest]
#[case::list(r#"["https://id.example.com/auth/v1"]"#)]
#[case::object(r#"{"https://id.example.com/auth/v1":1}"#)]
#[case::null("null")]
#[case::number("1")]
fn iss_must_be_a_string(#[case] iss: &str) {
    let stand = Stand::new();
    refused!(stand, stand.with_claim("iss", iss), "INVALID_CLAIM", AuthError::InvalidClaim { name, .. } if &**name == "iss");
}

#[test]
fn iss_must_be_there() {
    let stand = Stand::new();
    refused!(stand, stand.token().without("iss").sign(), "MISSING_CLAIM", AuthError::MissingClaim(name) if &**name == "iss");
}

#[test]
fn each_of_several_issuers_is_judged_by_its_own_profile() {
    let [ours, theirs] = [0, 1].map(|which| KeyPair::shared(Algorithm::ES256, which));
    let one = stand::trusting("https://one.example", &stand::set([&ours]));
    let two =
        stand::trusting("https://two.example", &stand::set([&theirs])).require_claim("tenant");
    let auth = stand::build(Bearward::builder().issuer(one).issuer(two), &stand::clock());
    let stand = Stand {
        auth,
        clock: stand::clock(),
        key: ours,
    };
    let two = || {
        stand
            .token()
            .key(theirs.clone())
            .issuer("https://two.example")
    };
    stand.accepts(&stand.token().issuer("https://one.example").sign());
    stand.accepts(&two().claim("tenant", "t").sign());
    refused!(
        stand,
        two().sign(),
        "MISSING_CLAIM",
        AuthError::MissingClaim(_)
    );
}

#[test]
fn nothing_of_the_claims_is_believed_before_the_signature() {
    let stand = Stand::new();
    // What would be refused by its claims is refused by its signature first.
    let spoilt = [
        stand.token().claim("exp", NOW - 3600),
        stand.token().audience("somebody else"),
        stand.token().without("sub"),
        stand.token().claim("nbf", NOW + 3600),
    ];
    for token in spoilt {
        refused!(
            stand,
            token.signed_by_stranger(),
            "INVALID_SIGNATURE",
            AuthError::InvalidSignature
        );
    }
}

#[test]
fn the_unverified_exp_may_refuse_before_a_fetch_and_no_other_claim_may() {
    let stand = Stand::new();
    let unknown = || stand.token().kid("nobody");
    refused!(
        stand,
        unknown().sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
    refused!(
        stand,
        unknown().expired().sign(),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
    refused!(stand, unknown().without("exp").sign(), "MISSING_CLAIM", AuthError::MissingClaim(name) if &**name == "exp");
    refused!(
        stand,
        unknown().audience("somebody else").sign(),
        "UNKNOWN_KEY",
        AuthError::UnknownKey
    );
}
