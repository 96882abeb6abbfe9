//! `bearward contract`: is any resource server, in any language, sound?

mod table;
mod wrap;

use std::{
    fs,
    io::IsTerminal,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bearward::Algorithm;
use bearward_contract::{Contract, Progress, Report};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value};
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, style};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(super) struct Options {
    /// The protected URL, for example `http://127.0.0.1:3000/protected`
    #[arg(long, value_name = "URL", required_unless_present = "list")]
    target: Option<String>,
    /// Where the mock IdP listens: the target must trust it
    #[arg(long, value_name = "IP:PORT", value_parser = super::address, default_value = "127.0.0.1:9999")]
    issuer_bind: SocketAddr,
    /// The mock IdP's own address as the target writes it, for a target in a container [default: `http://IP:PORT`]
    #[arg(long, value_name = "URL")]
    issuer_base: Option<String>,
    /// Listen on an address that other machines reach
    #[arg(long)]
    dangerous_allow_remote: bool,
    /// The audience that the target asks for
    #[arg(long, value_name = "AUD", default_value = "authenticated")]
    audience: String,
    /// What the target accepts, and nothing else: RS256,ES256 [default: what it is seen to accept]
    #[arg(long, value_name = "ALG,..", value_delimiter = ',')]
    algorithms: Vec<Algorithm>,
    /// A claim that the target wants beside the usual ones: scope="read", or any JSON; null leaves
    /// one out. May be repeated
    #[arg(long, value_name = "NAME=JSON", value_parser = claim)]
    claim: Vec<(String, Value)>,
    /// The typ of good tokens, for a target that asks for at+jwt
    #[arg(long, value_name = "TYP", default_value = "JWT")]
    token_type: String,
    /// A command line that starts the target; it is stopped at the end
    #[arg(long, value_name = "COMMAND")]
    start: Option<String>,
    /// How long the target may take until it accepts a good token
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    ready_timeout: Duration,
    /// How long the target may refuse to ask for keys again
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "31s")]
    cooldown: Duration,
    /// Challenges, codes and the letter of the RFCs too
    #[arg(long)]
    strict: bool,
    /// Seconds instead of minutes: without rotations, outages and what else waits for a cooldown
    #[arg(long)]
    quick: bool,
    /// A group, or the beginning of an id. May be repeated
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    only: Vec<String>,
    /// A case, or a group, that is left out. May be repeated
    #[arg(long, value_name = "CASE", value_delimiter = ',')]
    exclude: Vec<String>,
    /// Writes XML as `JUnit` does, for continuous integration
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Writes one JSON object; - for standard output, instead of the table
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes one page to look at
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Shows the cases that hold too
    #[arg(long, short)]
    verbose: bool,
    /// Lists the cases and runs none
    #[arg(long)]
    list: bool,
}

const AFTER_HELP: &str = "\
It plays the identity provider, in the layout of Supabase and at the root. The target must trust it:

  issuer     http://127.0.0.1:9999/auth/v1
  keys       http://127.0.0.1:9999/auth/v1/.well-known/jwks.json
  discovery  http://127.0.0.1:9999/auth/v1/.well-known/openid-configuration

A server that runs already, and one that the command starts:

  SUPABASE_URL=http://127.0.0.1:9999 bearward serve &
  bearward contract --target http://127.0.0.1:8000/protected

  bearward contract --target http://127.0.0.1:3000/protected --start 'node server.js'

What is started finds these variables in its environment:

  BEARWARD_CONTRACT_ISSUER    BEARWARD_CONTRACT_JWKS_URL
  BEARWARD_CONTRACT_AUDIENCE  BEARWARD_CONTRACT_BASE

Exit code 0: every case holds. 1: some do not. 2: it could not be run, and why.";

pub(super) async fn run(options: Options) -> Result<(), Failure> {
    if options.list {
        table::list(options.strict);
        return Ok(());
    }
    make_folders(&options)?;
    let bar = progress();
    let report = tokio::select! {
        report = all_cases(&options, &bar) => report,
        // By now the other branch is dropped, and with it what was started.
        () = shutdown_signal() => Err(Failure::Usage(interrupted(&options))),
    };
    bar.finish_and_clear();
    let report = report?;
    write(&options, &report)?;
    if options.json.as_ref().is_none_or(|file| !is_stdout(file)) {
        table::print(&report, options.verbose);
    }
    if report.passed() {
        Ok(())
    } else {
        Err(Failure::AlreadyReported)
    }
}

