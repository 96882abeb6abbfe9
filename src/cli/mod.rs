//! The command line. Each command has its own module.

mod admin;
mod backup;
mod check;
mod completions;
mod config;
#[cfg(feature = "contract")]
mod contract;
#[cfg(feature = "idp")]
mod data_folder;
#[cfg(feature = "idp")]
mod dev;
#[cfg(feature = "idp")]
mod dev_certificate;
#[cfg(feature = "idp")]
mod dev_key;
mod explain;
mod health;
#[cfg(feature = "idp")]
mod idp;
mod keys;
mod man;
mod openapi;
mod serve;
#[cfg(feature = "idp")]
mod sign_in_flags;
mod stdout;
mod style;
mod vault;
#[cfg_attr(
    not(feature = "contract"),
    allow(
        dead_code,
        reason = "the report of the conformance suite uses the rest"
    )
)]
mod wrap;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
};

use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    server::StartError,
    settings::{Config, ConfigErrors, Sources},
    store::OpenError,
    telemetry::TelemetryError,
};

/// The name of the program.
const NAME: &str = "bearward";

/// The version with the commit and the enabled features, which the build script determines.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (commit ",
    env!("BEARWARD_BUILD_COMMIT"),
    ", features: ",
    env!("BEARWARD_BUILD_FEATURES"),
    ")"
);

/// Verify bearer tokens of an external identity provider and serve an API that they protect.
#[derive(Debug, Parser)]
#[command(name = NAME, version = VERSION, max_term_width = 80, after_help = AFTER_HELP)]
struct Arguments {
    /// Read default.toml and the file of the environment from this folder [default: ./config if it
    /// exists]
    #[arg(long, global = true, value_name = "DIR")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a development IdP and the API, and print a token and curl commands
    #[cfg(feature = "idp")]
    Dev(dev::Options),
    /// Run the server; requires a trusted issuer
    Serve(serve::Options),
    /// Run only the development IdP, for frontends and tests in any language
    #[cfg(feature = "idp")]
    Idp(idp::Options),
    /// Run the conformance suite against a protected URL of any server
    #[cfg(feature = "contract")]
    Contract(Box<contract::Options>),
    /// Explain step by step why a token is accepted or rejected
    Explain(explain::Options),
    /// Validate the configuration and reach every issuer and the database
    Check(check::Options),
    /// Probe a running server, for the health check of a container
    Health(health::Options),
    /// Print the configuration: the documented defaults, or what applies
    Config(config::Options),
    /// Print the OpenAPI document of the API
    Openapi,
    /// List, enable and disable accounts in the database
    #[command(subcommand)]
    Admin(admin::Command),
    /// Manage the keys that encrypt users' API keys
    #[command(subcommand)]
    Vault(vault::Command),
    /// Create keys of services, which call the API without a user
    #[command(subcommand)]
    Keys(keys::Command),
    /// Copy the SQLite database to a file while servers run
    Backup(backup::BackupOptions),
    /// Replace the SQLite database by a backup; the server must be stopped
    Restore(backup::RestoreOptions),
    /// Print a completion script for a shell
    Completions(completions::Options),
    /// Print a manual page of all commands
    #[command(after_help = man::AFTER_HELP)]
    Man,
}

const AFTER_HELP: &str = "\
Examples:
  Try bearward without any other service:
    bearward dev
  Serve the API for the users of a Supabase project:
    SUPABASE_URL=https://YOUR-PROJECT.supabase.co bearward serve
  Check the configuration, the issuers and the database:
    bearward check
  Test whether a server in any language rejects forged tokens:
    bearward contract --target http://127.0.0.1:3000/protected
  Find out why a token is rejected:
    bearward explain - < token.txt

Configuration: `bearward config` prints every key with its default. The variable
BEARWARD_SECTION__KEY sets one key.

Exit codes: 0 success, 1 failure or rejected token, 2 invalid command line or
configuration.";

/// The error of a command.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The command line or the configuration is invalid. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The command failed. Exit code 1.
    #[error("{0}")]
    Failed(String),
    /// The command failed and has already printed why. Exit code 1.
    #[error("")]
    AlreadyReported,
    /// The configuration is invalid, and the command has already printed why. Exit code 2.
    #[error("")]
    UsageAlreadyReported,
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            // These depend on the environment; the configuration may be valid.
            StartError::Bind { .. }
            | StartError::Io(_)
            | StartError::Database(
                OpenError::Unavailable(_) | OpenError::ReadOnly | OpenError::Corrupt { .. },
            ) => Self::Failed(error.to_string()),
            StartError::Telemetry(error) => error.into(),
            StartError::Config(_)
            | StartError::Tls(_)
            | StartError::Build(_)
            | StartError::Database(_)
            | StartError::Completions(_)
            | StartError::RouteCollision { .. }
            | StartError::Document(_) => Self::Usage(error.to_string()),
        }
    }
}

