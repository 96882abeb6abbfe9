//! Creates the tokens of the suite. Each valid token has its own subject, session and `jti`.

use std::sync::{Mutex, OnceLock, PoisonError};

use aws_lc_rs::hmac;
use bearward::{Algorithm, Clock, SystemClock};
use bearward_testing::{
    ProofKey, TokenBuilder,
    signing::{KeyPair, Token, encode},
};
use reqwest::Method;
use serde_json::{Map, Value, json};
use url::Url;
use uuid::Uuid;

use super::{client_certificate::ClientCertificates, options::Options, profile::Profile, rsa_1024};

/// Creates tokens; holds the keys and the configuration they depend on.
pub(crate) struct Forge {
    pub(super) issuer: String,
    pub(super) base: String,
    pub(super) audience: String,
    /// The claims that are added to every token or replaced in it.
    claims: Map<String, Value>,
    /// The client, the required claim and the claim with the tenant, as far as they are configured.
    pub(super) client_id: String,
    pub(super) required_claim: (String, Value),
    pub(super) tenant_claim: String,
    token_type: String,
    /// The key of the client, which tokens are bound to.
    pub(super) proof_key: ProofKey,
    /// The certificate of the client, which tokens are bound to, and others.
    pub(super) certificates: ClientCertificates,
    client_certificate_header: Option<String>,
    target_url: OnceLock<String>,
    dpop_nonce: Mutex<Option<String>>,
    profile: Profile,
    keys: Vec<KeyPair>,
    accepted: OnceLock<Vec<Algorithm>>,
    pub(super) unusual: UnusualKeys,
    pub(super) canary: Canary,
    clock: SystemClock,
}

/// A host that a correct target never contacts. It publishes the attacker's key.
pub(super) struct Canary {
    pub(super) issuer: String,
    pub(super) jwks_url: String,
    pub(super) key: KeyPair,
}

/// Published keys that sign tokens but must not verify them.
pub(super) struct UnusualKeys {
    /// The `kid` and secret of a symmetric key.
    pub(super) symmetric: (String, Vec<u8>),
    /// Published with `"use": "enc"`.
    pub(super) encryption: KeyPair,
    /// Published with `key_ops` without `verify`.
    pub(super) key_ops: KeyPair,
    /// Published with `"alg": "RS512"`.
    pub(super) other_algorithm: KeyPair,
    /// The `kid` of an RSA key of 1024 bits.
    pub(super) short_rsa_kid: String,
    /// Published with a private member.
    pub(super) private: KeyPair,
    /// Published twice.
    pub(super) twice: KeyPair,
    /// Two keys with the same `kid` and algorithm, in the order in which they are published.
    pub(super) same_kid: [KeyPair; 2],
    /// Ordinary keys that no other case uses.
    pub(super) ordinary: [KeyPair; 3],
}

impl UnusualKeys {
    fn new() -> Self {
        let key = || KeyPair::cached(Algorithm::RS256, 1);
        let first = key();
        let last = KeyPair::cached(Algorithm::RS256, 0).with_kid(first.kid());
        Self {
            twice: key(),
            ordinary: [(); 3].map(|()| key()),
            same_kid: [first, last],
            symmetric: (
                Uuid::new_v4().to_string(),
                Uuid::new_v4().to_string().into_bytes(),
            ),
            encryption: key(),
            key_ops: key(),
            other_algorithm: key(),
            short_rsa_kid: Uuid::new_v4().to_string(),
            private: key(),
        }
    }

