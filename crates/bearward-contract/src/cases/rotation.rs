//! The issuer turns its keys while the target runs.

use std::sync::Arc;

use bearward_testing::signing::encode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Group;
use crate::{
    case::{Case, Severity, StepError},
    forge::{signed, with_signature},
    harness::{Harness, accepted, assert_not_accepted},
    rsa_1024,
};

pub(super) const GROUP: Group = Group {
    name: "key.rotation",
    title: "keys turn, and nobody is kept out for longer than a cooldown",
    hint: "ask for the key set again when a `kid` is unknown, within a cooldown, and judge the same request again: jose \
           `createRemoteJWKSet`, `PyJWKClient`, `NimbusJwtDecoder.withJwkSetUri` and jwks-rsa do; a set that is read once at the start does not. Skip a key that \
           cannot be read, not the set",
    timed: true,
    cases,
};

fn cases() -> Vec<Case> {
    let gone = "a key is withdrawn because somebody has it";
    vec![
        Case::steps(
            "key.rotation.same-request",
            "the first token of a key that was published just now",
            Severity::High,
            "2xx for that very request, at once or after a cooldown",
            |bench| Box::pin(same_request(bench)),
        )
        .rationale("every user of the issuer is kept out until the target asks for the keys again", "OpenID Connect Core §10.1.1"),
        Case::steps(
            "key.rotation.old-key",
            "a token of the key before, which is still published",
            Severity::High,
            "2xx",
            |bench| {
                Box::pin(async move {
                    let token = bench.forge.token().sign();
                    accepted(bench.send(&token).await, "2xx: the key is still published")
                })
            },
        )
        .rationale("who was signed in before the rotation is thrown out", "OpenID Connect Core §10.1.1"),
        Case::steps(
            "key.rotation.unreadable-neighbours",
            "a new key is published beside members that are no keys",
            Severity::High,
            "2xx for a token of the new key, at once or after a cooldown",
            |bench| Box::pin(unreadable_neighbours(bench)),
        )
        .rationale("one member that the target cannot read keeps everybody out", "RFC 7517 §5"),
        Case::steps(
            "key.rotation.exponent-of-one",
            "a signature under a published RSA key whose exponent is one",
            Severity::Medium,
            "401, 403 or 5xx",
            |bench| {
                Box::pin(async move {
                    let kid = bench.weak_kid().ok_or_else(|| needs("key.rotation.unreadable-neighbours"))?;
                    let token = bench.forge.token().header("alg", "RS256").kid(&kid);
                    let signature = rsa_1024::padded(signed(&token).as_bytes(), 256);
                    assert_not_accepted(
                        bench.send(&with_signature(&token, &signature)).await,
                        "401, 403 or 5xx: under such a key anybody signs",
                    )
                })
            },
        )
        .severity_note("it takes an issuer that publishes such a key")
        .rationale("with an exponent of one, the padded hash is the signature: anybody signs", "RFC 8017 §3.1"),
        Case::steps(
            "key.rotation.removed-key",
            "a fresh token of a key that is no longer published",
            Severity::Medium,
            "401, 403 or 5xx",
            |bench| {
                Box::pin(async move {
                    let (key, _) = removed(&bench).await?;
                    assert_not_accepted(
                        bench.send(&bench.forge.token_by(key).sign()).await,
                        "401, 403 or 5xx, after the target has seen the set without that key",
                    )
                })
            },
        )
        .strict()
        .severity_note(
            "it takes somebody who has that key, and libraries that remember each key by itself let it live for some minutes",
        )
        .rationale(gone, "RFC 7517 §5, NIST SP 800-57 part 1 §8.2"),
        Case::steps(
            "key.rotation.removed-key-known-token",
            "a token that was accepted before its key was withdrawn",
            Severity::Medium,
            "401, 403 or 5xx",
            |bench| {
                Box::pin(async move {
                    let (_, token) = removed(&bench).await?;
                    assert_not_accepted(bench.send(&token).await, "401, 403 or 5xx, after the target has seen the set without that key")
                })
            },
        )
        .strict()
        .severity_note("it takes somebody who has that key, and the token ends by itself")
        .rationale(gone, "NIST SP 800-57 part 1 §8.2"),
        Case::steps(
            "key.rotation.in-place",
            "another key under the kid of a published one",
            Severity::Medium,
            "2xx, at once or after a cooldown",
            |bench| Box::pin(in_place(bench)),
        )
        .strict()
        .rationale("some issuers replace a key and keep its kid", "RFC 7517 §4.5"),
    ]
}

