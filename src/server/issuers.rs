//! From the sections of a configuration to the profiles and numbers of the verifier.

use bearward::{
    claim_map::ClaimMap,
    issuer::{Issuer, IssuerError},
    keys::KeyPolicy,
};
use secrecy::ExposeSecret;
use url::Url;

use crate::config::{Audiences, IssuerSection, Jwks};

/// A section that the configuration accepts and the verifier refuses.
#[derive(Debug, thiserror::Error)]
#[error("issuers.{name}: {source}")]
pub struct IssuerProblem {
    name: String,
    source: IssuerError,
}

pub(super) fn profile(name: &str, section: &IssuerSection) -> Result<Issuer, IssuerProblem> {
    build(name, section).map_err(|source| IssuerProblem {
        name: name.to_owned(),
        source,
    })
}

fn build(name: &str, section: &IssuerSection) -> Result<Issuer, IssuerError> {
    let mut spellings = section.spellings.iter();
    let first = spellings.next().ok_or(IssuerError::EmptyIssuer)?;
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
    issuer = spellings.fold(issuer, Issuer::spelling);
    issuer = section
        .required_claims
        .iter()
        .fold(issuer, Issuer::require_claim);
    let claims = section
        .claims
        .iter()
        .try_fold(ClaimMap::default(), |map, (name, pointer)| {
            map.set(name, pointer)
        })?;
    let issuer = issuer
        .name(name)
        .algorithms(section.algorithms.iter().copied())?
        .leeway(section.leeway)?;
    Ok(issuer
        .token_type(section.token_type)
        .usage(section.usage)
        .claims(claims)
        .keys(section.keys.clone()))
}

pub(super) fn key_policy(jwks: &Jwks) -> KeyPolicy {
    let mut policy = KeyPolicy::default()
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
