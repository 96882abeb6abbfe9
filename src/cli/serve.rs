//! `bearward serve`: the server for production.

use std::net::SocketAddr;

use clap::Args;

use super::{Failure, load, with_bind};
use crate::{config::Sources, server::Application};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Where the API listens, for example 0.0.0.0:8000 [default: server.bind, 127.0.0.1:8000]
    #[arg(long, value_name = "IP:PORT")]
    bind: Option<SocketAddr>,
}

pub(super) async fn run(sources: Sources, options: Options) -> Result<(), Failure> {
    let config = load(&with_bind(sources, options.bind))?;
    config.require_issuer()?;
    let metrics = super::observe(&config)?;
    let application = Application::start(&config, Some(metrics)).await.map_err(|error| Failure::Failed(error.to_string()))?;
    tracing::info!(
        address = %application.address(),
        environment = config.environment,
        issuers = ?config.issuers.keys().collect::<Vec<_>>(),
        "bearward {} serves", env!("CARGO_PKG_VERSION")
    );
    application.run().await.map_err(|error| Failure::Failed(error.to_string()))
}
