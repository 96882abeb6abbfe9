//! Key rotation while the target is running.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use bearward_testing::signing::{KeyPair, encode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    case::{Case, Severity},
    error::StepError,
    forge::{signing_input, with_signature},
    group::Group,
    harness::{Harness, assert_not_accepted, expect_accepted},
    rsa_1024,
};

pub(crate) const GROUP: Group = Group {
    name: "key.rotation",
    title: "after a key rotation, new tokens are accepted within a cooldown",
    hint: "fetch the key set again if a `kid` is unknown, limited by a cooldown, and verify the same request again; a set that is loaded once \
           at start is not enough",
    timed: true,
    cases,
};

fn cases() -> Vec<Case> {
    let withdrawn = "a key is withdrawn because it was compromised";
    vec![
        Case::steps(
            "key.rotation.same-request",
            "the first token signed with a newly published key",
            Severity::High,
            "2xx for that request, immediately or after a cooldown",
            |harness| Box::pin(same_request(harness)),
        )
        .rationale("all users are locked out until the target fetches the keys again", "OpenID Connect Core §10.1.1"),
        Case::steps(
            "key.rotation.old-key",
            "a token signed with the previous key, which is still published",
            Severity::High,
            "2xx",
            |harness| {
                Box::pin(async move {
                    let token = harness.forge.token().sign();
                    expect_accepted(harness.send_token(&token).await, "2xx: the key is still published")
                })
            },
        )
        .rationale("users who signed in before the rotation are locked out", "OpenID Connect Core §10.1.1"),
        Case::steps(
            "key.rotation.unreadable-neighbours",
            "a new key is published next to members that are not valid keys",
            Severity::Medium,
            "2xx for a token signed with the new key, immediately or after a cooldown",
            |harness| Box::pin(unreadable_neighbours(harness)),
        )
        .severity_note("the issuer would have to publish such members")
        .hint("ignore a key that cannot be parsed, not the whole set")
        .rationale("one member that the target cannot parse locks out all users", "RFC 7517 §5"),
        Case::steps(
            "key.rotation.exponent-of-one",
            "a signature for a published RSA key with exponent one",
            Severity::Medium,
            "401, 403 or 5xx",
            |harness| {
                Box::pin(async move {
                    let kid = state(&harness).exponent_one_kid().ok_or_else(|| not_passed("key.rotation.unreadable-neighbours"))?;
                    let token = harness.forge.token().header("alg", "RS256").kid(&kid);
                    let signature = rsa_1024::pkcs1_v1_5(signing_input(&token).as_bytes(), 256);
                    assert_not_accepted(
                        harness.send_token(&with_signature(&token, &signature)).await,
                        "401, 403 or 5xx: anyone can sign for such a key",
                    )
                })
            },
        )
        .severity_note("the issuer would have to publish such a key")
        .hint("reject RSA keys whose public exponent is even or smaller than 3")
        .rationale("with an exponent of one, the padded hash is a valid signature, so anyone can sign", "RFC 8017 §3.1"),
        Case::steps(
            "key.rotation.removed-key",
            "a new token signed with a key that is no longer published",
            Severity::Medium,
            "401, 403 or 5xx",
            |harness| {
                Box::pin(async move {
                    let (key, _) = removed_key(&harness).await?;
                    assert_not_accepted(
                        harness.send_token(&harness.forge.token_signed_by(key).sign()).await,
                        "401, 403 or 5xx, after the target has fetched the set without that key",
                    )
                })
            },
        )
        .strict()
        .severity_note(
            "an attacker needs that key, and libraries that cache keys individually accept it for some minutes",
        )
        .hint("replace the whole set at each fetch, and check the key of a cached result again")
        .rationale(withdrawn, "RFC 7517 §5, NIST SP 800-57 part 1 §8.2"),
        Case::steps(
            "key.rotation.removed-key-known-token",
            "a token that was accepted before its key was withdrawn",
            Severity::Medium,
            "401, 403 or 5xx",
            |harness| {
                Box::pin(async move {
                    let (_, token) = removed_key(&harness).await?;
                    assert_not_accepted(harness.send_token(&token).await, "401, 403 or 5xx, after the target has fetched the set without that key")
                })
            },
        )
        .strict()
        .severity_note("an attacker needs that key, and the token expires")
        .hint("replace the whole set at each fetch, and check the key of a cached result again")
        .rationale(withdrawn, "NIST SP 800-57 part 1 §8.2"),
        Case::steps(
            "key.rotation.in-place",
            "another key with the kid of a published one",
            Severity::Medium,
            "2xx, immediately or after a cooldown",
            |harness| Box::pin(in_place(harness)),
        )
        .strict()
        .hint("fetch the key set again if the signature of a known `kid` does not match, limited by the same cooldown")
        .rationale("some issuers replace a key and keep its kid", "RFC 7517 §4.5"),
    ]
}

