use super::checks::{jwks, mapping};
use crate::{
    algorithm::Algorithm,
    issuer::{Issuer, IssuerError, KeySource},
    issuer_template::is_guid,
};

const HOST: &str = "https://login.microsoftonline.com";

impl Issuer {
    /// Creates the issuer of Microsoft Entra ID (Azure AD), for v2.0 access tokens.
    ///
    /// `tenant` is the directory (tenant) id, a GUID, or `common` for every tenant, personal
    /// Microsoft accounts included; [`tenants`](Self::tenants) then restricts them. `audience` is the
    /// application (client) id of the API. The claim `azp` is required, which ID tokens do not have.
    /// Scopes are read from `scp`, roles from `roles` (app roles), the tenant from `tid`.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let api = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let single = Issuer::entra("8b1a9953-c461-4296-a827-abf8c47804d7", api)?;
    /// let many = Issuer::entra("common", api)?.tenants(["8b1a9953-c461-4296-a827-abf8c47804d7"])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `tenant` is neither a GUID nor `common`, or if `audience` is empty. Tokens
    /// never contain the domain name of a tenant.
    ///
    /// # Security
    /// With `common` and without [`tenants`](Self::tenants), every Microsoft account may sign in. An
    /// API whose registration has `requestedAccessTokenVersion` null receives v1.0 tokens, which
    /// have another issuer.
    pub fn entra(tenant: &str, audience: &str) -> Result<Self, IssuerError> {
        let (iss, keys) = match tenant {
            "common" => (
                format!("{HOST}/{{tid}}/v2.0"),
                jwks("tenant", &format!("{HOST}/common/discovery/v2.0/keys"))?,
            ),
            tenant if is_guid(tenant) => (format!("{HOST}/{tenant}/v2.0"), KeySource::Discovery),
            _ => {
                return Err(IssuerError::Parameter {
                    name: "tenant",
                    hint: "write the directory (tenant) id, such as 8b1a9953-c461-4296-a827-abf8c47804d7, or \"common\" for every tenant, \
                           which `tenants` restricts",
                });
            }
        };
        Self::new(iss, audience)?
            .name("entra")
            .keys(keys)
            .require_claim_present("azp")
            .claim_mapping(mapping(&[
                ("scopes", &["scp"]),
                ("roles", &["roles"]),
                ("tenant", &["tid"]),
                ("session_id", &["sid"]),
            ])?)
            .algorithms([Algorithm::RS256])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_a_guid_or_common() {
        assert!(Issuer::entra("8b1a9953-c461-4296-a827-abf8c47804d7", "api").is_ok());
        assert!(Issuer::entra("common", "api").is_ok());
        for invalid in [
            "",
            "organizations",
            "contoso.onmicrosoft.com",
            "8B1A9953-C461-4296-A827-ABF8C47804D7",
            "8b1a9953-c461-4296-a827-abf8c47804d",
            "8b1a9953-c461-4296-a827-abf8c47804d7a",
            "{tid}",
        ] {
            assert!(Issuer::entra(invalid, "api").is_err(), "{invalid}");
        }
    }
}
