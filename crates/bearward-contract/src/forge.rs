//! Tokens of the mock IdP, each with a subject, a session and an id that no other has.

use std::sync::OnceLock;

use aws_lc_rs::hmac;
use bearward::{Algorithm, Clock, SystemClock};
use bearward_testing::{
    TokenBuilder,
    signing::{KeyPair, Token, encode},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{options::Options, rsa_1024};

/// What mints: the good keys, the unusual ones, and everything that a recipe needs to know.
pub(crate) struct Forge {
    pub(super) issuer: String,
    pub(super) base: String,
    pub(super) audience: String,
    claims: Map<String, Value>,
    token_type: String,
    good: Vec<KeyPair>,
    accepted: OnceLock<Vec<Algorithm>>,
    pub(super) odd: UnusualKeys,
    pub(super) canary: Canary,
    clock: SystemClock,
}

/// The host that nobody has a reason to visit.
pub(super) struct Canary {
    pub(super) issuer: String,
    pub(super) jwks_url: String,
    pub(super) key: KeyPair,
}

/// Members of the key set that sign and must not be believed.
pub(super) struct UnusualKeys {
    /// A symmetric one: kid and secret.
    pub(super) symmetric: (String, Vec<u8>),
    pub(super) encryption: KeyPair,
    pub(super) key_ops: KeyPair,
    /// It says RS512.
    pub(super) other_algorithm: KeyPair,
    /// The kid of an RSA key of 1024 bits.
    pub(super) weak: String,
    /// It is published with its private exponent's name.
    pub(super) private: KeyPair,
}

impl UnusualKeys {
    fn new() -> Self {
        let key = || KeyPair::shared(Algorithm::RS256, 1);
        Self {
            symmetric: (
                Uuid::new_v4().to_string(),
                Uuid::new_v4().to_string().into_bytes(),
            ),
            encryption: key(),
            key_ops: key(),
            other_algorithm: key(),
            weak: Uuid::new_v4().to_string(),
            private: key(),
        }
    }

    /// As they are published.
    pub(super) fn jwks(&self) -> Vec<Value> {
        let with = |key: &KeyPair, members: Value| {
            let mut jwk = key.jwk();
            for (name, value) in members.as_object().into_iter().flatten() {
                if value.is_null() {
                    jwk.remove(name)
                } else {
                    jwk.insert(name.clone(), value.clone())
                };
            }
            Value::from(jwk)
        };
        vec![
            json!({ "kty": "oct", "kid": self.symmetric.0, "alg": "HS256", "use": "sig", "k": encode(&self.symmetric.1) }),
            with(&self.encryption, json!({ "use": "enc", "key_ops": null })),
            with(
                &self.key_ops,
                json!({ "use": null, "key_ops": ["encrypt", "wrapKey"] }),
            ),
            with(&self.other_algorithm, json!({ "alg": "RS512" })),
            // No exponent that belongs to it: a verifier has to refuse the key for the member
            // alone.
            with(&self.private, json!({ "d": encode(&[1; 256]) })),
            rsa_1024::jwk(&self.weak),
            json!({ "kty": "PQC", "kid": Uuid::new_v4().to_string(), "alg": "ML-DSA-44", "pub": "AAAA", "x-unknown": {} }),
        ]
    }
}

impl Forge {
    pub(super) fn new(base: String, issuer: String, canary: Canary, options: &Options) -> Self {
        let rsa = KeyPair::shared(Algorithm::RS256, 0);
        let key = |algorithm: Algorithm| match algorithm {
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => KeyPair::shared(algorithm, 0),
            _ => rsa
                .clone()
                .with_algorithm(algorithm)
                .with_kid(Uuid::new_v4().to_string()),
        };
        Self {
            issuer,
            base,
            audience: options.audience.clone(),
            claims: options.claims.clone(),
            token_type: options.token_type.clone(),
            good: Algorithm::ALL.into_iter().map(key).collect(),
            accepted: OnceLock::new(),
            odd: UnusualKeys::new(),
            canary,
            clock: SystemClock::new(),
        }
    }

    /// The target accepts these. Said once.
    pub(super) fn settle(&self, accepted: Vec<Algorithm>) {
        drop(self.accepted.set(accepted));
    }

    pub(super) fn accepted_algorithms(&self) -> &[Algorithm] {
        self.accepted.get().map_or(&[], Vec::as_slice)
    }

    pub(super) fn accepts(&self, algorithm: Algorithm) -> bool {
        self.accepted_algorithms().contains(&algorithm)
    }

    /// The published good key of an algorithm.
    pub(super) fn key_of(&self, algorithm: Algorithm) -> KeyPair {
        let found = self.good.iter().find(|key| key.algorithm() == algorithm);
        found.cloned().unwrap_or_else(|| self.good[0].clone())
    }

    /// The key of the first accepted algorithm.
    pub(super) fn key(&self) -> KeyPair {
        self.key_of(
            self.accepted_algorithms()
                .first()
                .copied()
                .unwrap_or(Algorithm::RS256),
        )
    }

    /// The key of the first accepted RSA algorithm.
    pub(super) fn rsa(&self) -> KeyPair {
        let rsa = |algorithm: &&Algorithm| algorithm.name().starts_with(['R', 'P']);
        self.key_of(
            self.accepted_algorithms()
                .iter()
                .find(rsa)
                .copied()
                .unwrap_or(Algorithm::RS256),
        )
    }

    /// A key for rotations, of the first accepted algorithm.
    pub(super) fn new_key(&self) -> KeyPair {
        KeyPair::cached_with(self.key().algorithm())
    }

    /// Somebody else's key under this one's kid.
    pub(super) fn stranger(&self) -> KeyPair {
        KeyPair::foreign_key(&self.key())
    }

    /// A good token in the making.
    pub(super) fn token(&self) -> TokenBuilder {
        self.token_by(self.key())
    }

    /// The same by this key.
    pub(super) fn token_by(&self, key: KeyPair) -> TokenBuilder {
        let now = self.clock.now();
        let subject = Uuid::new_v4().to_string();
        let mut token = TokenBuilder::new(&self.issuer, key, now)
            .audience(&self.audience)
            .email(&format!("{subject}@example.com"))
            .sub(&subject)
            .claim("jti", Uuid::new_v4().to_string())
            .claim("session_id", Uuid::new_v4().to_string())
            .claim("client_id", "bearward-contract")
            .header("typ", self.token_type.as_str());
        for (name, value) in &self.claims {
            token = if value.is_null() {
                token.without(name)
            } else {
                token.claim(name, value.clone())
            };
        }
        token
    }

    /// Seconds since 1970.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().unix()
    }

    /// A good token whose header is this text, in which `{alg}` stands for the key's and `"{kid}"`
    /// for the kid and `typ`.
    pub(super) fn with_header(&self, header: &str) -> String {
        let key = self.key();
        let kid = format!("\"{}\",\"typ\":\"{}\"", key.kid(), self.token_type);
        let header = header
            .replace("\"{kid}\"", &kid)
            .replace("{alg}", key.algorithm().name());
        Token::raw(header, payload(&self.token())).sign(&key)
    }

    /// A good header over this payload, rightly signed.
    pub(super) fn with_payload(&self, payload: impl Into<Vec<u8>>) -> String {
        let key = self.key();
        Token::raw(header(&self.token()), payload).sign(&key)
    }

    /// A good token with `,TEXT` before the end of its payload.
    pub(super) fn with_last(&self, text: &str) -> String {
        let good = payload(&self.token());
        self.with_payload(format!("{},{text}}}", &good[..good.len() - 1]))
    }

    /// A good token whose `exp` is this text, which need not be a number that a JSON library can
    /// write.
    pub(super) fn with_exp(&self, text: &str) -> String {
        self.with_payload(payload(&self.token().claim("exp", "{exp}")).replace("\"{exp}\"", text))
    }

    /// A good token with `TEXT,` at the beginning of its payload.
    pub(super) fn with_first(&self, text: &str) -> String {
        self.with_payload(format!("{{{text},{}", &payload(&self.token())[1..]))
    }

    /// A good token, split.
    pub(super) fn parts(&self) -> [String; 3] {
        split(&self.token().sign())
    }

    /// HMAC of any width by any secret, under any kid.
    pub(super) fn hmac(&self, alg: &str, kid: Option<&str>, secret: &[u8]) -> String {
        let token = self.token().header("alg", alg);
        let token = kid.map_or(token.clone(), |kid| token.kid(kid));
        let signed = signed(&token);
        let algorithm = match alg {
            "HS384" => hmac::HMAC_SHA384,
            "HS512" => hmac::HMAC_SHA512,
            _ => hmac::HMAC_SHA256,
        };
        let tag = hmac::sign(&hmac::Key::new(algorithm, secret), signed.as_bytes());
        format!("{signed}.{}", encode(tag.as_ref()))
    }
}

pub(super) fn header(token: &TokenBuilder) -> String {
    Value::from(token.header_members().clone()).to_string()
}

pub(super) fn payload(token: &TokenBuilder) -> String {
    Value::from(token.claims().clone()).to_string()
}

/// What a signature covers.
pub(super) fn signed(token: &TokenBuilder) -> String {
    Token::new(token.header_members(), token.claims()).signed()
}

pub(super) fn with_signature(token: &TokenBuilder, signature: &[u8]) -> String {
    Token::new(token.header_members(), token.claims()).with_signature(signature)
}

/// Three parts, of a token that has three.
pub(super) fn split(token: &str) -> [String; 3] {
    let mut parts = token.splitn(3, '.').map(str::to_owned);
    [(); 3].map(|()| parts.next().unwrap_or_default())
}

pub(super) fn decode(part: &str) -> Vec<u8> {
    base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(part.as_bytes())
        .unwrap_or_default()
}
