//! Nothing that can be printed shows a key.

use super::*;

const SECRET: &str = "sk-Qm9vZ2ll-hunter2-cGFzc3dvcmQ-tail";

/// The bytes of the vault's key in the forms in which something may print them.
fn forms_of_the_vault_key() -> [String; 4] {
    let bytes = [0x5a_u8; 32];
    [
        STANDARD.encode_to_string(bytes),
        "5a5a5a5a".to_owned(),
        "90, 90, 90".to_owned(),
        "ZZZZ".to_owned(),
    ]
}

fn assert_silent(printed: &str) {
    for part in [
        "hunter2",
        &SECRET[..8],
        &SECRET[SECRET.len() - 8..],
        "115, 107, 45",
    ] {
        assert!(!printed.contains(part), "{part} in {printed}");
    }
    for form in forms_of_the_vault_key() {
        assert!(!printed.contains(&form), "{form} in {printed}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let vault = vault(&[("k1", 0x5a)]);
    let plain = plain(SECRET);
    let sealed = vault.seal(&OWNER, PROVIDER, &plain).unwrap();
    let opened = vault.open(&OWNER, PROVIDER, &sealed).unwrap();
    for printed in [
        format!("{vault:?} {vault:#?}"),
        format!("{plain:?} {plain:#?}"),
        format!("{sealed:?} {sealed:#?}"),
        format!("{opened:?} {opened:#?}"),
    ] {
        assert_silent(&printed);
    }
    assert_eq!(format!("{plain:?}"), "ApiKeySecret(***)");
    assert_eq!(
        format!("{sealed:?}"),
        "Sealed { key_id: \"k1\", bytes: [85 bytes] }"
    );
}

#[test]
fn a_sealed_row_has_no_trace_of_the_key_in_it() {
    let sealed = vault(&[("k1", 0x5a)])
        .seal(&OWNER, PROVIDER, &plain(SECRET))
        .unwrap();
    for window in [SECRET.as_bytes(), OWNER.as_bytes()]
        .iter()
        .flat_map(|whole| whole.windows(8))
    {
        assert!(
            !sealed.bytes.windows(8).any(|part| part == window),
            "{window:?}"
        );
    }
}

#[test]
fn errors_show_no_secret() {
    let sealed = vault(&[("k1", 0x5a)])
        .seal(&OWNER, PROVIDER, &plain(SECRET))
        .unwrap();
    let mut changed = sealed.clone();
    changed.bytes[40] ^= 1;
    let errors = [
        vault(&[])
            .seal(&OWNER, PROVIDER, &plain(SECRET))
            .unwrap_err(),
        vault(&[("k2", 0x5a)])
            .open(&OWNER, PROVIDER, &sealed)
            .unwrap_err(),
        vault(&[("k1", 0x5a)])
            .open(&OWNER, PROVIDER, &changed)
            .unwrap_err(),
    ];
    for error in errors {
        assert_silent(&format!("{error} {error:?}"));
    }
    let spoiled = [
        format!("{SECRET} "),
        format!("{SECRET}ä"),
        SECRET.repeat(200),
    ];
    for text in spoiled {
        let error = refused(&text);
        assert_silent(&format!("{error} {error:?}"));
    }
}
