//! A new key goes in front, and the old one stays until nothing is left under it.

use super::*;

#[test]
fn the_first_key_seals_and_every_key_opens() {
    let before = seal(&vault(&[("old", 1)]));
    let vault = vault(&[("new", 2), ("old", 1)]);
    let after = seal(&vault);
    assert_eq!(
        (before.key_id.as_str(), after.key_id.as_str()),
        ("old", "new")
    );

    let opened = vault.open(&OWNER, PROVIDER, &before).unwrap();
    assert_eq!(opened.plain.expose(), TEXT);
    assert!(opened.stale, "the caller seals it again");
    let again = vault.seal(&OWNER, PROVIDER, &opened.plain).unwrap();
    for fresh in [after, again] {
        assert!(!vault.open(&OWNER, PROVIDER, &fresh).unwrap().stale);
    }
}

#[test]
fn a_key_that_was_taken_away_too_early_is_named() {
    let sealed = seal(&vault(&[("old", 1)]));
    for left in [vault(&[("new", 2)]), vault(&[])] {
        let error = open(&left, &sealed).unwrap_err();
        assert!(
            matches!(&error, VaultError::UnknownKey { id } if id.as_str() == "old"),
            "{error:?}"
        );
        let told = "a stored API key was sealed with the vault key \"old\", which is not configured; put it back into vault.keys";
        assert_eq!(error.to_string(), told);
    }
}

#[test]
fn a_forged_key_id_forges_no_line_of_the_log() {
    let sealed = Sealed {
        key_id: format!("k1\n{}", "x".repeat(5000)),
        bytes: Vec::new(),
    };
    let told = open(&vault(&[("k1", 1)]), &sealed).unwrap_err().to_string();
    assert!(!told.contains('\n') && told.len() < 400, "{told}");
}
