//! No printable value contains a key.

use super::*;

const SECRET: &str = "sk-Qm9vZ2ll-hunter2-cGFzc3dvcmQ-tail";

/// Common printed forms of the vault key's bytes.
fn vault_key_forms() -> [String; 4] {
    let bytes = [0x5a_u8; 32];
    [
        STANDARD.encode_to_string(bytes),
        "5a5a5a5a".to_owned(),
        "90, 90, 90".to_owned(),
        "ZZZZ".to_owned(),
    ]
}

fn assert_no_secret(printed: &str) {
    for part in [
        "hunter2",
        &SECRET[..8],
        &SECRET[SECRET.len() - 8..],
        "115, 107, 45",
    ] {
        assert!(!printed.contains(part), "{part} in {printed}");
    }
    for form in vault_key_forms() {
        assert!(!printed.contains(&form), "{form} in {printed}");
    }
}

#[test]
fn debug_output_has_no_secret() {
    let vault = vault(&[("k1", 0x5a)]);
    let secret = secret(SECRET);
    let sealed = vault.seal(&OWNER, PROVIDER, &secret).unwrap();
    let unsealed = vault.unseal(&OWNER, PROVIDER, &sealed).unwrap();
    for printed in [
        format!("{vault:?} {vault:#?}"),
        format!("{secret:?} {secret:#?}"),
        format!("{sealed:?} {sealed:#?}"),
        format!("{unsealed:?} {unsealed:#?}"),
    ] {
        assert_no_secret(&printed);
    }
    assert_eq!(format!("{secret:?}"), "ApiKeySecret(***)");
    assert_eq!(
        format!("{sealed:?}"),
        "Sealed { key_id: \"k1\", bytes: [85 bytes] }"
    );
}

#[test]
fn sealed_bytes_do_not_contain_the_key() {
    let sealed = vault(&[("k1", 0x5a)])
        .seal(&OWNER, PROVIDER, &secret(SECRET))
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
fn errors_have_no_secret() {
    let sealed = vault(&[("k1", 0x5a)])
        .seal(&OWNER, PROVIDER, &secret(SECRET))
        .unwrap();
    let mut changed = sealed.clone();
    changed.bytes[40] ^= 1;
    let errors = [
        vault(&[])
            .seal(&OWNER, PROVIDER, &secret(SECRET))
            .unwrap_err(),
        vault(&[("k2", 0x5a)])
            .unseal(&OWNER, PROVIDER, &sealed)
            .unwrap_err(),
        vault(&[("k1", 0x5a)])
            .unseal(&OWNER, PROVIDER, &changed)
            .unwrap_err(),
    ];
    for error in errors {
        assert_no_secret(&format!("{error} {error:?}"));
    }
    let invalid = [
        format!("{SECRET} "),
        format!("{SECRET}ä"),
        SECRET.repeat(200),
    ];
    for text in invalid {
        let error = parse_error(&text);
        assert_no_secret(&format!("{error} {error:?}"));
    }
}
