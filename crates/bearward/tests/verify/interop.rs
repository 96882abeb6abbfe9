//! Another implementation, both ways: `PyJWT` accepts our tokens and refuses our forgeries, and we
//! its own.
//!
//! Runs where `BEARWARD_INTEROP_PYTHON` names a Python that has `PyJWT`, as `tests/interop/run.sh`
//! sees to.

use std::{
    env,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use bearward::{Algorithm, Bearward, Clock};
use bearward_testing::{FORGERIES, KeyPair, TestClock, TokenBuilder};
use serde_json::{Value, json};

use crate::stand::{AUDIENCE, ISSUER, build, set, trusting, verify};

/// What the other implementation answers; `None` where there is none.
fn peer(task: &str, case: &Value) -> Option<Value> {
    let Some(python) = env::var_os("BEARWARD_INTEROP_PYTHON") else {
        eprintln!("left out: set BEARWARD_INTEROP_PYTHON, or call tests/interop/run.sh");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/peer.py");
    let mut child = Command::new(python)
        .arg(script)
        .arg(task)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("that Python runs");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(case.to_string().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{task} failed: see its message above"
    );
    Some(serde_json::from_slice(&output.stdout).expect("it answers in JSON"))
}

#[test]
fn pyjwt_accepts_our_tokens_of_every_algorithm_from_our_key_set_and_refuses_our_forgeries() {
    let now = TestClock::new().now();
    let keys: Vec<KeyPair> = Algorithm::ALL
        .into_iter()
        .map(|algorithm| match algorithm {
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => KeyPair::shared(algorithm, 0),
            _ => KeyPair::shared(Algorithm::RS256, 0)
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
    let jwks: Value = serde_json::from_str(&set(&keys)).unwrap();
    let Some(judged) = peer(
        "judge",
        &json!({ "issuer": ISSUER, "audience": AUDIENCE, "jwks": jwks, "tokens": tokens }),
    ) else {
        return;
    };
    for (name, refusal) in judged.as_object().unwrap() {
        assert_eq!(
            refusal.is_null(),
            name.starts_with("good "),
            "{name}: {refusal}"
        );
    }
    assert_eq!(
        judged.as_object().unwrap().len(),
        keys.len() * (3 + FORGERIES.len())
    );
}

#[test]
fn we_accept_the_tokens_of_pyjwt_from_its_key_set_and_refuse_its_bad_ones_for_the_right_reason() {
    let Some(minted) = peer("mint", &json!({ "issuer": ISSUER, "audience": AUDIENCE })) else {
        return;
    };
    // Made after the tokens, so that none of them is from the future.
    let clock = TestClock::new();
    let auth = build(
        Bearward::builder().issuer(trusting(ISSUER, &minted["jwks"].to_string())),
        &clock,
    );
    let tokens = minted["tokens"].as_array().unwrap();
    for token in tokens {
        let code = verify(&auth, token["token"].as_str().unwrap())
            .err()
            .map(|rejection| rejection.code());
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
    // Its keys for algorithms that bearward does not know are skipped, the others are all there.
    assert_eq!(
        (
            auth.key_set_statuses()[0].keys,
            auth.key_set_statuses()[0].ignored.len()
        ),
        (Algorithm::ALL.len(), 2)
    );
}
