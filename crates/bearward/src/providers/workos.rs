use super::checks::{jwks, mapping, segment};
use crate::{
    algorithm::Algorithm,
    issuer::{Audiences, Issuer, IssuerError},
};

impl Issuer {
    /// Creates the issuer of `WorkOS` `AuthKit`, for the access tokens of user sessions.
    ///
    /// The tokens name neither an audience nor a client. The issuer and the key set belong to
    /// `client_id`, so only tokens of its environment are accepted. Scopes are read from `permissions`,
    /// roles from `role` and `roles`, the tenant from `org_id`.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let workos = Issuer::workos("client_01HXYZ")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `client_id` has other characters than letters, digits, `.`, `-` and `_`.
    ///
    /// # Security
    /// `aud` is not checked: every service of the environment can replay the tokens it receives. With
    /// a custom authentication domain, `iss` is that domain; add it with
    /// [`issuer_alias`](Self::issuer_alias).
    pub fn workos(client_id: &str) -> Result<Self, IssuerError> {
        let client_id = segment("client", client_id)?;
        let iss = format!("https://api.workos.com/user_management/{client_id}");
        Self::with_audiences(iss, Audiences::Any)?
            // The reference documentation shows this one.
            .issuer_alias("https://api.workos.com")
            .name("workos")
            .keys(jwks(
                "client",
                &format!("https://api.workos.com/sso/jwks/{client_id}"),
            )?)
            .claim_mapping(mapping(&[
                ("scopes", &["permissions"]),
                ("roles", &["role", "roles"]),
                ("tenant", &["org_id"]),
                ("session_id", &["sid"]),
            ])?)
            .algorithms([Algorithm::RS256])
    }
}
