//! Signing keys in the data file, so that tokens stay valid across restarts.

use base64_simd::STANDARD;
use bearward::Algorithm;
use bearward_testing::signing::{KeyPair, KeyRing};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Document id of the issuer's key ring.
pub(crate) const ISSUER_RING: Uuid = Uuid::from_u128(1);

/// Document id of the fake Google's key ring.
pub(crate) const GOOGLE_RING: Uuid = Uuid::from_u128(2);

/// A key ring in the data file.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredKeyRing {
    current: StoredKey,
    standby: Option<StoredKey>,
    previous: Vec<StoredKey>,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredKey {
    kid: String,
    algorithm: String,
    pkcs8: String,
}

impl StoredKeyRing {
    pub(crate) fn from_ring(ring: &KeyRing) -> Self {
        let mut stored = Self {
            current: StoredKey::from_key(ring.current()),
            standby: None,
            previous: Vec::new(),
        };
        for (key, state) in ring.states() {
            match state {
                "standby" => stored.standby = Some(StoredKey::from_key(key)),
                "previously_used" => stored.previous.push(StoredKey::from_key(key)),
                _ => {}
            }
        }
        stored
    }

    /// Restores the key ring. Returns `None` if a key cannot be parsed.
    pub(crate) fn to_ring(&self) -> Option<KeyRing> {
        let previous = self
            .previous
            .iter()
            .map(StoredKey::to_key)
            .collect::<Option<Vec<_>>>()?;
        let standby = self
            .standby
            .as_ref()
            .map(|key| key.to_key().ok_or(()))
            .transpose()
            .ok()?;
        Some(KeyRing::restored(self.current.to_key()?, standby, previous))
    }
}

impl StoredKey {
    fn from_key(key: &KeyPair) -> Self {
        let pkcs8 = STANDARD.encode_to_string(key.to_pkcs8());
        Self {
            kid: key.kid().to_owned(),
            algorithm: key.algorithm().name().to_owned(),
            pkcs8,
        }
    }

    fn to_key(&self) -> Option<KeyPair> {
        let algorithm: Algorithm = self.algorithm.parse().ok()?;
        KeyPair::from_pkcs8(
            &self.kid,
            algorithm,
            &STANDARD.decode_to_vec(self.pkcs8.as_bytes()).ok()?,
        )
    }
}