    /// Returns the JWKs as published.
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
        let [first, last] = &self.same_kid;
        let twice = Value::from(self.twice.jwk());
        vec![
            twice.clone(),
            twice,
            Value::from(first.jwk()),
            Value::from(last.jwk()),
            Value::from(self.ordinary[0].jwk()),
            Value::from(self.ordinary[1].jwk()),
            Value::from(self.ordinary[2].jwk()),
            json!({ "kty": "oct", "kid": self.symmetric.0, "alg": "HS256", "use": "sig", "k": encode(&self.symmetric.1) }),
            with(&self.encryption, json!({ "use": "enc", "key_ops": null })),
            with(
                &self.key_ops,
                json!({ "use": null, "key_ops": ["encrypt", "wrapKey"] }),
            ),
            with(&self.other_algorithm, json!({ "alg": "RS512" })),
            with(
                &self.private,
                json!({ "d": private_exponent(&self.private) }),
            ),
            rsa_1024::jwk(&self.short_rsa_kid),
            json!({ "kty": "PQC", "kid": Uuid::new_v4().to_string(), "alg": "ML-DSA-44", "pub": "AAAA", "x-unknown": {} }),
        ]
    }
}

/// Returns the private exponent of an RSA key: the fourth integer of its `RSAPrivateKey` (RFC 8017
/// §A.1.2), which is the last member of its PKCS #8 document. It is the real one, because some
/// parsers check it.
fn private_exponent(key: &KeyPair) -> String {
    let der = key.to_pkcs8();
    let mut rest = &der[..];
    // PrivateKeyInfo, its version, its algorithm, and the octet string with the RSAPrivateKey.
    let private_key = (|| {
        let mut info = der_content(&mut rest)?;
        der_content(&mut info)?;
        der_content(&mut info)?;
        let mut octets = der_content(&mut info)?;
        let mut integers = der_content(&mut octets)?;
        for _ in 0..3 {
            der_content(&mut integers)?;
        }
        der_content(&mut integers)
    })();
    let exponent = private_key.unwrap_or_default();
    encode(exponent.strip_prefix(&[0]).unwrap_or(exponent))
}

/// Returns the content of the first DER element, and advances to the next one.
fn der_content<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, header) = match *input.get(1)? {
        short @ 0..=0x7f => (usize::from(short), 2),
        long => {
            let size = usize::from(long & 0x7f);
            let bytes = input.get(2..2 + size)?;
            let length = bytes
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte));
            (length, 2 + size)
        }
    };
    let content = input.get(header..header + length)?;
    *input = &input[header + length..];
    Some(content)
}

impl Forge {
    pub(super) fn new(
        base: String,
        issuer: String,
        canary: Canary,
        options: &Options,
        certificates: ClientCertificates,
    ) -> Self {
        let rsa = KeyPair::cached(Algorithm::RS256, 0);
        let key = |algorithm: Algorithm| match algorithm {
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 | Algorithm::EdDSA => {
                KeyPair::cached(algorithm, 0)
            }
            _ => rsa
                .clone()
                .with_algorithm(algorithm)
                .with_kid(Uuid::new_v4().to_string()),
        };
        Self {
            issuer,
            base,
            audience: options.audience.clone(),
            claims: configured_claims(options),
            client_id: options.client_id.clone().unwrap_or_default(),
            required_claim: options.required_claim.clone().unwrap_or_default(),
            tenant_claim: options.tenant_claim.clone().unwrap_or_default(),
            token_type: options.token_type.clone(),
            proof_key: ProofKey::generate(),
            certificates,
            client_certificate_header: options.client_certificate_header.clone(),
            target_url: OnceLock::new(),
            dpop_nonce: Mutex::default(),
            profile: options.profile,
            keys: Algorithm::ALL.iter().copied().map(key).collect(),
            accepted: OnceLock::new(),
            unusual: UnusualKeys::new(),
            canary,
            clock: SystemClock::new(),
        }
    }

    /// Returns the name of the header in which a proxy forwards the certificate of the client; `None`
    /// if the client presents it to the target itself.
    pub(super) fn client_certificate_header(&self) -> Option<&str> {
        self.client_certificate_header.as_deref()
    }

    /// Returns the method of the requests, which proofs name.
    pub(super) fn target_method(&self) -> Method {
        self.profile.method()
    }

    /// Sets the URL of the target, which proofs name. Later calls have no effect.
    pub(super) fn set_target_url(&self, url: &Url) {
        let mut url = url.clone();
        url.set_query(None);
        url.set_fragment(None);
        drop(self.target_url.set(url.into()));
    }