fn needs(id: &str) -> StepError {
    StepError::Cannot(format!("it needs {id}"))
}

async fn same_request(bench: Arc<Harness>) -> Result<(), StepError> {
    let key = bench.forge.new_key();
    bench.publish(key.jwk().into());
    bench
        .must_accept_new(
            &key,
            "2xx for a token of a key that is published, also after a cooldown",
        )
        .await?;
    // A second token of that key, to be remembered and sent again.
    let token = bench.forge.token_by(key.clone()).sign();
    accepted(
        bench.send(&token).await,
        "2xx for the next token of that key",
    )?;
    bench.remember_turned(key, token);
    Ok(())
}

async fn unreadable_neighbours(bench: Arc<Harness>) -> Result<(), StepError> {
    let key = bench.forge.new_key();
    let kid = Uuid::new_v4().to_string();
    for jwk in unreadable(&bench, &kid) {
        bench.publish(jwk);
    }
    bench.publish(key.jwk().into());
    if let Some((turned, _)) = bench.turned() {
        bench.withdraw(turned.kid());
    }
    let accepted = bench
        .must_accept_new(
            &key,
            "2xx for a token of the new key, whatever stands beside it",
        )
        .await;
    // For the cases to come the set is readable again.
    bench.withdraw_unreadable();
    accepted?;
    // Whoever has not taken this set has no weak key of it.
    bench.remember_weak(kid);
    bench.remember_latest(key);
    Ok(())
}

/// Members that cannot be keys.
fn unreadable(bench: &Harness, kid: &str) -> Vec<Value> {
    let name = || Uuid::new_v4().to_string();
    let mut one = bench.forge.key_of(bearward::Algorithm::RS256).jwk();
    one.insert("e".to_owned(), "AQ".into());
    one.insert("kid".to_owned(), kid.into());
    one.insert("x-unreadable".to_owned(), true.into());
    vec![
        one.into(),
        json!({ "x-unreadable": true }),
        json!({ "x-unreadable": true, "kty": "RSA", "kid": name(), "use": "sig", "alg": "RS256" }),
        json!({ "x-unreadable": true, "kty": "RSA", "kid": name(), "use": "sig", "alg": "RS256", "n": "!!", "e": 65537 }),
        json!({ "x-unreadable": true, "kty": "EC", "crv": "P-256", "kid": name(), "x": encode(&[1; 32]), "y": encode(&[2; 32]) }),
        json!({ "x-unreadable": true, "kty": "EC", "crv": "secp256k1", "kid": name(), "x": encode(&[1; 32]), "y": encode(&[2; 32]) }),
        json!({ "x-unreadable": true, "kty": 1, "kid": 2 }),
    ]
}

/// The key that was withdrawn, with a token of it, once the target has seen the set without it.
async fn removed(
    bench: &Harness,
) -> Result<(bearward_testing::signing::KeyPair, String), StepError> {
    let (key, token) = bench
        .turned()
        .ok_or_else(|| needs("key.rotation.same-request"))?;
    if !bench.has_seen_removal() {
        bench.withdraw(key.kid());
        bench.provoke().await?;
        bench.remember_removal();
    }
    Ok((key, token))
}

async fn in_place(bench: Arc<Harness>) -> Result<(), StepError> {
    let first = bench
        .latest()
        .ok_or_else(|| needs("key.rotation.unreadable-neighbours"))?;
    let second = bench.forge.new_key().with_kid(first.kid());
    bench.withdraw(first.kid());
    bench.publish(second.jwk().into());
    bench
        .must_accept_new(
            &second,
            "2xx for the second key of that kid, also after a cooldown",
        )
        .await
}
