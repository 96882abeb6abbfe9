//! `bearward idp`: runs only the development IdP.

use std::{net::SocketAddr, path::PathBuf};

use bearward::Algorithm;
use bearward_idp::{AuthOptions, Idp, IdpError};
use clap::Args;
use url::Url;

use super::{Failure, sign_in_flags::SignInFlags, style};
use crate::{server::signals::Signals, settings::Sources};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Options {
    /// Listen on this address
    #[arg(long, value_name = "IP:PORT", value_parser = super::address, default_value = "127.0.0.1:9999")]
    bind: SocketAddr,
    /// Sign tokens with this algorithm: RS256, ES256, EdDSA or another
    #[arg(long, value_name = "ALG", default_value = "RS256")]
    alg: Algorithm,
    /// Use this base URL in the issuer and in links, for example `http://idp:9999` in a container
    /// network [default: `http://IP:PORT`]
    #[arg(long, value_name = "URL")]
    base: Option<String>,
    /// Allow an address that other machines can reach. Anyone who reaches it can impersonate any
    /// user
    #[arg(long)]
    dangerous_allow_remote: bool,
    /// Store users, sessions, mails and keys in this file; without it they are lost on exit
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Send a logout token to this URL when a session ends, or when a user is banned or deleted.
    /// May be repeated
    #[arg(long, value_name = "URL")]
    backchannel_logout_url: Vec<Url>,
    #[command(flatten)]
    sign_in: SignInFlags,
}

const AFTER_HELP: &str = "\
Run a server that trusts it:
  SUPABASE_URL=http://127.0.0.1:9999 bearward serve
Use it in a frontend with supabase-js:
  createClient(\"http://127.0.0.1:9999\", \"any-key\")
List its endpoints:
  curl http://127.0.0.1:9999/";

pub(super) async fn run(sources: &Sources, options: Options) -> Result<(), Failure> {
    let Options {
        bind,
        alg,
        base,
        dangerous_allow_remote,
        data,
        backchannel_logout_url,
        sign_in,
    } = options;
    let mut signals = Signals::install()?;
    let idp = start(
        sources,
        bind,
        alg,
        base,
        dangerous_allow_remote,
        AuthOptions {
            back_channel_logout: backchannel_logout_url,
            ..sign_in.into_options(data)
        },
    )?;
    let (strong, plain, note) = (style::STRONG, style::PLAIN, style::NOTE);
    let base = idp.base();
    anstream::println!(
        "{note}development only:{plain} this IdP issues tokens to anyone who requests one"
    );
    anstream::println!("{strong}issuer{plain}    {}", idp.issuer());
    anstream::println!("{strong}keys{plain}      {}", idp.jwks_url());
    anstream::println!("{strong}audience{plain}  {}", idp.audience());
    anstream::println!(
        "{strong}Google{plain}    {}   {}ID tokens: POST /google/credential{plain}",
        idp.google_issuer(),
        style::FAINT
    );
    anstream::println!("\nGet a token; list the endpoints; run a server that trusts it:\n");
    anstream::println!("  curl -s -X POST {base}/admin/tokens");
    anstream::println!("  curl -s {base}/");
    anstream::println!("  SUPABASE_URL={base} {} serve\n", super::program_name());
    anstream::println!("{strong}inbox{plain}     {base}/.inbox");
    anstream::println!("{strong}console{plain}   {base}/\n");
    anstream::println!("{}Ctrl-C stops it.{plain}", style::FAINT);
    signals.recv().await;
    Ok(())
}

/// Starts the development IdP for this command and for `dev`.
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
        IdpError::Storage(_) => Failure::Usage(format!(
            "{error}; nothing in it was changed; --data chooses another"
        )),
        _ => Failure::Usage(error.to_string()),
    })
}
