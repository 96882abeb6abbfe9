//! The `[vault]` section: the keys that seal what users entrust to the server.

use std::{collections::BTreeSet, fmt, sync::Arc};

use base64_simd::STANDARD;
use secrecy::{ExposeSecret, SecretBox};

use super::{
    raw::{Hint, Raw},
    redact::hidden,
    section::{Reported, Section},
};

/// How users' API keys are kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Vault {
    /// The first seals, all open. Empty: nothing can be kept.
    pub keys: Vec<VaultKey>,
    /// Names under which a user may keep a key.
    pub providers: Vec<String>,
}

/// A named AES-256 key.
#[derive(Clone)]
pub struct VaultKey {
    id: String,
    key: Arc<SecretBox<[u8; 32]>>,
}

impl VaultKey {
    /// Reads `ID:BASE64`: 1 to 32 letters, digits, - and _; 32 bytes of key.
    pub fn parse(line: &str) -> Option<Self> {
        vault_key(line)
    }

    /// The name that stands beside what the key has sealed.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key itself.
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

/// From a list, or from text with one key a line or separated by commas.
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
                    "key number {} is not ID:BASE64 with 32 bytes of key; make one with `echo \"k1:$(openssl rand -base64 32)\"`",
                    index + 1
                )
            })?;
            if ids.insert(key.id.clone()) { Ok(key) } else { Err(format!("key number {} has an id that is taken", index + 1)) }
        })
        .collect()
}

fn vault_key(line: &str) -> Option<VaultKey> {
    let (id, encoded) = line.split_once(':')?;
    let named = (1..=32).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let key: [u8; 32] = STANDARD
        .decode_to_vec(encoded.trim())
        .ok()?
        .try_into()
        .ok()?;
    named.then(|| VaultKey {
        id: id.to_owned(),
        key: Arc::new(SecretBox::new(Box::new(key))),
    })
}

fn providers(raw: Raw<'_>) -> Result<Vec<String>, Hint> {
    let names = raw.list()?;
    let fits = |name: &&str| {
        name.len() <= 64
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if !names.iter().all(fits) {
        return Err("a provider is named with letters, digits, - and _, 64 at most".to_owned());
    }
    if names.iter().collect::<BTreeSet<_>>().len() != names.len() {
        return Err("a provider is named twice".to_owned());
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}
