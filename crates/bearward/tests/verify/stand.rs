//! The stand that every case is put on: one verifier with fixed keys, a clock that stands, and the
//! issuer's own pen.

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
/// A whole second, so that limits can be stated to the millisecond.
pub const NOW: i64 = 1_800_000_000;

/// A verifier that trusts [`ISSUER`], and what that issuer signs with.
pub struct Stand {
    pub auth: Bearward,
    pub clock: TestClock,
    pub key: KeyPair,
}

impl Stand {
    /// With an ES256 key and the strict defaults.
    pub fn new() -> Self {
        Self::with(|issuer| issuer)
    }

    /// With an ES256 key and another profile.
    pub fn with(change: impl FnOnce(Issuer) -> Issuer) -> Self {
        Self::of(&KeyPair::shared(Algorithm::ES256, 0), change)
    }

    /// With this key; every algorithm is listed.
    pub fn of(key: &KeyPair, change: impl FnOnce(Issuer) -> Issuer) -> Self {
        Self::built(key, change, |builder| builder)
    }

    /// With another profile and other options.
    pub fn built(
        key: &KeyPair,
        profile: impl FnOnce(Issuer) -> Issuer,
        options: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let clock = clock();
        let issuer = profile(trusting(ISSUER, &set([key])));
        let auth = build(options(Bearward::builder().issuer(issuer)), &clock);
        Self {
            auth,
            clock,
            key: key.clone(),
        }
    }

    /// With this text as the key set.
    pub fn of_set(key: &KeyPair, document: &str) -> Self {
        Self::built(
            key,
            |issuer| issuer.keys(KeySource::Fixed(document.to_owned())),
            |builder| builder,
        )
    }

    /// A good token, to be spoilt.
    pub fn token(&self) -> TokenBuilder {
        TokenBuilder::new(ISSUER, self.key.clone(), Timestamp::from_unix(NOW))
            .claim("iat", NOW - 60)
    }

    /// Signed, with this text as the header and good claims.
    pub fn with_header(&self, header: &str) -> String {
        self.sign(
            header,
            &Value::from(self.token().claims().clone()).to_string(),
        )
    }

    /// Signed, with a good header and this text as the payload.
    pub fn with_payload(&self, payload: impl Into<Vec<u8>>) -> String {
        Token::raw(self.header(), payload).sign(&self.key)
    }

    /// Signed, with good claims but for one, whose JSON text is `value`.
    pub fn with_claim(&self, name: &str, value: &str) -> String {
        let mut claims = self.token().claims().clone();
        claims.remove(name);
        self.with_payload(with_member(&claims, name, value))
    }

    /// Signed, with a good header but for one member, whose JSON text is `value`.
    pub fn with_header_member(&self, name: &str, value: &str) -> String {
        let mut header = self.token().header_members().clone();
        header.remove(name);
        self.with_header(&with_member(&header, name, value))
    }

    pub fn sign(&self, header: &str, payload: &str) -> String {
        Token::raw(header, payload).sign(&self.key)
    }

    /// The text of a good header.
    pub fn header(&self) -> String {
        Value::from(self.token().header_members().clone()).to_string()
    }

    pub fn verify(&self, token: &str) -> Result<Verified, AuthError> {
        verify(&self.auth, token)
    }

    /// # Panics
    /// When the token is accepted.
    pub fn refusal(&self, token: &str) -> AuthError {
        self.verify(token).expect_err("it must be refused")
    }

    /// # Panics
    /// When the token is refused.
    pub fn accepts(&self, token: &str) -> Verified {
        self.verify(token).expect("it must be accepted")
    }
}

/// The answer of a verifier that has its keys: it never waits.
pub fn verify(auth: &Bearward, token: &str) -> Result<Verified, AuthError> {
    match auth.try_verify(token) {
        Verification::Ready(result) => result.map_err(|refusal| refusal.error),
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
        .expect("nothing is waited for")
        .expect("the profile is sound")
}

/// A profile with fixed keys and every algorithm.
pub fn trusting(issuer: &str, document: &str) -> Issuer {
    let profile = Issuer::new(issuer, AUDIENCE)
        .unwrap()
        .algorithms(Algorithm::ALL)
        .unwrap();
    profile.keys(KeySource::Fixed(document.to_owned()))
}

/// A JWK Set of these keys.
pub fn set<'k>(keys: impl IntoIterator<Item = &'k KeyPair>) -> String {
    set_of(keys.into_iter().map(|key| Value::from(key.jwk())))
}

/// A JWK Set of these entries, whatever they are.
pub fn set_of(entries: impl IntoIterator<Item = Value>) -> String {
    json!({ "keys": entries.into_iter().collect::<Vec<_>>() }).to_string()
}

/// A key's public JWK with one member changed; `null` removes it.
pub fn jwk_with(key: &KeyPair, name: &str, value: Value) -> Value {
    let mut jwk = key.jwk();
    jwk.remove(name);
    if !value.is_null() {
        jwk.insert(name.to_owned(), value);
    }
    jwk.into()
}

/// Why an entry of a key set is not used; `None` when it is.
pub fn skipped(entry: &Value) -> Option<IgnoreReason> {
    match ParsedJwks::parse(set_of([entry.clone()]).as_bytes(), &Algorithm::ALL, 100) {
        Ok(_) => None,
        Err(JwksError::NoUsableKey(skipped)) => {
            skipped.first().map(|IgnoredKey { reason, .. }| *reason)
        }
        Err(other) => panic!("{other}"),
    }
}

/// A file of `tests/vectors`, without the last line's end.
pub fn vector(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(name);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .trim_end()
        .to_owned()
}

/// An object's text with one more member, whose JSON text is given: what `serde_json::Value` cannot
/// hold.
pub fn with_member(members: &Map<String, Value>, name: &str, value: &str) -> String {
    let text = Value::from(members.clone()).to_string();
    let rest = text[1..].trim_start();
    let comma = if rest == "}" { "" } else { "," };
    format!("{{{}:{value}{comma}{rest}", Value::from(name))
}

/// The three parts of a token.
pub fn parts(token: &str) -> [&str; 3] {
    token
        .split('.')
        .collect::<Vec<_>>()
        .try_into()
        .expect("three parts")
}

/// base64url without padding, decoded.
pub fn decode(part: &str) -> Vec<u8> {
    base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(part)
        .expect("base64url")
}

/// Waits for what ends by the clock, which is moved until it does.
pub async fn moving<T>(clock: &TestClock, waiting: impl Future<Output = T>) -> T {
    tokio::pin!(waiting);
    loop {
        tokio::select! {
            biased;
            result = &mut waiting => return result,
            () = tokio::task::yield_now() => clock.advance(Duration::from_millis(20)),
        }
    }
}

/// Asserts that a token is refused with this code and this variant.
macro_rules! refused {
    ($stand:expr, $token:expr, $code:literal, $pattern:pat $(if $guard:expr)?) => {{
        let token: String = $token.into();
        let rejection = $stand.refusal(&token);
        assert!(matches!(&rejection, $pattern $(if $guard)?), "{rejection:?}");
        assert_eq!(rejection.code(), $code);
    }};
}
pub(crate) use refused;
