//! Signing keys in the data file, so that tokens of before a restart are good after it.

use base64_simd::STANDARD;
use bearward::Algorithm;
use bearward_testing::signing::{KeyPair, KeyRing};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The document of the auth API's ring.
pub(super) const OWN: Uuid = Uuid::from_u128(1);

/// The document of the fake Google's.
pub(super) const GOOGLE: Uuid = Uuid::from_u128(2);

/// A ring as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredKeyRing {
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
    pub(super) fn of(ring: &KeyRing) -> Self {
        let mut kept = Self {
            current: StoredKey::of(ring.current()),
            standby: None,
            previous: Vec::new(),
        };
        for (key, state) in ring.states() {
            match state {
                "standby" => kept.standby = Some(StoredKey::of(key)),
                "previously_used" => kept.previous.push(StoredKey::of(key)),
                _ => {}
            }
        }
        kept
    }

    /// `None` where a key cannot be read.
    pub(super) fn ring(&self) -> Option<KeyRing> {
        let previous = self
            .previous
            .iter()
            .map(StoredKey::key)
            .collect::<Option<Vec<_>>>()?;
        let standby = self
            .standby
            .as_ref()
            .map(|key| key.key().ok_or(()))
            .transpose()
            .ok()?;
        Some(KeyRing::restored(self.current.key()?, standby, previous))
    }
}

impl StoredKey {
    fn of(key: &KeyPair) -> Self {
        let pkcs8 = STANDARD.encode_to_string(key.to_pkcs8());
        Self {
            kid: key.kid().to_owned(),
            algorithm: key.algorithm().name().to_owned(),
            pkcs8,
        }
    }

    fn key(&self) -> Option<KeyPair> {
        let algorithm: Algorithm = self.algorithm.parse().ok()?;
        KeyPair::from_pkcs8(
            &self.kid,
            algorithm,
            &STANDARD.decode_to_vec(self.pkcs8.as_bytes()).ok()?,
        )
    }
}
