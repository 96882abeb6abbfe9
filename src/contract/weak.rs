//! An RSA key of 1024 bits that signs: nobody's secret, and no library makes one any more.

use aws_lc_rs::digest;
use serde_json::{Value, json};

use crate::mint::encode;

/// Both numbers stand here for everybody to read: the key is good for nothing but to be refused (RFC 7518 §3.3).
const MODULUS: &str = "f04fa74d29898193544b8187fa5dd1242a016c39b37b5452297f1f9627336086005fa7c780e2e8caf15ced975c6f57a4\
                       98351a20f8210d8809f7ac2e0d8182df59f1f6718e47ccab06bb8ff58c36519be75abf5d6a1d1ee9cf21f81b7d045dbf\
                       809b0e3a3d2277e2aecdc3e7c3bfd9a514c1e81b6c707b594a7249489bcd2409";
const EXPONENT: &str = "6e2ff7c457c1671a88d23e487d323b4d5bbd5f446dd9a4e62f84cc94ead091f79f803ccc2b7adfc6fe38dff04140046d\
                        c224c7204ae5ccf08db174cf80fddb656eb8f08c9ac5f5ad05e67cee8d833a145389e5d076657d7c067189ca4e0d2888\
                        9cf7fb31c9148e7900583c73903b47f240a0c8870ca1185922331888630fa409";

/// The public JWK.
pub(super) fn jwk(kid: &str) -> Value {
    json!({ "kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": encode(&bytes(MODULUS)), "e": "AQAB" })
}

/// RS256 by that key.
pub(super) fn sign(message: &[u8]) -> Vec<u8> {
    let (modulus, exponent) = (limbs(&bytes(MODULUS)), bytes(EXPONENT));
    let base = limbs(&padded(message, 128));
    let mut power = limbs(&[&[0; 127][..], &[1]].concat());
    for byte in exponent {
        for bit in (0..8).rev() {
            power = times(&power, &power, &modulus);
            if byte >> bit & 1 == 1 {
                power = times(&power, &base, &modulus);
            }
        }
    }
    power.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect()
}

/// EMSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §9.2): with an exponent of one, this is the signature.
pub(super) fn padded(message: &[u8], length: usize) -> Vec<u8> {
    const INFO: [u8; 19] =
        [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];
    let hash = digest::digest(&digest::SHA256, message);
    let filling = vec![0xff; length.saturating_sub(3 + INFO.len() + 32)];
    [&[0, 1], filling.as_slice(), &[0], &INFO, hash.as_ref()].concat()
}

/// 32 bits each, the least first.
type Number = Vec<u32>;

fn limbs(bytes: &[u8]) -> Number {
    bytes.rchunks(4).map(|chunk| chunk.iter().fold(0, |limb, &byte| limb << 8 | u32::from(byte))).collect()
}

/// `a * b mod modulus`, by doubling: slow, and short.
fn times(a: &Number, b: &Number, modulus: &Number) -> Number {
    let mut sum = vec![0; modulus.len()];
    for limb in b.iter().rev() {
        for bit in (0..32).rev() {
            sum = plus(&sum, &sum, modulus);
            if limb >> bit & 1 == 1 {
                sum = plus(&sum, a, modulus);
            }
        }
    }
    sum
}

/// `a + b mod modulus`, both below it.
fn plus(a: &Number, b: &Number, modulus: &Number) -> Number {
    let mut carry = 0;
    let sum: Number =
        a.iter().zip(b).map(|(&a, &b)| low(u64::from(a) + u64::from(b) + std::mem::take(&mut carry), &mut carry)).collect();
    if carry == 0 && sum.iter().rev().lt(modulus.iter().rev()) {
        return sum;
    }
    let mut borrow = 0;
    let minus = sum.iter().zip(modulus).map(|(&sum, &modulus)| {
        let (difference, once) = sum.overflowing_sub(modulus);
        let (difference, twice) = difference.overflowing_sub(borrow);
        borrow = u32::from(once || twice);
        difference
    });
    minus.collect()
}

/// The lower half; the upper one is carried.
fn low(sum: u64, carry: &mut u64) -> u32 {
    *carry = sum >> 32;
    u32::try_from(sum & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
    hex.as_bytes().chunks(2).map(|pair| pair.iter().fold(0, |byte, &hex| byte << 4 | digit(hex))).collect()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RsaPublicKeyComponents};

    use super::*;

    #[test]
    fn it_signs_what_a_lenient_verifier_accepts() {
        let public = RsaPublicKeyComponents { n: bytes(MODULUS), e: vec![1, 0, 1] };
        let verify = |message: &[u8], signature: &[u8]| {
            public.verify(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, message, signature).is_ok()
        };
        let signature = sign(b"message");
        assert!(verify(b"message", &signature));
        assert!(!verify(b"another", &signature));
    }
}
