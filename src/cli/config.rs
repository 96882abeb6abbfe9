//! `bearward config`: prints the default configuration, or the effective one.

use clap::Args;

use super::{Failure, load, stdout};
use crate::settings::{Config, Sources};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Options {
    /// Print the values that apply and the source of each; secrets are replaced by ***
    #[arg(long)]
    effective: bool,
}

const AFTER_HELP: &str = "\
Start a configuration file from the defaults, which document every key:
  mkdir config && bearward config > config/default.toml
Find out which file or variable sets a key:
  bearward config --effective | grep jwks.max_stale

Exit codes: 0 printed, 2 invalid configuration.";

pub(super) fn run(sources: &Sources, options: &Options) -> Result<(), Failure> {
    if !options.effective {
        return stdout::write(Config::DEFAULTS.as_bytes());
    }
    let config = load(sources)?;
    stdout::write(config.redacted().to_string().as_bytes())
}
