//! A row opens where it was sealed, as it was sealed, and nowhere else.

use super::*;

#[test]
fn a_row_of_another_owner_does_not_open() {
    let vault = vault(&[("k1", 1)]);
    let sealed = seal(&vault);
    for bit in 0..128 {
        let stranger = Uuid::from_u128(OWNER.as_u128() ^ (1 << bit));
        assert_eq!(
            vault.open(&stranger, PROVIDER, &sealed).unwrap_err(),
            VaultError::NotAuthentic,
            "bit {bit}"
        );
    }
}

#[test]
fn a_row_of_another_provider_does_not_open() {
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
            vault.open(&OWNER, provider, &sealed).unwrap_err(),
            VaultError::NotAuthentic,
            "{provider:?}"
        );
    }
}

#[test]
fn a_row_under_another_key_id_does_not_open_even_where_both_keys_are_the_same() {
    let vault = vault(&[("k1", 1), ("k2", 1)]);
    let mut sealed = seal(&vault);
    sealed.key_id = "k2".to_owned();
    assert_eq!(open(&vault, &sealed), Err(VaultError::NotAuthentic));
}

#[test]
fn a_row_does_not_open_where_the_id_has_another_key() {
    let sealed = seal(&vault(&[("k1", 1)]));
    assert_eq!(
        open(&vault(&[("k1", 2)]), &sealed),
        Err(VaultError::NotAuthentic)
    );
}

/// Without lengths both rows would be bound to the same bytes: `k1`, 16 times `a`, `bcd`.
#[test]
fn what_ends_one_part_cannot_begin_the_next() {
    let vault = vault(&[("k1", 1), ("k1a", 1)]);
    let (owner, neighbour) = (
        Uuid::from_bytes(*b"aaaaaaaaaaaaaaaa"),
        Uuid::from_bytes(*b"aaaaaaaaaaaaaaab"),
    );
    let mut sealed = vault.seal(&owner, "bcd", &plain(TEXT)).unwrap();
    assert!(vault.open(&owner, "bcd", &sealed).is_ok());
    sealed.key_id = "k1a".to_owned();
    assert_eq!(
        vault.open(&neighbour, "cd", &sealed).unwrap_err(),
        VaultError::NotAuthentic
    );
}

#[test]
fn no_byte_of_a_row_can_be_changed() {
    let vault = vault(&[("k1", 1)]);
    let sealed = seal(&vault);
    for at in 0..sealed.bytes.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed.bytes[at] ^= 1 << bit;
            assert_eq!(
                open(&vault, &changed),
                Err(VaultError::NotAuthentic),
                "bit {bit} of byte {at}"
            );
        }
    }
    assert_eq!(
        open(&vault, &sealed).as_deref(),
        Ok(TEXT),
        "unchanged it opens"
    );
}

#[test]
fn a_row_that_is_cut_or_prolonged_does_not_open() {
    let vault = vault(&[("k1", 1)]);
    let sealed = seal(&vault);
    for length in 0..sealed.bytes.len() {
        for bytes in [
            sealed.bytes[..length].to_vec(),
            sealed.bytes[sealed.bytes.len() - length..].to_vec(),
        ] {
            let cut = Sealed {
                bytes,
                ..sealed.clone()
            };
            assert_eq!(
                open(&vault, &cut),
                Err(VaultError::NotAuthentic),
                "{length} bytes"
            );
        }
    }
    for more in [1, 16, 5000] {
        let mut longer = sealed.clone();
        longer.bytes.resize(sealed.bytes.len() + more, 0);
        assert_eq!(
            open(&vault, &longer),
            Err(VaultError::NotAuthentic),
            "{more} bytes more"
        );
    }
}

#[test]
fn rows_cannot_be_put_together_from_two() {
    let vault = vault(&[("k1", 1)]);
    let (one, other) = (seal(&vault), seal(&vault));
    let mixed = Sealed {
        bytes: [&one.bytes[..33], &other.bytes[33..]].concat(),
        ..one
    };
    assert_eq!(open(&vault, &mixed), Err(VaultError::NotAuthentic));
}
