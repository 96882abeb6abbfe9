//! OpenID Connect Discovery 1.0 and RFC 8414: from a configured issuer to its JWKS URL.

use serde::Deserialize;
use url::Url;

use super::endpoint::{self, UrlError};
use crate::issuer_template::IssuerTemplate;

/// Longest part of a foreign `issuer` that an error message repeats, in characters.
const MAX_SHOWN_ISSUER: usize = 200;

/// Returns the URLs of the issuer's metadata in the order in which they are tried: `openid-configuration`
/// after the path of the issuer (OpenID Connect Discovery §4.1), `oauth-authorization-server` before
/// the path (RFC 8414 §3.1), and after it.
///
/// # Errors
/// The issuer is not an allowed URL, or has a query.
pub(super) fn document_urls(issuer: &str, allow_http: bool) -> Result<Vec<Url>, UrlError> {
    let issuer = endpoint::key_url(issuer, allow_http)?;
    if issuer.query().is_some() {
        return Err(UrlError::NotAUrl);
    }
    let path = issuer.path();
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut paths = vec![
        format!("{path}/.well-known/openid-configuration"),
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("{path}/.well-known/oauth-authorization-server"),
    ];
    paths.dedup();
    let with_path = |path: String| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url
    };
    Ok(paths.into_iter().map(with_path).collect())
}

/// Reads the JWKS URL from the metadata document.
///
/// `issuer` in the document must equal the configured issuer exactly (§4.3). If that is a template,
/// it may also be the template with another name of the placeholder, as Entra ID writes
/// `https://login.microsoftonline.com/{tenantid}/v2.0`, or the issuer of a tenant. `jwks_uri` must not be
/// less protected than the document at `document_url`, so that neither a mistake nor a forged document redirects the
/// fetch to plain `http` or to a local address. Other members are ignored.
///
/// # Errors
/// [`DiscoveryError`]
pub(super) fn jwks_url(
    document: &[u8],
    document_url: &Url,
    issuer: &str,
    allow_http: bool,
) -> Result<Url, DiscoveryError> {
    let metadata: Metadata =
        serde_json::from_slice(document).map_err(|_| DiscoveryError::NotMetadata)?;
    if metadata.issuer != issuer && !is_of_template(&metadata.issuer, issuer) {
        return Err(DiscoveryError::IssuerMismatch {
            configured: issuer.to_owned(),
            found: metadata.issuer.chars().take(MAX_SHOWN_ISSUER).collect(),
        });
    }
    let url = Url::parse(&metadata.jwks_uri)
        .map_err(|_| DiscoveryError::InvalidUrl(UrlError::NotAUrl))?;
    endpoint::check(&url, allow_http).map_err(DiscoveryError::InvalidUrl)?;
    if url.scheme() == "http" && document_url.scheme() == "https" && !allow_http {
        return Err(DiscoveryError::Downgrade);
    }
    if endpoint::is_local_or_link_local(&url) && !endpoint::is_loopback(document_url) {
        return Err(DiscoveryError::LocalUrl);
    }
    Ok(url)
}

