//! The memory of a revocation list with a million entries. Alone in its process, because other tests
//! allocate memory as well.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed setup fails the test")]

use bearward::{Bearward, Issuer, KeySource, Revocation, Timestamp};
use bearward_testing::KeyPair;
use serde_json::json;

const ENTRIES: u64 = 1_000_000;

/// Returns the resident memory of this process in bytes.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024
}

#[tokio::test]
async fn an_entry_takes_at_most_64_bytes() {
    let key = KeyPair::cached(bearward::Algorithm::EdDSA, 0);
    let jwks = json!({ "keys": [key.jwk()] }).to_string();
    let issuer = Issuer::new("https://id.example.com", "api")
        .unwrap()
        .keys(KeySource::Fixed(jwks));
    let auth = Bearward::builder().issuer(issuer).build().await.unwrap();
    let list = auth.revocations();
    let at = Timestamp::from_unix(1_800_000_000);
    let before = resident_bytes();
    for number in 0..ENTRIES {
        let id = number.to_string();
        let entry = match number % 2 {
            0 => Revocation::session("https://id.example.com", &id),
            _ => Revocation::subject("https://id.example.com", &id, at.min(auth.clock().now())),
        };
        list.add(&entry).unwrap();
    }
    let used = resident_bytes() - before;
    println!(
        "{ENTRIES} entries: {used} bytes, {} bytes for each entry",
        used / ENTRIES
    );
    assert_eq!(list.len() as u64, ENTRIES);
    assert!(used <= 64 * ENTRIES, "{used} bytes");
}
