//! Serialization confusion: JSON serializations, detached payloads, concatenated tokens.

use bearward::{AuthError, FormatError};
use serde_json::json;

use crate::fixture::{Fixture, assert_rejected, read_vector, split_token};

#[test]
fn json_serializations_are_rejected() {
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    let [protected, payload, signature] = split_token(&token);
    let forms = [
        json!({ "protected": protected, "payload": payload, "signature": signature }),
        json!({ "payload": payload, "signatures": [{ "protected": protected, "signature": signature }] }),
        json!({ "payload": payload, "signatures": [] }),
        json!([token]),
        json!(token),
        json!({ "token": token }),
    ];
    for form in forms.map(|form| form.to_string()) {
        let error = fixture.verify_err(&form);
        assert!(matches!(error, AuthError::Format(_)), "{form}: {error:?}");
    }
    for name in ["rfc7515/a6.json", "rfc7515/a7.json"] {
        assert_rejected!(
            fixture,
            read_vector(name),
            "MALFORMED_TOKEN",
            AuthError::Format(FormatError::Parts(_))
        );
    }
}

#[test]
fn polyglot_serializations_are_rejected() {
    // CVE-2022-3102: a text that one parser reads as JSON and another as three parts.
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    let [header, payload, signature] = split_token(&token);
    for polyglot in [
        format!("{{\"x\":\"{header}.{payload}.{signature}\"}}"),
        format!(
            "{{\"protected\":\"{header}\",\"a.b\":\".\",\"payload\":\"{payload}\",\"signature\":\"{signature}\"}}"
        ),
        format!(" {header}.{payload}.{signature}"),
        format!("\"{header}.{payload}.{signature}\""),
    ] {
        let error = fixture.verify_err(&polyglot);
        assert!(matches!(error, AuthError::Format(_)), "{error:?}");
    }
}

#[test]
fn a_detached_payload_is_rejected() {
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    let [header, _, signature] = split_token(&token);
    assert_rejected!(
        fixture,
        format!("{header}..{signature}"),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Empty)
    );
}

#[test]
fn concatenated_tokens_are_rejected() {
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    for separator in [",", " ", ", ", ";", "\n", "."] {
        let error = fixture.verify_err(&format!("{token}{separator}{token}"));
        assert!(
            matches!(error, AuthError::Format(_)),
            "{separator:?}: {error:?}"
        );
    }
    assert_rejected!(
        fixture,
        format!("Bearer {token}"),
        "MALFORMED_TOKEN",
        AuthError::Format(FormatError::Base64)
    );
}

#[test]
fn sd_jwt_disclosures_are_rejected() {
    // SD-JWT (RFC 9901): the text after the tilde is not signed.
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    for more in ["~", "~WyJhIiwic3ViIiwiYWRtaW4iXQ~"] {
        assert_rejected!(
            fixture,
            format!("{token}{more}"),
            "MALFORMED_TOKEN",
            AuthError::Format(FormatError::Base64)
        );
    }
}
