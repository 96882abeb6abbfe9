//! The ROCA fingerprint of RSA moduli (CVE-2017-15361).

/// Returns whether an RSA modulus, big-endian, has the structure of keys that the vulnerable
/// Infineon library generated. Such keys of up to 2048 bits can be factored at an affordable cost.
///
/// The primes of the library are powers of 65537 modulo a product of small primes, and so is their
/// product. About one random modulus in 2^27 has the same structure by chance.
pub(super) fn has_fingerprint(modulus: &[u8]) -> bool {
    PRIMES
        .iter()
        .all(|&prime| is_power_of_65537(remainder(modulus, prime), prime))
}

/// The odd primes that divide the product for every key size (the first 39 primes without 2).
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

fn remainder(number: &[u8], divisor: u32) -> u32 {
    number.iter().fold(0, |remainder, &byte| {
        (remainder << 8 | u32::from(byte)) % divisor
    })
}

fn is_power_of_65537(residue: u32, prime: u32) -> bool {
    let generator = 65537 % prime;
    let mut power = 1;
    for _ in 1..prime {
        if power == residue {
            return true;
        }
        power = power * generator % prime;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computes `65537^exponent`, big-endian: a number with the structure of a vulnerable modulus.
    fn power_of_65537(exponent: usize) -> Vec<u8> {
        let mut number = vec![1_u8];
        for _ in 0..exponent {
            // number * 65537 = number * 2^16 + number
            let mut sum = [number.clone(), vec![0, 0]].concat();
            let mut carry = 0;
            for index in 0..sum.len() {
                let position = sum.len() - 1 - index;
                let addend = number.iter().rev().nth(index).copied().unwrap_or(0);
                let total = u16::from(sum[position]) + u16::from(addend) + carry;
                sum[position] = total.to_be_bytes()[1];
                carry = total >> 8;
            }
            if carry > 0 {
                sum.insert(0, 1);
            }
            number = sum;
        }
        number
    }

    #[test]
    fn powers_of_65537_have_the_fingerprint() {
        assert_eq!(power_of_65537(2), [1, 0, 2, 0, 1]);
        assert!(has_fingerprint(&power_of_65537(128)));
        let mut other = power_of_65537(128);
        *other.last_mut().unwrap() ^= 2;
        assert!(!has_fingerprint(&other));
    }

    #[test]
    fn a_modulus_of_another_library_has_no_fingerprint() {
        // RFC 7515 appendix A.2.1, as an example of another library.
        let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
        let n = base64_simd::URL_SAFE_NO_PAD
            .decode_to_vec(n)
            .expect("base64url");
        assert!(!has_fingerprint(&n));
    }
}
