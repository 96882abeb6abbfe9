//! `bearward contract`: runs the conformance suite against a resource server in any language.

mod table;

use std::{
    fs,
    io::IsTerminal,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use bearward::Algorithm;
use bearward_contract::{Contract, Profile, Progress, Report};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value};

use super::{Failure, style, wrap};
use crate::server::signals::Signals;

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(super) struct Options {
    /// Send requests to this protected URL, for example
    /// `http://127.0.0.1:3000/protected`
    #[arg(long, value_name = "URL", required_unless_present = "list")]
    target: Option<String>,
    /// Let the mock IdP, which the target must trust, listen on this address
    #[arg(long, value_name = "IP:PORT", value_parser = super::address, default_value = "127.0.0.1:9999")]
    issuer_bind: SocketAddr,
    /// Use this base URL of the mock IdP in the issuer and the JWKS URL, for example for a
    /// container [default: `http://IP:PORT`]
    #[arg(long, value_name = "URL")]
    issuer_base: Option<String>,
    /// Allow an address that other machines can reach
    #[arg(long)]
    dangerous_allow_remote: bool,
    /// Use this audience, which the target requires [default: authenticated; with --profile mcp the
    /// URL of the target]
    #[arg(long, value_name = "AUD")]
    audience: Option<String>,
    /// Expect these algorithms to be accepted, for example RS256,ES256, and all others to be
    /// rejected [default: detect them]
    #[arg(long, value_name = "ALG,..", value_delimiter = ',')]
    algorithms: Vec<ListedAlgorithm>,
    /// Add this claim to valid tokens, for example scope="read" or any JSON; null removes a claim.
    /// May be repeated
    #[arg(long, value_name = "NAME=JSON", value_parser = claim)]
    claim: Vec<(String, Value)>,
    /// Use this client id in valid tokens; expect tokens of other clients to be rejected
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Expect tokens whose claim has another value than this one to be rejected
    #[arg(long, value_name = "NAME=JSON", value_parser = claim)]
    require_claim: Option<(String, Value)>,
    /// Expect tenants other than auth to be rejected, by a target that trusts the issuers
    /// `http://IP:PORT/{CLAIM}/v1`
    #[arg(long, value_name = "CLAIM")]
    tenant_claim: Option<String>,
    /// Also send tokens that are bound to a key, with proofs of possession (RFC 9449), to a target
    /// that accepts both
    #[arg(long)]
    dpop: bool,
    /// Also send tokens that are bound to a client certificate (RFC 8705), with the certificate in
    /// this header, to a target that trusts it from 127.0.0.1 only: Client-Cert (RFC 9440),
    /// X-Forwarded-Client-Cert (Envoy), or another name for percent-encoded PEM (nginx)
    #[arg(long, value_name = "HEADER")]
    client_certificate_header: Option<String>,
    /// Present client certificates (RFC 8705) to an https target, and send tokens that are bound to
    /// them, to a target that accepts both. They are created in this folder; the target must trust
    /// ca.pem in it for clients
    #[arg(
        long,
        value_name = "FOLDER",
        conflicts_with = "client_certificate_header"
    )]
    client_certificates: Option<PathBuf>,
    /// Trust the certificate authorities in this PEM file for an https target [default: those of the
    /// system]
    #[arg(long, value_name = "FILE")]
    target_ca: Option<PathBuf>,
    /// Give tokens and keys the shape of this provider's: supabase, auth0, entra, cognito or
    /// keycloak; or test an MCP server: mcp
    #[arg(long, value_name = "NAME", default_value_t)]
    profile: Profile,
    /// Use this typ header in valid tokens, for example at+jwt
    #[arg(long, value_name = "TYP", default_value = "JWT")]
    token_type: String,
    /// Start the target with this command line, and stop it at the end
    #[arg(long, value_name = "COMMAND")]
    start: Option<String>,
    /// Wait this long until the target accepts a valid token
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    ready_timeout: Duration,
    /// Expect the target to fetch the keys again within this time
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "31s")]
    cooldown: Duration,
    /// Also check challenges, status codes and RFC details
    #[arg(long)]
    strict: bool,
    /// Skip rotation, outage and cooldown cases: takes seconds instead of minutes
    #[arg(long)]
    quick: bool,
    /// Run only this group or id prefix. May be repeated
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    only: Vec<String>,
    /// Skip this group or id prefix. May be repeated
    #[arg(long, value_name = "CASE", value_delimiter = ',')]
    exclude: Vec<String>,
    /// Write the report as `JUnit` XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the report as JSON; - writes to standard output instead of the table
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as an HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Also show passed and skipped cases
    #[arg(long, short)]
    verbose: bool,
    /// List all cases and exit
    #[arg(long)]
    list: bool,
}

/// An algorithm, and whether it was listed as `Ed25519`, the other name of `EdDSA`.
#[derive(Debug, Clone)]
struct ListedAlgorithm {
    algorithm: Algorithm,
    is_ed25519: bool,
}

impl FromStr for ListedAlgorithm {
    type Err = <Algorithm as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self {
            algorithm: text.parse()?,
            is_ed25519: text == "Ed25519",
        })
    }
}

impl ListedAlgorithm {
    fn distinct(listed: &[Self]) -> Vec<Algorithm> {
        let mut algorithms = Vec::new();
        for Self { algorithm, .. } in listed {
            if !algorithms.contains(algorithm) {
                algorithms.push(*algorithm);
            }
        }
        algorithms
    }
}

