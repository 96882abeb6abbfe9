//! An RSA key of 1024 bits that signs: nobody's secret, and no library makes one any more.

use aws_lc_rs::digest;
use bearward_testing::signing::encode;
use serde_json::{Value, json};

/// Both numbers stand here for everybody to read: the key is good for nothing but to be refused
/// (RFC 7518 §3.3).
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
    let ring = Ring::new(limbs(&bytes(MODULUS)));
    let base = ring.enter(&limbs(&padded(message, 128)));
    let mut power = ring.enter(&one());
    for byte in bytes(EXPONENT) {
        for bit in (0..8).rev() {
            power = ring.times(&power, &power);
            if byte >> bit & 1 == 1 {
                power = ring.times(&power, &base);
            }
        }
    }
    ring.times(&power, &one())
        .iter()
        .rev()
        .flat_map(|limb| limb.to_be_bytes())
        .collect()
}

/// EMSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §9.2): with an exponent of one, this is the signature.
pub(super) fn padded(message: &[u8], length: usize) -> Vec<u8> {
    const INFO: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    let hash = digest::digest(&digest::SHA256, message);
    let filling = vec![0xff; length.saturating_sub(3 + INFO.len() + 32)];
    [&[0, 1], filling.as_slice(), &[0], &INFO, hash.as_ref()].concat()
}

const LIMBS: usize = 16;

/// 64 bits each, the least first.
type Number = [u64; LIMBS];

/// Arithmetic modulo an odd number in Montgomery's form: `a` stands for `a * 2^1024`.
struct Ring {
    modulus: Number,
    /// `-1 / modulus`, modulo 2^64.
    inverse: u64,
    /// `2^2048` modulo the modulus.
    square: Number,
}

impl Ring {
    fn new(modulus: Number) -> Self {
        // Newton: each step doubles the bits that are right.
        let inverse = (0..6).fold(1_u64, |x, _| {
            x.wrapping_mul(2_u64.wrapping_sub(modulus[0].wrapping_mul(x)))
        });
        let mut square = one();
        for _ in 0..2048 {
            square = reduced(&modulus, &square, &square);
        }
        Self {
            modulus,
            inverse: inverse.wrapping_neg(),
            square,
        }
    }

    fn enter(&self, number: &Number) -> Number {
        self.times(number, &self.square)
    }

    /// `a * b / 2^1024`, one limb of `b` at a time.
    fn times(&self, a: &Number, b: &Number) -> Number {
        let mut sum = [0; LIMBS + 1];
        for &limb in b {
            let over = add_multiple(&mut sum, a, limb);
            let factor = sum[0].wrapping_mul(self.inverse);
            let over = over + add_multiple(&mut sum, &self.modulus, factor);
            sum.rotate_left(1);
            sum[LIMBS] = over;
        }
        let mut low = [0; LIMBS];
        low.copy_from_slice(&sum[..LIMBS]);
        if sum[LIMBS] > 0 || !low.iter().rev().lt(self.modulus.iter().rev()) {
            minus(&low, &self.modulus)
        } else {
            low
        }
    }
}

/// `sum += number * factor`; gives what does not fit any more.
fn add_multiple(sum: &mut [u64; LIMBS + 1], number: &Number, factor: u64) -> u64 {
    let mut carry = 0;
    for (place, &limb) in sum.iter_mut().zip(number) {
        (*place, carry) =
            halves(u128::from(*place) + u128::from(limb) * u128::from(factor) + u128::from(carry));
    }
    let (last, over) = sum[LIMBS].overflowing_add(carry);
    sum[LIMBS] = last;
    u64::from(over)
}

/// `a + b` modulo the modulus, both below it.
fn reduced(modulus: &Number, a: &Number, b: &Number) -> Number {
    let (mut sum, mut carry) = ([0; LIMBS], 0);
    for (place, (&a, &b)) in sum.iter_mut().zip(a.iter().zip(b)) {
        (*place, carry) = halves(u128::from(a) + u128::from(b) + u128::from(carry));
    }
    if carry == 0 && sum.iter().rev().lt(modulus.iter().rev()) {
        sum
    } else {
        minus(&sum, modulus)
    }
}

fn minus(a: &Number, b: &Number) -> Number {
    let (mut difference, mut borrow) = ([0; LIMBS], false);
    for (place, (&a, &b)) in difference.iter_mut().zip(a.iter().zip(b)) {
        let (once, first) = a.overflowing_sub(b);
        let (twice, second) = once.overflowing_sub(u64::from(borrow));
        (*place, borrow) = (twice, first || second);
    }
    difference
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower half is what is meant"
)]
fn halves(number: u128) -> (u64, u64) {
    (number as u64, (number >> 64) as u64)
}

fn one() -> Number {
    let mut one = [0; LIMBS];
    one[0] = 1;
    one
}

fn limbs(bytes: &[u8]) -> Number {
    let mut limbs = [0; LIMBS];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.rchunks(8)) {
        *limb = chunk
            .iter()
            .fold(0, |limb, &byte| limb << 8 | u64::from(byte));
    }
    limbs
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
            .unwrap_or(0)
    };
    hex.as_bytes()
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, &hex| byte << 4 | digit(hex)))
        .collect()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RsaPublicKeyComponents,
    };

    use super::*;

    #[test]
    fn it_signs_what_a_lenient_verifier_accepts() {
        let public = RsaPublicKeyComponents {
            n: bytes(MODULUS),
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
