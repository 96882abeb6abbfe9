//! OpenID Connect Discovery 1.0: from a configured issuer to the address of its keys.

use serde::Deserialize;
use url::Url;

use super::endpoint::{self, UrlError};

/// Where the configured `issuer` publishes its metadata (§4.1).
///
/// # Errors
/// The issuer is not an address that keys may be fetched from.
pub(super) fn document_url(issuer: &str, allow_http: bool) -> Result<Url, UrlError> {
    let mut url = endpoint::key_url(issuer, allow_http)?;
    if url.query().is_some() {
        return Err(UrlError::NotAnAddress);
    }
    let path = url.path();
    let path = format!(
        "{}/.well-known/openid-configuration",
        path.strip_suffix('/').unwrap_or(path)
    );
    url.set_path(&path);
    Ok(url)
}

/// Reads the metadata: its `issuer` must be exactly the configured one (§4.3), and `jwks_uri` must
/// be no less protected than the document it stands in, so that neither a mistake nor a forged
/// document sends the fetch to plain `http` or into this machine.
///
/// # Errors
/// [`DiscoveryError`] names the rule. Other members are not looked at.
pub(super) fn jwks_url(
    document: &[u8],
    issuer: &str,
    allow_http: bool,
) -> Result<Url, DiscoveryError> {
    let metadata: Metadata =
        serde_json::from_slice(document).map_err(|_| DiscoveryError::NotMetadata)?;
    if metadata.issuer != issuer {
        return Err(DiscoveryError::OtherIssuer {
            configured: issuer.to_owned(),
            found: metadata.issuer.chars().take(200).collect(),
        });
    }
    let url = Url::parse(&metadata.jwks_uri)
        .map_err(|_| DiscoveryError::BadUrl(UrlError::NotAnAddress))?;
    let issuer_is_loopback = Url::parse(issuer).is_ok_and(|issuer| endpoint::is_loopback(&issuer));
    endpoint::check(&url, allow_http).map_err(DiscoveryError::BadUrl)?;
    match url.scheme() {
        "http" if issuer.starts_with("https:") && !allow_http => Err(DiscoveryError::Downgrade),
        _ if endpoint::is_local_or_link_local(&url) && !issuer_is_loopback => {
            Err(DiscoveryError::Inward)
        }
        _ => Ok(url),
    }
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// Why an issuer's metadata does not lead to its keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DiscoveryError {
    #[error("the discovery document is not JSON with the strings issuer and jwks_uri")]
    NotMetadata,
    #[error(
        "the discovery document is for issuer {found:?}, not for the configured {configured:?}; they must be equal to the letter"
    )]
    OtherIssuer { configured: String, found: String },
    #[error("jwks_uri in the discovery document {0}")]
    BadUrl(UrlError),
    #[error("jwks_uri in the discovery document is plain http although the issuer is https")]
    Downgrade,
    #[error(
        "jwks_uri in the discovery document points to this machine or its own link although the issuer is elsewhere"
    )]
    Inward,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://idp.example/realms/a";

    fn metadata(issuer: &str, jwks_uri: &str) -> Vec<u8> {
        serde_json::json!({"issuer": issuer, "jwks_uri": jwks_uri, "scopes_supported": ["openid"]})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn the_document_lies_below_the_issuer() {
        let url = |issuer| document_url(issuer, false).map(String::from);
        let expected = "https://idp.example/realms/a/.well-known/openid-configuration";
        assert_eq!(url(ISSUER).as_deref(), Ok(expected));
        assert_eq!(
            url("https://idp.example/realms/a/").as_deref(),
            Ok(expected)
        );
        assert_eq!(
            url("https://idp.example").as_deref(),
            Ok("https://idp.example/.well-known/openid-configuration")
        );
        assert_eq!(url("http://idp.example"), Err(UrlError::PlainHttp));
        assert_eq!(url("https://idp.example?a=b"), Err(UrlError::NotAnAddress));
        assert_eq!(url("supabase"), Err(UrlError::NotAnAddress));
    }

    #[test]
    fn the_keys_may_lie_on_another_host() {
        let found = jwks_url(
            &metadata(ISSUER, "https://keys.example/certs"),
            ISSUER,
            false,
        );
        assert_eq!(
            found.map(String::from).as_deref(),
            Ok("https://keys.example/certs")
        );
    }

    #[test]
    fn the_issuer_must_be_equal_to_the_letter() {
        for other in [
            "https://idp.example/realms/b",
            "https://idp.example/realms/a/",
            "https://IDP.example/realms/a",
            "",
        ] {
            let found = jwks_url(
                &metadata(other, "https://keys.example/certs"),
                ISSUER,
                false,
            );
            assert!(
                matches!(found, Err(DiscoveryError::OtherIssuer { .. })),
                "{other}"
            );
        }
    }

    #[test]
    fn the_keys_must_not_lie_on_a_less_protected_address() {
        let cases = [
            (
                "http://keys.example/certs",
                DiscoveryError::BadUrl(UrlError::PlainHttp),
            ),
            ("http://127.0.0.1/certs", DiscoveryError::Downgrade),
            ("https://127.0.0.1/certs", DiscoveryError::Inward),
            ("https://localhost/certs", DiscoveryError::Inward),
            ("https://0.0.0.0/certs", DiscoveryError::Inward),
            (
                "file:///etc/keys",
                DiscoveryError::BadUrl(UrlError::NotAnAddress),
            ),
            (
                "https://user:secret@keys.example/certs",
                DiscoveryError::BadUrl(UrlError::Credentials),
            ),
            ("/certs", DiscoveryError::BadUrl(UrlError::NotAnAddress)),
        ];
        for (jwks_uri, error) in cases {
            assert_eq!(
                jwks_url(&metadata(ISSUER, jwks_uri), ISSUER, false),
                Err(error),
                "{jwks_uri}"
            );
        }
        let local = "http://127.0.0.1:9999";
        assert!(jwks_url(&metadata(local, "http://127.0.0.1:9999/jwks"), local, false).is_ok());
        assert!(jwks_url(&metadata(ISSUER, "http://keys.example/certs"), ISSUER, true).is_ok());
    }

    #[test]
    fn what_is_no_metadata_is_refused() {
        for document in [
            "",
            "[]",
            "{}",
            r#"{"issuer": 5, "jwks_uri": "https://a.example"}"#,
            r#"{"issuer": "https://idp.example/realms/a"}"#,
        ] {
            assert_eq!(
                jwks_url(document.as_bytes(), ISSUER, false),
                Err(DiscoveryError::NotMetadata),
                "{document}"
            );
        }
    }
}
