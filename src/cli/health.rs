//! `bearward health`: probes a running server. Container images have no other HTTP client.

use std::time::Duration;

use bearward_http::client_builder;
use clap::Args;
use url::Url;

use super::Failure;
use crate::settings::{ClientAuth, Config, Sources};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Options {
    /// Probe the server at this address [default: `server.bind` of the configuration]
    #[arg(value_name = "URL", value_parser = server_url)]
    url: Option<Url>,
}

const AFTER_HELP: &str = "\
In a container file:
  HEALTHCHECK CMD [\"bearward\", \"health\"]

Sends a request to /livez, which depends on neither the issuers nor the
database, because a restart would not end their outage. With TLS, the
certificate of the server with this configuration is not verified; if the server
requires client certificates, only the handshake is tested.

Exit codes: 0 the server answers, 1 it does not.";

/// The time limit of the request, below the usual limit of a health check (30 s).
const TIMEOUT: Duration = Duration::from_secs(3);

pub(super) async fn run(sources: &Sources, options: Options) -> Result<(), Failure> {
    let target = match options.url {
        Some(url) => Target {
            url,
            is_own_certificate: false,
            requires_client_certificate: false,
        },
        None => configured_target(sources)?,
    };
    let base = target.url;
    let url = base.join("/livez").map_err(|_| {
        Failure::Usage(format!(
            "{base} is not the URL of a server; write http://HOST:PORT"
        ))
    })?;
    let failed = |problem: &str| Failure::Failed(format!("{url} {problem}"));
    let client = client_builder(concat!("bearward/", env!("CARGO_PKG_VERSION")))
        .timeout(TIMEOUT)
        // The certificate is for the public name. The probe connects to its own host and sends nothing
        // that is secret.
        .tls_danger_accept_invalid_certs(target.is_own_certificate)
        .build();
    let client =
        client.map_err(|_| failed("cannot be requested: the HTTP client cannot be created"))?;
    match client.get(url.clone()).send().await {
        Ok(response) if response.status().is_success() => Ok(()),
        Ok(response) => Err(failed(&format!("returned {}", response.status()))),
        Err(error) if error.is_timeout() => Err(failed("did not respond within 3 s")),
        // The server has completed its handshake and then rejected that of the client.
        Err(error) if target.requires_client_certificate && !error.is_connect() => Ok(()),
        Err(_) => Err(failed("could not be reached: no server is listening there")),
    }
}

fn server_url(text: &str) -> Result<Url, String> {
    Url::parse(text)
        .ok()
        .filter(Url::has_host)
        .ok_or_else(|| "write http://HOST:PORT".to_owned())
}

/// The server that is probed.
struct Target {
    url: Url,
    /// Whether the certificate is not verified.
    is_own_certificate: bool,
    /// Whether the server answers no request without a client certificate.
    requires_client_certificate: bool,
}

/// Returns the server with this configuration.
fn configured_target(sources: &Sources) -> Result<Target, Failure> {
    let server = Config::load(sources)?.server;
    let address = super::connectable_address(server.bind);
    let url = Url::parse(&format!("{}://{address}", server.scheme()))
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let client_auth = server.tls.as_ref().map(|tls| &tls.client_auth);
    Ok(Target {
        url,
        is_own_certificate: server.tls.is_some(),
        requires_client_certificate: matches!(client_auth, Some(ClientAuth::Required(_))),
    })
}
