//! The `[server]` section: listeners and request limits.

use std::{net::SocketAddr, time::Duration};

use actix_web::http::header::HeaderName;
use bearward::ProxyHeaders;
use ipnet::IpNet;

use super::{
    ClientCertificateHeader, CorsOrigin, PublicUrl, Tls,
    address::{cors_origins, header_names, listen_address, public_url, socket_address},
    network::networks,
    raw::{integer, one_of},
    section::{Reported, Section},
    tls::client_certificate_header,
    units::{duration, size},
};

/// The HTTP server.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Server {
    /// The address that the API listens on. Port 0 selects a free port.
    pub bind: SocketAddr,
    /// The number of worker threads; 0 means one per core.
    pub workers: usize,
    /// The URL at which clients reach the API. `None`: derived from the address it listens on.
    pub public_url: Option<PublicUrl>,
    /// The browser origins that may call the API, and that a sign-in may redirect to.
    pub cors_origins: Vec<CorsOrigin>,
    /// Request headers that these origins may send, in addition to the built-in list.
    pub cors_headers: Vec<HeaderName>,
    /// The maximum size of a request body in bytes.
    pub body_limit: usize,
    /// The time limit of a request.
    pub request_timeout: Duration,
    /// The time that requests in progress have to finish when the server stops.
    pub shutdown_timeout: Duration,
    /// How long the server keeps accepting connections after SIGTERM or SIGINT, while `/readyz`
    /// already reports 503.
    pub shutdown_delay: Duration,
    /// How long a connection without a request stays open.
    pub keep_alive: Duration,
    /// The time limit of the head of a request, from its first byte.
    pub header_timeout: Duration,
    /// How long a response may make no progress because the client does not read it.
    pub write_timeout: Duration,
    /// The maximum number of open connections; 0 derives it from the limit of file descriptors.
    pub max_connections: usize,
    /// The maximum number of open connections of one client address; 0 means no limit.
    pub max_connections_per_address: usize,
    /// The address of a second listener, which serves `/metrics` in place of the API.
    pub admin_bind: Option<SocketAddr>,
    /// The proxies whose `X-Forwarded-For` or `Forwarded`, and client certificate headers are used.
    pub trusted_proxies: Vec<IpNet>,
    /// The headers in which these proxies describe the client and its request.
    pub proxy_headers: ProxyHeaders,
    /// The header in which these proxies forward the certificate of a client.
    pub client_certificate_header: Option<ClientCertificateHeader>,
    /// TLS of the API's listener. `None`: it serves plain HTTP.
    pub tls: Option<Tls>,
}

impl Server {
    /// Returns the scheme of the URLs of the listener: `https` with TLS, else `http`.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Reported> {
        let bind = section.take("bind", listen_address);
        let workers = section.take("workers", integer(0..=1024));
        let public_url = section.optional("public_url", public_url);
        let cors_origins = section.take("cors_origins", cors_origins);
        let cors_headers = section.take("cors_headers", header_names);
        let body_limit = section.take("body_limit", size(1024..=64 << 20));
        let request_timeout = section.take(
            "request_timeout",
            duration(Duration::from_millis(100)..=Duration::from_mins(10)),
        );
        let shutdown_timeout = section.take(
            "shutdown_timeout",
            duration(Duration::ZERO..=Duration::from_mins(10)),
        );
        let shutdown_delay = section.take(
            "shutdown_delay",
            duration(Duration::ZERO..=Duration::from_mins(2)),
        );
        let keep_alive = section.take(
            "keep_alive",
            duration(Duration::from_secs(1)..=Duration::from_hours(1)),
        );
        let header_timeout = section.take(
            "header_timeout",
            duration(Duration::from_secs(1)..=Duration::from_mins(2)),
        );
        let write_timeout = section.take(
            "write_timeout",
            duration(Duration::from_secs(1)..=Duration::from_mins(10)),
        );
        let max_connections = section.take("max_connections", integer(0..=1_000_000));
        let max_connections_per_address =
            section.take("max_connections_per_address", integer(0..=1_000_000));
        let admin_bind = section.optional("admin_bind", socket_address);
        let trusted_proxies = section.take("trusted_proxies", networks);
        let proxy_headers = section.take(
            "proxy_headers",
            one_of(&[
                ("x-forwarded", ProxyHeaders::XForwarded),
                ("forwarded", ProxyHeaders::Forwarded),
            ]),
        );
        let client_certificate_header =
            section.optional("client_certificate_header", client_certificate_header);
        let tls = section.subsection("tls").and_then(Tls::read);
        if matches!(client_certificate_header, Ok(Some(_)))
            && trusted_proxies.as_ref().is_ok_and(Vec::is_empty)
        {
            section.conflict(
                &["client_certificate_header", "trusted_proxies"],
                "list the proxies that set the header in trusted_proxies: it is ignored from other clients",
            );
        }
        if let (Ok(bind), Ok(Some(admin))) = (bind, admin_bind)
            && bind == admin
            && bind.port() != 0
        {
            section.conflict(
                &["bind", "admin_bind"],
                "use a different address for each listener",
            );
        }
        section.finish();
        Ok(Self {
            bind: bind?,
            workers: workers?,
            public_url: public_url?,
            cors_origins: cors_origins?,
            cors_headers: cors_headers?,
            body_limit: body_limit?,
            request_timeout: request_timeout?,
            shutdown_timeout: shutdown_timeout?,
            shutdown_delay: shutdown_delay?,
            keep_alive: keep_alive?,
            header_timeout: header_timeout?,
            write_timeout: write_timeout?,
            max_connections: max_connections?,
            max_connections_per_address: max_connections_per_address?,
            admin_bind: admin_bind?,
            trusted_proxies: trusted_proxies?,
            proxy_headers: proxy_headers?,
            client_certificate_header: client_certificate_header?,
            tls: tls?,
        })
    }
}
