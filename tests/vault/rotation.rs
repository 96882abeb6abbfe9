//! Key rotation: a new key is added first, the old one remains until all keys are resealed.

use super::*;

#[test]
fn first_key_seals_and_every_key_unseals() {
    let before = seal(&vault(&[("old", 1)]));
    let vault = vault(&[("new", 2), ("old", 1)]);
    let after = seal(&vault);
    assert_eq!(
        (before.key_id.as_str(), after.key_id.as_str()),
        ("old", "new")
    );

    let unsealed = vault.unseal(&OWNER, PROVIDER, &before).unwrap();
    assert_eq!(unsealed.key.expose(), API_KEY);
    assert!(unsealed.needs_reseal, "the caller must reseal it");
    let again = vault.seal(&OWNER, PROVIDER, &unsealed.key).unwrap();
    for fresh in [after, again] {
        assert!(!vault.unseal(&OWNER, PROVIDER, &fresh).unwrap().needs_reseal);
    }
}

#[test]
fn error_names_the_missing_vault_key() {
    let sealed = seal(&vault(&[("old", 1)]));
    for remaining in [vault(&[("new", 2)]), vault(&[])] {
        let error = unseal(&remaining, &sealed).unwrap_err();
        assert!(
            matches!(&error, VaultError::UnknownKey { id } if id.as_str() == "old"),
            "{error:?}"
        );
        let message = "a stored API key was sealed with the vault key \"old\", which is not configured; add it to vault.keys again";
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn key_id_in_the_error_is_sanitized() {
    let sealed = Sealed {
        key_id: format!("k1\n{}", "x".repeat(5000)),
        bytes: Vec::new(),
    };
    let message = unseal(&vault(&[("k1", 1)]), &sealed)
        .unwrap_err()
        .to_string();
    assert!(!message.contains('\n') && message.len() < 400, "{message}");
}
