//! What can fail because of the configuration, apart from the listeners and the database.

use std::{net::SocketAddr, sync::Arc};

use bearward::{
    Bearward, Clock, CookieSource, DpopConfig, Issuer, SystemClock, TokenSource, TokenUse,
};
use url::Url;

use super::{
    StartError,
    tls::{LoadedCertificate, Tls},
};
use crate::{
    completions::Completions,
    revocations::SeenSessions,
    settings::{Config, CorsOrigin},
};

/// Builds the verifier of a configuration and starts the first fetch of every issuer's keys.
///
/// # Errors
/// [`StartError`] if an issuer is invalid or its keys can never be loaded. A key endpoint that is
/// unavailable is not an error.
pub async fn verifier(config: &Config) -> Result<Bearward, StartError> {
    let resource = config
        .server
        .public_url
        .as_ref()
        .map(|url| url.url().clone());
    build_verifier(Arc::new(SystemClock::new()), config, resource, None).await
}

async fn build_verifier(
    clock: Arc<dyn Clock>,
    config: &Config,
    resource: Option<Url>,
    seen_sessions: Option<Arc<SeenSessions>>,
) -> Result<Bearward, StartError> {
    let mut builder = Bearward::builder()
        .clock(clock)
        .jwks_cache(config.jwks.clone())
        .token_cache(config.tokens.cache_entries)
        .revocation(config.revocation.config())
        .max_token_bytes(config.tokens.max_bytes)
        .dpop(dpop(config));
    if let Some(url) = resource {
        builder = builder.resource(url);
    }
    if let Some(cookie) = &config.tokens.cookie {
        let origins = config.server.cors_origins.iter().map(CorsOrigin::as_str);
        builder = builder.cookie(CookieSource::new(cookie, origins));
    }
    if let Some(header) = &config.tokens.header {
        builder = builder.source(TokenSource::header(header.clone()));
    }
    if let Some(seen) = seen_sessions {
        builder = builder.observe_tokens(move |token| seen.record(token));
    }
    for service in &config.service_keys {
        builder = builder.service_key(service.clone());
    }
    for issuer in config.issuers.values() {
        builder = builder.issuer(issuer.clone());
    }
    Ok(builder.build().await?)
}

/// Returns how proofs are checked. Without `server.public_url`, the URL of a request is taken from
/// the request itself, because clients reach a server under several names (127.0.0.1, localhost).
fn dpop(config: &Config) -> DpopConfig {
    let dpop = config.dpop.config();
    if let Some(url) = &config.server.public_url {
        return dpop.base_url(url.url().clone());
    }
    let dpop = if config.server.tls.is_some() {
        dpop.always_secure()
    } else {
        dpop
    };
    let proxies = config.server.trusted_proxies.clone();
    let dpop = dpop.proxy_headers(config.server.proxy_headers);
    dpop.trusted_proxies(move |peer| proxies.iter().any(|network| network.contains(&peer)))
}

/// The services of a server, without its database.
pub(super) struct Services {
    pub(super) auth: Bearward,
    /// See [`resource_url`].
    pub(super) resource: Option<String>,
    pub(super) completions: Completions,
    /// The sessions that the verifier records, for `[revocation.supabase]`.
    pub(super) seen_sessions: Option<Arc<SeenSessions>>,
}

/// Builds the services of a server that listens on `address`, and starts the first fetch of every
/// issuer's keys.
pub(super) async fn build_services(
    clock: Arc<dyn Clock>,
    config: &Config,
    address: SocketAddr,
) -> Result<Services, StartError> {
    let resource = resource_url(config, address);
    let challenge_resource = resource.as_ref().and_then(|resource| resource.parse().ok());
    let supabase = config.revocation.supabase.as_ref();
    let seen_sessions =
        supabase.map(|supabase| Arc::new(SeenSessions::new(supabase.issuer.clone())));
    let auth = build_verifier(
        Arc::clone(&clock),
        config,
        challenge_resource,
        seen_sessions.clone(),
    );
    Ok(Services {
        auth: auth.await?,
        seen_sessions,
        resource,
        completions: Completions::new(&config.generate, clock)?,
    })
}

/// Builds what [`Server::start`](super::Server::start) builds, without listening and without the database. Returns
/// the verifier, which fetches the keys of every issuer, and the TLS certificate, which may have
/// expired.
///
/// # Errors
/// The errors of [`Server::start`](super::Server::start) that are caused by the configuration.
pub(crate) async fn check(
    config: &Config,
) -> Result<(Bearward, Option<LoadedCertificate>), StartError> {
    let tls = config.server.tls.as_ref().map(Tls::load).transpose()?;
    let clock = Arc::new(SystemClock::new());
    let services = build_services(clock, config, config.server.bind).await?;
    Ok((services.auth, tls.map(|tls| tls.certificate())))
}

/// Returns the URL of this resource in RFC 9728 metadata and challenges: `server.public_url`
/// without normalization, or the bound address. `None` if the server listens on all addresses.
fn resource_url(config: &Config, address: SocketAddr) -> Option<String> {
    match &config.server.public_url {
        Some(url) => Some(url.as_str().to_owned()),
        None => (!address.ip().is_unspecified())
            .then(|| format!("{}://{address}", config.server.scheme())),
    }
}

/// Returns the authorization endpoint of the first issuer of access tokens that has the path of
/// Supabase Auth.
pub(super) fn authorization_endpoint(auth: &Bearward) -> Option<Url> {
    auth.issuers()
        .iter()
        .filter(|issuer| issuer.has_token_use(TokenUse::AccessToken))
        .map(Issuer::iss)
        .find(|iss| iss.ends_with("/auth/v1"))
        .and_then(|iss| format!("{iss}/authorize").parse().ok())
}
