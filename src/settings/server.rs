//! The `[server]` section: where the API listens, what it accepts.

use std::{net::SocketAddr, time::Duration};

use ipnet::IpNet;

use super::{
    CorsOrigin, PublicUrl,
    address::{cors_origins, public_url, socket},
    network::networks,
    raw::integer,
    section::{Reported, Section},
    units::{duration, size},
};

/// How the API is served.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Server {
    /// Where the API listens. Port 0 takes a free one.
    pub bind: SocketAddr,
    /// Worker threads; 0 means one for each core.
    pub workers: usize,
    /// The URL under which clients reach the API. None: told from the address that it listens on.
    pub public_url: Option<PublicUrl>,
    /// Browser origins that may call the API, and to which a sign-in may lead back.
    pub cors_origins: Vec<CorsOrigin>,
    /// The largest request body, in bytes.
    pub body_limit: usize,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// How long requests under way may take to end when the server stops.
    pub shutdown_timeout: Duration,
    /// Where `/metrics` listens instead of beside the API.
    pub admin_bind: Option<SocketAddr>,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl Server {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Reported> {
        let bind = section.take("bind", socket);
        let workers = section.take("workers", integer(0..=1024));
        let public_url = section.optional("public_url", public_url);
        let cors_origins = section.take("cors_origins", cors_origins);
        let body_limit = section.take("body_limit", size(1024..=64 << 20));
        let request_timeout = section.take(
            "request_timeout",
            duration(Duration::from_millis(100)..=Duration::from_mins(10)),
        );
        let shutdown_timeout = section.take(
            "shutdown_timeout",
            duration(Duration::ZERO..=Duration::from_mins(10)),
        );
        let admin_bind = section.optional("admin_bind", socket);
        let trusted_proxies = section.take("trusted_proxies", networks);
        if let (Ok(bind), Ok(Some(admin))) = (bind, admin_bind)
            && bind == admin
            && bind.port() != 0
        {
            section.conflict(&["bind", "admin_bind"], "two listeners need two addresses");
        }
        section.finish();
        Ok(Self {
            bind: bind?,
            workers: workers?,
            public_url: public_url?,
            cors_origins: cors_origins?,
            body_limit: body_limit?,
            request_timeout: request_timeout?,
            shutdown_timeout: shutdown_timeout?,
            admin_bind: admin_bind?,
            trusted_proxies: trusted_proxies?,
        })
    }
}
