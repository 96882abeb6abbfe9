//! The same signature in another dress: JSON serializations, detached payloads, several tokens in
//! one.

use {AuthError, FormatError};
use serde_json::json;

use crate::stand::{Stand, parts, refused, vector};

#[test]
fn a_json_serialization_is_no_token_signed_or_published() {
    let stand = Stand::new();
    let token = stand.token().sign();
    let [protected, payload, signature] = parts(&token);
    let forms = [
        json!({ "protected": protected, "payload": payload, "signature": signature }),
        json!({ "payload": payload, "signatures": [{ "protected": protected, "signature": signature }] }),
        json!({ "payload": payload, "signatures": [] }),
        json!([token]),
        json!(token),
        json!({ "token": token }),
    ];
    for form in forms.map(|form| form.to_string()) {
        let rejection = stand.refusal(&form);
        assert!(
            matches!(rejection, AuthError::Form(_)),
            "{form}: {rejection:?}"
        );
    }
    for name in ["rfc7515/a6.json", "rfc7515/a7.json"] {
        refused!(
            stand,
            vector(name),
            "MALFORMED_TOKEN",
            AuthError::Form(FormatError::Parts(_))
        );
    }
}

#[test]
fn a_json_serialization_that_reads_as_a_compact_one_is_none() {
    // CVE-2022-3102 and its kin: a text that one parser takes for JSON and another for three parts.
    let stand = Stand::new();
    let token = stand.token().sign();
    let [header, payload, signature] = parts(&token);
    for polyglot in [
        format!("{{\"x\":\"{header}.{payload}.{signature}\"}}"),
        format!(
            "{{\"protected\":\"{header}\",\"a.b\":\".\",\"payload\":\"{payload}\",\"signature\":\"{signature}\"}}"
        ),
        format!(" {header}.{payload}.{signature}"),
        format!("\"{header}.{payload}.{signature}\""),
    ] {
        let rejection = stand.refusal(&polyglot);
        assert!(matches!(rejection, AuthError::Form(_)), "{rejection:?}");
    }
}

#[test]
fn a_detached_payload_is_an_empty_part() {
    let stand = Stand::new();
    let token = stand.token().sign();
    let [header, _, signature] = parts(&token);
    refused!(
        stand,
        format!("{header}..{signature}"),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Empty)
    );
}

#[test]
fn two_tokens_in_one_are_none() {
    let stand = Stand::new();
    let token = stand.token().sign();
    for separator in [",", " ", ", ", ";", "\n", "."] {
        let rejection = stand.refusal(&format!("{token}{separator}{token}"));
        assert!(
            matches!(rejection, AuthError::Form(_)),
            "{separator:?}: {rejection:?}"
        );
    }
    refused!(
        stand,
        format!("Bearer {token}"),
        "MALFORMED_TOKEN",
        AuthError::Form(FormatError::Base64)
    );
}

#[test]
fn disclosures_after_a_token_are_no_part_of_it() {
    // SD-JWT (RFC 9901): what follows the tilde is not signed.
    let stand = Stand::new();
    let token = stand.token().sign();
    for more in ["~", "~WyJhIiwic3ViIiwiYWRtaW4iXQ~"] {
        refused!(
            stand,
            format!("{token}{more}"),
            "MALFORMED_TOKEN",
            AuthError::Form(FormatError::Base64)
        );
    }
}
