//! Tries the keys of one key set on a token.

use std::time::Duration;

use crate::{jws::UnverifiedJws, keys::Snapshot};

/// The result of trying the keys of one key set.
pub(super) enum KeyTrial {
    /// The `kid` of the key, if the token does not name it.
    Verified(Option<Box<str>>),
    InvalidSignature,
    NoKey,
}

/// Tries the keys of a snapshot, at most three.
pub(super) fn try_keys(snapshot: &Snapshot, jws: &UnverifiedJws<'_>, now: Duration) -> KeyTrial {
    let mut result = KeyTrial::NoKey;
    if snapshot.is_usable(now) {
        let algorithm = jws.header.algorithm;
        for key in snapshot.keys().find(jws.header.kid.as_deref(), algorithm) {
            if key.verifies(algorithm, jws.signed, jws.signature) {
                let unnamed_kid = match jws.header.kid {
                    Some(_) => None,
                    None => key.kid().map(Box::from),
                };
                return KeyTrial::Verified(unnamed_kid);
            }
            result = KeyTrial::InvalidSignature;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    use serde_json::json;

    use crate::{Bearward, Issuer, KeySource, Verification, keys::SIGNATURE_CHECKS};

    fn encode(bytes: &[u8]) -> String {
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
    }

    /// Returns the number of signature checks for a token with an invalid signature.
    async fn signature_checks(keys: usize, kid: Option<&str>) -> usize {
        let jwks: Vec<_> = (0..keys)
            .map(|_| {
                let pair = Ed25519KeyPair::generate().unwrap();
                let x = encode(pair.public_key().as_ref());
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": "same", "x": x })
            })
            .collect();
        let issuer = Issuer::new("https://idp.example", "api")
            .unwrap()
            .keys(KeySource::Fixed(json!({ "keys": jwks }).to_string()));
        let auth = Bearward::builder().issuer(issuer).build().await.unwrap();
        let header = json!({ "alg": "EdDSA", "kid": kid.unwrap_or_default() });
        let header = if kid.is_some() {
            header
        } else {
            json!({ "alg": "EdDSA" })
        };
        let claims = json!({ "iss": "https://idp.example", "aud": "api", "sub": "a", "exp": 4_000_000_000_u64 });
        let [header, claims] = [header, claims].map(|json| encode(json.to_string().as_bytes()));
        let token = format!("{header}.{claims}.{}", encode(&[1; 64]));
        SIGNATURE_CHECKS.set(0);
        let Verification::Ready(Err(failure)) = auth.try_verify(&token) else {
            panic!("the token must be rejected")
        };
        assert_eq!(failure.error.code(), "INVALID_SIGNATURE");
        SIGNATURE_CHECKS.get()
    }

    #[tokio::test]
    async fn an_invalid_token_costs_at_most_three_signature_checks() {
        for (keys, checks) in [(1, 1), (2, 2), (3, 3), (4, 3), (100, 3)] {
            assert_eq!(signature_checks(keys, Some("same")).await, checks, "{keys}");
            assert_eq!(signature_checks(keys, None).await, checks, "{keys}");
        }
    }
}
