//! Compact JWS with any header and any payload, signed or forged.

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::key_pair::{KeyPair, hmac_sha256};

/// A header and a payload, to be serialized as a compact JWS (RFC 7515 §7.1) with a valid or an
/// invalid signature.
#[derive(Debug, Clone)]
pub struct Token {
    header: String,
    payload: Vec<u8>,
}

impl Token {
    /// Creates a token from a header and claims.
    pub fn new(header: &Map<String, Value>, claims: &Map<String, Value>) -> Self {
        Self {
            header: Value::from(header.clone()).to_string(),
            payload: Value::from(claims.clone()).to_string().into_bytes(),
        }
    }

    /// Creates a token from raw text, which need not be JSON.
    pub fn raw(header: impl Into<String>, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            header: header.into(),
            payload: payload.into(),
        }
    }

    /// Returns the header `{"alg", "kid", "typ": "JWT"}` for a key.
    pub fn header_for(key: &KeyPair) -> Map<String, Value> {
        let header = json!({ "alg": key.algorithm().name(), "kid": key.kid(), "typ": "JWT" });
        header.as_object().cloned().unwrap_or_default()
    }

    /// Signs with `key`; the header is unchanged.
    pub fn sign(&self, key: &KeyPair) -> String {
        self.with_signature(&key.sign(self.signed().as_bytes()))
    }

    /// Signs with HMAC-SHA256 and `secret`; the header is unchanged.
    pub fn sign_hmac(&self, secret: &[u8]) -> String {
        self.with_signature(&hmac_sha256(secret, self.signed().as_bytes()))
    }

    /// Serializes with `signature` as the signature.
    pub fn with_signature(&self, signature: &[u8]) -> String {
        format!("{}.{}", self.signed(), encode(signature))
    }

    /// Serializes with an empty signature, as for `alg: none`.
    pub fn unsigned(&self) -> String {
        format!("{}.", self.signed())
    }

    /// Returns the JWS signing input (RFC 7515 §5.1).
    pub fn signed(&self) -> String {
        format!(
            "{}.{}",
            encode(self.header.as_bytes()),
            encode(&self.payload)
        )
    }
}

/// Encodes as base64url without padding (RFC 7515 §2).
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Changes one character of the subject, so that the signature no longer matches.
pub fn tamper(token: &str) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    if let Some(payload) = parts.get_mut(1) {
        let mut bytes = URL_SAFE_NO_PAD
            .decode_to_vec(payload.as_bytes())
            .unwrap_or_default();
        // A character inside a string value, so that the payload stays valid JSON.
        if let Some(index) = bytes
            .windows(6)
            .position(|window| window == b"\"sub\":")
            .map(|start| start + 7)
            .filter(|&index| index < bytes.len())
        {
            bytes[index] = if bytes[index] == b'x' { b'y' } else { b'x' };
        }
        *payload = encode(&bytes);
    }
    parts.join(".")
}

/// Converts an ECDSA signature to DER, which a JWS does not use (RFC 7518 §3.4).
pub fn der_signature(fixed: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let zeros = bytes
            .iter()
            .take_while(|&&byte| byte == 0)
            .count()
            .min(bytes.len().saturating_sub(1));
        let mut value = bytes[zeros..].to_vec();
        if value.first().is_some_and(|first| first & 0x80 != 0) {
            value.insert(0, 0);
        }
        [vec![2, u8::try_from(value.len()).unwrap_or(u8::MAX)], value].concat()
    };
    let (r, s) = fixed.split_at(fixed.len() / 2);
    let body = [integer(r), integer(s)].concat();
    [
        vec![0x30, u8::try_from(body.len()).unwrap_or(u8::MAX)],
        body,
    ]
    .concat()
}

/// The names of the forgeries that [`forge`] produces.
pub const FORGERIES: [&str; 6] = [
    "tampered",
    "signed_by_stranger",
    "alg_none",
    "hmac_with_public_key",
    "stripped_signature",
    "embedded_jwk",
];

/// Produces a forged token. Returns `None` if `name` is not in [`FORGERIES`].
pub fn forge(
    name: &str,
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    key: &KeyPair,
) -> Option<String> {
    let with = |members: Value| {
        let mut header = header.clone();
        header.extend(members.as_object().cloned().unwrap_or_default());
        Token::new(&header, claims)
    };
    Some(match name {
        "tampered" => tamper(&Token::new(header, claims).sign(key)),
        "signed_by_stranger" => Token::new(header, claims).sign(&KeyPair::foreign_key(key)),
        "alg_none" => with(json!({ "alg": "none" })).unsigned(),
        "hmac_with_public_key" => {
            let (_, pem) = key.public_encodings().swap_remove(0);
            with(json!({ "alg": "HS256" })).sign_hmac(&pem)
        }
        "stripped_signature" => Token::new(header, claims).unsigned(),
        "embedded_jwk" => {
            let foreign_key = KeyPair::foreign_key(key);
            with(json!({ "jwk": foreign_key.jwk() })).sign(&foreign_key)
        }
        _ => return None,
    })
}
