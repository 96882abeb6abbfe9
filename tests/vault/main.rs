//! The vault as its callers meet it: what opens, what does not, and what is never shown.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod binding;
mod plain_key;
mod rotation;
mod round_trip;
mod secrecy;
mod vector;

use base64_simd::STANDARD;
use bearward_server::{
    settings::{Config, Sources, VaultKey},
    vault::{ApiKeySecret, ApiKeySecretError, Sealed, Vault, VaultError},
};
use uuid::Uuid;

const OWNER: Uuid = Uuid::from_u128(0x0198_f3a2_7c1e_7abc_8def_0123_4567_89ab);
const PROVIDER: &str = "togetherAI";
const TEXT: &str = "sk-known-answer-0123456789abcdefWXYZ";

/// Keys as the configuration gives them, each from its id and the byte that it is made of.
fn keys(named: &[(&str, u8)]) -> Vec<VaultKey> {
    let lines: Vec<_> = named
        .iter()
        .map(|(id, byte)| format!("{id}:{}", STANDARD.encode_to_string([*byte; 32])))
        .collect();
    keys_of(&lines.join(","))
}

fn keys_of(configured: &str) -> Vec<VaultKey> {
    let sources = Sources::new(
        None,
        [("BEARWARD_VAULT__KEYS".to_owned(), configured.to_owned())],
    );
    Config::load(&sources).unwrap().vault.keys
}

fn vault(named: &[(&str, u8)]) -> Vault {
    Vault::new(keys(named))
}

fn plain(text: &str) -> ApiKeySecret {
    ApiKeySecret::new(text.into()).unwrap()
}

fn refused(text: &str) -> ApiKeySecretError {
    ApiKeySecret::new(text.into()).unwrap_err()
}

fn seal(vault: &Vault) -> Sealed {
    vault.seal(&OWNER, PROVIDER, &plain(TEXT)).unwrap()
}

fn open(vault: &Vault, sealed: &Sealed) -> Result<String, VaultError> {
    vault
        .open(&OWNER, PROVIDER, sealed)
        .map(|opened| opened.plain.expose().to_owned())
}
