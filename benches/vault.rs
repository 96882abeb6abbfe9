//! Cost of sealing and unsealing an API key of 64 characters. A server unseals one per request to
//! `/api/generate`.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;

use bearward_server::{
    settings::{Config, Sources},
    vault::{ApiKeySecret, Vault},
};
use criterion::{Criterion, criterion_group, criterion_main};
use uuid::Uuid;

const KEY: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn seal_and_unseal(c: &mut Criterion) {
    let sources = Sources::new(None, [("BEARWARD_VAULT__KEYS".to_owned(), KEY.to_owned())]);
    let vault = Vault::new(Config::load(&sources).unwrap().vault.keys);
    let owner = Uuid::from_u128(1);
    let api_key = ApiKeySecret::new("k".repeat(64).into()).unwrap();
    let sealed = vault.seal(&owner, "togetherAI", &api_key).unwrap();
    c.bench_function("vault/seal", |b| {
        b.iter(|| {
            vault
                .seal(black_box(&owner), "togetherAI", black_box(&api_key))
                .unwrap()
        });
    });
    c.bench_function("vault/unseal", |b| {
        b.iter(|| {
            vault
                .unseal(black_box(&owner), "togetherAI", black_box(&sealed))
                .unwrap()
        });
    });
}

criterion_group!(benches, seal_and_unseal);
criterion_main!(benches);
