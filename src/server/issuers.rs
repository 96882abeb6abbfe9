//! From the sections of a configuration to the profiles and numbers of the verifier.

use bearward::{ClaimMapping, Issuer, IssuerError, keys::JwksCacheConfig};
use secrecy::ExposeSecret;
use url::Url;

use crate::settings::{Audiences, IssuerSection, Jwks};

/// A section that the configuration accepts and the verifier refuses.
#[derive(Debug, thiserror::Error)]
#[error("issuers.{name}: {source}")]
pub struct IssuerConfigError {
    name: String,
    source: IssuerError,
}

pub(super) fn profile(name: &str, section: &IssuerSection) -> Result<Issuer, IssuerConfigError> {
    build(name, section).map_err(|source| IssuerConfigError {
        name: name.to_owned(),
        source,
    })
}

fn build(name: &str, section: &IssuerSection) -> Result<Issuer, IssuerError> {
    let mut accepted_issuers = section.accepted_issuers.iter();
    let first = accepted_issuers.next().ok_or(IssuerError::EmptyIssuer)?;
    let (audiences, any): (&[String], bool) = match &section.audiences {
        Audiences::OneOf(audiences) => (audiences, false),
        Audiences::Any => (&[], true),
    };
    let mut issuer = match audiences.split_first() {
        Some((audience, more)) => more
            .iter()
            .try_fold(Issuer::new(first, audience)?, Issuer::audience)?,
        None if any => Issuer::new(first, "*")?.dangerous_any_audience(),
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

pub(super) fn key_policy(jwks: &Jwks) -> JwksCacheConfig {
    let mut policy = JwksCacheConfig::default()
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
        policy = policy.ca_file(file);
    }
    if let Some(folder) = &jwks.snapshot_dir {
        policy = policy.snapshot_dir(folder);
    }
    if let Some(proxy) = &jwks.proxy {
        // The configuration has parsed it; the secret is the password that it may hold.
        if let Ok(url) = Url::parse(proxy.expose_secret()) {
            policy = policy.proxy(url);
        }
    }
    policy
}
