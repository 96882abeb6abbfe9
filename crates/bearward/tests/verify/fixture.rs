//! Fixture of the verification tests: a verifier with fixed keys, a stopped clock, and the signing
//! key of the issuer.

use std::{fs, path::Path, sync::Arc, time::Duration};

use bearward::{
    Algorithm, AuthError, Bearward, Builder, Issuer, KeySource, Timestamp, Verification, Verified,
    keys::{IgnoreReason, IgnoredKey, JwksError, ParsedJwks},
};
use bearward_testing::{KeyPair, TestClock, Token, TokenBuilder};
use futures_util::FutureExt;
use serde_json::{Map, Value, json};

pub const ISSUER: &str = "https://id.example.com/auth/v1";
pub const AUDIENCE: &str = "authenticated";
/// Unix time of the stopped clock: a whole second, so that limits are exact to the millisecond.
pub const NOW: i64 = 1_800_000_000;

/// A verifier that trusts [`ISSUER`], and the signing key of that issuer.
pub struct Fixture {
    pub auth: Bearward,
    pub clock: TestClock,
    pub key: KeyPair,
}

impl Fixture {
    /// Uses an ES256 key and the default configuration.
    pub fn new() -> Self {
        Self::with_issuer(|issuer| issuer)
    }

    /// Uses an ES256 key and changes the issuer configuration.
    pub fn with_issuer(change: impl FnOnce(Issuer) -> Issuer) -> Self {
        Self::with_key(&KeyPair::cached(Algorithm::ES256, 0), change)
    }

    /// Uses `key`; all algorithms are allowed.
    pub fn with_key(key: &KeyPair, change: impl FnOnce(Issuer) -> Issuer) -> Self {
        Self::with_builder(key, change, |builder| builder)
    }

    /// Changes the issuer configuration and the verifier options.
    pub fn with_builder(
        key: &KeyPair,
        issuer: impl FnOnce(Issuer) -> Issuer,
        options: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let clock = clock();
        let issuer = issuer(issuer_with_jwks(ISSUER, &jwks([key])));
        let auth = build(options(Bearward::builder().issuer(issuer)), &clock);
        Self {
            auth,
            clock,
            key: key.clone(),
        }
    }

    /// Uses `document` as the JWKS.
    pub fn with_jwks(key: &KeyPair, document: &str) -> Self {
        Self::with_builder(
            key,
            |issuer| issuer.keys(KeySource::Fixed(document.to_owned())),
            |builder| builder,
        )
    }

    /// Returns a builder for a valid token.
    pub fn token(&self) -> TokenBuilder {
        TokenBuilder::new(ISSUER, self.key.clone(), Timestamp::from_unix(NOW))
            .claim("iat", NOW - 60)
    }

    /// Signs a token with `header` as the header text and valid claims.
    pub fn with_header(&self, header: &str) -> String {
        self.sign(
            header,
            &Value::from(self.token().claims().clone()).to_string(),
        )
    }

    /// Signs a token with a valid header and `payload` as the payload.
    pub fn with_payload(&self, payload: impl Into<Vec<u8>>) -> String {
        Token::raw(self.header(), payload).sign(&self.key)
    }

    /// Signs a token with valid claims, except that claim `name` has the JSON text `value`.
    pub fn with_claim(&self, name: &str, value: &str) -> String {
        let mut claims = self.token().claims().clone();
        claims.remove(name);
        self.with_payload(with_member(&claims, name, value))
    }

    /// Signs a token with a valid header, except that member `name` has the JSON text `value`.
    pub fn with_header_member(&self, name: &str, value: &str) -> String {
        let mut header = self.token().header_members().clone();
        header.remove(name);
        self.with_header(&with_member(&header, name, value))
    }

    pub fn sign(&self, header: &str, payload: &str) -> String {
        Token::raw(header, payload).sign(&self.key)
    }

    /// Returns the JSON text of a valid header.
    pub fn header(&self) -> String {
        Value::from(self.token().header_members().clone()).to_string()
    }

    pub fn verify(&self, token: &str) -> Result<Verified, AuthError> {
        verify(&self.auth, token)
    }

    /// Returns the error of a token that must be rejected.
    ///
    /// # Panics
    /// If the token is accepted.
    pub fn verify_err(&self, token: &str) -> AuthError {
        self.verify(token).expect_err("the token must be rejected")
    }

