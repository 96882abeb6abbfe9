//! Issuers of many tenants: an `iss` with one placeholder that a claim of the token fills in.

use std::fmt;

use super::{
    error::AuthError,
    strict_object::{StrictObject, parse_string},
};

/// The beginning of the `iss` of Microsoft Entra ID's v2.0 tokens.
pub(crate) const ENTRA_V2: &str = "https://login.microsoftonline.com/";

/// The greatest length of a tenant in `iss`, in bytes.
const MAX_TENANT_BYTES: usize = 128;

/// An issuer with a placeholder, such as `https://login.microsoftonline.com/{tid}/v2.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IssuerTemplate {
    prefix: Box<str>,
    /// The claim that the placeholder is bound to.
    claim: Box<str>,
    suffix: Box<str>,
    /// The accepted tenants; empty accepts every tenant.
    tenants: Box<[Box<str>]>,
}

/// The reason why an issuer with braces is not a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// There is not exactly one placeholder.
    #[error(
        "an issuer with braces has exactly one placeholder, such as https://login.microsoftonline.com/{{tid}}/v2.0"
    )]
    Placeholder,
    /// The placeholder is not the name of a claim.
    #[error(
        "the placeholder is the name of a top-level claim, of letters, digits and \"_\", such as {{tid}}"
    )]
    Claim,
    /// Nothing precedes the placeholder.
    #[error("the placeholder cannot be at the beginning of the issuer")]
    Prefix,
    /// A tenant cannot be in the place of the placeholder.
    #[error(
        "a tenant has 1 to {MAX_TENANT_BYTES} letters, digits, \".\" and \"-\", begins and ends with a letter or digit, and has no \"..\""
    )]
    Tenant,
    /// A tenant of Microsoft Entra ID is not a GUID in lower case.
    #[error(
        "a tenant of Microsoft Entra ID is its directory (tenant) id in lower case, such as 8b1a9953-c461-4296-a827-abf8c47804d7; tokens never contain its domain name"
    )]
    EntraTenant,
    /// Tenants are listed, and the issuer has no placeholder.
    #[error(
        "tenants require an issuer with a placeholder, such as https://login.microsoftonline.com/{{tid}}/v2.0"
    )]
    NotATemplate,
    /// A template has another accepted spelling.
    #[error("an issuer with a placeholder has no other spelling; configure a second issuer")]
    Alias,
}

impl IssuerTemplate {
    /// Parses an issuer. Returns `None` if it contains no brace.
    pub(crate) fn parse(issuer: &str) -> Result<Option<Self>, TemplateError> {
        if !issuer.contains(['{', '}']) {
            return Ok(None);
        }
        let (prefix, rest) = issuer.split_once('{').ok_or(TemplateError::Placeholder)?;
        let (claim, suffix) = rest.split_once('}').ok_or(TemplateError::Placeholder)?;
        if [prefix, claim, suffix]
            .iter()
            .any(|part| part.contains(['{', '}']))
        {
            return Err(TemplateError::Placeholder);
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if claim.is_empty() || !claim.bytes().all(is_name) {
            return Err(TemplateError::Claim);
        }
        if prefix.is_empty() {
            return Err(TemplateError::Prefix);
        }
        Ok(Some(Self {
            prefix: prefix.into(),
            claim: claim.into(),
            suffix: suffix.into(),
            tenants: Box::default(),
        }))
    }

    /// Restricts the tenants.
    pub(crate) fn with_tenants(mut self, tenants: Box<[Box<str>]>) -> Result<Self, TemplateError> {
        if tenants.is_empty() || !tenants.iter().all(|tenant| is_tenant(tenant)) {
            return Err(TemplateError::Tenant);
        }
        if self.prefix.starts_with(ENTRA_V2) && !tenants.iter().all(|tenant| is_guid(tenant)) {
            return Err(TemplateError::EntraTenant);
        }
        self.tenants = tenants;
        Ok(self)
    }

    /// Returns whether an `iss` has the form of the template and an accepted tenant.
    pub(crate) fn accepts(&self, iss: &str) -> bool {
        self.tenant(iss).is_some_and(|tenant| {
            self.tenants.is_empty() || self.tenants.iter().any(|accepted| **accepted == *tenant)
        })
    }

    /// Returns the part of `iss` that is in the place of the placeholder.
    pub(crate) fn tenant<'a>(&self, iss: &'a str) -> Option<&'a str> {
        iss.strip_prefix(&*self.prefix)?
            .strip_suffix(&*self.suffix)
            .filter(|tenant| is_tenant(tenant))
    }

    /// Checks that the claim of the placeholder has the tenant in `iss`.
    ///
    /// # Errors
    /// [`AuthError::MissingClaim`], [`AuthError::InvalidClaim`]
    pub(crate) fn check(&self, payload: &StrictObject<'_>) -> Result<(), AuthError> {
        let claim = payload
            .member(&self.claim)
            .ok_or_else(|| AuthError::MissingClaim(self.claim.clone()))?;
        let iss = payload.member("iss").and_then(parse_string);
        let tenant = iss.as_deref().and_then(|iss| self.tenant(iss));
        if parse_string(claim).is_some_and(|claim| tenant == Some(&*claim)) {
            Ok(())
        } else {
            Err(AuthError::InvalidClaim {
                name: self.claim.clone(),
                problem: "must be a string that equals the tenant in iss",
            })
        }
    }

    /// Returns whether some `iss` has the form of both templates.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let is_nested = |a: &str, b: &str| a.starts_with(b) || b.starts_with(a);
        let is_suffix = |a: &str, b: &str| a.ends_with(b) || b.ends_with(a);
        is_nested(&self.prefix, &other.prefix) && is_suffix(&self.suffix, &other.suffix)
    }

    /// Returns whether the other template differs at most in the name of its placeholder.
    #[cfg(feature = "remote")]
    pub(crate) fn has_form_of(&self, other: &Self) -> bool {
        self.prefix == other.prefix && self.suffix == other.suffix
    }

    /// Returns the issuer of the first listed tenant.
    #[cfg(feature = "remote")]
    pub(crate) fn first_issuer(&self) -> Option<String> {
        let tenant = self.tenants.first()?;
        Some(format!("{}{tenant}{}", self.prefix, self.suffix))
    }

    /// Returns the name of the claim that the placeholder is bound to.
    pub(crate) fn claim(&self) -> &str {
        &self.claim
    }
}

