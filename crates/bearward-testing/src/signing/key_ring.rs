//! The signing keys of an issuer: standby, in use, previously used.

use bearward::Algorithm;
use serde_json::{Value, json};

use super::key_pair::KeyPair;

/// The signing keys of an issuer. Standby and previously used keys are published too, as in
/// Supabase Auth; revoked keys are removed.
#[derive(Debug, Clone)]
pub struct KeyRing {
    current: KeyPair,
    standby: Option<KeyPair>,
    previous: Vec<KeyPair>,
}

impl KeyRing {
    /// Creates a key ring with one current key.
    pub fn new(algorithm: Algorithm) -> Self {
        Self {
            current: KeyPair::cached_with(algorithm),
            standby: None,
            previous: Vec::new(),
        }
    }

    /// Creates a key ring with the given current key.
    pub fn with_key(current: KeyPair) -> Self {
        Self {
            current,
            standby: None,
            previous: Vec::new(),
        }
    }

    /// Restores a key ring from its current, standby and previously used keys.
    pub fn restored(current: KeyPair, standby: Option<KeyPair>, previous: Vec<KeyPair>) -> Self {
        Self {
            current,
            standby,
            previous,
        }
    }

    /// Returns the current signing key.
    pub fn current(&self) -> &KeyPair {
        &self.current
    }

    /// Finds a published key by its key id.
    pub fn find(&self, kid: &str) -> Option<&KeyPair> {
        self.published().find(|key| key.kid() == kid)
    }

    /// Publishes a key that becomes current at the next rotation.
    pub fn add_standby(&mut self, algorithm: Algorithm) -> &KeyPair {
        let key = KeyPair::cached_with(algorithm);
        self.standby.insert(key)
    }

    /// Makes the standby key, or a new one, current. The previous key stays published.
    pub fn rotate(&mut self, algorithm: Algorithm) -> &KeyPair {
        let next = match self.standby.take() {
            Some(standby) => standby,
            None => KeyPair::cached_with(algorithm),
        };
        self.previous
            .push(std::mem::replace(&mut self.current, next));
        &self.current
    }

    /// Removes a key. If it is the current key, rotates first. Returns `false` if there is no such
    /// key.
    pub fn revoke(&mut self, kid: &str) -> bool {
        if self.find(kid).is_none() {
            return false;
        }
        if self.current.kid() == kid {
            self.rotate(self.current.algorithm());
        }
        self.previous.retain(|key| key.kid() != kid);
        self.standby.take_if(|key| key.kid() == kid);
        true
    }

    /// Iterates over the published keys and their states.
    pub fn states(&self) -> impl Iterator<Item = (&KeyPair, &'static str)> {
        let standby = self.standby.iter().map(|key| (key, "standby"));
        let previous = self.previous.iter().map(|key| (key, "previously_used"));
        [(&self.current, "in_use")]
            .into_iter()
            .chain(standby)
            .chain(previous)
    }

    /// Returns the JWKS (RFC 7517 §5).
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.published().map(KeyPair::jwk).collect::<Vec<_>>() })
    }

    fn published(&self) -> impl Iterator<Item = &KeyPair> {
        self.states().map(|(key, _)| key)
    }
}
