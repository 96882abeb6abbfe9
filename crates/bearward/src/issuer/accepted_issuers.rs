//! The accepted values of `iss`.

use super::{Issuer, IssuerError};
use crate::issuer_template::{IssuerTemplate, TemplateError};

impl Issuer {
    /// Returns the canonical issuer, which is the first accepted value of `iss`, or the template if
    /// it has a placeholder.
    pub fn iss(&self) -> &str {
        self.accepted_issuers.first().map_or("", AsRef::as_ref)
    }

    /// Returns every accepted value of `iss`, the canonical one first.
    pub fn accepted_issuers(&self) -> impl Iterator<Item = &str> {
        self.accepted_issuers.iter().map(AsRef::as_ref)
    }

    /// Returns whether tokens with this `iss` belong to this issuer. A placeholder is bound to the
    /// claim of its name later, when the claims are checked.
    pub fn accepts_iss(&self, iss: &str) -> bool {
        match &self.template {
            Some(template) => template.accepts(iss),
            None => self
                .accepted_issuers
                .iter()
                .any(|accepted| **accepted == *iss),
        }
    }

    /// Describes which issuers a template accepts; `None` if the issuer has no placeholder.
    pub fn template_description(&self) -> Option<String> {
        self.template.as_ref().map(ToString::to_string)
    }

    /// Accepts one more value of `iss`, for a provider that uses several.
    #[must_use]
    pub fn issuer_alias(mut self, issuer: impl Into<String>) -> Self {
        self.accepted_issuers.push(issuer.into().into());
        self
    }

    /// Replaces the accepted values of `iss`; the first is the canonical one. Discovery uses it.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let cluster = Issuer::kubernetes("orders", "prod")?
    ///     .replace_issuers(["https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"])?;
    /// assert_eq!(cluster.accepted_issuers().count(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the list is empty, its first element is empty, or an issuer has a brace
    /// and is not the only one that is a template.
    pub fn replace_issuers(
        mut self,
        issuers: impl IntoIterator<Item = impl Into<Box<str>>>,
    ) -> Result<Self, IssuerError> {
        self.accepted_issuers = issuers.into_iter().map(Into::into).collect();
        let Some(canonical) = self.accepted_issuers.first().filter(|iss| !iss.is_empty()) else {
            return Err(IssuerError::EmptyIssuer);
        };
        let mut issuers = self.accepted_issuers.iter();
        if issuers.len() > 1 && issuers.any(|issuer| issuer.contains(['{', '}'])) {
            return Err(TemplateError::Alias.into());
        }
        self.template = IssuerTemplate::parse(canonical)?;
        Ok(self)
    }

    /// Accepts only these tenants of an issuer with a placeholder, such as
    /// `https://login.microsoftonline.com/{tid}/v2.0`. They are compared byte by byte.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let entra = Issuer::new("https://login.microsoftonline.com/{tid}/v2.0", "api://orders")?
    ///     .tenants(["8b1a9953-c461-4296-a827-abf8c47804d7"])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the issuer has no placeholder, if the list is empty, or if a tenant has
    /// other characters than letters, digits, `.` and `-`.
    pub fn tenants(
        mut self,
        tenants: impl IntoIterator<Item = impl Into<Box<str>>>,
    ) -> Result<Self, IssuerError> {
        let template = self.template.take().ok_or(TemplateError::NotATemplate)?;
        let tenants = tenants.into_iter().map(Into::into).collect();
        self.template = Some(template.with_tenants(tenants)?);
        Ok(self)
    }
}