    pub(super) fn target_url(&self) -> &str {
        self.target_url.get().map_or("", String::as_str)
    }

    /// Stores the last nonce of the target, which later proofs contain.
    pub(super) fn set_dpop_nonce(&self, nonce: &str) {
        let mut stored = self
            .dpop_nonce
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *stored = Some(nonce.to_owned());
    }

    pub(super) fn dpop_nonce(&self) -> Option<String> {
        let stored = self.dpop_nonce.lock();
        stored.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets the algorithms that the target accepts. Later calls have no effect.
    pub(super) fn set_accepted(&self, accepted: Vec<Algorithm>) {
        drop(self.accepted.set(accepted));
    }

    pub(super) fn accepted_algorithms(&self) -> &[Algorithm] {
        self.accepted.get().map_or(&[], Vec::as_slice)
    }

    pub(super) fn accepts(&self, algorithm: Algorithm) -> bool {
        self.accepted_algorithms().contains(&algorithm)
    }

    /// Returns the published key of an algorithm.
    pub(super) fn key_for(&self, algorithm: Algorithm) -> KeyPair {
        let found = self.keys.iter().find(|key| key.algorithm() == algorithm);
        found.cloned().unwrap_or_else(|| self.keys[0].clone())
    }

    /// Returns the key of the first accepted algorithm.
    pub(super) fn key(&self) -> KeyPair {
        self.key_for(
            self.accepted_algorithms()
                .first()
                .copied()
                .unwrap_or(Algorithm::RS256),
        )
    }

    /// Returns the key of the first accepted RSA algorithm.
    pub(super) fn rsa_key(&self) -> KeyPair {
        let is_rsa = |algorithm: &&Algorithm| algorithm.name().starts_with(['R', 'P']);
        self.key_for(
            self.accepted_algorithms()
                .iter()
                .find(is_rsa)
                .copied()
                .unwrap_or(Algorithm::RS256),
        )
    }

    /// Creates a key of the first accepted algorithm, for a rotation.
    pub(super) fn new_key(&self) -> KeyPair {
        KeyPair::cached_with(self.key().algorithm())
    }

    /// Returns an attacker's key with the `kid` of [`key`](Self::key).
    pub(super) fn foreign_key(&self) -> KeyPair {
        KeyPair::foreign_key(&self.key())
    }

    /// Returns a builder for a valid token.
    pub(super) fn token(&self) -> TokenBuilder {
        self.token_signed_by(self.key())
    }

    /// Returns a builder for a valid token signed with this key.
    pub(super) fn token_signed_by(&self, key: KeyPair) -> TokenBuilder {
        let now = self.clock.now();
        let subject = Uuid::new_v4().to_string();
        let mut token = TokenBuilder::new(&self.issuer, key, now)
            .audience(&self.audience)
            .email(&format!("{subject}@example.com"))
            .sub(&subject)
            .claim("jti", Uuid::new_v4().to_string())
            .claim("session_id", Uuid::new_v4().to_string())
            .header("typ", self.token_type.as_str());
        token = self.profile.shape(token, &self.issuer, &self.audience);
        for (name, value) in &self.claims {
            token = if value.is_null() {
                token.without(name)
            } else {
                token.claim(name, value.clone())
            };
        }
        token
    }

    /// Returns the current time in seconds since the Unix epoch.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().unix()
    }

    /// Signs a valid payload with this header. `{alg}` is replaced by the algorithm, `"{kid}"` by the
    /// `kid` and `typ`.
    pub(super) fn with_header(&self, header: &str) -> String {
        let key = self.key();
        let kid = format!("\"{}\",\"typ\":\"{}\"", key.kid(), self.token_type);
        let header = header
            .replace("\"{kid}\"", &kid)
            .replace("{alg}", key.algorithm().name());
        Token::raw(header, payload(&self.token())).sign(&key)
    }

    /// Signs this payload with a valid header.
    pub(super) fn with_payload(&self, payload: impl Into<Vec<u8>>) -> String {
        let key = self.key();
        Token::raw(header(&self.token()), payload).sign(&key)
    }

