//! Another implementation as the judge: what bearward accepts, jsonwebtoken accepts too. The other
//! way round it need not be, and is not.

use std::{cell::Cell, collections::HashMap, sync::Arc};

use {Algorithm, Bearward, Clock, KeySource, Timestamp};
use bearward_testing::{KeyPair, TestClock, Token, TokenBuilder};
use jsonwebtoken::{DecodingKey, Validation};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::stand::{AUDIENCE, ISSUER, Stand, build, set, trusting};

const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// A stand at the machine's time, for that is what the judge goes by.
struct Court {
    stand: Stand,
    key: DecodingKey,
    rules: Validation,
    now: Timestamp,
}

impl Court {
    fn of(algorithm: Algorithm) -> Self {
        let key = KeyPair::shared(algorithm, 0);
        let clock = TestClock::new();
        let now = clock.now();
        let auth = build(
            Bearward::builder().issuer(trusting(ISSUER, &set([&key]))),
            &clock,
        );
        let jwk = key.jwk();
        let text = |name: &str| jwk[name].as_str().unwrap();
        let (judge, named) = match algorithm {
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
        let mut rules = Validation::new(named);
        rules.leeway = 30;
        rules.validate_nbf = true;
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&[ISSUER]);
        rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        Self {
            stand: Stand { auth, clock, key },
            key: judge.unwrap(),
            rules,
            now,
        }
    }

    fn token(&self) -> TokenBuilder {
        TokenBuilder::new(ISSUER, self.stand.key.clone(), self.now)
    }

    fn judge(&self, token: &str) -> Result<Map<String, Value>, jsonwebtoken::errors::Error> {
        jsonwebtoken::decode::<Map<String, Value>>(token, &self.key, &self.rules)
            .map(|data| data.claims)
    }
}

#[test]
fn both_accept_a_good_token_of_each_algorithm_and_read_the_same_subject() {
    for algorithm in ALGORITHMS {
        let court = Court::of(algorithm);
        let token = court.token().sub("somebody").sign();
        assert_eq!(court.stand.accepts(&token).subject(), "somebody");
        assert_eq!(court.judge(&token).unwrap()["sub"], "somebody");
    }
}

