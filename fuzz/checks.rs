//! What must hold for every input. The fuzz targets run it, and `tests/keys/corpus.rs` runs it over
//! the committed corpus.

use std::sync::{Arc, LazyLock};

use actix_web::http::header::HeaderValue;
use {
    Algorithm, AuthFailure, Bearward, Issuer, KeySource, Timestamp, Verification, Verified,
    internals::parse_authorization,
    keys::{KeyLookup, ParsedJwks},
};
use bearward_testing::{KeyPair, TestClock, Token};
use futures_util::FutureExt;

/// Public keys whose private halves nobody has kept, one for each algorithm of the issuer.
const KEYS: &str = include_str!("vectors/keys.json");

/// All that was ever signed with them.
pub const SIGNED: [&str; 3] = [
    include_str!("vectors/rs256.jwt"),
    include_str!("vectors/es256.jwt"),
    include_str!("vectors/eddsa.jwt"),
];

/// When the signed tokens are valid.
const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

struct Setup {
    auth: Bearward,
    /// In the set too, so that any header and payload can be signed and the checks behind the
    /// signature are reached.
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
        .expect("fixed keys need no wait")
        .expect("a verifier");
    Setup { auth, signer }
});

/// A token as it is; or, where the input begins with `{`, a header and after a line break a
/// payload, which are signed with a known key.
///
/// Returns whether it is accepted.
pub fn token(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else {
        return false;
    };
    let signed = text.starts_with('{').then(|| {
        let (header, payload) = text.split_once('\n').unwrap_or((text, ""));
        Token::raw(header, payload).sign(&SETUP.signer)
    });
    let token = signed.as_deref().unwrap_or(text);
    let verdict = verdict(token);
    let known = || SIGNED.iter().any(|known| covered(known) == covered(token));
    assert!(
        verdict.is_err() || signed.is_some() || known(),
        "nobody signed this"
    );
    assert_eq!(
        shown(&verdict),
        shown(&self::verdict(token)),
        "the second look, which may come from the cache"
    );
    let explanation = SETUP
        .auth
        .explain(token)
        .now_or_never()
        .expect("fixed keys need no wait");
    assert_eq!(explanation.is_accepted(), verdict.is_ok());
    for line in &explanation.steps {
        assert!(!line.found.contains(|c: char| c.is_control()), "{line:?}");
    }
    verdict.is_ok()
}

/// What a token's signature covers.
fn covered(token: &str) -> Option<&str> {
    token.rsplit_once('.').map(|(covered, _)| covered)
}

fn verdict(token: &str) -> Result<Verified, AuthFailure> {
    match SETUP.auth.try_verify(token) {
        Verification::Ready(verdict) => verdict,
        Verification::Pending(_) => panic!("fixed keys are never fetched"),
    }
}

/// The message for the client never holds a part of the token, so it is short and closed.
fn shown(verdict: &Result<Verified, AuthFailure>) -> String {
    match verdict {
        Ok(verified) => format!("{} {:?}", verified.subject(), verified.claims()),
        Err(refusal) => {
            let message = refusal.to_string();
            assert!(
                message.len() < 300 && !message.contains(|c: char| c.is_control()),
                "{message}"
            );
            format!(
                "{} {} {message}",
                refusal.error.code(),
                refusal.error.metric_label()
            )
        }
    }
}

/// A document as the network brings it.
pub fn jwks(input: &[u8]) {
    const LIMIT: usize = 100;
    for listed in [
        &Algorithm::ALL[..],
        &[Algorithm::ES256],
        &[Algorithm::PS256, Algorithm::RS256],
    ] {
        let (keys, skipped) = match ParsedJwks::parse(input, listed, LIMIT) {
            Ok(parsed) => parsed,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                continue;
            }
        };
        assert!(!keys.is_empty() && keys.len() + skipped.len() <= LIMIT);
        for key in keys.iter() {
            assert!(listed.contains(&key.algorithm()));
            let found = keys.find(key.kid(), key.algorithm());
            let alone = keys
                .iter()
                .filter(|other| other.algorithm() == key.algorithm())
                .count()
                == 1;
            match found {
                KeyLookup::One(found) => assert!(
                    std::ptr::eq(found, key),
                    "a kid and an algorithm lead to one key"
                ),
                KeyLookup::Ambiguous => assert!(key.kid().is_none() && !alone),
                KeyLookup::Missing => panic!("a usable key cannot be found"),
            }
        }
        assert!(
            skipped
                .iter()
                .all(|skipped| skipped.to_string().len() < 1000)
        );
    }
}

/// A header's value; what cannot be one never reaches the parser.
pub fn authorization(input: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(input) else {
        return;
    };
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let scheme = &input[..input
        .iter()
        .position(|byte| !is_tchar(byte))
        .unwrap_or(input.len())];
    match parse_authorization(&value) {
        Ok(None) => assert!(!scheme.eq_ignore_ascii_case(b"bearer")),
        Ok(Some(token)) => {
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
        Err(rejection) => {
            assert!(scheme.eq_ignore_ascii_case(b"bearer"));
            assert_eq!(rejection, bearward::AuthError::BadAuthorization);
        }
    }
}
