//! Compares bearward with `jsonwebtoken` as an oracle: a token that bearward accepts is accepted by
//! `jsonwebtoken` too. The converse does not hold, because bearward is stricter.

use std::{cell::Cell, collections::HashMap, sync::Arc, time::Duration};

use bearward::{Algorithm, Bearward, Clock, KeySource, Timestamp};
use bearward_testing::{KeyPair, TestClock, Token, TokenBuilder};
use jsonwebtoken::{DecodingKey, Validation};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::fixture::{AUDIENCE, Fixture, ISSUER, build, issuer_with_jwks, jwks};

const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// Leeway of both implementations: long enough for tokens that expire while a test runs, because only
/// the clock of bearward is stopped.
const LEEWAY: Duration = Duration::from_secs(300);

/// A fixture that uses the system time, because `jsonwebtoken` does.
struct Oracle {
    fixture: Fixture,
    key: DecodingKey,
    validation: Validation,
    now: Timestamp,
}

impl Oracle {
    fn new(algorithm: Algorithm) -> Self {
        let key = KeyPair::cached(algorithm, 0);
        let clock = TestClock::new();
        let now = clock.now();
        let issuer = issuer_with_jwks(ISSUER, &jwks([&key]))
            .leeway(LEEWAY)
            .unwrap();
        let auth = build(Bearward::builder().issuer(issuer), &clock);
        let jwk = key.jwk();
        let text = |name: &str| jwk[name].as_str().unwrap();
        let (decoding_key, algorithm) = match algorithm {
            Algorithm::ES256 => (
                DecodingKey::from_ec_components(text("x"), text("y")),
                jsonwebtoken::Algorithm::ES256,
            ),
            Algorithm::EdDSA => (
                DecodingKey::from_ed_components(text("x")),
                jsonwebtoken::Algorithm::EdDSA,
            ),
            _ => (
                DecodingKey::from_rsa_components(text("n"), text("e")),
                jsonwebtoken::Algorithm::RS256,
            ),
        };
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY.as_secs();
        validation.validate_nbf = true;
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        Self {
            fixture: Fixture { auth, clock, key },
            key: decoding_key.unwrap(),
            validation,
            now,
        }
    }

    fn token(&self) -> TokenBuilder {
        TokenBuilder::new(ISSUER, self.fixture.key.clone(), self.now)
    }

    fn decode(&self, token: &str) -> Result<Map<String, Value>, jsonwebtoken::errors::Error> {
        jsonwebtoken::decode::<Map<String, Value>>(token, &self.key, &self.validation)
            .map(|data| data.claims)
    }
}

#[test]
fn both_accept_a_valid_token_of_each_algorithm() {
    for algorithm in ALGORITHMS {
        let oracle = Oracle::new(algorithm);
        let token = oracle.token().sub("user-1").sign();
        assert_eq!(oracle.fixture.verify_ok(&token).subject(), "user-1");
        assert_eq!(oracle.decode(&token).unwrap()["sub"], "user-1");
    }
}

/// Returns changes to claims. Times are relative to `now` and far from any limit, because the clock
/// of the oracle is not stopped.
fn changes(now: i64) -> Vec<(&'static str, Value)> {
    let mut changes: Vec<(&str, Value)> = Vec::new();
    for seconds in [-100_000, -600, -5, 5, 600, 100_000] {
        for name in ["exp", "nbf", "iat"] {
            changes.push((name, json!(now + seconds)));
            #[expect(
                clippy::cast_precision_loss,
                reason = "dates of this century are represented exactly"
            )]
            changes.push((name, json!((now + seconds) as f64 + 0.5)));
        }
    }
    for value in [
        json!(AUDIENCE),
        json!([AUDIENCE]),
        json!(["other", AUDIENCE]),
        json!("other"),
        json!([]),
        json!([1]),
        json!(null),
    ] {
        changes.push(("aud", value));
    }
    for value in [
        json!(ISSUER),
        json!([ISSUER]),
        json!(format!("{ISSUER}/")),
        json!(1),
    ] {
        changes.push(("iss", value));
    }
    for value in [
        json!("u"),
        json!(""),
        json!("s".repeat(256)),
        json!(1),
        json!(null),
        json!("a\nb"),
        json!("熊"),
    ] {
        changes.push(("sub", value));
    }
    for name in ["email", "role", "scope", "cnf", "app_metadata", "x"] {
        for value in [
            json!("text"),
            json!(1),
            json!(null),
            json!({ "a": [1, { "b": null }] }),
        ] {
            changes.push((name, value));
        }
    }
    changes
}

