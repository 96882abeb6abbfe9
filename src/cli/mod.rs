//! The commands: what they take, and which file does which.

mod check;
#[cfg(feature = "contract")]
mod contract;
#[cfg(feature = "idp")]
mod dev;
#[cfg(feature = "idp")]
mod dev_key;
mod explain;
mod health;
#[cfg(feature = "idp")]
mod idp;
#[cfg(feature = "idp")]
mod idp_flags;
mod openapi;
mod serve;
mod style;
mod vault;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::{
    server::StartError,
    settings::{Config, ConfigErrors, Sources},
    store::OpenError,
    telemetry::{self, Metrics, Traces},
};

/// Verifies bearer tokens of an external identity provider and serves what they protect.
#[derive(Debug, Parser)]
#[command(name = "bearward", version, after_help = AFTER_HELP)]
struct Arguments {
    /// The folder with default.toml and one file an environment [default: ./config where it
    /// exists]
    #[arg(long, global = true, value_name = "DIR")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try it: a development IdP and the API on this machine, one ready token, ready curl lines
    #[cfg(feature = "idp")]
    Dev(dev::Options),
    /// The server for production; needs an issuer to trust
    Serve(serve::Options),
    /// The development IdP alone, for frontends and for contract tests in any language
    #[cfg(feature = "idp")]
    Idp(idp::Options),
    /// Attacks any protected URL, in any language, with tokens, rotations and outages, and says
    /// what holds
    #[cfg(feature = "contract")]
    Contract(Box<contract::Options>),
    /// Says check by check why this configuration accepts or refuses a token
    Explain(explain::Options),
    /// Is the configuration sound, and can every issuer be reached? Lists keys, and what to do
    /// where something is wrong
    Check(check::Options),
    /// Does a server answer? For the health check of a container
    Health(health::Options),
    /// Prints the OpenAPI document of the API
    Openapi,
    /// What users' API keys are sealed with
    #[command(subcommand)]
    Vault(vault::Command),
}

const AFTER_HELP: &str = "\
Examples:
  bearward dev                                                  try it, nothing else needed
  SUPABASE_URL=https://YOUR-PROJECT.supabase.co bearward serve  the API behind a Supabase project
  bearward check                                                is everything reachable?
  bearward contract --target http://127.0.0.1:3000/protected    does it keep forged tokens out?
  bearward explain - < token.txt                                why is this token refused?

Configuration: config/default.toml documents every key; BEARWARD_SECTION__KEY sets one.
Exit codes: 0 done or accepted, 1 refused or failed, 2 the command line or the configuration is wrong.";

/// How a command can fail.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The command line or the configuration: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// What was asked for cannot be done: exit code 1.
    #[error("{0}")]
    Failed(String),
    /// Everything has been said already: exit code 1.
    #[error("")]
    AlreadyReported,
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            // What the configuration says may well be right.
            StartError::Bind { .. } | StartError::Database(OpenError::Unavailable(_)) => {
                Self::Failed(error.to_string())
            }
            _ => Self::Usage(error.to_string()),
        }
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self::Usage(errors.to_string())
    }
}

/// Runs the command that the process's arguments name.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let dir = arguments
        .config
        .or_else(|| Some(PathBuf::from("config")).filter(|default| default.is_dir()));
    // What is no text is refused where it is read; left out, a default would take its place unseen.
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        Some((
            name.into_string().ok()?,
            value.to_string_lossy().into_owned(),
        ))
    });
    let sources = Sources::new(dir, variables);
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
            Command::Openapi => openapi::run(),
            Command::Vault(action) => vault::run(&sources, action).await,
        }
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::AlreadyReported) => ExitCode::FAILURE,
        Err(failure) => {
            let code = if matches!(failure, Failure::Usage(_)) {
                2
            } else {
                1
            };
            anstream::eprintln!("{}error:{} {failure}", style::BAD, style::PLAIN);
            ExitCode::from(code)
        }
    }
}

/// Reads the configuration and tells what in it may surprise.
fn load(sources: &Sources) -> Result<Config, Failure> {
    let config = Config::load(sources)?;
    for note in config.notes() {
        anstream::eprintln!("{}note:{} {note}", style::NOTE, style::PLAIN);
    }
    Ok(config)
}

/// Starts the metrics, before anything is built that counts.
fn metrics() -> Result<Metrics, Failure> {
    telemetry::metrics().map_err(|error| Failure::Failed(error.to_string()))
}

/// Starts the log, and the traces where somebody wants them, which end with what is given back.
fn log(config: &Config) -> Result<Option<Traces>, Failure> {
    let telemetry = &config.telemetry;
    telemetry::init(telemetry, telemetry.rust_log.as_deref())
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let traces = telemetry
        .otlp_endpoint
        .as_ref()
        .map(Traces::start)
        .transpose();
    traces.map_err(|error| Failure::Failed(format!("traces cannot be sent: {error}")))
}

/// A flag that stands for a key of the configuration.
fn with_bind(sources: Sources, bind: Option<SocketAddr>) -> Sources {
    match bind {
        Some(bind) => sources.with("server.bind", bind.to_string()),
        None => sources,
    }
}

/// How this program was called: by its path where it was not installed.
#[cfg(feature = "idp")]
fn invoked() -> String {
    std::env::args()
        .next()
        .filter(|name| !name.contains(char::is_whitespace))
        .unwrap_or_else(|| "bearward".to_owned())
}

/// Whoever listens on every address is reached on this machine's own.
fn reached_at(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    address
}

/// `IP:PORT` on the command line, in the words of the configuration.
fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text
        .strip_prefix("localhost:")
        .or_else(|| text.strip_prefix(':'))
        .unwrap_or(text);
    let meant = port
        .parse::<u16>()
        .map(|port| format!("; write 127.0.0.1:{port}"))
        .unwrap_or_default();
    text.parse().map_err(|_| {
        format!("an address is an IP address and a port, such as 127.0.0.1:8000{meant}")
    })
}
