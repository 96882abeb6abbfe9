//! Invariants for every input. The fuzz targets check them, and a test checks them for the
//! committed corpus.

use std::sync::{Arc, LazyLock};

use actix_web::http::header::HeaderValue;
use bearward::{
    Algorithm, AuthError, AuthFailure, Bearward, Issuer, KeySource, RequestHead, Timestamp,
    Verification, Verified, keys::ParsedJwks,
};
use bearward_testing::{KeyPair, TestClock, Token};
use futures_util::FutureExt;

/// Public keys, one per algorithm of the issuer. The private keys were discarded.
const KEYS: &str = include_str!("vectors/keys.json");

/// All tokens that were signed with these keys.
pub const SIGNED: [&str; 3] = [
    include_str!("vectors/rs256.jwt"),
    include_str!("vectors/es256.jwt"),
    include_str!("vectors/eddsa.jwt"),
];

/// A time at which the signed tokens are valid.
const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

struct Setup {
    auth: Bearward,
    /// Its public key is in the JWKS too, so that any header and payload can be signed and the
    /// claim checks are reached.
    signer: KeyPair,
}

static SETUP: LazyLock<Setup> = LazyLock::new(|| {
    let signer = KeyPair::generate(Algorithm::EdDSA).with_kid("signer");
    let mut set: serde_json::Value = serde_json::from_str(KEYS).expect("a JWK Set");
    set["keys"]
        .as_array_mut()
        .expect("keys")
        .push(signer.jwk().into());
    let issuer = Issuer::new("https://idp.example", "authenticated").expect("an issuer");
    let algorithms = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
    let issuer = issuer
        .name("fuzz")
        .algorithms(algorithms)
        .expect("algorithms")
        .keys(KeySource::Fixed(set.to_string()));
    let builder = Bearward::builder()
        .issuer(issuer)
        .clock(Arc::new(TestClock::at(NOW)))
        .token_cache(64);
    let auth = builder
        .build()
        .now_or_never()
        .expect("fixed keys are available immediately")
        .expect("a verifier");
    Setup { auth, signer }
});

/// Verifies the input as a token. If it starts with `{`, it is a header and, after a line break, a
/// payload, which are signed with a known key first.
///
/// Returns whether the token is accepted.
pub fn token(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else {
        return false;
    };
    let signed = text.starts_with('{').then(|| {
        let (header, payload) = text.split_once('\n').unwrap_or((text, ""));
        Token::raw(header, payload).sign(&SETUP.signer)
    });
    let token = signed.as_deref().unwrap_or(text);
    let result = verify(token);
    let known = || {
        SIGNED
            .iter()
            .any(|known| signing_input(known) == signing_input(token))
    };
    assert!(
        result.is_err() || signed.is_some() || known(),
        "an unsigned token was accepted"
    );
    assert_eq!(
        describe(&result),
        describe(&verify(token)),
        "the second verification, possibly from the cache"
    );
    let explanation = SETUP
        .auth
        .explain(token)
        .now_or_never()
        .expect("fixed keys are available immediately");
    assert_eq!(explanation.is_accepted(), result.is_ok());
    for line in &explanation.steps {
        assert!(!line.found.contains(|c: char| c.is_control()), "{line:?}");
    }
    result.is_ok()
}

/// Returns the part of a token that its signature covers.
fn signing_input(token: &str) -> Option<&str> {
    token
        .rsplit_once('.')
        .map(|(signing_input, _)| signing_input)
}

fn verify(token: &str) -> Result<Verified, AuthFailure> {
    match SETUP.auth.try_verify(token) {
        Verification::Ready(result) => result,
        Verification::Pending(_) => panic!("fixed keys are never fetched"),
    }
}

/// Formats a result. The message for the client never contains a part of the token, so it is short.
fn describe(result: &Result<Verified, AuthFailure>) -> String {
    match result {
        Ok(verified) => format!("{} {:?}", verified.subject(), verified.claims()),
        Err(failure) => {
            let message = failure.to_string();
            assert!(
                message.len() < 300 && !message.contains(|c: char| c.is_control()),
                "{message}"
            );
            format!(
                "{} {} {message}",
                failure.error.code(),
                failure.error.metric_label()
            )
        }
    }
}

/// Parses the input as a JWKS document.
pub fn jwks(input: &[u8]) {
    const LIMIT: usize = 100;
    for allowed in [
        Algorithm::ALL,
        &[Algorithm::ES256],
        &[Algorithm::PS256, Algorithm::RS256],
    ] {
        let (keys, ignored) = match ParsedJwks::parse(input, allowed, LIMIT) {
            Ok(parsed) => parsed,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                continue;
            }
        };
        assert!(!keys.is_empty() && keys.len() + ignored.len() <= LIMIT);
        for key in keys.iter() {
            assert!(
                key.algorithms()
                    .all(|algorithm| allowed.contains(&algorithm))
            );
            for algorithm in key.algorithms() {
                let candidates: Vec<_> = keys.find(key.kid(), algorithm).collect();
                let is_found = candidates.iter().any(|found| std::ptr::eq(*found, key));
                assert!(
                    is_found || key.kid().is_none(),
                    "kid and algorithm select this key"
                );
                assert!((1..=3).contains(&candidates.len()));
            }
        }
        assert!(
            ignored
                .iter()
                .all(|ignored| ignored.to_string().len() < 1000)
        );
    }
}

/// Parses the input as the value of an `Authorization` header. Invalid header values never reach
/// the parser.
pub fn authorization(input: &[u8]) {
    if HeaderValue::from_bytes(input).is_err() {
        return;
    }
    let request = RequestHead::new("GET", "/", [("authorization", input)]);
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let scheme = &input[..input
        .iter()
        .position(|byte| !is_tchar(byte))
        .unwrap_or(input.len())];
    match SETUP.auth.credential(&request) {
        Err(AuthError::NoToken) => assert!(!scheme.eq_ignore_ascii_case(b"bearer")),
        Ok(token) => {
            assert!(scheme.eq_ignore_ascii_case(b"bearer") && input.ends_with(token.as_bytes()));
            assert!(
                !token.is_empty()
                    && token
                        .bytes()
                        .all(|byte| byte.is_ascii_graphic() && byte != b','),
                "{token:?}"
            );
            assert!(
                input[6..input.len() - token.len()]
                    .iter()
                    .all(|byte| *byte == b' ')
            );
        }
        Err(error) => {
            assert!(scheme.eq_ignore_ascii_case(b"bearer"));
            assert_eq!(error, AuthError::BadAuthorization);
        }
    }
}
