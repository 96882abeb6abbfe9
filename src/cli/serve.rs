//! `bearward serve`: runs the server.

use std::net::SocketAddr;

use clap::Args;

use super::{Failure, load, with_bind};
use crate::{server::Application, settings::Sources};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Options {
    /// Listen on this address, for example 0.0.0.0:8000 [default: server.bind, 127.0.0.1:8000]
    #[arg(long, value_name = "IP:PORT", value_parser = super::address)]
    bind: Option<SocketAddr>,
}

const AFTER_HELP: &str = "\
The trusted issuers come from the configuration, for example from the environment:
  SUPABASE_URL=https://YOUR-PROJECT.supabase.co bearward serve
  BEARWARD_ISSUERS__CORP__ISSUER=https://idp.example.com \\
    BEARWARD_ISSUERS__CORP__AUDIENCES=my-api bearward serve

The server starts even if an issuer cannot be reached, and answers requests with
its tokens with 503 until its keys are fetched. It also starts without the
database, and answers routes that need it with 503 until it is available.

On SIGTERM and Ctrl-C requests in progress may finish first, within
server.shutdown_timeout.";

pub(super) async fn run(sources: Sources, options: Options) -> Result<(), Failure> {
    let config = load(&with_bind(sources, options.bind))?;
    config.require_issuer()?;
    config.require_vault_key()?;
    let _traces = super::start_telemetry(&config)?;
    let application = Application::start(&config, Some(super::install_metrics()?)).await?;
    tracing::info!(
        address = %application.address(),
        environment = config.environment,
        issuers = ?config.issuers.keys().collect::<Vec<_>>(),
        "bearward {} serves", env!("CARGO_PKG_VERSION")
    );
    Ok(application.run().await?)
}