#[test]
fn jsonwebtoken_accepts_every_token_that_bearward_accepts() {
    let oracles: HashMap<_, _> = ALGORITHMS
        .map(|algorithm| (algorithm, Oracle::new(algorithm)))
        .into();
    let now = oracles[&Algorithm::RS256].now.unix();
    let header = prop::sample::select(vec![
        ("typ", json!("JWT")),
        ("typ", json!("at+jwt")),
        ("typ", json!("application/JWT")),
        ("typ", json!("logout+jwt")),
        ("cty", json!("JWT")),
        ("kid", json!("unknown")),
        ("alg", json!("HS256")),
        ("alg", json!("none")),
        ("alg", json!("RS384")),
        ("crit", json!(["x"])),
        ("x", json!({ "y": 1 })),
        ("zip", json!("DEF")),
        ("jku", json!("https://evil.example/jwks.json")),
    ]);
    let claim = prop::sample::select(changes(now));
    let both = Cell::new(0);
    let algorithm = prop::sample::select(ALGORITHMS.to_vec());
    let forge = prop::sample::select(vec![false, false, false, true]);
    proptest!(ProptestConfig::with_cases(1500), |(
        algorithm in algorithm,
        header in prop::collection::vec(header, 0..2),
        claims in prop::collection::vec(claim, 0..3),
        without in prop::option::weighted(0.2, prop::sample::select(vec!["exp", "sub", "aud", "iss", "iat", "email", "kid", "typ"])),
        forged in forge,
    )| {
        let oracle = &oracles[&algorithm];
        let mut token = oracle.token();
        for (name, value) in header {
            token = token.header(name, value);
        }
        for (name, value) in claims {
            token = token.claim(name, value);
        }
        if let Some(name) = without {
            token = token.without(name).without_header(name);
        }
        let signer = if forged { KeyPair::foreign_key(&oracle.fixture.key) } else { oracle.fixture.key.clone() };
        let token = Token::new(token.header_members(), token.claims()).sign(&signer);
        if let Ok(user) = oracle.fixture.verify(&token) {
            let decoded = oracle.decode(&token);
            prop_assert!(decoded.is_ok(), "{decoded:?}");
            let claims = decoded.unwrap();
            prop_assert_eq!(claims["sub"].as_str(), Some(user.subject()));
            both.set(both.get() + 1);
        }
    });
    assert!(
        both.get() > 100,
        "only {} tokens were accepted by both",
        both.get()
    );
}

#[test]
fn a_single_altered_byte_is_rejected() {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
        let oracle = Oracle::new(algorithm);
        let token = oracle.token().sign();
        for at in (0..token.len()).step_by(3) {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'Q' { b'w' } else { b'Q' };
            let altered = String::from_utf8(bytes).unwrap();
            assert!(oracle.fixture.verify(&altered).is_err(), "byte {at}");
        }
    }
}

#[test]
fn bearward_rejects_tokens_that_jsonwebtoken_accepts_by_default() {
    let oracle = Oracle::new(Algorithm::ES256);
    // The usual configuration: an audience and an issuer, everything else at its default.
    let mut validation = Validation::new(jsonwebtoken::Algorithm::ES256);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    let now = oracle.now.unix();
    let accepted_by_default = [
        ("MISSING_CLAIM", oracle.token().without("aud").sign()),
        (
            "INVALID_CLAIM",
            oracle.token().claim("iss", json!([ISSUER])).sign(),
        ),
        ("INVALID_CLAIM", oracle.token().sub("").sign()),
        ("MISSING_CLAIM", oracle.token().without("sub").sign()),
        (
            "TOKEN_NOT_YET_VALID",
            oracle.token().claim("nbf", now + 3600).sign(),
        ),
        (
            "INVALID_TOKEN_TYPE",
            oracle.token().header("typ", "logout+jwt").sign(),
        ),
    ];
    for (code, token) in accepted_by_default {
        let decoded = jsonwebtoken::decode::<Map<String, Value>>(&token, &oracle.key, &validation);
        assert!(decoded.is_ok(), "{code}: {decoded:?}");
        assert_eq!(oracle.fixture.verify_err(&token).code(), code);
    }
    // Since version 12, jsonwebtoken rejects these as well.
    let critical = oracle.token().header("crit", json!(["x"])).header("x", 1);
    let rejected_by_both = [
        (
            "INVALID_CLAIM",
            oracle.token().claim("aud", json!({ "a": 1 })).sign(),
        ),
        ("INVALID_CLAIM", oracle.token().claim("iss", 1).sign()),
        ("MALFORMED_TOKEN", critical.sign()),
    ];
    for (code, token) in rejected_by_both {
        let decoded = jsonwebtoken::decode::<Map<String, Value>>(&token, &oracle.key, &validation);
        assert!(decoded.is_err(), "{code}: {decoded:?}");
        assert_eq!(oracle.fixture.verify_err(&token).code(), code);
    }
}

#[test]
fn mixed_key_types_are_supported_unlike_in_jsonwebtoken() {
    let oracle = Oracle::new(Algorithm::ES256);
    let rsa = KeyPair::cached(Algorithm::RS256, 0);
    let keys = KeySource::Fixed(jwks([&oracle.fixture.key, &rsa]));
    let issuer = issuer_with_jwks(ISSUER, "")
        .keys(keys)
        .algorithms([Algorithm::RS256, Algorithm::ES256])
        .unwrap();
    let clock = oracle.fixture.clock.clone();
    let auth = build(
        Bearward::builder()
            .issuer(issuer)
            .clock(Arc::new(clock.clone())),
        &clock,
    );
    let mixed = Fixture {
        auth,
        clock,
        key: rsa,
    };
    let token = oracle.token().sign();
    mixed.verify_ok(&token);
    let mut validation = oracle.validation.clone();
    validation.algorithms = vec![
        jsonwebtoken::Algorithm::RS256,
        jsonwebtoken::Algorithm::ES256,
    ];
    assert!(jsonwebtoken::decode::<Map<String, Value>>(&token, &oracle.key, &validation).is_err());
}
