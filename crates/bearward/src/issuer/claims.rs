//! What an issuer's tokens must contain, and where their claims are.

use super::{Issuer, IssuerError};
use crate::{
    claim_mapping::ClaimMapping,
    claim_rule::{ClaimRule, ClaimValue},
    json_pointer::{JsonPointer, JsonPointerError},
};

impl Issuer {
    /// Returns the rules on the values of claims.
    pub fn claim_rules(&self) -> &[ClaimRule] {
        &self.claim_rules
    }

    /// Returns the names of the claims that must be present, beside those that every token has.
    pub fn required_claims(&self) -> impl ExactSizeIterator<Item = &str> {
        self.required_claims.iter().map(AsRef::as_ref)
    }

    /// Requires a top-level claim to be present and not null.
    #[must_use]
    pub fn require_claim_present(mut self, name: impl Into<String>) -> Self {
        self.required_claims.push(name.into().into());
        self
    }

    /// Requires a claim to have a value, or one of several.
    ///
    /// `claim` is the name of a top-level claim, or a JSON pointer (RFC 6901) that begins with `/`.
    /// Strings, booleans and whole numbers are compared by type and value; a trailing `*` accepts
    /// any text after the text before it. If the claim is an array, one of its elements must match.
    /// Rules on several claims must all be met.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let actions = Issuer::new("https://token.actions.githubusercontent.com", "deploy")?
    ///     .require_claim("repository_owner", "octo-org")?
    ///     .require_claim("ref", ["refs/heads/main", "refs/tags/v*"])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the claim is not a name or pointer, the list or a text is empty, or `*`
    /// is not the last character of a text.
    ///
    /// # Security
    /// Use it where the caller chooses the audience: tokens of GitHub Actions and GitLab CI have any
    /// `aud` that the workflow asks for, so the audience is no restriction. End a prefix with the
    /// separator: `octo-org*` also matches `octo-org-evil`.
    pub fn require_claim(
        mut self,
        claim: &str,
        value: impl Into<ClaimValue>,
    ) -> Result<Self, IssuerError> {
        let rule = ClaimRule::new(claim, value).map_err(|source| IssuerError::ClaimRule {
            claim: claim.into(),
            source,
        })?;
        self.claim_rules.push(rule);
        Ok(self)
    }

    /// Requires a claim to have a value, in place of every earlier rule on the same claim. Like
    /// [`require_claim`](Self::require_claim) otherwise.
    ///
    /// # Errors
    /// As [`require_claim`](Self::require_claim).
    pub fn replace_claim_rule(
        mut self,
        claim: &str,
        value: impl Into<ClaimValue>,
    ) -> Result<Self, IssuerError> {
        self.claim_rules.retain(|rule| rule.claim() != claim);
        self.require_claim(claim, value)
    }

    /// Sets where roles, scopes and other mapped claims are found.
    #[must_use]
    pub fn claim_mapping(mut self, claims: ClaimMapping) -> Self {
        self.claims = claims;
        self
    }

    /// Reads one field from other claims, see [`ClaimMapping::set_any_of`]; the other fields are
    /// unchanged.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let auth0 = Issuer::auth0("acme.eu.auth0.com", "https://api.acme.example")?
    ///     .map_claim("roles", ["https://acme.example/roles"])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the field is not one of [`ClaimMapping::NAMES`], or if a claim is invalid
    /// or there is none.
    pub fn map_claim(
        mut self,
        field: &str,
        claims: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, IssuerError> {
        self.claims = self.claims.set_any_of(field, claims)?;
        Ok(self)
    }

    /// Reads the subject from the first of these claims that is a string and not empty. The default
    /// is `sub`, which is then required. Each is the name of a top-level claim, or a JSON pointer.
    ///
    /// Use it for issuers whose machine-to-machine tokens have no `sub`, such as Duende
    /// `IdentityServer`; [`Verified::is_machine`](crate::Verified::is_machine) then distinguishes
    /// them.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let duende = Issuer::new("https://id.example.com", "orders")?
    ///     .subject_from(["sub", "client_id"])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the list is empty or a claim is neither a name nor a pointer.
    ///
    /// # Security
    /// The subject identifies accounts. List only claims that the issuer sets and that are never
    /// reassigned, and whose values cannot be equal to the `sub` of a user: an issuer that lets users
    /// choose client ids would let them choose whose account they use (RFC 9068 §5).
    pub fn subject_from(
        mut self,
        claims: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, IssuerError> {
        self.subject = claims
            .into_iter()
            .map(|claim| JsonPointer::from_pointer_or_name(claim.as_ref()))
            .collect::<Result<_, _>>()
            .map_err(IssuerError::Subject)?;
        if self.subject.is_empty() {
            return Err(IssuerError::Subject(JsonPointerError::NoClaim));
        }
        if let [only] = &*self.subject
            && only.name() == "sub"
        {
            self.subject.clear();
        }
        Ok(self)
    }
}
