//! Checks of parameters that become parts of an issuer or of a URL.

use url::Url;

use crate::{
    claim_mapping::{ClaimMapping, ClaimMappingError},
    issuer::{IssuerError, KeySource},
};

/// Checks the name of a host, with or without a port.
pub(super) fn host<'a>(name: &'static str, text: &'a str) -> Result<&'a str, IssuerError> {
    let is_host = Url::parse(&format!("https://{text}/")).is_ok_and(|url| {
        url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
    });
    let has_host_characters = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':'));
    if is_host && has_host_characters {
        Ok(text)
    } else {
        Err(IssuerError::Parameter {
            name,
            hint: "write a host name, without https:// and without a path",
        })
    }
}

/// Checks a text that becomes one segment of a path or one label of a host name.
pub(super) fn segment<'a>(name: &'static str, text: &'a str) -> Result<&'a str, IssuerError> {
    let is_segment = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    if is_segment && !text.is_empty() && !text.starts_with('.') {
        Ok(text)
    } else {
        Err(IssuerError::Parameter {
            name,
            hint: "write letters, digits, \".\", \"-\" and \"_\" only",
        })
    }
}

/// Checks the base URL of a server and removes a trailing slash.
pub(super) fn base_url<'a>(name: &'static str, text: &'a str) -> Result<&'a str, IssuerError> {
    let is_base = |url: Url| {
        matches!(url.scheme(), "https" | "http")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    if Url::parse(text).is_ok_and(is_base) {
        Ok(text.trim_end_matches('/'))
    } else {
        Err(IssuerError::Parameter {
            name,
            hint: "write a URL such as https://id.example.com, without a user name, query and fragment",
        })
    }
}

/// Checks that a text is not empty.
pub(super) fn non_empty<'a>(name: &'static str, text: &'a str) -> Result<&'a str, IssuerError> {
    if text.is_empty() {
        Err(IssuerError::Parameter {
            name,
            hint: "it must not be empty",
        })
    } else {
        Ok(text)
    }
}

/// Returns a JWKS URL as a key source. `name` is the parameter that it is made from.
pub(super) fn jwks(name: &'static str, url: &str) -> Result<KeySource, IssuerError> {
    Url::parse(url)
        .map(KeySource::Url)
        .map_err(|_| IssuerError::Parameter {
            name,
            hint: "it makes no valid URL",
        })
}

/// Returns the default mapping with these fields read from other claims.
pub(super) fn mapping(fields: &[(&str, &[&str])]) -> Result<ClaimMapping, ClaimMappingError> {
    fields
        .iter()
        .try_fold(ClaimMapping::default(), |mapping, (field, claims)| {
            mapping.set_any_of(field, *claims)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_no_scheme_path_or_user() {
        for valid in ["acme.eu.auth0.com", "id.example.com:8443", "localhost"] {
            assert_eq!(host("domain", valid), Ok(valid));
        }
        for invalid in [
            "",
            "https://acme.auth0.com",
            "acme.auth0.com/",
            "a@acme.auth0.com",
            "acme.auth0.com?x",
            "acme .com",
            "{tid}.auth0.com",
        ] {
            assert!(host("domain", invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn segments_cannot_change_the_structure_of_a_url() {
        for valid in ["shop", "eu-central-1_abc", "a.b"] {
            assert_eq!(segment("realm", valid), Ok(valid));
        }
        for invalid in ["", "..", "a/b", "a%2Fb", "a?b", "a@b", "{tid}", "a b"] {
            assert!(segment("realm", invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn base_urls_lose_their_trailing_slash() {
        assert_eq!(
            base_url("url", "https://id.example.com/auth/"),
            Ok("https://id.example.com/auth")
        );
        for invalid in [
            "",
            "id.example.com",
            "ftp://a",
            "https://u@a",
            "https://a?b",
            "https://a#b",
        ] {
            assert!(base_url("url", invalid).is_err(), "{invalid}");
        }
    }
}
