//! Builds a verifier from a list of issuers.

use std::sync::Arc;

#[cfg(feature = "remote")]
use url::Url;

use super::BuildError;
#[cfg(feature = "remote")]
use crate::keys::{Fetch, HttpFetch, JwksLocation, RemoteJwks, redact_url};
use crate::{
    clock::Clock,
    issuer::{Issuer, KeySource},
    issuer_template::TemplateError,
    keys::{JwksCacheConfig, KeySet},
    revocation::{RevocationConfig, Revocations},
    verifier::{TokenObserver, TrustedIssuer, Verifier},
};

/// How a [`Verifier`] is built from issuers.
#[derive(Debug)]
pub(crate) struct VerifierConfig {
    pub(crate) clock: Arc<dyn Clock>,
    pub(super) cache_entries: usize,
    pub(super) max_token_bytes: usize,
    pub(super) observer: Option<TokenObserver>,
    pub(super) jwks_cache: JwksCacheConfig,
    pub(super) revocation: RevocationConfig,
    /// The list of all verifiers, created for the first one, when the clock is known.
    pub(super) revocations: Option<Revocations>,
    /// The HTTP client of all issuers, created for the first issuer that needs it.
    #[cfg(feature = "remote")]
    pub(super) fetch: Option<Arc<dyn Fetch>>,
}

impl VerifierConfig {
    /// Returns the revocation list.
    pub(crate) fn revocations(&mut self) -> &Revocations {
        self.revocations
            .get_or_insert_with(|| Revocations::new(self.revocation, Arc::clone(&self.clock)))
    }

    /// Builds a verifier. An issuer that is equal to a `previous` one keeps its keys.
    pub(crate) fn build(
        &mut self,
        issuers: &[Issuer],
        previous: &[Arc<TrustedIssuer>],
    ) -> Result<Verifier, BuildError> {
        if issuers.is_empty() {
            return Err(BuildError::NoIssuer);
        }
        let mut trusted: Vec<Arc<TrustedIssuer>> = Vec::with_capacity(issuers.len());
        for issuer in issuers {
            for earlier in trusted.iter().map(|trusted| &trusted.config) {
                if let Some(iss) = common_issuer(issuer, earlier) {
                    return Err(BuildError::DoubledIssuer(iss));
                }
                if earlier.name == issuer.name {
                    return Err(BuildError::DoubledName(issuer.name.to_string()));
                }
            }
            if issuer.accepted_issuers.len() > 1
                && issuer
                    .accepted_issuers
                    .iter()
                    .any(|iss| iss.contains(['{', '}']))
            {
                return Err(BuildError::Template {
                    issuer: issuer.name.to_string(),
                    source: TemplateError::Alias,
                });
            }
            let unchanged = previous.iter().find(|previous| previous.config == *issuer);
            trusted.push(if let Some(previous) = unchanged {
                Arc::clone(previous)
            } else {
                let key_sets = self.key_sets(issuer)?;
                Arc::new(TrustedIssuer::new(issuer.clone(), key_sets))
            });
        }
        Ok(Verifier::new(
            trusted,
            self.cache_entries,
            self.max_token_bytes,
            Arc::clone(&self.clock),
            Arc::clone(self.revocations().checker()),
            self.observer.clone(),
        ))
    }

    fn key_sets(&mut self, issuer: &Issuer) -> Result<Vec<KeySet>, BuildError> {
        let name = || issuer.name.to_string();
        issuer
            .check_key_source()
            .map_err(|source| BuildError::KeySource {
                issuer: name(),
                source,
            })?;
        #[cfg(feature = "remote")]
        let mut remote = |location| self.remote_key_set(issuer, location, None);
        match &issuer.keys {
            KeySource::Fixed(document) => KeySet::fixed(
                &issuer.name,
                document.as_bytes(),
                &issuer.algorithms,
                &self.jwks_cache,
            )
            .map(|keys| vec![keys])
            .map_err(|source| BuildError::FixedKeys {
                issuer: name(),
                source,
            }),
            #[cfg(feature = "remote")]
            KeySource::Discovery => Ok(vec![remote(JwksLocation::Discovery)?]),
            #[cfg(feature = "remote")]
            KeySource::DiscoveryUrl(url) => {
                Ok(vec![remote(JwksLocation::DiscoveryUrl(url.clone()))?])
            }
            #[cfg(feature = "remote")]
            KeySource::Url(url) => Ok(vec![remote(JwksLocation::Url(url.clone()))?]),
            #[cfg(feature = "remote")]
            KeySource::Urls(urls) => urls
                .iter()
                .zip(labels(urls))
                .map(|(url, label)| {
                    let location = JwksLocation::Url(url.clone());
                    self.remote_key_set(issuer, location, label)
                })
                .collect(),
            #[cfg(not(feature = "remote"))]
            KeySource::Discovery
            | KeySource::DiscoveryUrl(_)
            | KeySource::Url(_)
            | KeySource::Urls(_) => Err(BuildError::NoRemote { issuer: name() }),
        }
    }

    #[cfg(feature = "remote")]
    fn remote_key_set(
        &mut self,
        issuer: &Issuer,
        location: JwksLocation,
        label: Option<String>,
    ) -> Result<KeySet, BuildError> {
        let discovered = match (&issuer.template, &location) {
            (Some(template), JwksLocation::Discovery) => {
                template
                    .first_issuer()
                    .ok_or_else(|| BuildError::NoKeysOfTemplate {
                        issuer: issuer.name.to_string(),
                    })?
            }
            (Some(_), JwksLocation::DiscoveryUrl(_) | JwksLocation::Url(_)) | (None, _) => {
                issuer.iss().to_owned()
            }
        };
        let keys = RemoteJwks {
            name: issuer.name.to_string(),
            label,
            issuer: discovered,
            location,
            algorithms: issuer.algorithms.clone(),
            credentials: issuer.key_credentials.clone(),
        };
        let fetch = match &mut self.fetch {
            Some(fetch) => fetch,
            none => none.insert(Arc::new(HttpFetch::new(
                &self.jwks_cache,
                Arc::clone(&self.clock),
            )?)),
        };
        KeySet::remote(
            keys,
            &self.jwks_cache,
            Arc::clone(&self.clock),
            Arc::clone(fetch),
        )
        .map_err(|source| BuildError::RemoteJwks {
            issuer: issuer.name.to_string(),
            source,
        })
    }
}

/// Returns a distinct label for each of several key sets: its URL without the query, which may hold a
/// secret. A single key set has no label.
#[cfg(feature = "remote")]
fn labels(urls: &[Url]) -> Vec<Option<String>> {
    if urls.len() == 1 {
        return vec![None];
    }
    let redacted: Vec<String> = urls.iter().map(redact_url).collect();
    let label = |(index, url): (usize, &String)| {
        let earlier = redacted[..index]
            .iter()
            .filter(|other| *other == url)
            .count();
        Some(if earlier == 0 {
            url.clone()
        } else {
            format!("{url} ({})", earlier + 1)
        })
    };
    redacted.iter().enumerate().map(label).collect()
}

/// Returns an `iss`, or a template, that both issuers accept.
fn common_issuer(issuer: &Issuer, earlier: &Issuer) -> Option<String> {
    if let (Some(template), Some(other)) = (&issuer.template, &earlier.template) {
        return template.overlaps(other).then(|| issuer.iss().to_owned());
    }
    let accepted_by = |a: &Issuer, b: &Issuer| {
        let common = a.accepted_issuers().find(|iss| b.accepts_iss(iss));
        common.map(str::to_owned)
    };
    accepted_by(issuer, earlier).or_else(|| accepted_by(earlier, issuer))
}
