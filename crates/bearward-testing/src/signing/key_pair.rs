//! A key pair that signs tokens: for tests and the development IdP, never for production.

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    hmac,
    rand::SystemRandom,
    rsa::{KeySize, PublicKeyComponents},
    signature::{self as lc, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair},
};
use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use bearward::Algorithm;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A private key with its public JWK. `Debug` shows the key id and the algorithm alone.
#[derive(Clone)]
pub struct KeyPair {
    kid: String,
    algorithm: Algorithm,
    private: Arc<Private>,
}

enum Private {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl KeyPair {
    /// A new key with a new kid; RSA with 2048 bits.
    ///
    /// # Panics
    /// When the machine gives no randomness.
    pub fn generate(algorithm: Algorithm) -> Self {
        const RANDOM: &str = "the machine gives randomness";
        let private = match algorithm {
            Algorithm::ES256 => Private::Ecdsa(
                EcdsaKeyPair::generate(&lc::ECDSA_P256_SHA256_FIXED_SIGNING).expect(RANDOM),
            ),
            Algorithm::ES384 => Private::Ecdsa(
                EcdsaKeyPair::generate(&lc::ECDSA_P384_SHA384_FIXED_SIGNING).expect(RANDOM),
            ),
            Algorithm::EdDSA => Private::Ed25519(Ed25519KeyPair::generate().expect(RANDOM)),
            _ => Private::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect(RANDOM)),
        };
        Self {
            kid: Uuid::new_v4().to_string(),
            algorithm,
            private: Arc::new(private),
        }
    }

    /// One of two keys that this process makes once an algorithm, under a kid of its own: RSA keys
    /// take long to make. `which` is 0 or 1.
    ///
    /// # Panics
    /// When the machine gives no randomness.
    pub fn shared(algorithm: Algorithm, which: usize) -> Self {
        static KEYS: [[OnceLock<KeyPair>; 2]; Algorithm::ALL.len()] =
            [const { [const { OnceLock::new() }; 2] }; Algorithm::ALL.len()];
        let row = Algorithm::ALL
            .iter()
            .position(|known| *known == algorithm)
            .unwrap_or(0);
        let shared = KEYS[row][which % 2]
            .get_or_init(|| Self::generate(algorithm))
            .clone();
        shared.with_kid(Uuid::new_v4().to_string())
    }

    /// A key that nobody else in this process holds while this one, or a clone of it, lives; given
    /// back, it serves the next who asks. Makes a test of two issuers mean what it says without
    /// making a new RSA key for every test.
    pub fn cached_with(algorithm: Algorithm) -> Self {
        static POOL: Mutex<Vec<KeyPair>> = Mutex::new(Vec::new());
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        let free = pool
            .iter()
            .find(|key| key.algorithm == algorithm && Arc::strong_count(&key.private) == 1)
            .cloned();
        let key = free.unwrap_or_else(|| {
            pool.push(Self::generate(algorithm));
            pool[pool.len() - 1].clone()
        });
        key.with_kid(Uuid::new_v4().to_string())
    }

    /// Another key of the same type under the same kid: what somebody has who is not the issuer.
    /// Made once a process.
    pub fn foreign_key(issuer: &Self) -> Self {
        static STRANGERS: [OnceLock<KeyPair>; Algorithm::ALL.len()] =
            [const { OnceLock::new() }; Algorithm::ALL.len()];
        let place = Algorithm::ALL
            .iter()
            .position(|known| *known == issuer.algorithm)
            .unwrap_or(0);
        STRANGERS[place]
            .get_or_init(|| Self::generate(issuer.algorithm))
            .clone()
            .with_kid(issuer.kid())
    }

    /// The private key in PKCS #8, for the data file of the development IdP.
    ///
    /// # Panics
    /// Never: a key has an encoding.
    pub fn to_pkcs8(&self) -> Vec<u8> {
        const ENCODES: &str = "a private key has an encoding";
        match &*self.private {
            Private::Rsa(pair) => AsDer::<Pkcs8V1Der>::as_der(pair)
                .expect(ENCODES)
                .as_ref()
                .to_vec(),
            Private::Ecdsa(pair) => pair.to_pkcs8v1().expect(ENCODES).as_ref().to_vec(),
            Private::Ed25519(pair) => pair.to_pkcs8v1().expect(ENCODES).as_ref().to_vec(),
        }
    }

