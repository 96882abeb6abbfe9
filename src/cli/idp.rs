//! `bearward idp`: the development IdP alone.

use std::net::SocketAddr;

use clap::Args;

use super::{Failure, style};
use crate::{
    auth::algorithm::Algorithm,
    config::Sources,
    idp::{Idp, IdpError},
};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Where it listens
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:9999")]
    bind: SocketAddr,
    /// What it signs with: RS256, ES256, EdDSA or another
    #[arg(long, value_name = "ALG", default_value = "RS256")]
    alg: Algorithm,
    /// Listen on an address that other machines reach: anybody there can then be anybody
    #[arg(long)]
    dangerous_allow_remote: bool,
}

pub(super) async fn run(sources: &Sources, options: Options) -> Result<(), Failure> {
    let idp = start(sources, options.bind, options.alg, options.dangerous_allow_remote)?;
    let (strong, plain, note) = (style::STRONG, style::PLAIN, style::NOTE);
    anstream::println!("{note}development only:{plain} this IdP mints tokens for anybody who asks");
    anstream::println!("{strong}issuer{plain}    {}", idp.issuer());
    anstream::println!("{strong}keys{plain}      {}", idp.jwks_url());
    anstream::println!("{strong}audience{plain}  {}", idp.audience());
    anstream::println!("\na token, and what else there is:\n");
    anstream::println!("  curl -s -X POST http://{}/admin/tokens -H 'content-type: application/json' -d '{{}}'", idp.address());
    anstream::println!("  curl -s http://{}/\n", idp.address());
    tokio::signal::ctrl_c().await.map_err(|error| Failure::Failed(error.to_string()))
}

/// The development IdP for this command and for `dev`.
pub(super) fn start(sources: &Sources, address: SocketAddr, algorithm: Algorithm, remote: bool) -> Result<Idp, Failure> {
    let environment = sources.environment.clone();
    let options = crate::idp::Options { address, base: None, algorithm, environment, dangerous_allow_remote: remote };
    Idp::start(options).map_err(|error| match error {
        IdpError::Bind { .. } => Failure::Failed(error.to_string()),
        _ => Failure::Usage(error.to_string()),
    })
}
