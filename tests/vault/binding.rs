//! A sealed key only unseals unchanged, for the same owner, provider and vault key.

use super::*;

#[test]
fn sealed_key_is_bound_to_its_owner() {
    let vault = vault(&[("k1", 1)]);
    let sealed = seal(&vault);
    for bit in 0..128 {
        let other_owner = Uuid::from_u128(OWNER.as_u128() ^ (1 << bit));
        assert_eq!(
            vault.unseal(&other_owner, PROVIDER, &sealed).unwrap_err(),
            VaultError::NotAuthentic,
            "bit {bit}"
        );
    }
}

#[test]
fn sealed_key_is_bound_to_its_provider() {
    let vault = vault(&[("k1", 1)]);
    let sealed = seal(&vault);
    for provider in [
        "",
        "togetherA",
        "togetherAII",
        "TogetherAI",
        "kestra",
        "togetherAI\0",
    ] {
        assert_eq!(
            vault.unseal(&OWNER, provider, &sealed).unwrap_err(),
            VaultError::NotAuthentic,
            "{provider:?}"
        );
    }
}

#[test]
fn sealed_key_is_bound_to_its_key_id() {
    let vault = vault(&[("k1", 1), ("k2", 1)]);
    let mut sealed = seal(&vault);
    sealed.key_id = "k2".to_owned();
    assert_eq!(unseal(&vault, &sealed), Err(VaultError::NotAuthentic));
}

#[test]
fn different_key_with_the_same_id_fails() {
    let sealed = seal(&vault(&[("k1", 1)]));
    assert_eq!(
        unseal(&vault(&[("k1", 2)]), &sealed),
        Err(VaultError::NotAuthentic)
    );
}

/// Without length prefixes both contexts would be the same bytes: `k1`, 16 times `a`, `bcd`.
#[test]
fn context_parts_are_length_prefixed() {
    let vault = vault(&[("k1", 1), ("k1a", 1)]);
    let (owner, other_owner) = (
        Uuid::from_bytes(*b"aaaaaaaaaaaaaaaa"),
        Uuid::from_bytes(*b"aaaaaaaaaaaaaaab"),
    );
    let mut sealed = vault.seal(&owner, "bcd", &secret(API_KEY)).unwrap();
    assert!(vault.unseal(&owner, "bcd", &sealed).is_ok());
    sealed.key_id = "k1a".to_owned();
    assert_eq!(
        vault.unseal(&other_owner, "cd", &sealed).unwrap_err(),
        VaultError::NotAuthentic
    );
}

#[test]
fn every_bit_is_authenticated() {
    let vault = vault(&[("k1", 1)]);
    let sealed = seal(&vault);
    for at in 0..sealed.bytes.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed.bytes[at] ^= 1 << bit;
            assert_eq!(
                unseal(&vault, &changed),
                Err(VaultError::NotAuthentic),
                "bit {bit} of byte {at}"
            );
        }
    }
    assert_eq!(
        unseal(&vault, &sealed).as_deref(),
        Ok(API_KEY),
        "unchanged bytes unseal"
    );
}

#[test]
fn truncated_or_extended_bytes_fail() {
    let vault = vault(&[("k1", 1)]);
    let sealed = seal(&vault);
    for length in 0..sealed.bytes.len() {
        for bytes in [
            sealed.bytes[..length].to_vec(),
            sealed.bytes[sealed.bytes.len() - length..].to_vec(),
        ] {
            let truncated = Sealed {
                bytes,
                ..sealed.clone()
            };
            assert_eq!(
                unseal(&vault, &truncated),
                Err(VaultError::NotAuthentic),
                "{length} bytes"
            );
        }
    }
    for more in [1, 16, 5000] {
        let mut longer = sealed.clone();
        longer.bytes.resize(sealed.bytes.len() + more, 0);
        assert_eq!(
            unseal(&vault, &longer),
            Err(VaultError::NotAuthentic),
            "{more} bytes more"
        );
    }
}

#[test]
fn parts_of_two_sealed_keys_cannot_be_combined() {
    let vault = vault(&[("k1", 1)]);
    let (one, other) = (seal(&vault), seal(&vault));
    let mixed = Sealed {
        bytes: [&one.bytes[..33], &other.bytes[33..]].concat(),
        ..one
    };
    assert_eq!(unseal(&vault, &mixed), Err(VaultError::NotAuthentic));
}
