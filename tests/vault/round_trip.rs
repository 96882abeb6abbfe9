//! Sealed keys unseal to the same text.

use proptest::prelude::*;

use super::*;

#[test]
fn sealed_key_unseals() {
    let vault = vault(&[("k1", 1)]);
    let unsealed = vault.unseal(&OWNER, PROVIDER, &seal(&vault)).unwrap();
    assert_eq!(unsealed.key.expose(), API_KEY);
    assert!(!unsealed.needs_reseal);
}

#[test]
fn shortest_and_longest_key_round_trip() {
    let vault = vault(&[("k1", 1)]);
    for text in ["k".to_owned(), "k".repeat(ApiKeySecret::MAX_BYTES)] {
        let sealed = vault.seal(&OWNER, PROVIDER, &secret(&text)).unwrap();
        assert_eq!(unseal(&vault, &sealed), Ok(text));
    }
}

#[test]
fn sealing_twice_gives_different_bytes() {
    let vault = vault(&[("k1", 1)]);
    let (one, other) = (seal(&vault), seal(&vault));
    assert_eq!((one.bytes[0], other.bytes[0]), (1, 1), "the version");
    assert_ne!(one.bytes[1..33], other.bytes[1..33], "the salt");
    let shared = one.bytes[33..]
        .iter()
        .zip(&other.bytes[33..])
        .filter(|(a, b)| a == b)
        .count();
    assert!(
        shared < 16,
        "{shared} of {} bytes equal",
        one.bytes.len() - 33
    );
}

#[test]
fn sealing_adds_49_bytes() {
    assert_eq!(
        seal(&vault(&[("k1", 1)])).bytes.len(),
        1 + 32 + API_KEY.len() + 16
    );
}

#[test]
fn sealing_fails_without_a_vault_key() {
    let error = vault(&[])
        .seal(&OWNER, PROVIDER, &secret(API_KEY))
        .unwrap_err();
    assert_eq!(error, VaultError::NoKey);
    assert!(error.to_string().contains("vault.keys is empty"), "{error}");
}

proptest! {
    #[test]
    fn any_key_round_trips(
        text in "[!-~]{1,300}", owner in any::<u128>(), provider in ".{0,80}", byte in any::<u8>(),
    ) {
        let (vault, owner) = (vault(&[("k1", byte)]), Uuid::from_u128(owner));
        let sealed = vault.seal(&owner, &provider, &secret(&text)).unwrap();
        let unsealed = vault.unseal(&owner, &provider, &sealed).unwrap();
        prop_assert_eq!(unsealed.key.expose(), text);
    }
}
