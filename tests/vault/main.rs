//! The vault's public API: sealing, unsealing, binding and redaction.
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod api_key_secret;
mod binding;
mod known_answer;
mod rotation;
mod round_trip;
mod secrecy;

use base64_simd::STANDARD;
use bearward_server::{
    settings::{Config, Sources, VaultKey},
    vault::{ApiKeySecret, ApiKeySecretError, Sealed, Vault, VaultError},
};
use uuid::Uuid;

const OWNER: Uuid = Uuid::from_u128(0x0198_f3a2_7c1e_7abc_8def_0123_4567_89ab);
const PROVIDER: &str = "togetherAI";
const API_KEY: &str = "sk-known-answer-0123456789abcdefWXYZ";

/// Vault keys from the configuration. Each key consists of one repeated byte.
fn keys(ids: &[(&str, u8)]) -> Vec<VaultKey> {
    let lines: Vec<_> = ids
        .iter()
        .map(|(id, byte)| format!("{id}:{}", STANDARD.encode_to_string([*byte; 32])))
        .collect();
    parse_keys(&lines.join(","))
}

fn parse_keys(configured: &str) -> Vec<VaultKey> {
    let sources = Sources::new(
        None,
        [("BEARWARD_VAULT__KEYS".to_owned(), configured.to_owned())],
    );
    Config::load(&sources).unwrap().vault.keys
}

fn vault(ids: &[(&str, u8)]) -> Vault {
    Vault::new(keys(ids))
}

fn secret(text: &str) -> ApiKeySecret {
    ApiKeySecret::new(text.into()).unwrap()
}

fn parse_error(text: &str) -> ApiKeySecretError {
    ApiKeySecret::new(text.into()).unwrap_err()
}

fn seal(vault: &Vault) -> Sealed {
    vault.seal(&OWNER, PROVIDER, &secret(API_KEY)).unwrap()
}

fn unseal(vault: &Vault, sealed: &Sealed) -> Result<String, VaultError> {
    vault
        .unseal(&OWNER, PROVIDER, sealed)
        .map(|unsealed| unsealed.key.expose().to_owned())
}
