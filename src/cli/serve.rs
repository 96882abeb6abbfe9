//! `bearward serve`: runs the server.

use std::net::SocketAddr;

use clap::Args;

use super::{Failure, load, with_bind};
use crate::{server::Server, settings::Sources};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Options {
    /// Listen on this address, for example 0.0.0.0:8000 [default: server.bind,
    /// 127.0.0.1:8000]. PORT sets the port
    #[arg(long, value_name = "IP:PORT", value_parser = super::address)]
    bind: Option<SocketAddr>,
}

const AFTER_HELP: &str = "\
The trusted issuers come from the configuration, for example from variables:
  SUPABASE_URL=https://YOUR-PROJECT.supabase.co bearward serve
  BEARWARD_ISSUERS__CORP__ISSUER=https://idp.example.com \\
    BEARWARD_ISSUERS__CORP__AUDIENCES=my-api bearward serve

The server starts even if an issuer cannot be reached, and answers requests with
its tokens with 503 until its keys are fetched. It also starts without the
database, and answers routes that need it with 503 until it is available.

On SIGTERM and SIGINT (Ctrl-C) the server stops in three steps: /readyz answers
503 for server.shutdown_delay; no more connections are accepted; requests in
flight may finish within server.shutdown_timeout, after which streams end with
an error event. The exit code is then 0. A second signal ends the process at
once.";

pub(super) async fn run(sources: Sources, options: Options) -> Result<(), Failure> {
    let config = load(&with_bind(sources, options.bind))?;
    Ok(Server::from_settings(config).run().await?)
}
