//! Identity providers whose issuer, keys and token layout are known.
//!
//! Each provider has a constructor of [`Issuer`] and one entry in [`Provider::ALL`], which the
//! server's key `provider` of `[issuers.NAME]` is read with.

mod apple;
mod auth0;
mod checks;
mod clerk;
mod cloudflare_access;
mod cognito;
mod entra;
mod firebase;
mod github_actions;
mod gitlab;
mod google;
mod google_iap;
mod keycloak;
mod kubernetes;
mod logto;
mod okta;
mod parameters;
mod supabase;
mod table;
mod workos;
mod zitadel;

use std::fmt;

pub use self::parameters::{ProviderError, ProviderParameters};

use self::parameters::Values;
use super::issuer::{Audiences, Issuer, IssuerError};

/// An identity provider with its own parameters, such as `auth0` with `domain`.
///
/// [`issuer`](Self::issuer) creates what the constructor of the provider creates, from parameters
/// that are known at run time only:
///
/// ```
/// use bearward::{Audiences, Issuer, Provider, ProviderParameters};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let parameters = ProviderParameters::default()
///     .with("domain", "acme.eu.auth0.com")
///     .with_audiences(Audiences::one_of(["https://api.acme.example"]));
/// let issuer = Provider::find("auth0")?.issuer(&parameters)?;
/// assert_eq!(issuer, Issuer::auth0("acme.eu.auth0.com", "https://api.acme.example")?);
/// # Ok(()) }
/// ```
pub struct Provider {
    name: &'static str,
    parameters: &'static [ProviderParameter],
    recipient: Recipient,
    build: fn(&Values<'_>) -> Result<Issuer, IssuerError>,
}

/// A parameter of a [`Provider`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderParameter {
    /// The name, which is also the key in the configuration.
    pub name: &'static str,
    /// What the value is.
    pub description: &'static str,
    /// A valid value.
    pub example: &'static str,
    /// The value if none is given; `None` if the parameter is required.
    pub default: Option<&'static str>,
}

/// What a provider's tokens name as their recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recipient {
    /// The audience, or the client if `client_ids` are given.
    Audience,
    /// The client; the tokens have no `aud`.
    Client,
    /// A value that follows from the parameters.
    Parameters,
}

impl Provider {
    /// Every provider, sorted by name.
    pub const ALL: &'static [Self] = table::PROVIDERS;

    /// Finds a provider by its name.
    ///
    /// # Errors
    /// [`ProviderError::Unknown`], whose message lists the names.
    pub fn find(name: &str) -> Result<&'static Self, ProviderError> {
        Self::ALL
            .iter()
            .find(|provider| provider.name == name)
            .ok_or_else(|| ProviderError::Unknown(name.into()))
    }

    /// Returns the name, for example `github-actions`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the provider's own parameters.
    pub fn parameters(&self) -> &'static [ProviderParameter] {
        self.parameters
    }

    /// Creates the issuer.
    ///
    /// The audiences, client ids and tenants of `parameters` replace those that the constructor
    /// sets.
    ///
    /// # Errors
    /// [`ProviderError`] if a parameter is missing, unknown or invalid.
    pub fn issuer(&self, parameters: &ProviderParameters) -> Result<Issuer, ProviderError> {
        let values = Values::new(self, parameters)?;
        let mut issuer = (self.build)(&values)?;
        if let Some(audiences) = &parameters.audiences {
            issuer.audiences = audiences.clone();
        } else if self.recipient == Recipient::Audience {
            // Only the client is checked.
            issuer.audiences = Audiences::Any;
        }
        if !parameters.client_ids.is_empty() {
            issuer = issuer.client_ids(parameters.client_ids.iter().cloned())?;
        }
        if !parameters.tenants.is_empty() {
            issuer = issuer.tenants(parameters.tenants.iter().cloned())?;
        }
        Ok(issuer)
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_distinct() {
        let names: Vec<_> = Provider::ALL.iter().map(Provider::name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }

    #[test]
    fn every_provider_is_built_from_its_examples() {
        for provider in Provider::ALL {
            let parameters = provider
                .parameters
                .iter()
                .filter(|parameter| parameter.default.is_none())
                .fold(ProviderParameters::default(), |all, parameter| {
                    all.with(parameter.name, parameter.example)
                });
            let issuer = provider.issuer(&match provider.recipient {
                Recipient::Audience => parameters.with_audiences(Audiences::one_of(["api"])),
                Recipient::Client => parameters.with_client_ids(["web"]),
                Recipient::Parameters => parameters,
            });
            assert_eq!(
                issuer.map(|issuer| issuer.name.to_string()),
                Ok(provider.name.to_owned())
            );
        }
    }

    #[test]
    fn missing_and_unknown_parameters_list_what_is_right() {
        let keycloak = Provider::find("keycloak").unwrap();
        let error = keycloak.issuer(&ProviderParameters::default()).unwrap_err();
        let message = error.to_string();
        for part in [
            "\"keycloak\"",
            "url (",
            "realm (",
            "such as \"shop\"",
            "audiences (",
        ] {
            assert!(message.contains(part), "{message}");
        }
        let unknown = ProviderParameters::default().with("domain", "id.example.com");
        let message = keycloak.issuer(&unknown).unwrap_err().to_string();
        assert!(
            message.contains("\"domain\"") && message.contains("url, realm"),
            "{message}"
        );
        let message = Provider::find("keyclock").unwrap_err().to_string();
        assert!(
            message.contains("keycloak") && message.contains("auth0"),
            "{message}"
        );
    }

    #[test]
    fn client_ids_replace_audiences_and_any_audience_is_explicit() {
        let auth0 = Provider::find("auth0").unwrap();
        let parameters = ProviderParameters::default().with("domain", "acme.eu.auth0.com");
        let by_client = auth0
            .issuer(&parameters.clone().with_client_ids(["web"]))
            .unwrap();
        assert_eq!(by_client.audiences, Audiences::Any);
        assert_eq!(by_client.accepted_client_ids().len(), 1);
        assert!(auth0.issuer(&parameters.clone()).is_err());
        let any = auth0
            .issuer(&parameters.with_audiences(Audiences::Any))
            .unwrap();
        assert_eq!(any.audiences, Audiences::Any);
    }
}
