//! What it costs to seal and to open a key of 64 characters, beside a server that does it once for
//! each request to generate.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;

use bearward_server::{
    settings::{Config, Sources},
    vault::{ApiKeySecret, Vault},
};
use criterion::{Criterion, criterion_group, criterion_main};
use uuid::Uuid;

const KEY: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn seal_and_open(c: &mut Criterion) {
    let sources = Sources::new(None, [("BEARWARD_VAULT__KEYS".to_owned(), KEY.to_owned())]);
    let vault = Vault::new(Config::load(&sources).unwrap().vault.keys);
    let owner = Uuid::from_u128(1);
    let plain = ApiKeySecret::new("k".repeat(64).into()).unwrap();
    let sealed = vault.seal(&owner, "togetherAI", &plain).unwrap();
    c.bench_function("vault/seal", |b| {
        b.iter(|| {
            vault
                .seal(black_box(&owner), "togetherAI", black_box(&plain))
                .unwrap()
        })
    });
    c.bench_function("vault/open", |b| {
        b.iter(|| {
            vault
                .unseal(black_box(&owner), "togetherAI", black_box(&sealed))
                .unwrap()
        })
    });
}

criterion_group!(benches, seal_and_open);
criterion_main!(benches);