impl From<TelemetryError> for Failure {
    fn from(error: TelemetryError) -> Self {
        match error {
            TelemetryError::Log(_) => Self::Usage(error.to_string()),
            TelemetryError::Metrics(_) | TelemetryError::Traces(_) => {
                Self::Failed(error.to_string())
            }
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self::Usage(errors.to_string())
    }
}

/// Runs the command line of this process and returns its exit code.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let sources = Sources::from_environment(arguments.config);
    let result = actix_web::rt::System::new().block_on(async {
        match arguments.command {
            #[cfg(feature = "idp")]
            Command::Dev(options) => dev::run(sources, options).await,
            Command::Serve(options) => serve::run(sources, options).await,
            #[cfg(feature = "idp")]
            Command::Idp(options) => idp::run(&sources, options).await,
            #[cfg(feature = "contract")]
            Command::Contract(options) => contract::run(*options).await,
            Command::Explain(options) => explain::run(&sources, options).await,
            Command::Check(options) => check::run(&sources, options).await,
            Command::Health(options) => health::run(&sources, options).await,
            Command::Config(options) => config::run(&sources, &options),
            Command::Openapi => openapi::run(),
            Command::Admin(command) => admin::run(&sources, command).await,
            Command::Vault(command) => vault::run(&sources, command).await,
            Command::Keys(command) => keys::run(&command),
            Command::Backup(options) => backup::run_backup(&sources, options).await,
            Command::Restore(options) => backup::run_restore(&sources, options).await,
            Command::Completions(options) => completions::run(&options),
            Command::Man => man::run(),
        }
    });
    crate::telemetry::flush_log();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::AlreadyReported) => ExitCode::FAILURE,
        Err(Failure::UsageAlreadyReported) => ExitCode::from(2),
        Err(failure) => {
            print_error(&failure);
            ExitCode::from(if matches!(failure, Failure::Usage(_)) {
                2
            } else {
                1
            })
        }
    }
}

/// Returns the definition of the command line, for documents that are made from it.
fn command() -> clap::Command {
    Arguments::command()
}

fn print_error(failure: &Failure) {
    anstream::eprintln!("{}error:{} {failure}", style::BAD, style::PLAIN);
}

/// Loads the configuration and prints its warnings.
fn load(sources: &Sources) -> Result<Config, ConfigErrors> {
    let config = Config::load(sources)?;
    for warning in config.warnings() {
        anstream::eprintln!("{}warning:{} {warning}", style::NOTE, style::PLAIN);
    }
    Ok(config)
}

/// Applies the flag `--bind`, which sets `server.bind`.
fn with_bind(sources: Sources, bind: Option<SocketAddr>) -> Sources {
    match bind {
        Some(bind) => sources.with("server.bind", bind.to_string()),
        None => sources,
    }
}

/// Returns the command that started this program, for example commands that users can copy.
fn program_name() -> String {
    std::env::args()
        .next()
        .filter(|name| !name.contains(char::is_whitespace))
        .unwrap_or_else(|| "bearward".to_owned())
}

/// Replaces an unspecified address with the loopback address, to which clients can connect.
fn connectable_address(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    address
}

/// Parses `IP:PORT`. The error suggests an address for common mistakes.
fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text
        .strip_prefix("localhost:")
        .or_else(|| text.strip_prefix(':'))
        .unwrap_or(text);
    let suggestion = port
        .parse::<u16>()
        .map(|port| format!("; here 127.0.0.1:{port}"))
        .unwrap_or_default();
    text.parse()
        .map_err(|_| format!("write an IP address and a port, such as 127.0.0.1:8000{suggestion}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(command: clap::Command) -> Vec<clap::Command> {
        let subcommands = command.get_subcommands().cloned().flat_map(tree);
        let mut all: Vec<_> = subcommands.collect();
        all.push(command);
        all
    }

    #[test]
    fn texts_after_the_options_need_no_wrapping() {
        for command in tree(command()) {
            let text = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
            }
        }
    }
}
