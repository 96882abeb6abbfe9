//! A signing key and its public JWK.

use std::{
    fmt,
    sync::{Arc, Mutex, Once, OnceLock, PoisonError},
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
use jsonwebtoken::{
    EncodingKey,
    crypto::aws_lc,
    jwk::{Jwk, KeyOperations, PublicKeyUse},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A private key with its public JWK. `Debug` shows only the key id and the algorithm.
///
/// [`jsonwebtoken`] signs and exports the JWK, so that the verifier is tested with tokens and key
/// sets that an independent implementation produced. aws-lc-rs signs ES512, which jsonwebtoken does
/// not implement.
///
/// ```
/// use bearward::Algorithm;
/// use bearward_testing::KeyPair;
///
/// let key = KeyPair::generate(Algorithm::ES256);
/// assert_eq!(key.jwk()["crv"], "P-256");
/// assert_eq!(key.sign(b"message").len(), 64);
/// ```
#[derive(Clone)]
pub struct KeyPair {
    kid: String,
    algorithm: Algorithm,
    private: Arc<PrivateKey>,
}

struct PrivateKey {
    pkcs8: Vec<u8>,
    /// `None` for ES512, which jsonwebtoken does not implement.
    encoding_key: Option<EncodingKey>,
}

/// The key type that an algorithm uses.
#[derive(Clone, Copy)]
enum KeyType {
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
}

impl KeyPair {
    /// Generates a key with a random (UUID) key id. RSA keys have 2048 bits.
    ///
    /// # Panics
    /// If the operating system provides no randomness.
    pub fn generate(algorithm: Algorithm) -> Self {
        const RANDOMNESS: &str = "the operating system provides randomness";
        const ENCODING: &str = "a private key can be encoded";
        let pkcs8 = match key_type(algorithm) {
            KeyType::Rsa => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect(RANDOMNESS);
                let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).expect(ENCODING);
                der.as_ref().to_vec()
            }
            KeyType::P256 => ecdsa_pkcs8(&lc::ECDSA_P256_SHA256_FIXED_SIGNING),
            KeyType::P384 => ecdsa_pkcs8(&lc::ECDSA_P384_SHA384_FIXED_SIGNING),
            KeyType::P521 => ecdsa_pkcs8(&lc::ECDSA_P521_SHA512_FIXED_SIGNING),
            KeyType::Ed25519 => {
                let pair = Ed25519KeyPair::generate().expect(RANDOMNESS);
                pair.to_pkcs8v1().expect(ENCODING).as_ref().to_vec()
            }
        };
        let kid = Uuid::new_v4().to_string();
        Self::from_pkcs8(&kid, algorithm, &pkcs8).expect("a generated key can be parsed")
    }

    /// Returns one of two keys per algorithm that are generated once per process, under a new key
    /// id. `which` is 0 or 1.
    ///
    /// Generating an RSA key takes long; tests that need any key share these.
    pub fn cached(algorithm: Algorithm, which: usize) -> Self {
        static KEYS: [[OnceLock<KeyPair>; 2]; Algorithm::ALL.len()] =
            [const { [const { OnceLock::new() }; 2] }; Algorithm::ALL.len()];
        KEYS[position(algorithm)][which % 2]
            .get_or_init(|| Self::generate(algorithm))
            .clone()
            .with_kid(Uuid::new_v4().to_string())
    }

    /// Returns a key that no other caller of this process holds, under a new key id.
    ///
    /// A key returns to the pool when its last clone is dropped. Two issuers of one test therefore
    /// have different keys without generating an RSA key for each test.
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

    /// Returns a different key of the same type under the issuer's key id: the key of an attacker.
    /// Generated once per process and algorithm.
    pub fn foreign_key(issuer: &Self) -> Self {
        static KEYS: [OnceLock<KeyPair>; Algorithm::ALL.len()] =
            [const { OnceLock::new() }; Algorithm::ALL.len()];
        KEYS[position(issuer.algorithm)]
            .get_or_init(|| Self::generate(issuer.algorithm))
            .clone()
            .with_kid(issuer.kid())
    }

    /// Returns the private key as PKCS #8 (RFC 5208), for the data file of the development IdP.
    pub fn to_pkcs8(&self) -> Vec<u8> {
        self.private.pkcs8.clone()
    }

    /// Parses a private key from PKCS #8. Returns `None` if it is no key for `algorithm`.
    pub fn from_pkcs8(kid: &str, algorithm: Algorithm, der: &[u8]) -> Option<Self> {
        let private_pem = pem("PRIVATE KEY", der);
        let private_pem = private_pem.as_bytes();
        let encoding_key = match key_type(algorithm) {
            KeyType::Rsa => {
                RsaKeyPair::from_pkcs8(der).ok()?;
                Some(EncodingKey::from_rsa_pem(private_pem).ok()?)
            }
            KeyType::P256 => {
                EcdsaKeyPair::from_pkcs8(&lc::ECDSA_P256_SHA256_FIXED_SIGNING, der).ok()?;
                Some(EncodingKey::from_ec_pem(private_pem).ok()?)
            }
            KeyType::P384 => {
                EcdsaKeyPair::from_pkcs8(&lc::ECDSA_P384_SHA384_FIXED_SIGNING, der).ok()?;
                Some(EncodingKey::from_ec_pem(private_pem).ok()?)
            }
            KeyType::P521 => {
                EcdsaKeyPair::from_pkcs8(&lc::ECDSA_P521_SHA512_FIXED_SIGNING, der).ok()?;
                None
            }
            KeyType::Ed25519 => {
                Ed25519KeyPair::from_pkcs8(der).ok()?;
                Some(EncodingKey::from_ed_pem(private_pem).ok()?)
            }
        };
        Some(Self {
            kid: kid.to_owned(),
            algorithm,
            private: Arc::new(PrivateKey {
                pkcs8: der.to_vec(),
                encoding_key,
            }),
        })
    }

    /// Returns the same key under another key id.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = kid.into();
        self
    }

    /// Returns the same key for another algorithm of its key type.
    #[must_use]
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Returns the key id.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Returns the algorithm that this key signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the public JWK (RFC 7517 §4) with the members that a hosted Supabase project
    /// publishes: `kty`, `kid`, `alg`, `use`, `key_ops` and the public key.
    ///
    /// # Panics
    /// If the algorithm does not fit the key type.
    pub fn jwk(&self) -> Map<String, Value> {
        let Some(encoding_key) = &self.private.encoding_key else {
            return self.p521_jwk();
        };
        install_crypto_provider();
        let mut jwk = Jwk::from_encoding_key(encoding_key, jwt(self.algorithm))
            .expect("the algorithm fits the key type");
        jwk.common.key_id = Some(self.kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        jwk.common.key_operations = Some(vec![KeyOperations::Verify]);
        match serde_json::to_value(jwk) {
            Ok(Value::Object(members)) => members,
            other => unreachable!("a JWK is a JSON object: {other:?}"),
        }
    }

    fn p521_jwk(&self) -> Map<String, Value> {
        let pair = self.p521();
        // An uncompressed point: 4, x, y.
        let (x, y) = pair.public_key().as_ref()[1..].split_at(66);
        let jwk = json!({
            "kty": "EC", "crv": "P-521", "alg": self.algorithm.name(), "kid": self.kid,
            "use": "sig", "key_ops": ["verify"],
            "x": URL_SAFE_NO_PAD.encode_to_string(x), "y": URL_SAFE_NO_PAD.encode_to_string(y),
        });
        jwk.as_object().cloned().unwrap_or_default()
    }

    fn p521(&self) -> EcdsaKeyPair {
        EcdsaKeyPair::from_pkcs8(&lc::ECDSA_P521_SHA512_FIXED_SIGNING, &self.private.pkcs8)
            .expect("the algorithm fits the key type")
    }

    /// Returns the signature over `message`, in the form that a JWS carries (RFC 7518 §3).
    ///
    /// # Panics
    /// If the algorithm does not fit the key type.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let Some(encoding_key) = &self.private.encoding_key else {
            let signature = self.p521().sign(&SystemRandom::new(), message);
            let signature = signature.expect("the operating system provides randomness");
            return signature.as_ref().to_vec();
        };
        install_crypto_provider();
        let encoded = jsonwebtoken::crypto::sign(message, encoding_key, jwt(self.algorithm))
            .expect("the algorithm fits the key type");
        URL_SAFE_NO_PAD
            .decode_to_vec(encoded.as_bytes())
            .expect("jsonwebtoken encodes signatures as base64url")
    }

    /// Returns the public key in every encoding that a confused verifier could use as an HMAC
    /// secret (CVE-2015-9235), each with its name.
    ///
    /// # Panics
    /// If the algorithm does not fit the key type.
    pub fn public_encodings(&self) -> Vec<(&'static str, Vec<u8>)> {
        const ENCODING: &str = "a public key can be encoded";
        const PARSED: &str = "the key was parsed before";
        let pkcs8 = &self.private.pkcs8;
        let ecdsa = |algorithm| {
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8).expect(PARSED);
            let spki = pair.public_key().as_der().expect(ENCODING);
            (spki.as_ref().to_vec(), pair.public_key().as_ref().to_vec())
        };
        let (spki, raw) = match key_type(self.algorithm) {
            KeyType::Rsa => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).expect(PARSED);
                let public = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                let spki = public.as_der().expect(ENCODING);
                (spki.as_ref().to_vec(), public.n)
            }
            KeyType::P256 => ecdsa(&lc::ECDSA_P256_SHA256_FIXED_SIGNING),
            KeyType::P384 => ecdsa(&lc::ECDSA_P384_SHA384_FIXED_SIGNING),
            KeyType::P521 => ecdsa(&lc::ECDSA_P521_SHA512_FIXED_SIGNING),
            KeyType::Ed25519 => {
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8).expect(PARSED);
                let spki = pair.public_key().as_der().expect(ENCODING);
                (spki.as_ref().to_vec(), pair.public_key().as_ref().to_vec())
            }
        };
        let jwk = Value::Object(self.jwk()).to_string().into_bytes();
        let pem = pem("PUBLIC KEY", &spki);
        vec![
            ("pem", pem.clone().into_bytes()),
            (
                "pem without the final newline",
                pem.trim_end().as_bytes().to_vec(),
            ),
            ("der", spki),
            ("raw", raw),
            ("jwk", jwk),
            ("empty", Vec::new()),
        ]
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// Returns the HMAC-SHA256 of `message`, for tokens with `alg: HS256`, which bearward never
/// accepts.
pub fn hmac_sha256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message)
        .as_ref()
        .to_vec()
}