    /// Signs a valid payload with `,TEXT` added at the end.
    pub(super) fn with_appended_member(&self, text: &str) -> String {
        let valid = payload(&self.token());
        self.with_payload(format!("{},{text}}}", &valid[..valid.len() - 1]))
    }

    /// Signs a valid payload with this text as `exp`. The text may be a number that JSON libraries
    /// cannot represent.
    pub(super) fn with_exp(&self, text: &str) -> String {
        self.with_payload(payload(&self.token().claim("exp", "{exp}")).replace("\"{exp}\"", text))
    }

    /// Signs a valid payload with `TEXT,` added at the beginning.
    pub(super) fn with_prepended_member(&self, text: &str) -> String {
        self.with_payload(format!("{{{text},{}", &payload(&self.token())[1..]))
    }

    /// Returns the three parts of a valid token.
    pub(super) fn parts(&self) -> [String; 3] {
        split(&self.token().sign())
    }

    /// Creates a token with an HMAC computed with this secret.
    pub(super) fn hmac(&self, alg: &str, kid: Option<&str>, secret: &[u8]) -> String {
        let token = self.token().header("alg", alg);
        let token = kid.map_or(token.clone(), |kid| token.kid(kid));
        let input = signing_input(&token);
        let algorithm = match alg {
            "HS384" => hmac::HMAC_SHA384,
            "HS512" => hmac::HMAC_SHA512,
            _ => hmac::HMAC_SHA256,
        };
        let tag = hmac::sign(&hmac::Key::new(algorithm, secret), input.as_bytes());
        format!("{input}.{}", encode(tag.as_ref()))
    }
}

/// Returns the claims that the options ask for. `claims` overrides the others.
fn configured_claims(options: &Options) -> Map<String, Value> {
    let mut claims = Map::new();
    // Supabase Auth writes the claim only for OAuth clients; RFC 9068 §2.2 requires it.
    if options.has_access_token_type() {
        claims.insert("client_id".to_owned(), "bearward-contract".into());
    }
    if let Some(client_id) = &options.client_id {
        claims.insert("client_id".to_owned(), client_id.as_str().into());
    }
    if let Some(claim) = &options.tenant_claim {
        claims.insert(claim.clone(), Options::TENANT.into());
    }
    claims.extend(options.required_claim.clone());
    claims.extend(options.claims.clone());
    claims
}

pub(super) fn header(token: &TokenBuilder) -> String {
    Value::from(token.header_members().clone()).to_string()
}

pub(super) fn payload(token: &TokenBuilder) -> String {
    Value::from(token.claims().clone()).to_string()
}

/// Returns the text that the signature covers (RFC 7515 §5.1).
pub(super) fn signing_input(token: &TokenBuilder) -> String {
    Token::new(token.header_members(), token.claims()).signed()
}

pub(super) fn with_signature(token: &TokenBuilder, signature: &[u8]) -> String {
    Token::new(token.header_members(), token.claims()).with_signature(signature)
}

/// Splits a token into its three parts.
pub(super) fn split(token: &str) -> [String; 3] {
    let mut parts = token.splitn(3, '.').map(str::to_owned);
    [(); 3].map(|()| parts.next().unwrap_or_default())
}

pub(super) fn decode(part: &str) -> Vec<u8> {
    base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(part.as_bytes())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;

    use super::*;

    /// m^(e·d) = m (mod n) for the published members.
    #[test]
    fn the_published_private_exponent_belongs_to_the_key() {
        let keys = UnusualKeys::new();
        let published = keys.jwks();
        let jwk = published.iter().find(|jwk| jwk["d"].is_string()).unwrap();
        let member = |name: &str| BigUint::from_bytes_be(&decode(jwk[name].as_str().unwrap()));
        let (modulus, message) = (member("n"), BigUint::from(42_u8));
        let encrypted = message.modpow(&member("e"), &modulus);
        assert_eq!(encrypted.modpow(&member("d"), &modulus), message);
    }
}
