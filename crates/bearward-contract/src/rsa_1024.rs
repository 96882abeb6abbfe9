//! A 1024-bit RSA key and its signature. Current libraries do not sign with such keys.

use aws_lc_rs::digest;
use bearward_testing::signing::encode;
use num_bigint::BigUint;
use serde_json::{Value, json};

/// The key is public on purpose: a target must reject it because it is too short (RFC 7518 §3.3).
const MODULUS: &str = "f04fa74d29898193544b8187fa5dd1242a016c39b37b5452297f1f9627336086005fa7c780e2e8caf15ced975c6f57a4\
                       98351a20f8210d8809f7ac2e0d8182df59f1f6718e47ccab06bb8ff58c36519be75abf5d6a1d1ee9cf21f81b7d045dbf\
                       809b0e3a3d2277e2aecdc3e7c3bfd9a514c1e81b6c707b594a7249489bcd2409";
const EXPONENT: &str = "6e2ff7c457c1671a88d23e487d323b4d5bbd5f446dd9a4e62f84cc94ead091f79f803ccc2b7adfc6fe38dff04140046d\
                        c224c7204ae5ccf08db174cf80fddb656eb8f08c9ac5f5ad05e67cee8d833a145389e5d076657d7c067189ca4e0d2888\
                        9cf7fb31c9148e7900583c73903b47f240a0c8870ca1185922331888630fa409";

/// The key size in bytes.
const KEY_BYTES: usize = 128;

/// Returns the public JWK.
pub(super) fn jwk(kid: &str) -> Value {
    json!({ "kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": encode(&number(MODULUS).to_bytes_be()), "e": "AQAB" })
}

/// Signs a message with RS256.
pub(super) fn sign(message: &[u8]) -> Vec<u8> {
    let padded = BigUint::from_bytes_be(&pkcs1_v1_5(message, KEY_BYTES));
    let signature = padded
        .modpow(&number(EXPONENT), &number(MODULUS))
        .to_bytes_be();
    let mut bytes = vec![0; KEY_BYTES - signature.len()];
    bytes.extend(signature);
    bytes
}

/// Encodes a message with EMSA-PKCS1-v1_5 and SHA-256 (RFC 8017 §9.2).
///
/// With a public exponent of one, this is a valid signature.
pub(super) fn pkcs1_v1_5(message: &[u8], length: usize) -> Vec<u8> {
    const DIGEST_INFO: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    let hash = digest::digest(&digest::SHA256, message);
    let padding = vec![0xff; length.saturating_sub(3 + DIGEST_INFO.len() + 32)];
    [
        &[0, 1],
        padding.as_slice(),
        &[0],
        &DIGEST_INFO,
        hash.as_ref(),
    ]
    .concat()
}

fn number(hex: &str) -> BigUint {
    BigUint::parse_bytes(hex.as_bytes(), 16).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RsaPublicKeyComponents,
    };

    use super::*;

    #[test]
    fn signature_verifies_without_a_minimum_key_size() {
        let public = RsaPublicKeyComponents {
            n: number(MODULUS).to_bytes_be(),
            e: vec![1, 0, 1],
        };
        let verify = |message: &[u8], signature: &[u8]| {
            public
                .verify(
                    &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
                    message,
                    signature,
                )
                .is_ok()
        };
        let signature = sign(b"message");
        assert!(verify(b"message", &signature));
        assert!(!verify(b"another", &signature));
    }
}