/// Returns whether a text may be in the place of the placeholder. It cannot change the structure of
/// a URL: there is no `/`, `@`, `%`, `:` and no `..`.
fn is_tenant(text: &str) -> bool {
    let is_edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    text.len() <= MAX_TENANT_BYTES
        && is_edge(text.as_bytes().first())
        && is_edge(text.as_bytes().last())
        && !text.contains("..")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

/// Returns whether a text is a GUID in lower case.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// Describes which issuers are accepted.
impl fmt::Display for IssuerTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            prefix,
            claim,
            suffix,
            tenants,
        } = self;
        write!(f, "{prefix}{{{claim}}}{suffix} with the claim {claim}: ")?;
        if tenants.is_empty() {
            f.write_str("any tenant")
        } else {
            f.write_str(&tenants.join(" or "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_of_entra_are_ids_in_lower_case() {
        let tenants = |issuer: &str, tenant: &str| {
            let template = IssuerTemplate::parse(issuer).unwrap().unwrap();
            template.with_tenants([tenant.into()].into()).map(|_| ())
        };
        let entra = "https://login.microsoftonline.com/{tid}/v2.0";
        assert_eq!(
            tenants(entra, "8b1a9953-c461-4296-a827-abf8c47804d7"),
            Ok(())
        );
        for tenant in [
            "contoso.onmicrosoft.com",
            "8B1A9953-C461-4296-A827-ABF8C47804D7",
            "8b1a9953-c461-4296-a827-abf8c47804d",
        ] {
            assert_eq!(tenants(entra, tenant), Err(TemplateError::EntraTenant));
            assert_eq!(tenants("https://idp.example/{tid}", tenant), Ok(()));
        }
    }

    #[test]
    fn a_template_has_one_placeholder_after_a_prefix() {
        assert_eq!(IssuerTemplate::parse("https://a.example"), Ok(None));
        assert!(IssuerTemplate::parse("https://a.example/{tid}").is_ok_and(|t| t.is_some()));
        for (issuer, error) in [
            ("https://a/{tid}/{x}", TemplateError::Placeholder),
            ("https://a/{tid", TemplateError::Placeholder),
            ("https://a/tid}", TemplateError::Placeholder),
            ("https://a/}tid{", TemplateError::Placeholder),
            ("https://a/{{tid}}", TemplateError::Placeholder),
            ("https://a/{}", TemplateError::Claim),
            ("https://a/{t id}", TemplateError::Claim),
            ("https://a/{/tid}", TemplateError::Claim),
            ("{tid}", TemplateError::Prefix),
        ] {
            assert_eq!(IssuerTemplate::parse(issuer), Err(error), "{issuer}");
        }
    }

    #[test]
    fn templates_that_accept_a_common_issuer_overlap() {
        let parse = |issuer| IssuerTemplate::parse(issuer).unwrap().unwrap();
        let template = parse("https://a.example/{tid}/v2.0");
        for (other, overlaps) in [
            ("https://a.example/{x}/v2.0", true),
            ("https://a.example/x{y}/v2.0", true),
            ("https://a.example/{tid}/v1.0", false),
            ("https://b.example/{tid}/v2.0", false),
        ] {
            assert_eq!(template.overlaps(&parse(other)), overlaps, "{other}");
        }
    }
}
