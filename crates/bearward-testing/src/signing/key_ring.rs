//! The keys of an issuer through their life: standby, in use, previously used, revoked.

use bearward::Algorithm;
use serde_json::{Value, json};

use super::key_pair::KeyPair;

/// An issuer's keys. Standby and previously used keys are published too, as the hosted service
/// does; a revoked one is gone.
#[derive(Debug, Clone)]
pub struct KeyRing {
    current: KeyPair,
    standby: Option<KeyPair>,
    previous: Vec<KeyPair>,
}

impl KeyRing {
    /// One key, in use.
    pub fn new(algorithm: Algorithm) -> Self {
        Self {
            current: KeyPair::cached_with(algorithm),
            standby: None,
            previous: Vec::new(),
        }
    }

    /// A ring that starts with this key.
    pub fn of(current: KeyPair) -> Self {
        Self {
            current,
            standby: None,
            previous: Vec::new(),
        }
    }

    /// A ring as it was: the key in use, the one that waits, and those that were used before.
    pub fn restored(current: KeyPair, standby: Option<KeyPair>, previous: Vec<KeyPair>) -> Self {
        Self {
            current,
            standby,
            previous,
        }
    }

    /// The key that signs.
    pub fn current(&self) -> &KeyPair {
        &self.current
    }

    /// A published key by its id.
    pub fn find(&self, kid: &str) -> Option<&KeyPair> {
        self.published().find(|key| key.kid() == kid)
    }

    /// Publishes a key that will sign after the next rotation, so that verifiers know it in time.
    pub fn add_standby(&mut self, algorithm: Algorithm) -> &KeyPair {
        let key = KeyPair::cached_with(algorithm);
        self.standby.insert(key)
    }

    /// The standby key, or a new one, signs from now on; the old one stays published.
    pub fn rotate(&mut self, algorithm: Algorithm) -> &KeyPair {
        let next = match self.standby.take() {
            Some(standby) => standby,
            None => KeyPair::cached_with(algorithm),
        };
        self.previous
            .push(std::mem::replace(&mut self.current, next));
        &self.current
    }

    /// Withdraws a key. The one in use gives way to the standby key or a new one first. `false`
    /// when there is no such key.
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

    /// Every published key with its place in life.
    pub fn states(&self) -> impl Iterator<Item = (&KeyPair, &'static str)> {
        let standby = self.standby.iter().map(|key| (key, "standby"));
        let previous = self.previous.iter().map(|key| (key, "previously_used"));
        [(&self.current, "in_use")]
            .into_iter()
            .chain(standby)
            .chain(previous)
    }

    /// The JWK Set.
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.published().map(KeyPair::jwk).collect::<Vec<_>>() })
    }

    fn published(&self) -> impl Iterator<Item = &KeyPair> {
        self.states().map(|(key, _)| key)
    }
}
