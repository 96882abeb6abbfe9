//! `bearward idp`: the development IdP alone.

use std::net::SocketAddr;

use clap::Args;

use super::{Failure, style};
use crate::{auth::algorithm::Algorithm, config::Sources, idp::Idp};

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
