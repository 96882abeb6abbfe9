//! The parameters of a provider as they are given, and checked.

use std::collections::BTreeMap;

use super::{Provider, ProviderParameter, Recipient};
use crate::issuer::{Audiences, IssuerError};

/// The parameters that [`Provider::issuer`] creates an issuer from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderParameters {
    pub(super) texts: BTreeMap<String, String>,
    pub(super) audiences: Option<Audiences>,
    pub(super) client_ids: Vec<Box<str>>,
    pub(super) tenants: Vec<Box<str>>,
}

impl ProviderParameters {
    /// Sets one of [`Provider::parameters`].
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.texts.insert(name.into(), text.into());
        self
    }

    /// Sets the accepted audiences.
    #[must_use]
    pub fn with_audiences(mut self, audiences: Audiences) -> Self {
        self.audiences = Some(audiences);
        self
    }

    /// Sets the accepted client ids, see [`Issuer::client_ids`](crate::Issuer::client_ids). An empty
    /// list means none.
    #[must_use]
    pub fn with_client_ids(
        mut self,
        client_ids: impl IntoIterator<Item = impl Into<Box<str>>>,
    ) -> Self {
        self.client_ids = client_ids.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the accepted tenants, see [`Issuer::tenants`](crate::Issuer::tenants). An empty list
    /// accepts all.
    #[must_use]
    pub fn with_tenants(mut self, tenants: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        self.tenants = tenants.into_iter().map(Into::into).collect();
        self
    }
}

/// The reason why a provider or its parameters are rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// There is no provider of this name.
    #[error(
        "unknown provider {0:?}; the providers are {names}. Other providers are configured with issuer, audiences and, if needed, jwks_url",
        names = names(Provider::ALL.iter().map(Provider::name))
    )]
    Unknown(Box<str>),
    /// The provider has no such parameter.
    #[error("provider {provider:?} has no parameter {name:?}; its parameters are {known}")]
    UnknownParameter {
        /// The provider.
        provider: &'static str,
        /// The parameter.
        name: Box<str>,
        /// The provider's parameters.
        known: String,
    },
    /// Required parameters are missing.
    #[error("provider {provider:?} also needs {}", missing.join(", and "))]
    Missing {
        /// The provider.
        provider: &'static str,
        /// What is missing, each with a description and an example.
        missing: Vec<String>,
    },
    /// A parameter is invalid.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
}

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// Complete parameters of one provider.
pub(super) struct Values<'a> {
    provider: &'static [ProviderParameter],
    parameters: &'a ProviderParameters,
}

impl<'a> Values<'a> {
    /// Checks that every required parameter is given, and no other.
    pub(super) fn new(
        provider: &Provider,
        parameters: &'a ProviderParameters,
    ) -> Result<Self, ProviderError> {
        let unknown = parameters.texts.keys().find(|name| {
            !provider
                .parameters
                .iter()
                .any(|parameter| parameter.name == **name)
        });
        if let Some(name) = unknown {
            return Err(ProviderError::UnknownParameter {
                provider: provider.name,
                name: name.as_str().into(),
                known: names(provider.parameters.iter().map(|parameter| parameter.name)),
            });
        }
        let mut missing: Vec<String> = provider
            .parameters
            .iter()
            .filter(|parameter| {
                parameter.default.is_none() && !parameters.texts.contains_key(parameter.name)
            })
            .map(|parameter| {
                let (name, example) = (parameter.name, parameter.example);
                format!("{name} ({}, such as {example:?})", parameter.description)
            })
            .collect();
        let has_clients = !parameters.client_ids.is_empty();
        match provider.recipient {
            Recipient::Audience if parameters.audiences.is_none() && !has_clients => {
                missing.push("audiences (the `aud` of the tokens for this service)".to_owned());
            }
            Recipient::Client if !has_clients => missing.push(
                "client_ids (the clients whose tokens are accepted; they have no `aud`)".to_owned(),
            ),
            Recipient::Audience | Recipient::Client | Recipient::Parameters => {}
        }
        if !missing.is_empty() {
            return Err(ProviderError::Missing {
                provider: provider.name,
                missing,
            });
        }
        Ok(Self {
            provider: provider.parameters,
            parameters,
        })
    }

    /// Returns a parameter or its default.
    pub(super) fn text(&self, name: &str) -> &'a str {
        let given = self.parameters.texts.get(name).map(String::as_str);
        given.unwrap_or_else(|| {
            let parameter = self
                .provider
                .iter()
                .find(|parameter| parameter.name == name);
            parameter
                .and_then(|parameter| parameter.default)
                .unwrap_or_default()
        })
    }

    /// Returns the listed audiences.
    pub(super) fn audiences(&self) -> impl Iterator<Item = &'a str> {
        let listed = match &self.parameters.audiences {
            Some(Audiences::OneOf(listed)) => &**listed,
            Some(Audiences::Any) | None => &[],
        };
        listed.iter().map(AsRef::as_ref)
    }

    /// Returns an audience for a constructor; [`Provider::issuer`] replaces it with all of them.
    pub(super) fn audience(&self) -> &'a str {
        self.audiences().next().unwrap_or("*")
    }

    /// Returns the client ids.
    pub(super) fn client_ids(&self) -> impl Iterator<Item = Box<str>> {
        self.parameters.client_ids.iter().cloned()
    }
}