    /// Verifies a token that must be accepted.
    ///
    /// # Panics
    /// If the token is rejected.
    pub fn verify_ok(&self, token: &str) -> Verified {
        self.verify(token).expect("the token must be accepted")
    }
}

/// Verifies a token with a verifier that has its keys, which never waits.
pub fn verify(auth: &Bearward, token: &str) -> Result<Verified, AuthError> {
    match auth.try_verify(token) {
        Verification::Ready(result) => result.map_err(|failure| failure.error),
        Verification::Pending(_) => panic!("fixed keys are never fetched"),
    }
}

pub fn clock() -> TestClock {
    TestClock::at(Timestamp::from_unix(NOW))
}

pub fn build(builder: Builder, clock: &TestClock) -> Bearward {
    let build = builder.clock(Arc::new(clock.clone())).build();
    build
        .now_or_never()
        .expect("the build does not wait")
        .expect("the configuration is valid")
}

/// Returns an issuer with fixed keys that allows all algorithms.
pub fn issuer_with_jwks(issuer: &str, document: &str) -> Issuer {
    let issuer = Issuer::new(issuer, AUDIENCE)
        .unwrap()
        .algorithms(Algorithm::ALL.iter().copied())
        .unwrap();
    issuer.keys(KeySource::Fixed(document.to_owned()))
}

/// Returns a JWK Set of `keys`.
pub fn jwks<'k>(keys: impl IntoIterator<Item = &'k KeyPair>) -> String {
    jwks_from(keys.into_iter().map(|key| Value::from(key.jwk())))
}

/// Returns a JWK Set of arbitrary entries.
pub fn jwks_from(entries: impl IntoIterator<Item = Value>) -> String {
    json!({ "keys": entries.into_iter().collect::<Vec<_>>() }).to_string()
}

/// Returns the public JWK of `key` with one member changed; `null` removes the member.
pub fn jwk_with(key: &KeyPair, name: &str, value: Value) -> Value {
    let mut jwk = key.jwk();
    jwk.remove(name);
    if !value.is_null() {
        jwk.insert(name.to_owned(), value);
    }
    jwk.into()
}

/// Returns why an entry of a key set is ignored, or `None` if it is used.
pub fn ignore_reason(entry: &Value) -> Option<IgnoreReason> {
    match ParsedJwks::parse(jwks_from([entry.clone()]).as_bytes(), Algorithm::ALL, 100) {
        Ok(_) => None,
        Err(JwksError::NoUsableKey(ignored)) => {
            ignored.first().map(|IgnoredKey { reason, .. }| *reason)
        }
        Err(other) => panic!("{other}"),
    }
}

/// Reads a file of `tests/vectors` without the final line break.
pub fn read_vector(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(name);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .trim_end()
        .to_owned()
}

/// Returns the JSON text of an object with one more member given as JSON text, which may be
/// something that `serde_json::Value` cannot represent.
pub fn with_member(members: &Map<String, Value>, name: &str, value: &str) -> String {
    let text = Value::from(members.clone()).to_string();
    let rest = text[1..].trim_start();
    let comma = if rest == "}" { "" } else { "," };
    format!("{{{}:{value}{comma}{rest}", Value::from(name))
}

/// Splits a token into its three parts.
pub fn split_token(token: &str) -> [&str; 3] {
    token
        .split('.')
        .collect::<Vec<_>>()
        .try_into()
        .expect("a token has three parts")
}

/// Decodes base64url without padding.
pub fn decode(part: &str) -> Vec<u8> {
    base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(part)
        .expect("the part is base64url")
}

/// Advances the clock in steps of 20 ms until `waiting` completes.
pub async fn advance_until_done<T>(clock: &TestClock, waiting: impl Future<Output = T>) -> T {
    tokio::pin!(waiting);
    loop {
        tokio::select! {
            biased;
            result = &mut waiting => return result,
            () = tokio::task::yield_now() => clock.advance(Duration::from_millis(20)),
        }
    }
}

/// Asserts that a token is rejected with the given code and [`AuthError`] variant.
macro_rules! assert_rejected {
    ($fixture:expr, $token:expr, $code:literal, $pattern:pat $(if $guard:expr)?) => {{
        let token: String = $token.into();
        let error = $fixture.verify_err(&token);
        assert!(matches!(&error, $pattern $(if $guard)?), "{error:?}");
        assert_eq!(error.code(), $code);
    }};
}
pub(crate) use assert_rejected;
