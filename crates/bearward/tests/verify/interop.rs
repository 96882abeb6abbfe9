//! Interoperability with `PyJWT`: it accepts our tokens and rejects our forgeries, and bearward does
//! the same with tokens made by `PyJWT`.
//!
//! Requires `BEARWARD_INTEROP_PYTHON` to name a Python with `PyJWT` installed;
//! `crates/bearward/tests/interop/run.sh` sets it up. Skipped otherwise.

use std::{
    env,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use bearward::{Algorithm, Bearward, Clock};
use bearward_testing::{FORGERIES, KeyPair, TestClock, TokenBuilder};
use serde_json::{Value, json};

use crate::fixture::{AUDIENCE, ISSUER, build, issuer_with_jwks, jwks, verify};

/// Runs a task in the other implementation. Returns `None` if it is not configured.
fn peer(task: &str, case: &Value) -> Option<Value> {
    let Some(python) = env::var_os("BEARWARD_INTEROP_PYTHON") else {
        eprintln!(
            "skipped: set BEARWARD_INTEROP_PYTHON or use crates/bearward/tests/interop/run.sh"
        );
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/peer.py");
    let mut child = Command::new(python)
        .arg(script)
        .arg(task)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the interpreter starts");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(case.to_string().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{task} failed, see its output above"
    );
    Some(serde_json::from_slice(&output.stdout).expect("the output is JSON"))
}

#[test]
fn pyjwt_accepts_our_tokens_and_rejects_our_forgeries() {
    let now = TestClock::new().now();
    let keys: Vec<KeyPair> = Algorithm::ALL
        .iter()
        .copied()
        .map(|algorithm| match algorithm {
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 | Algorithm::EdDSA => {
                KeyPair::cached(algorithm, 0)
            }
            _ => KeyPair::cached(Algorithm::RS256, 0)
                .with_algorithm(algorithm)
                .with_kid(algorithm.name()),
        })
        .collect();
    let mut tokens = Vec::new();
    for key in &keys {
        let alg = key.algorithm().name();
        let token = |name: &str| TokenBuilder::new(ISSUER, key.clone(), now).sub(name);
        let mut add = |name: String, sign: &dyn Fn(TokenBuilder) -> String| {
            let token = sign(token(&name));
            tokens.push(json!({ "name": name, "alg": alg, "token": token }));
        };
        add(format!("good {alg}"), &TokenBuilder::sign);
        for forgery in FORGERIES {
            add(format!("{forgery} {alg}"), &|token| {
                token.forged(forgery).unwrap()
            });
        }
        add(format!("expired {alg}"), &|token| token.expired().sign());
        add(format!("other audience {alg}"), &|token| {
            token.audience("other").sign()
        });
    }
    let jwks: Value = serde_json::from_str(&jwks(&keys)).unwrap();
    let Some(results) = peer(
        "verify",
        &json!({ "issuer": ISSUER, "audience": AUDIENCE, "jwks": jwks, "tokens": tokens }),
    ) else {
        return;
    };
    for (name, failure) in results.as_object().unwrap() {
        assert_eq!(
            failure.is_null(),
            name.starts_with("good "),
            "{name}: {failure}"
        );
    }
    assert_eq!(
        results.as_object().unwrap().len(),
        keys.len() * (3 + FORGERIES.len())
    );
}

#[test]
fn pyjwt_tokens_get_the_expected_result() {
    let Some(minted) = peer("mint", &json!({ "issuer": ISSUER, "audience": AUDIENCE })) else {
        return;
    };
    // Created after the tokens, so that none of them was issued in the future.
    let clock = TestClock::new();
    let auth = build(
        Bearward::builder().issuer(issuer_with_jwks(ISSUER, &minted["jwks"].to_string())),
        &clock,
    );
    let tokens = minted["tokens"].as_array().unwrap();
    for token in tokens {
        let code = verify(&auth, token["token"].as_str().unwrap())
            .err()
            .map(|error| error.code());
        assert_eq!(code, token["code"].as_str(), "{}", token["name"]);
    }
    let good = tokens
        .iter()
        .filter(|token| token["code"].is_null())
        .count();
    assert!(
        good >= Algorithm::ALL.len() && tokens.len() - good >= 20,
        "{good} of {}",
        tokens.len()
    );
    // The key for an algorithm that bearward does not support is ignored, all others are used.
    assert_eq!(
        (
            auth.key_set_statuses()[0].keys,
            auth.key_set_statuses()[0].ignored.len()
        ),
        (Algorithm::ALL.len(), 1)
    );
}
