//! Known-answer test: bytes from another implementation pin the format.

use super::*;

/// Created with Python: HKDF (RFC 5869) with `hmac`, AES-GCM with `cryptography`. The key is the bytes
/// 0 to 31, the salt the bytes 224 to 255.
const KEY: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const ROW: &str = "01\
    e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff\
    ba2c777189d5da79d658cfc01482e94b157782840f6a143fd14697c567e9937aa44cfb31\
    66bafed3fe8d5687fb6fc1e97d56ffe6";

fn row() -> Sealed {
    let digits = |at: usize| u8::from_str_radix(&ROW[at..at + 2], 16).unwrap();
    Sealed {
        key_id: "k1".to_owned(),
        bytes: (0..ROW.len()).step_by(2).map(digits).collect(),
    }
}

#[test]
fn format_version_1_unseals() {
    assert_eq!(
        unseal(&Vault::new(parse_keys(KEY)), &row()).as_deref(),
        Ok(API_KEY)
    );
}

#[test]
fn new_bytes_have_the_same_format() {
    let (sealed, known) = (seal(&Vault::new(parse_keys(KEY))), row());
    assert_eq!(
        (&sealed.key_id, sealed.bytes[0], sealed.bytes.len()),
        (&known.key_id, known.bytes[0], known.bytes.len())
    );
}
