//! Members of the published set that sign, and must not be believed.

use bearward_testing::TokenBuilder;

use super::Group;
use crate::{
    case::{Case, Precondition, Severity},
    forge::with_signature,
    rsa_1024,
};

pub(super) const GROUP: Group = Group {
    name: "jwks",
    title: "not every published key verifies",
    hint: "use a library that reads `kty`, `use`, `key_ops` and `alg` of each key, skips what it cannot use, and wants RSA keys of 2048 bits",
    timed: false,
    cases,
};

fn cases() -> Vec<Case> {
    let as_rs256 = |token: TokenBuilder| token.header("alg", "RS256");
    vec![
        Case::accepted("jwks.neighbours", "a good token while unusual keys stand beside the good one", |f| f.token().sign())
            .needs(Precondition::UnusualKeys)
            .severity(Severity::High)
            .rationale("one key that the target cannot use takes all of them away, the day the issuer publishes it", "RFC 7517 §5"),
        Case::refused("jwks.symmetric", "HS256 by a symmetric key that is published", |f| {
            f.hmac("HS256", Some(&f.odd.symmetric.0), &f.odd.symmetric.1)
        })
        .needs(Precondition::UnusualKeys)
        .rationale("a published secret is none", "RFC 7518 §6.4, RFC 8725 §3.1"),
        Case::refused("jwks.for-encryption", "a signature by a key whose use is encryption", |f| {
            f.token_by(f.odd.encryption.clone()).sign()
        })
        .needs(Precondition::OddRsaKeys)
        .severity(Severity::Medium)
        .rationale("a key serves what its use says; the others may be guarded less", "RFC 7517 §4.2"),
        Case::refused("jwks.key-ops", "a signature by a key whose operations lack verify", |f| {
            f.token_by(f.odd.key_ops.clone()).sign()
        })
        .strict()
        .needs(Precondition::OddRsaKeys)
        .severity(Severity::Medium)
        .rationale("a key serves what its operations say", "RFC 7517 §4.3"),
        Case::refused("jwks.other-algorithm", "RS256 by a key that says RS512", move |f| {
            as_rs256(f.token_by(f.odd.other_algorithm.clone())).sign()
        })
        .needs(Precondition::OddRsaKeys)
        .severity(Severity::Medium)
        .rationale("a key serves the algorithm that it names", "RFC 7517 §4.4, RFC 8725 §3.1, CVE-2026-48523"),
        Case::refused("jwks.private", "a signature by a key that was published with a private member", |f| {
            f.token_by(f.odd.private.clone()).sign()
        })
        .strict()
        .needs(Precondition::OddRsaKeys)
        .severity(Severity::Medium)
        .rationale("whoever read the set can sign with it", "RFC 7517 §9.2"),
        Case::refused("jwks.short-rsa", "RS256 by a key of 1024 bits", move |f| {
            let token = as_rs256(f.token()).kid(&f.odd.weak);
            let signature = rsa_1024::sign(super::super::forge::signed(&token).as_bytes());
            with_signature(&token, &signature)
        })
        .needs(Precondition::OddRsaKeys)
        .severity(Severity::Medium)
        .severity_note("it takes an issuer that publishes such a key")
        .hint("refuse RSA keys under 2048 bits; PyJWT does with the option `enforce_minimum_key_length`")
        .rationale("a key that can be broken is a key that everybody has", "RFC 7518 §3.3"),
    ]
}
