//! Published keys that must not verify tokens.

use bearward_testing::{TokenBuilder, signing::KeyPair};

use crate::{
    case::{Case, Expectation, Precondition, Severity},
    error::StepError,
    forge::{UnusualKeys, signing_input, with_signature},
    group::Group,
    harness::expect_accepted,
    rsa_1024,
    target::{RequestError, Response},
};

pub(crate) const GROUP: Group = Group {
    name: "jwks",
    title: "only suitable published keys are used",
    hint: "use a library that checks `kty`, `use`, `key_ops` and `alg` of each key, ignores unusable keys, and requires RSA keys of at least 2048 bits",
    timed: false,
    cases,
};

fn cases() -> Vec<Case> {
    let as_rs256 = |token: TokenBuilder| token.header("alg", "RS256");
    [
        Case::accepted("jwks.neighbours", "a valid token while the key set also contains unusual keys", |f| f.token().sign())
            .requires(Precondition::UnusualKeys)
            .severity(Severity::High)
            .rationale("one key that the target cannot use makes the whole set unusable once the issuer publishes it", "RFC 7517 §5"),
        accepted_key("jwks.twice", "a signature with a key that is published twice", |keys| (&keys.twice, &keys.ordinary[0]))
            .severity_note("the issuer would have to publish a key twice")
            .hint("drop identical members of the key set before the key is selected, or try each of them (jose: the keys of `ERR_JWKS_MULTIPLE_MATCHING_KEYS`)")
            .rationale("some issuers publish a key twice, and two copies are one key", "RFC 7517 §5"),
        same_kid("jwks.same-kid.first", "a signature with the first of two keys with the same kid", 0),
        same_kid("jwks.same-kid.last", "a signature with the last of two keys with the same kid", 1),
        Case::rejected("jwks.symmetric", "HS256 with a published symmetric key", |f| {
            f.hmac("HS256", Some(&f.unusual.symmetric.0), &f.unusual.symmetric.1)
        })
        .requires(Precondition::UnusualKeys)
        .rationale("a published secret is not secret", "RFC 7518 §6.4, RFC 8725 §3.1"),
        Case::rejected("jwks.for-encryption", "a signature with a key whose use is enc", |f| {
            f.token_signed_by(f.unusual.encryption.clone()).sign()
        })
        .requires(Precondition::UnusualRsaKeys)
        .rationale("a key may only be used as its use member says; encryption keys may be less protected", "RFC 7517 §4.2"),
        Case::rejected("jwks.key-ops", "a signature with a key whose key_ops lacks verify", |f| {
            f.token_signed_by(f.unusual.key_ops.clone()).sign()
        })
        .strict()
        .requires(Precondition::UnusualRsaKeys)
        .rationale("a key may only be used as its key_ops say", "RFC 7517 §4.3"),
        Case::rejected("jwks.other-algorithm", "RS256 with a key whose alg is RS512", move |f| {
            as_rs256(f.token_signed_by(f.unusual.other_algorithm.clone())).sign()
        })
        .requires(Precondition::UnusualRsaKeys)
        .rationale("a key may only be used with its own alg", "RFC 7517 §4.4, RFC 8725 §3.1, CVE-2026-48523"),
        Case::rejected("jwks.private", "a signature with a key that was published with a private member", |f| {
            f.token_signed_by(f.unusual.private.clone()).sign()
        })
        .strict()
        .requires(Precondition::UnusualRsaKeys)
        .rationale("anyone who read the key set can sign with it", "RFC 7517 §9.2"),
        Case::rejected("jwks.short-rsa", "RS256 with a 1024-bit key", move |f| {
            let token = as_rs256(f.token()).kid(&f.unusual.short_rsa_kid);
            let signature = rsa_1024::sign(signing_input(&token).as_bytes());
            with_signature(&token, &signature)
        })
        .requires(Precondition::UnusualRsaKeys)
        .hint("reject RSA keys shorter than 2048 bits")
        .rationale("1024-bit RSA keys can be factored", "RFC 7518 §3.3"),
    ]
    .into_iter()
    .map(|case| match case.expectation {
        Expectation::Rejected => case.requires_published_key(),
        _ => case,
    })
    .map(Case::with_unknown_key)
    .collect()
}

/// Creates a case with a key that must be used, and another key that the target has not used before.
///
/// Some targets look up each key on its own and limit that per minute. If such a target rejects the
/// other key, too, the case says nothing about the first one.
fn accepted_key(
    id: &'static str,
    title: &'static str,
    keys: fn(&UnusualKeys) -> (&KeyPair, &KeyPair),
) -> Case {
    Case::steps(id, title, Severity::Medium, "2xx", move |harness| {
        Box::pin(async move {
            let forge = &harness.forge;
            let (key, ordinary) = keys(&forge.unusual);
            let token = forge.token_signed_by(key.clone()).sign();
            let response = harness.send_token(&token).await;
            if response.as_ref().is_ok_and(Response::is_accepted) {
                return Ok(());
            }
            let token = forge.token_signed_by(ordinary.clone()).sign();
            match harness.send_token(&token).await {
                Ok(control) if control.is_accepted() => expect_accepted(response, "2xx"),
                Err(RequestError::Connect(error)) => Err(StepError::Connect(error)),
                _ => Err(StepError::NotApplicable(
                    "the target also rejects an ordinary key of the set that it has not used before: it limits how often it looks up keys"
                        .to_owned(),
                )),
            }
        })
    })
    .requires(Precondition::UnusualRsaKeys)
}

fn same_kid(id: &'static str, title: &'static str, index: usize) -> Case {
    let keys: fn(&UnusualKeys) -> (&KeyPair, &KeyPair) = match index {
        0 => |keys| (&keys.same_kid[0], &keys.ordinary[1]),
        _ => |keys| (&keys.same_kid[1], &keys.ordinary[2]),
    };
    accepted_key(id, title, keys)
        .strict()
        .severity_note("the issuer would have to publish such keys")
        .hint("try each key with the kid and algorithm of the token, a few at most")
        .rationale(
            "kids should be distinct, but need not be: during a migration two key sets are merged",
            "RFC 7517 §4.5",
        )
}