/// Selects jsonwebtoken's aws-lc-rs backend. Without this, jsonwebtoken panics in a build where
/// another crate enables its second backend too.
fn install_crypto_provider() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        // An error means that the application has installed a provider already.
        let _ = aws_lc::DEFAULT_PROVIDER.install_default();
    });
}

fn ecdsa_pkcs8(algorithm: &'static lc::EcdsaSigningAlgorithm) -> Vec<u8> {
    let pair = EcdsaKeyPair::generate(algorithm).expect("the operating system provides randomness");
    let der = pair.to_pkcs8v1().expect("a private key can be encoded");
    der.as_ref().to_vec()
}

fn key_type(algorithm: Algorithm) -> KeyType {
    match algorithm {
        Algorithm::ES256 => KeyType::P256,
        Algorithm::ES384 => KeyType::P384,
        Algorithm::ES512 => KeyType::P521,
        Algorithm::EdDSA => KeyType::Ed25519,
        Algorithm::RS256
        | Algorithm::RS384
        | Algorithm::RS512
        | Algorithm::PS256
        | Algorithm::PS384
        | Algorithm::PS512 => KeyType::Rsa,
    }
}

fn jwt(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    algorithm
        .name()
        .parse()
        .expect("jsonwebtoken knows every algorithm except ES512")
}

fn position(algorithm: Algorithm) -> usize {
    Algorithm::ALL
        .iter()
        .position(|known| *known == algorithm)
        .unwrap_or(0)
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode_to_string(der);
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|start| &text[start..text.len().min(start + 64)])
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}
