use super::checks::{jwks, mapping, segment};
use crate::{
    algorithm::Algorithm,
    issuer::{Issuer, IssuerError},
};

impl Issuer {
    /// Creates the issuer of an Amazon Cognito user pool, for access tokens.
    ///
    /// Access tokens of Cognito have no `aud`: they are accepted by their `client_id`. `token_use` must
    /// be `access`. Roles are read from `cognito:groups`. The pool's original issuer
    /// (`https://cognito-idp.REGION.amazonaws.com/POOL`) and its updated one
    /// (`https://issuer-cognito-idp.…`) are accepted as the same issuer.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let cognito = Issuer::cognito("eu-central-1", "eu-central-1_Ab12Cd34E", ["1example23456789"])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `region` or `pool` has other characters than letters, digits, `.`, `-` and
    /// `_`, or if the list of client ids or one of them is empty.
    ///
    /// # Security
    /// Any service that accepts the same app client can replay the tokens it receives. Scopes of a
    /// resource server restrict them.
    pub fn cognito(
        region: &str,
        pool: &str,
        client_ids: impl IntoIterator<Item = impl Into<Box<str>>>,
    ) -> Result<Self, IssuerError> {
        let iss = iss(region, pool)?;
        let issuer = Self::with_client_ids(&*iss, client_ids)?.name("cognito");
        user_pool(issuer, &iss, "access")
    }

    /// Creates the issuer of an Amazon Cognito user pool, for ID tokens that are used as bearer
    /// tokens.
    ///
    /// `client_id` is the app client, which is the `aud` of the ID tokens. `token_use` must be `id`.
    /// Prefer access tokens, see [`cognito`](Self::cognito).
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let cognito = Issuer::cognito_id("eu-central-1", "eu-central-1_Ab12Cd34E", "1example23456789")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `region` or `pool` has other characters than letters, digits, `.`, `-` and
    /// `_`, or if `client_id` is empty.
    ///
    /// # Security
    /// An ID token is made for the client, contains personal data and has no scopes.
    pub fn cognito_id(region: &str, pool: &str, client_id: &str) -> Result<Self, IssuerError> {
        let iss = iss(region, pool)?;
        let issuer = Self::new(&*iss, client_id)?.name("cognito-id");
        user_pool(issuer, &iss, "id")
    }
}

fn iss(region: &str, pool: &str) -> Result<String, IssuerError> {
    let (region, pool) = (segment("region", region)?, segment("pool", pool)?);
    if pool
        .strip_prefix(region)
        .is_none_or(|id| !id.starts_with('_'))
    {
        return Err(IssuerError::Parameter {
            name: "pool",
            hint: "write the user pool id, which begins with the region and \"_\", such as eu-central-1_Ab12Cd34E",
        });
    }
    // The partition of China has its own domain.
    let domain = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    Ok(format!("https://cognito-idp.{region}.{domain}/{pool}"))
}

/// Completes the issuer of a user pool. `iss` is the original issuer; a pool whose issuer
/// configuration is `UPDATED` writes the other one.
fn user_pool(issuer: Issuer, iss: &str, token_use: &str) -> Result<Issuer, IssuerError> {
    issuer
        .issuer_alias(iss.replacen("https://", "https://issuer-", 1))
        .keys(jwks("pool", &format!("{iss}/.well-known/jwks.json"))?)
        .require_claim("token_use", token_use)?
        .claim_mapping(mapping(&[("roles", &["cognito:groups"])])?)
        .algorithms([Algorithm::RS256])
}