const AFTER_HELP: &str = "\
The suite acts as the identity provider, with the URL layout of Supabase. The
target must trust it:

  issuer     http://127.0.0.1:9999/auth/v1
  keys       http://127.0.0.1:9999/auth/v1/.well-known/jwks.json
  discovery  http://127.0.0.1:9999/auth/v1/.well-known/openid-configuration

Test a running server, or start one for the test:

  SUPABASE_URL=http://127.0.0.1:9999 bearward serve &
  bearward contract --target http://127.0.0.1:8000/protected

  bearward contract --target http://127.0.0.1:3000/protected \\
    --start 'node server.js'

The command of --start receives these environment variables:

  BEARWARD_CONTRACT_ISSUER    BEARWARD_CONTRACT_JWKS_URL
  BEARWARD_CONTRACT_AUDIENCE  BEARWARD_CONTRACT_BASE
  BEARWARD_CONTRACT_CLIENT_CA (with --client-certificates: the file ca.pem)

Exit codes: 0 all cases passed, 1 at least one failed, 2 the suite could not
run.";

pub(super) async fn run(options: Options) -> Result<(), Failure> {
    if options.list {
        table::list(options.strict);
        return Ok(());
    }
    let mut signals = Signals::install()?;
    create_directories(&options)?;
    let bar = progress_bar();
    let report = tokio::select! {
        report = run_cases(&options, &bar) => report,
        // The other branch has been dropped, which stops the target's command.
        _ = signals.recv() => Err(Failure::Usage(interrupted_message(&options))),
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

/// The audience of valid tokens. That of an MCP server is its URL (RFC 8707).
fn audience(options: &Options) -> String {
    let target = options
        .target
        .clone()
        .filter(|_| options.profile == Profile::Mcp);
    let default = || bearward_contract::Options::default().audience;
    let explicit = options.audience.clone();
    explicit.or(target).unwrap_or_else(default)
}

async fn run_cases(options: &Options, bar: &ProgressBar) -> Result<Report, Failure> {
    let progress_bar = bar.clone();
    let contract = Contract::open(bearward_contract::Options {
        issuer_bind: options.issuer_bind,
        issuer_base: options.issuer_base.clone(),
        dangerous_allow_remote: options.dangerous_allow_remote,
        audience: audience(options),
        algorithms: ListedAlgorithm::distinct(&options.algorithms),
        ed25519: options.algorithms.iter().any(|listed| listed.is_ed25519),
        client_id: options.client_id.clone(),
        required_claim: options.require_claim.clone(),
        tenant_claim: options.tenant_claim.clone(),
        dpop: options.dpop,
        client_certificate_header: options.client_certificate_header.clone(),
        client_certificates: options.client_certificates.clone(),
        target_ca: options.target_ca.clone(),
        claims: options.claim.iter().cloned().collect::<Map<_, _>>(),
        profile: options.profile,
        token_type: options.token_type.clone(),
        strict: options.strict,
        quick: options.quick,
        only: options.only.clone(),
        exclude: options.exclude.clone(),
        ready_timeout: options.ready_timeout,
        cooldown: options.cooldown,
        start: options.start.clone(),
        progress: Some(Arc::new(move |progress| {
            show_progress(&progress_bar, progress);
        })),
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
            if let Some(file) = contract.client_ca_file() {
                anstream::eprintln!("{strong}client certificates of{plain} {}", file.display());
            }
        });
    }
    let target = options.target.as_deref().unwrap_or_default();
    contract
        .run(target)
        .await
        .map_err(|error| Failure::Usage(error.to_string()))
}

/// Creates the directories of the reports, so that an invalid path is reported before the run.
fn create_directories(options: &Options) -> Result<(), Failure> {
    let files = [&options.junit, &options.json, &options.html]
        .into_iter()
        .flatten()
        .filter(|file| !is_stdout(file));
    for (file, directory) in files.filter_map(|file| Some((file, file.parent()?))) {
        fs::create_dir_all(directory).map_err(|error| write_error(file, &error))?;
    }
    Ok(())
}

fn write_error(file: &Path, error: &std::io::Error) -> Failure {
    Failure::Usage(format!("cannot write {}: {error}", file.display()))
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
            Some(file) => fs::write(file, text()).map_err(|error| write_error(file, &error))?,
        }
    }
    Ok(())
}

fn is_stdout(file: &Path) -> bool {
    file.as_os_str() == "-"
}

/// Returns a progress bar, which is hidden if standard error is not a terminal.
fn progress_bar() -> ProgressBar {
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

fn show_progress(bar: &ProgressBar, progress: Progress) {
    match progress {
        Progress::Waiting => bar.set_message("waiting until the target accepts a valid token"),
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

fn interrupted_message(options: &Options) -> String {
    let stopped = options
        .start
        .as_ref()
        .map(|command| format!("; stopped the command: {command}"));
    format!(
        "interrupted before the report was complete{}",
        stopped.unwrap_or_default()
    )
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("{error}; expected a duration such as 500ms, 30s or 2m"))
}

/// Parses `NAME=JSON`. A value that is not JSON is a string, so that `--claim scope=read` works.
fn claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("expected NAME=JSON, for example scope=read")?;
    Ok((
        name.to_owned(),
        serde_json::from_str(value).unwrap_or_else(|_| value.into()),
    ))
}
