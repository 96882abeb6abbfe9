//! The key `provider` of `[issuers.NAME]` and the parameters of that provider.

use bearward::{Audiences, Issuer, Provider, ProviderError, ProviderParameters};

use super::section::{Reported, Section};

/// A provider with its own parameters, as far as they are given.
pub(super) struct ConfiguredProvider {
    provider: &'static Provider,
    parameters: ProviderParameters,
}

/// Reads `provider` and the keys that are its parameters. `None` if the section names no provider.
pub(super) fn read(section: &mut Section<'_>) -> Result<Option<ConfiguredProvider>, Reported> {
    let provider = section.optional("provider", |raw| {
        Provider::find(raw.text()?).map_err(|error| error.to_string())
    })?;
    let Some(provider) = provider else {
        return Ok(None);
    };
    let mut parameters = Ok(ProviderParameters::default());
    for parameter in provider.parameters() {
        let text = section.optional(parameter.name, |raw| raw.text().map(str::to_owned));
        parameters = match (parameters, text) {
            (Ok(parameters), Ok(Some(text))) => Ok(parameters.with(parameter.name, text)),
            (Ok(parameters), Ok(None)) => Ok(parameters),
            (Err(Reported), _) | (_, Err(Reported)) => Err(Reported),
        };
    }
    Ok(Some(ConfiguredProvider {
        provider,
        parameters: parameters?,
    }))
}

impl ConfiguredProvider {
    /// Creates the issuer. The audiences and client ids are keys of every issuer.
    pub(super) fn issuer(
        self,
        audiences: Option<Audiences>,
        client_ids: &[String],
    ) -> Result<Issuer, ProviderError> {
        let parameters = self
            .parameters
            .with_client_ids(client_ids.iter().map(String::as_str));
        self.provider.issuer(&match audiences {
            Some(audiences) => parameters.with_audiences(audiences),
            None => parameters,
        })
    }
}