async fn all_cases(options: &Options, bar: &ProgressBar) -> Result<Report, Failure> {
    let shown = bar.clone();
    let contract = Contract::open(bearward_contract::Options {
        issuer_bind: options.issuer_bind,
        issuer_base: options.issuer_base.clone(),
        dangerous_allow_remote: options.dangerous_allow_remote,
        audience: options.audience.clone(),
        algorithms: options.algorithms.clone(),
        claims: options.claim.iter().cloned().collect::<Map<_, _>>(),
        token_type: options.token_type.clone(),
        strict: options.strict,
        quick: options.quick,
        only: options.only.clone(),
        exclude: options.exclude.clone(),
        ready_timeout: options.ready_timeout,
        cooldown: options.cooldown,
        start: options.start.clone(),
        progress: Some(Arc::new(move |progress| tell(&shown, progress))),
        ..bearward_contract::Options::default()
    });
    let contract = contract.map_err(|error| Failure::Usage(error.to_string()))?;
    if options.json.as_ref().is_none_or(|file| !is_stdout(file)) {
        let (faint, plain, strong) = (style::FAINT, style::PLAIN, style::STRONG);
        bar.suspend(|| {
            anstream::eprintln!(
                "{strong}issuer{plain} {}  {faint}keys{plain} {}",
                contract.issuer(),
                contract.jwks_url()
            );
        });
    }
    let target = options.target.as_deref().unwrap_or_default();
    contract
        .run(target)
        .await
        .map_err(|error| Failure::Usage(error.to_string()))
}

/// A report that nothing could be written to is told before the minutes that it would report on.
fn make_folders(options: &Options) -> Result<(), Failure> {
    let files = [&options.junit, &options.json, &options.html]
        .into_iter()
        .flatten()
        .filter(|file| !is_stdout(file));
    for (file, folder) in files.filter_map(|file| Some((file, file.parent()?))) {
        fs::create_dir_all(folder).map_err(|error| unwritable(file, &error))?;
    }
    Ok(())
}

fn unwritable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::Usage(format!("{} cannot be written: {error}", file.display()))
}

fn write(options: &Options, report: &Report) -> Result<(), Failure> {
    let json = || format!("{:#}\n", report.to_json());
    for (file, text) in [
        (
            &options.junit,
            &(|| report.to_junit()) as &dyn Fn() -> String,
        ),
        (&options.json, &json),
        (&options.html, &|| report.to_html()),
    ] {
        match file {
            None => {}
            Some(file) if is_stdout(file) => anstream::print!("{}", text()),
            Some(file) => fs::write(file, text()).map_err(|error| unwritable(file, &error))?,
        }
    }
    Ok(())
}

fn is_stdout(file: &Path) -> bool {
    file.as_os_str() == "-"
}

/// A bar on a terminal, and nothing elsewhere.
fn progress() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(
        ProgressStyle::with_template("{spinner} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn tell(bar: &ProgressBar, progress: Progress) {
    match progress {
        Progress::Waiting => bar.set_message("waits until the target accepts a good token"),
        Progress::Ready { cases } => {
            bar.set_length(u64::try_from(cases).unwrap_or(0));
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        Progress::Case { id, done } => {
            bar.set_position(u64::try_from(done).unwrap_or(0));
            bar.set_message(id);
        }
    }
}

fn interrupted(options: &Options) -> String {
    let stopped = options
        .start
        .as_ref()
        .map(|command| format!("; stopped what it had started: {command}"));
    format!(
        "interrupted, and so there is no report{}",
        stopped.unwrap_or_default()
    )
}

async fn shutdown_signal() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; write 500ms, 30s or 2m"))
}

/// `NAME=JSON`; what is no JSON is a string, so that `--claim scope=read` does what it says.
fn claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("write NAME=JSON, such as scope=read")?;
    Ok((
        name.to_owned(),
        serde_json::from_str(value).unwrap_or_else(|_| value.into()),
    ))
}
