//! `bearward idp`: the development IdP alone.

use std::net::SocketAddr;

use bearward::Algorithm;
use bearward_idp::{AuthOptions, Idp, IdpError};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, idp_flags::IdpFlags, style};
use crate::settings::Sources;

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Options {
    /// Where it listens
    #[arg(long, value_name = "IP:PORT", value_parser = super::address, default_value = "127.0.0.1:9999")]
    bind: SocketAddr,
    /// What it signs with: RS256, ES256, EdDSA or another
    #[arg(long, value_name = "ALG", default_value = "RS256")]
    alg: Algorithm,
    /// Its own address as clients write it, for example `http://idp:9999` in a container network [default: `http://IP:PORT`]
    #[arg(long, value_name = "URL")]
    base: Option<String>,
    /// Listen on an address that other machines reach: anybody there can then be anybody
    #[arg(long)]
    dangerous_allow_remote: bool,
    #[command(flatten)]
    sign_in: IdpFlags,
}

const AFTER_HELP: &str = "\
A server that trusts it:  SUPABASE_URL=http://127.0.0.1:9999 bearward serve
A frontend:               createClient(\"http://127.0.0.1:9999\", \"any-key\") of supabase-js
What it can be asked for: curl http://127.0.0.1:9999/";

pub(super) async fn run(sources: &Sources, options: Options) -> Result<(), Failure> {
    let Options {
        bind,
        alg,
        base,
        sign_in,
        dangerous_allow_remote,
    } = options;
    let idp = start(
        sources,
        bind,
        alg,
        base,
        dangerous_allow_remote,
        sign_in.options(),
    )?;
    let (strong, plain, note) = (style::STRONG, style::PLAIN, style::NOTE);
    let base = idp.base();
    anstream::println!("{note}development only:{plain} this IdP mints tokens for anybody who asks");
    anstream::println!("{strong}issuer{plain}    {}", idp.issuer());
    anstream::println!("{strong}keys{plain}      {}", idp.jwks_url());
    anstream::println!("{strong}audience{plain}  {}", idp.audience());
    anstream::println!("{strong}mails{plain}     {base}/.inbox");
    anstream::println!(
        "{strong}Google{plain}    {}   {}ID tokens: POST /google/credential{plain}",
        idp.google_issuer(),
        style::FAINT
    );
    anstream::println!("\nA token; what else there is; a server that trusts it:\n");
    anstream::println!("  curl -s -X POST {base}/admin/tokens");
    anstream::println!("  curl -s {base}/");
    anstream::println!("  SUPABASE_URL={base} {} serve\n", super::invoked());
    anstream::println!("{}Ctrl-C stops it.{plain}", style::FAINT);
    until_told_to_stop()
        .await
        .map_err(|error| Failure::Failed(error.to_string()))
}

/// SIGTERM too: the first process of a container ignores it unless it asks for it.
async fn until_told_to_stop() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

/// The development IdP for this command and for `dev`.
pub(super) fn start(
    sources: &Sources,
    address: SocketAddr,
    algorithm: Algorithm,
    base: Option<String>,
    dangerous_allow_remote: bool,
    auth: AuthOptions,
) -> Result<Idp, Failure> {
    let environment = sources.environment.clone();
    let options = bearward_idp::Options {
        address,
        base,
        algorithm,
        environment,
        dangerous_allow_remote,
        auth,
    };
    Idp::start(options).map_err(|error| match error {
        IdpError::Bind { .. } => Failure::Failed(error.to_string()),
        _ => Failure::Usage(error.to_string()),
    })
}