/// A change to a claim, as JSON text; the times are counted from now, far from any limit, for the
/// judge's clock goes on.
fn changes(now: i64) -> Vec<(&'static str, Value)> {
    let mut changes: Vec<(&str, Value)> = Vec::new();
    for seconds in [-100_000, -600, -5, 5, 600, 100_000] {
        for name in ["exp", "nbf", "iat"] {
            changes.push((name, json!(now + seconds)));
            #[expect(clippy::cast_precision_loss, reason = "a date of this century")]
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
fn whatever_bearward_accepts_jsonwebtoken_accepts_too() {
    let courts: HashMap<_, _> = ALGORITHMS
        .map(|algorithm| (algorithm, Court::of(algorithm)))
        .into();
    let now = courts[&Algorithm::RS256].now.unix();
    let header = prop::sample::select(vec![
        ("typ", json!("JWT")),
        ("typ", json!("at+jwt")),
        ("typ", json!("application/JWT")),
        ("typ", json!("logout+jwt")),
        ("cty", json!("JWT")),
        ("kid", json!("nobody")),
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
    let spoil = prop::sample::select(vec![false, false, false, true]);
    proptest!(ProptestConfig::with_cases(1500), |(
        algorithm in algorithm,
        header in prop::collection::vec(header, 0..2),
        claims in prop::collection::vec(claim, 0..3),
        without in prop::option::weighted(0.2, prop::sample::select(vec!["exp", "sub", "aud", "iss", "iat", "email", "kid", "typ"])),
        forged in spoil,
    )| {
        let court = &courts[&algorithm];
        let mut token = court.token();
        for (name, value) in header {
            token = token.header(name, value);
        }
        for (name, value) in claims {
            token = token.claim(name, value);
        }
        if let Some(name) = without {
            token = token.without(name).without_header(name);
        }
        let signer = if forged { KeyPair::foreign_key(&court.stand.key) } else { court.stand.key.clone() };
        let token = Token::new(token.header_members(), token.claims()).sign(&signer);
        if let Ok(user) = court.stand.verify(&token) {
            let judged = court.judge(&token);
            prop_assert!(judged.is_ok(), "{judged:?}");
            let claims = judged.unwrap();
            prop_assert_eq!(claims["sub"].as_str(), Some(user.subject()));
            both.set(both.get() + 1);
        }
    });
    assert!(
        both.get() > 100,
        "the property has been asked {} times only",
        both.get()
    );
}

#[test]
fn whatever_single_byte_is_altered_neither_accepts() {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
        let court = Court::of(algorithm);
        let token = court.token().sign();
        for at in (0..token.len()).step_by(3) {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'Q' { b'w' } else { b'Q' };
            let altered = String::from_utf8(bytes).unwrap();
            assert!(court.stand.verify(&altered).is_err(), "byte {at}");
        }
    }
}

#[test]
fn what_jsonwebtoken_lets_pass_by_default_bearward_refuses_each_for_its_own_reason() {
    let court = Court::of(Algorithm::ES256);
    // As most programs use it: an audience, an issuer, no further setting.
    let mut usual = Validation::new(jsonwebtoken::Algorithm::ES256);
    usual.set_audience(&[AUDIENCE]);
    usual.set_issuer(&[ISSUER]);
    let now = court.now.unix();
    let lax = [
        ("MISSING_CLAIM", court.token().without("aud").sign()),
        (
            "INVALID_CLAIM",
            court.token().claim("aud", json!({ "a": 1 })).sign(),
        ),
        (
            "INVALID_CLAIM",
            court.token().claim("iss", json!([ISSUER])).sign(),
        ),
        ("INVALID_CLAIM", court.token().claim("iss", 1).sign()),
        ("INVALID_CLAIM", court.token().sub("").sign()),
        ("MISSING_CLAIM", court.token().without("sub").sign()),
        (
            "TOKEN_NOT_YET_VALID",
            court.token().claim("nbf", now + 3600).sign(),
        ),
        (
            "INVALID_TOKEN_TYPE",
            court.token().header("typ", "logout+jwt").sign(),
        ),
        (
            "MALFORMED_TOKEN",
            court
                .token()
                .header("crit", json!(["x"]))
                .header("x", 1)
                .sign(),
        ),
    ];
    for (code, token) in lax {
        let judged = jsonwebtoken::decode::<Map<String, Value>>(&token, &court.key, &usual);
        assert!(judged.is_ok(), "{code}: {judged:?}");
        assert_eq!(court.stand.refusal(&token).code(), code);
    }
}

#[test]
fn a_list_that_mixes_key_types_works_here_and_not_there() {
    let court = Court::of(Algorithm::ES256);
    let rsa = KeyPair::shared(Algorithm::RS256, 0);
    let keys = KeySource::Fixed(set([&court.stand.key, &rsa]));
    let issuer = trusting(ISSUER, "")
        .keys(keys)
        .algorithms([Algorithm::RS256, Algorithm::ES256])
        .unwrap();
    let clock = court.stand.clock.clone();
    let auth = build(
        Bearward::builder()
            .issuer(issuer)
            .clock(Arc::new(clock.clone())),
        &clock,
    );
    let mixed = Stand {
        auth,
        clock,
        key: rsa,
    };
    let token = court.token().sign();
    mixed.accepts(&token);
    let mut rules = court.rules.clone();
    rules.algorithms = vec![
        jsonwebtoken::Algorithm::RS256,
        jsonwebtoken::Algorithm::ES256,
    ];
    assert!(jsonwebtoken::decode::<Map<String, Value>>(&token, &court.key, &rules).is_err());
}
