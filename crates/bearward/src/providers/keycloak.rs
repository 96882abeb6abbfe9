use super::checks::{base_url, mapping, segment};
use crate::{
    algorithm::Algorithm,
    issuer::{Audiences, Issuer, IssuerError},
};

/// The values of the claim `typ` of access tokens; those of other tokens are `ID`, `Refresh`,
/// `Offline` and `Logout`.
const ACCESS_TOKENS: [&str; 2] = ["Bearer", "DPoP"];

impl Issuer {
    /// Creates the issuer of a Keycloak realm, for access tokens.
    ///
    /// `url` is the base URL of the server, `audience` the client id of this service, which an
    /// audience mapper adds to the tokens. The issuer is `URL/realms/REALM`. The claim `typ` must be
    /// `Bearer` or `DPoP`. Roles are the union of the realm roles and of the client roles of
    /// `audience`.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let keycloak = Issuer::keycloak("https://id.example.com", "shop", "orders")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `url` is not a URL, `realm` has other characters than letters, digits, `.`,
    /// `-` and `_`, or `audience` is empty.
    ///
    /// # Security
    /// A realm role and a client role of the same name are one role here.
    pub fn keycloak(url: &str, realm: &str, audience: &str) -> Result<Self, IssuerError> {
        keycloak(url, realm, [audience])?.replace_audiences(Audiences::one_of([audience]))
    }
}

/// Creates the issuer of a realm that reads the client roles of all `audiences`.
pub(super) fn keycloak<'a>(
    url: &str,
    realm: &str,
    audiences: impl IntoIterator<Item = &'a str>,
) -> Result<Issuer, IssuerError> {
    let (url, realm) = (base_url("url", url)?, segment("realm", realm)?);
    let escape = |client: &str| client.replace('~', "~0").replace('/', "~1");
    let roles: Vec<String> = ["/realm_access/roles".to_owned()]
        .into_iter()
        .chain(
            audiences
                .into_iter()
                .map(|client| format!("/resource_access/{}/roles", escape(client))),
        )
        .collect();
    Issuer::with_audiences(format!("{url}/realms/{realm}"), Audiences::Any)?
        .name("keycloak")
        .claim_mapping(mapping(&[("session_id", &["sid"])])?.set_any_of("roles", roles)?)
        .require_claim("typ", ACCESS_TOKENS)?
        .algorithms([
            Algorithm::RS256,
            Algorithm::PS256,
            Algorithm::ES256,
            Algorithm::EdDSA,
        ])
}
