//! The thumbprint of a public key (RFC 7638).

use std::fmt;

use aws_lc_rs::digest::{Context, Digest, SHA256};

use crate::strict_object::{StrictObject, parse_string};

/// The SHA-256 thumbprint of a JWK (RFC 7638), as in `cnf.jkt` of an access token. `Display` prints
/// base64url.
///
/// ```
/// use bearward::dpop::KeyThumbprint;
///
/// let jwk = r#"{"kty":"EC","crv":"P-256","use":"sig",
///     "x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}"#;
/// let thumbprint = KeyThumbprint::from_jwk(jwk).unwrap();
/// assert_eq!(thumbprint.to_string(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyThumbprint([u8; 32]);

impl KeyThumbprint {
    /// Computes the thumbprint of a JWK. Returns `None` if it is not an object, or a member that
    /// the thumbprint consists of is missing or not base64url.
    pub fn from_jwk(jwk: &str) -> Option<Self> {
        Self::from_object(&StrictObject::parse(jwk.as_bytes()).ok()?)
    }

    /// Hashes the required members in the order of their names (RFC 7638 §3.2).
    pub(super) fn from_object(jwk: &StrictObject<'_>) -> Option<Self> {
        let kty = jwk.member("kty").and_then(parse_string)?;
        let names: &[&str] = match kty.as_ref() {
            "EC" => &["crv", "kty", "x", "y"],
            "OKP" => &["crv", "kty", "x"],
            "RSA" => &["e", "kty", "n"],
            _ => return None,
        };
        let mut hash = Context::new(&SHA256);
        for (index, name) in names.iter().enumerate() {
            let value = jwk.member(name).and_then(parse_string)?;
            // These characters need no escape in JSON.
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            if !value.bytes().all(is_plain) {
                return None;
            }
            let separator: &[u8] = if index == 0 { b"{\"" } else { b",\"" };
            for part in [
                separator,
                name.as_bytes(),
                b"\":\"",
                value.as_bytes(),
                b"\"",
            ] {
                hash.update(part);
            }
        }
        hash.update(b"}");
        Self::from_digest(&hash.finish())
    }

    /// Parses the base64url text of a thumbprint.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = base64_simd::URL_SAFE_NO_PAD
            .decode_to_vec(text.as_bytes())
            .ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// Returns the bytes of the hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn from_digest(digest: &Digest) -> Option<Self> {
        digest.as_ref().try_into().ok().map(Self)
    }
}

impl fmt::Display for KeyThumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64_simd::URL_SAFE_NO_PAD.encode_to_string(self.0))
    }
}

impl fmt::Debug for KeyThumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7638_has_its_thumbprint() {
        let jwk = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
        let thumbprint = KeyThumbprint::from_jwk(jwk).unwrap();
        assert_eq!(
            thumbprint.to_string(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
        assert_eq!(
            KeyThumbprint::parse(&thumbprint.to_string()),
            Some(thumbprint)
        );
    }

    #[test]
    fn the_example_of_rfc_8037_has_its_thumbprint() {
        let jwk =
            r#"{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert_eq!(
            KeyThumbprint::from_jwk(jwk).unwrap().to_string(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    #[test]
    fn other_values_have_no_thumbprint() {
        for jwk in [
            "[]",
            "{}",
            r#"{"kty":"oct","k":"AA"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"AA"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":"A\"A"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":"AA=="}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":"AA","x":"AB"}"#,
        ] {
            assert_eq!(KeyThumbprint::from_jwk(jwk), None, "{jwk}");
        }
        let bytes = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
        for text in [
            "",
            "AA",
            &bytes[1..],
            &format!("{bytes}="),
            &format!("{bytes}A"),
        ] {
            assert_eq!(KeyThumbprint::parse(text), None, "{text}");
        }
    }
}
