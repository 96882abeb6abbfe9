//! The `[vault]` section: the keys that encrypt users' API keys.

use std::{collections::BTreeSet, fmt, sync::Arc};

use base64_simd::STANDARD;
use secrecy::{ExposeSecret, SecretBox};

use super::{
    raw::{Hint, Raw},
    redact::hidden,
    section::{Reported, Section},
};

/// How users' API keys are stored.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Vault {
    /// The vault keys. The first one seals, all of them open. If there is none, no API key can be
    /// stored.
    pub keys: Vec<VaultKey>,
    /// The names under which a user may store an API key.
    pub providers: Vec<String>,
}

/// A named AES-256 key.
#[derive(Clone)]
pub struct VaultKey {
    id: String,
    key: Arc<SecretBox<[u8; 32]>>,
}

impl VaultKey {
    /// Parses `ID:BASE64`. The id has 1 to 32 letters, digits, `-` and `_`; the key has 32 bytes.
    pub fn parse(line: &str) -> Option<Self> {
        vault_key(line)
    }

    /// Returns the id, which is stored with every value that the key sealed.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the key.
    pub fn expose(&self) -> &[u8; 32] {
        self.key.expose_secret()
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Vault {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Reported> {
        let keys = section.secret("keys", hidden, vault_keys);
        let providers = section.take("providers", providers);
        section.finish();
        Ok(Self {
            keys: keys?.unwrap_or_default(),
            providers: providers?,
        })
    }
}

/// Parses a list, or text with keys separated by line breaks or commas.
fn vault_keys(raw: Raw<'_>) -> Result<Vec<VaultKey>, Hint> {
    let lines = raw
        .list()?
        .into_iter()
        .flat_map(str::lines)
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let mut ids = BTreeSet::new();
    lines
        .enumerate()
        .map(|(index, line)| {
            let key = vault_key(line).ok_or_else(|| {
                format!(
                    "key number {} is not ID:BASE64 with 32 bytes; create one with `echo \"k1:$(openssl rand -base64 32)\"`",
                    index + 1
                )
            })?;
            if ids.insert(key.id.clone()) {
                Ok(key)
            } else {
                Err(format!("key number {} has the id of an earlier key", index + 1))
            }
        })
        .collect()
}

fn vault_key(line: &str) -> Option<VaultKey> {
    let (id, encoded) = line.split_once(':')?;
    let is_valid_id = (1..=32).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let key: [u8; 32] = STANDARD
        .decode_to_vec(encoded.trim())
        .ok()?
        .try_into()
        .ok()?;
    is_valid_id.then(|| VaultKey {
        id: id.to_owned(),
        key: Arc::new(SecretBox::new(Box::new(key))),
    })
}

fn providers(raw: Raw<'_>) -> Result<Vec<String>, Hint> {
    let names = raw.list()?;
    let is_valid = |name: &&str| {
        name.len() <= 64
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if !names.iter().all(is_valid) {
        return Err("a provider name has at most 64 letters, digits, - and _".to_owned());
    }
    if names.iter().collect::<BTreeSet<_>>().len() != names.len() {
        return Err("a provider is listed twice".to_owned());
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}