/// Returns whether `configured` is a template, and `found` the same one or the issuer of a tenant.
fn is_of_template(found: &str, configured: &str) -> bool {
    let parse = |issuer| IssuerTemplate::parse(issuer).ok().flatten();
    parse(configured).is_some_and(|template| {
        template.accepts(found) || parse(found).is_some_and(|found| found.has_form_of(&template))
    })
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// Why an issuer's metadata does not contain a JWKS URL that may be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DiscoveryError {
    #[error("the discovery document is not a JSON object with the strings issuer and jwks_uri")]
    NotMetadata,
    #[error(
        "the discovery document is for issuer {found:?}, but {configured:?} is configured; they must be equal, byte for byte"
    )]
    IssuerMismatch { configured: String, found: String },
    #[error("jwks_uri in the discovery document {0}")]
    InvalidUrl(UrlError),
    #[error(
        "jwks_uri in the discovery document is plain http, but the document is at an https URL"
    )]
    Downgrade,
    #[error(
        "jwks_uri in the discovery document is a loopback or link-local address, but the document's own is not"
    )]
    LocalUrl,
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

    /// Reads a document from the well-known URL of `issuer`.
    fn read(document: &[u8], issuer: &str, allow_http: bool) -> Result<Url, DiscoveryError> {
        let document_url = format!("{issuer}/.well-known/openid-configuration");
        jwks_url(document, &document_url.parse().unwrap(), issuer, allow_http)
    }

    #[test]
    fn documents_are_before_and_after_the_path_of_the_issuer() {
        let urls = |issuer| {
            document_urls(issuer, false)
                .map(|urls| urls.into_iter().map(String::from).collect::<Vec<_>>())
        };
        let expected = [
            "https://idp.example/realms/a/.well-known/openid-configuration",
            "https://idp.example/.well-known/oauth-authorization-server/realms/a",
            "https://idp.example/realms/a/.well-known/oauth-authorization-server",
        ];
        for issuer in [ISSUER, "https://idp.example/realms/a/"] {
            assert_eq!(urls(issuer).unwrap(), expected);
        }
        assert_eq!(
            urls("https://idp.example").unwrap(),
            [
                "https://idp.example/.well-known/openid-configuration",
                "https://idp.example/.well-known/oauth-authorization-server",
            ]
        );
        assert_eq!(urls("http://idp.example"), Err(UrlError::PlainHttp));
        assert_eq!(urls("https://idp.example?a=b"), Err(UrlError::NotAUrl));
        assert_eq!(urls("supabase"), Err(UrlError::NotAUrl));
    }

    #[test]
    fn jwks_uri_may_be_on_another_host() {
        let found = read(
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
    fn issuer_must_be_equal_byte_for_byte() {
        for other in [
            "https://idp.example/realms/b",
            "https://idp.example/realms/a/",
            "https://IDP.example/realms/a",
            "",
        ] {
            let found = read(
                &metadata(other, "https://keys.example/certs"),
                ISSUER,
                false,
            );
            assert!(
                matches!(found, Err(DiscoveryError::IssuerMismatch { .. })),
                "{other}"
            );
        }
    }

    #[test]
    fn the_placeholder_of_a_template_may_have_another_name() {
        const TEMPLATE: &str = "https://login.example.com/{tid}/v2.0";
        let document_url = "https://login.example.com/common/v2.0/.well-known/openid-configuration";
        let read = |issuer: &str, configured: &str| {
            let document = metadata(issuer, "https://keys.example/certs");
            jwks_url(&document, &document_url.parse().unwrap(), configured, false)
        };
        for issuer in [
            TEMPLATE,
            "https://login.example.com/{tenantid}/v2.0",
            "https://login.example.com/contoso/v2.0",
        ] {
            assert!(read(issuer, TEMPLATE).is_ok(), "{issuer}");
        }
        for (issuer, configured) in [
            ("https://login.example.com/{tenantid}/v1.0", TEMPLATE),
            ("https://login.example.com/{tenantid}", TEMPLATE),
            ("https://evil.example/{tenantid}/v2.0", TEMPLATE),
            ("https://login.example.com/{tenantid}/{x}/v2.0", TEMPLATE),
            ("https://login.example.com/{}/v2.0", TEMPLATE),
            ("https://login.example.com/a/b/v2.0", TEMPLATE),
            (TEMPLATE, "https://login.example.com/a/v2.0"),
        ] {
            let found = read(issuer, configured);
            assert!(
                matches!(found, Err(DiscoveryError::IssuerMismatch { .. })),
                "{issuer}"
            );
        }
    }

    #[test]
    fn jwks_uri_must_not_be_less_protected_than_the_issuer() {
        let cases = [
            (
                "http://keys.example/certs",
                DiscoveryError::InvalidUrl(UrlError::PlainHttp),
            ),
            ("http://127.0.0.1/certs", DiscoveryError::Downgrade),
            ("https://127.0.0.1/certs", DiscoveryError::LocalUrl),
            ("https://localhost/certs", DiscoveryError::LocalUrl),
            ("https://0.0.0.0/certs", DiscoveryError::LocalUrl),
            (
                "file:///etc/keys",
                DiscoveryError::InvalidUrl(UrlError::NotAUrl),
            ),
            (
                "https://user:secret@keys.example/certs",
                DiscoveryError::InvalidUrl(UrlError::Credentials),
            ),
            ("/certs", DiscoveryError::InvalidUrl(UrlError::NotAUrl)),
        ];
        for (jwks_uri, error) in cases {
            assert_eq!(
                read(&metadata(ISSUER, jwks_uri), ISSUER, false),
                Err(error),
                "{jwks_uri}"
            );
        }
        let local = "http://127.0.0.1:9999";
        assert!(read(&metadata(local, "http://127.0.0.1:9999/jwks"), local, false).is_ok());
        assert!(read(&metadata(ISSUER, "http://keys.example/certs"), ISSUER, true).is_ok());
    }

    #[test]
    fn malformed_metadata_is_rejected() {
        for document in [
            "",
            "[]",
            "{}",
            r#"{"issuer": 5, "jwks_uri": "https://a.example"}"#,
            r#"{"issuer": "https://idp.example/realms/a"}"#,
        ] {
            assert_eq!(
                read(document.as_bytes(), ISSUER, false),
                Err(DiscoveryError::NotMetadata),
                "{document}"
            );
        }
    }
}
