//! What is sealed opens again, and looks like nothing until then.

use proptest::prelude::*;

use super::*;

#[test]
fn a_sealed_key_opens_to_itself() {
    let vault = vault(&[("k1", 1)]);
    let opened = vault.open(&OWNER, PROVIDER, &seal(&vault)).unwrap();
    assert_eq!(opened.plain.expose(), TEXT);
    assert!(!opened.stale);
}

#[test]
fn the_shortest_and_the_longest_key_open_to_themselves() {
    let vault = vault(&[("k1", 1)]);
    for text in ["k".to_owned(), "k".repeat(ApiKeySecret::MAX_BYTES)] {
        let sealed = vault.seal(&OWNER, PROVIDER, &plain(&text)).unwrap();
        assert_eq!(open(&vault, &sealed), Ok(text));
    }
}

#[test]
fn one_key_sealed_twice_gives_two_rows_with_nothing_in_common() {
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
        "{shared} of {} bytes alike",
        one.bytes.len() - 33
    );
}

#[test]
fn a_row_has_49_bytes_more_than_its_key() {
    assert_eq!(
        seal(&vault(&[("k1", 1)])).bytes.len(),
        1 + 32 + TEXT.len() + 16
    );
}

#[test]
fn without_a_key_nothing_is_sealed() {
    let error = vault(&[]).seal(&OWNER, PROVIDER, &plain(TEXT)).unwrap_err();
    assert_eq!(error, VaultError::NoKey);
    assert!(error.to_string().contains("vault.keys is empty"), "{error}");
}

proptest! {
    #[test]
    fn any_key_of_any_owner_and_provider_opens_to_itself(
        text in "[!-~]{1,300}", owner in any::<u128>(), provider in ".{0,80}", byte in any::<u8>(),
    ) {
        let (vault, owner) = (vault(&[("k1", byte)]), Uuid::from_u128(owner));
        let sealed = vault.seal(&owner, &provider, &plain(&text)).unwrap();
        let opened = vault.open(&owner, &provider, &sealed).unwrap();
        prop_assert_eq!(opened.plain.expose(), text);
    }
}
