//! The `[dpop]` section: how proofs of possession are checked.

use std::{fmt, sync::Arc, time::Duration};

use base64_simd::STANDARD;
use bearward::DpopConfig;
use secrecy::{ExposeSecret, SecretSlice};

use super::{
    raw::{Hint, Raw, integer, one_of},
    redact::hidden,
    section::{Reported, Section},
    units::duration,
};

/// The values of `nonce`.
const NONCES: &[(&str, bool)] = &[("off", false), ("required", true)];

/// How proofs of possession are checked (RFC 9449).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Dpop {
    /// How far `iat` of a proof may differ from the clock of this machine.
    pub max_age: Duration,
    /// The maximum number of proofs that are remembered.
    pub replay_entries: usize,
    /// Whether proofs must contain a nonce of the server.
    pub requires_nonce: bool,
    /// The keys of nonces. The first one creates nonces, all of them verify. If there is none, each
    /// process generates one.
    pub nonce_keys: Vec<NonceKey>,
}

/// A key of nonces.
#[derive(Clone)]
pub struct NonceKey(Arc<SecretSlice<u8>>);

impl NonceKey {
    /// Returns the key.
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

impl fmt::Debug for NonceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NonceKey([redacted])")
    }
}

impl Dpop {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Reported> {
        let max_age = section.take("max_age", duration(DpopConfig::MAX_AGE.range()));
        let replay_entries = section.take(
            "replay_entries",
            integer(DpopConfig::REPLAY_ENTRIES.range()),
        );
        let requires_nonce = section.take("nonce", one_of(NONCES));
        let nonce_keys = section.secret("nonce_keys", hidden, nonce_keys);
        section.finish();
        Ok(Self {
            max_age: max_age?,
            replay_entries: replay_entries?,
            requires_nonce: requires_nonce?,
            nonce_keys: nonce_keys?.unwrap_or_default(),
        })
    }

    /// Returns the settings of the library, without the URL of the server.
    pub fn config(&self) -> DpopConfig {
        let config = DpopConfig::default()
            .max_age(self.max_age)
            .replay_entries(self.replay_entries);
        if !self.requires_nonce {
            config
        } else if self.nonce_keys.is_empty() {
            config.require_nonce()
        } else {
            config.nonce_keys(self.nonce_keys.iter().map(NonceKey::expose))
        }
    }
}

/// Parses a list, or text with keys separated by line breaks or commas.
fn nonce_keys(raw: Raw<'_>) -> Result<Vec<NonceKey>, Hint> {
    let lines = raw
        .list()?
        .into_iter()
        .flat_map(str::lines)
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let parse = |(index, line): (usize, &str)| {
        let key = STANDARD.decode_to_vec(line).ok();
        key.filter(|key| key.len() >= DpopConfig::MIN_NONCE_KEY_BYTES)
            .map(|key| NonceKey(Arc::new(key.into())))
            .ok_or_else(|| {
                format!(
                    "key number {} is not base64 of at least {} bytes; create one with `openssl rand -base64 32`",
                    index + 1,
                    DpopConfig::MIN_NONCE_KEY_BYTES
                )
            })
    };
    lines.enumerate().map(parse).collect()
}
