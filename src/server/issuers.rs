//! Converts the configuration sections `[issuers.NAME]` and `[jwks]` to the library's types.

use bearward::{
    claim_mapping::ClaimMapping,
    issuer::{Issuer, IssuerError},
    keys::JwksCacheConfig,
};
use secrecy::ExposeSecret;
use url::Url;

use crate::settings::{Audiences, IssuerSection, Jwks};

/// The error of an `[issuers.NAME]` section that the verifier rejects.
#[derive(Debug, thiserror::Error)]
#[error("issuers.{name}: {source}")]
pub struct IssuerConfigError {
    name: String,
    source: IssuerError,
}

/// Converts an `[issuers.NAME]` section to an [`Issuer`].
pub(super) fn to_issuer(name: &str, section: &IssuerSection) -> Result<Issuer, IssuerConfigError> {
    build(name, section).map_err(|source| IssuerConfigError {
        name: name.to_owned(),
        source,
    })
}

fn build(name: &str, section: &IssuerSection) -> Result<Issuer, IssuerError> {
    let mut accepted_issuers = section.accepted_issuers.iter();
    let first = accepted_issuers.next().ok_or(IssuerError::EmptyIssuer)?;
    let (audiences, is_any): (&[String], bool) = match &section.audiences {
        Audiences::OneOf(audiences) => (audiences, false),
        Audiences::Any => (&[], true),
    };
    let mut issuer = match audiences.split_first() {
        Some((audience, more)) => more
            .iter()
            .try_fold(Issuer::new(first, audience)?, Issuer::audience)?,
        None if is_any => Issuer::new(first, "*")?.dangerous_any_audience(),
        None => return Err(IssuerError::EmptyAudience),
    };
    issuer = accepted_issuers.fold(issuer, Issuer::issuer_alias);
    issuer = section
        .required_claims
        .iter()
        .fold(issuer, Issuer::require_claim);
    let claims = section
        .claims
        .iter()
        .try_fold(ClaimMapping::default(), |map, (name, pointer)| {
            map.set(name, pointer)
        })?;
    let issuer = issuer
        .name(name)
        .algorithms(section.algorithms.iter().copied())?
        .leeway(section.leeway)?;
    Ok(issuer
        .token_type(section.token_type)
        .token_use(section.usage)
        .claims(claims)
        .keys(section.keys.clone()))
}

/// Converts the `[jwks]` section.
pub(super) fn jwks_cache_config(jwks: &Jwks) -> JwksCacheConfig {
    let mut config = JwksCacheConfig::default()
        .default_ttl(jwks.default_ttl)
        .min_ttl(jwks.min_ttl)
        .max_ttl(jwks.max_ttl)
        .max_stale(jwks.max_stale)
        .refetch_cooldown(jwks.refetch_cooldown)
        .refetch_burst(jwks.refetch_burst)
        .connect_timeout(jwks.connect_timeout)
        .timeout(jwks.timeout)
        .max_bytes(jwks.max_bytes)
        .max_keys(jwks.max_keys)
        .allow_http(jwks.allow_http);
    if let Some(file) = &jwks.ca_file {
        config = config.ca_file(file);
    }
    if let Some(directory) = &jwks.snapshot_dir {
        config = config.snapshot_dir(directory);
    }
    if let Some(proxy) = &jwks.proxy {
        // The settings have validated the URL. It is a secret because it may contain a password.
        if let Ok(url) = Url::parse(proxy.expose_secret()) {
            config = config.proxy(url);
        }
    }
    config
}