    /// What [`to_pkcs8`](Self::to_pkcs8) made. `None` when it is no key for that algorithm.
    pub fn from_pkcs8(kid: &str, algorithm: Algorithm, der: &[u8]) -> Option<Self> {
        let private = match algorithm {
            Algorithm::ES256 => EcdsaKeyPair::from_pkcs8(&lc::ECDSA_P256_SHA256_FIXED_SIGNING, der)
                .ok()
                .map(Private::Ecdsa),
            Algorithm::ES384 => EcdsaKeyPair::from_pkcs8(&lc::ECDSA_P384_SHA384_FIXED_SIGNING, der)
                .ok()
                .map(Private::Ecdsa),
            Algorithm::EdDSA => Ed25519KeyPair::from_pkcs8(der).ok().map(Private::Ed25519),
            _ => RsaKeyPair::from_pkcs8(der).ok().map(Private::Rsa),
        };
        Some(Self {
            kid: kid.to_owned(),
            algorithm,
            private: Arc::new(private?),
        })
    }

    /// The same key under another id.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = kid.into();
        self
    }

    /// The same key for another algorithm of its type.
    #[must_use]
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// The key id.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public JWK in the shape of a hosted Supabase project (RFC 7517 §4): `kty`, `kid`, `alg`,
    /// `use`, `key_ops` and the key.
    pub fn jwk(&self) -> Map<String, Value> {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
        let mut jwk = match &*self.private {
            Private::Rsa(pair) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({ "kty": "RSA", "n": text(&public.n), "e": text(&public.e) })
            }
            Private::Ecdsa(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({ "kty": "EC", "crv": curve, "x": text(x), "y": text(y) })
            }
            Private::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()) })
            }
        };
        let names = json!({ "kid": self.kid, "alg": self.algorithm.name(), "use": "sig", "key_ops": ["verify"] });
        if let (Value::Object(jwk), Value::Object(names)) = (&mut jwk, names) {
            jwk.extend(names);
        }
        match jwk {
            Value::Object(jwk) => jwk,
            _ => Map::new(),
        }
    }

    /// Signs the bytes as a JWS does.
    ///
    /// # Panics
    /// When the algorithm does not fit the key's type.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &*self.private {
            Private::Rsa(pair) => {
                let padding: &dyn lc::RsaEncoding = match self.algorithm {
                    Algorithm::RS256 => &lc::RSA_PKCS1_SHA256,
                    Algorithm::RS384 => &lc::RSA_PKCS1_SHA384,
                    Algorithm::RS512 => &lc::RSA_PKCS1_SHA512,
                    Algorithm::PS256 => &lc::RSA_PSS_SHA256,
                    Algorithm::PS384 => &lc::RSA_PSS_SHA384,
                    Algorithm::PS512 => &lc::RSA_PSS_SHA512,
                    Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => {
                        panic!("an RSA key signs RS and PS alone")
                    }
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut signature)
                    .expect("RSA signs");
                signature
            }
            Private::Ecdsa(pair) => pair
                .sign(&SystemRandom::new(), message)
                .expect("ECDSA signs")
                .as_ref()
                .to_vec(),
            Private::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// The public key in every encoding that a confused verifier may take for an HMAC secret
    /// (CVE-2015-9235 and its heirs).
    ///
    /// # Panics
    /// Never: a public key has an encoding.
    pub fn public_encodings(&self) -> Vec<(&'static str, Vec<u8>)> {
        let jwk = Value::Object(self.jwk()).to_string().into_bytes();
        let (spki, raw): (Vec<u8>, Vec<u8>) = match &*self.private {
            Private::Rsa(pair) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                (
                    public
                        .as_der()
                        .expect("an RSA key has an encoding")
                        .as_ref()
                        .to_vec(),
                    public.n,
                )
            }
            Private::Ecdsa(pair) => (
                pair.public_key()
                    .as_der()
                    .expect("a point has an encoding")
                    .as_ref()
                    .to_vec(),
                pair.public_key().as_ref().to_vec(),
            ),
            Private::Ed25519(pair) => (
                pair.public_key()
                    .as_der()
                    .expect("a key has an encoding")
                    .as_ref()
                    .to_vec(),
                pair.public_key().as_ref().to_vec(),
            ),
        };
        let pem = pem("PUBLIC KEY", &spki);
        vec![
            ("pem", pem.clone().into_bytes()),
            (
                "pem without the last line's end",
                pem.trim_end().as_bytes().to_vec(),
            ),
            ("der", spki),
            ("raw", raw),
            ("jwk", jwk),
            ("empty", Vec::new()),
        ]
    }
}

/// HMAC-SHA256 with a secret, which no verifier of bearward ever does.
pub fn hmac_sha256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message)
        .as_ref()
        .to_vec()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode_to_string(der);
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|at| &text[at..text.len().min(at + 64)])
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