/// What the cases of the group pass on to later ones.
#[derive(Default)]
struct RotationState {
    /// The key of the first rotation, with an accepted token.
    first_key: Mutex<Option<(KeyPair, String)>>,
    /// The key of the second rotation, which the target has accepted.
    latest_key: Mutex<Option<KeyPair>>,
    /// The `kid` of the published RSA key with exponent one.
    exponent_one_kid: Mutex<Option<String>>,
    /// Whether the target has fetched a set without the first key.
    has_fetched_removal: AtomicBool,
}

impl RotationState {
    fn first_key(&self) -> Option<(KeyPair, String)> {
        lock(&self.first_key).clone()
    }

    fn latest_key(&self) -> Option<KeyPair> {
        lock(&self.latest_key).clone()
    }

    fn exponent_one_kid(&self) -> Option<String> {
        lock(&self.exponent_one_kid).clone()
    }
}

fn state(harness: &Harness) -> Arc<RotationState> {
    harness.group_state()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_passed(id: &str) -> StepError {
    StepError::NotApplicable(format!("it requires {id} to pass"))
}

async fn same_request(harness: Arc<Harness>) -> Result<(), StepError> {
    let key = harness.forge.new_key();
    harness.publish(key.jwk().into());
    harness
        .expect_new_key_accepted(
            &key,
            "2xx for a token signed with a published key, immediately or after a cooldown",
        )
        .await?;
    // Another token with that key, which later cases send again.
    let token = harness.forge.token_signed_by(key.clone()).sign();
    expect_accepted(
        harness.send_token(&token).await,
        "2xx for the next token signed with that key",
    )?;
    *lock(&state(&harness).first_key) = Some((key, token));
    Ok(())
}

async fn unreadable_neighbours(harness: Arc<Harness>) -> Result<(), StepError> {
    let state = state(&harness);
    let key = harness.forge.new_key();
    let kid = Uuid::new_v4().to_string();
    for jwk in invalid_members(&harness, &kid) {
        harness.publish(jwk);
    }
    harness.publish(key.jwk().into());
    if let Some((first_key, _)) = state.first_key() {
        harness.withdraw(first_key.kid());
    }
    let result = harness
        .expect_new_key_accepted(
            &key,
            "2xx for a token signed with the new key, whatever else the set contains",
        )
        .await;
    // Later cases use a set that can be parsed.
    harness.withdraw_where(|jwk| jwk.get("x-unreadable").is_some());
    result?;
    // Only now the target has fetched the key with exponent one.
    *lock(&state.exponent_one_kid) = Some(kid);
    *lock(&state.latest_key) = Some(key);
    state.has_fetched_removal.store(true, Ordering::SeqCst);
    Ok(())
}

/// Returns members that are not valid keys.
fn invalid_members(harness: &Harness, kid: &str) -> Vec<Value> {
    let name = || Uuid::new_v4().to_string();
    let mut exponent_one = harness.forge.key_for(bearward::Algorithm::RS256).jwk();
    exponent_one.insert("e".to_owned(), "AQ".into());
    exponent_one.insert("kid".to_owned(), kid.into());
    exponent_one.insert("x-unreadable".to_owned(), true.into());
    vec![
        exponent_one.into(),
        json!({ "x-unreadable": true }),
        json!({ "x-unreadable": true, "kty": "RSA", "kid": name(), "use": "sig", "alg": "RS256" }),
        json!({ "x-unreadable": true, "kty": "RSA", "kid": name(), "use": "sig", "alg": "RS256", "n": "!!", "e": 65537 }),
        json!({ "x-unreadable": true, "kty": "EC", "crv": "P-256", "kid": name(), "x": encode(&[1; 32]), "y": encode(&[2; 32]) }),
        json!({ "x-unreadable": true, "kty": "EC", "crv": "secp256k1", "kid": name(), "x": encode(&[1; 32]), "y": encode(&[2; 32]) }),
        json!({ "x-unreadable": true, "kty": 1, "kid": 2 }),
    ]
}

/// Returns the withdrawn key with an accepted token, after the target has fetched the set without
/// it.
async fn removed_key(harness: &Harness) -> Result<(KeyPair, String), StepError> {
    let state = state(harness);
    let (key, token) = state
        .first_key()
        .ok_or_else(|| not_passed("key.rotation.same-request"))?;
    if !state.has_fetched_removal.load(Ordering::SeqCst) {
        harness.withdraw(key.kid());
        harness.trigger_refresh().await?;
        state.has_fetched_removal.store(true, Ordering::SeqCst);
    }
    Ok((key, token))
}

async fn in_place(harness: Arc<Harness>) -> Result<(), StepError> {
    let first = state(&harness)
        .latest_key()
        .ok_or_else(|| not_passed("key.rotation.unreadable-neighbours"))?;
    let second = harness.forge.new_key().with_kid(first.kid());
    harness.withdraw(first.kid());
    harness.publish(second.jwk().into());
    harness
        .expect_replaced_key_accepted(
            &second,
            "2xx for the second key with that kid, immediately or after a cooldown",
        )
        .await
}
