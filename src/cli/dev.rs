//! `bearward dev`: starts a development IdP and the API on this machine.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use bearward::Algorithm;
use bearward_idp::{AuthOptions, Idp};
use bearward_testing::TokenBuilder;
use clap::Args;

use super::{Failure, dev_key, idp, load, style};
use crate::{
    server::{Application, signals::Signals},
    settings::Sources,
    telemetry,
};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Options {
    /// Listen on this address [default: server.bind, 127.0.0.1:8000]
    #[arg(long, value_name = "IP:PORT", value_parser = super::address)]
    bind: Option<SocketAddr>,
    /// Let the development IdP listen on this address
    #[arg(long, value_name = "IP:PORT", value_parser = super::address, default_value = "127.0.0.1:9999")]
    idp_bind: SocketAddr,
    /// Sign tokens with this algorithm: RS256, ES256, EdDSA or another
    #[arg(long, value_name = "ALG", default_value = "RS256")]
    alg: Algorithm,
    /// Keep the database and the vault key in this folder; `DATABASE_URL` overrides the database
    #[arg(long, value_name = "DIR", default_value = ".bearward")]
    data: PathBuf,
    /// Allow the development IdP to listen on an address that other machines can reach, for
    /// containers. Anyone who reaches it can impersonate any user
    #[arg(long)]
    dangerous_allow_remote: bool,
}

const AFTER_HELP: &str = "\
If a port is in use:
  bearward dev --bind 127.0.0.1:8001 --idp-bind 127.0.0.1:9998

Data is kept in the folder .bearward, which may be deleted. Every start creates
new signing keys, so tokens of an earlier start are rejected.";

/// The defaults that differ from those of `serve`.
const DEFAULTS: &str = r#"
[server]
# PORT sets the port, but must not expose the server to the network.
bind = "127.0.0.1:8000"
# The usual ports of frontend development servers, under both names of this machine, because browsers
# treat them as different origins.
cors_origins = [
    "http://localhost:3000",
    "http://127.0.0.1:3000",
    "http://localhost:5173",
    "http://127.0.0.1:5173",
]
# A short shutdown for fast restarts.
shutdown_timeout = "1s"

[admin]
issuers = ["dev"]

[telemetry]
format = "pretty"
"#;

/// The lifetime of the printed tokens.
const TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) async fn run(sources: Sources, options: Options) -> Result<(), Failure> {
    let mut signals = Signals::install()?;
    let idp = idp::start(
        &sources,
        options.idp_bind,
        options.alg,
        None,
        options.dangerous_allow_remote,
        AuthOptions::default(),
    )?;
    let other_algorithms: Vec<_> = Algorithm::DEFAULT
        .iter()
        .copied()
        .filter(|algorithm| *algorithm != options.alg)
        .map(Algorithm::name)
        .collect();
    let sources = Sources {
        development_defaults: Some(DEFAULTS),
        ..super::with_bind(sources, options.bind)
    };
    let sources = sources
        .with("issuers.dev.issuer", idp.issuer())
        .with("issuers.dev.jwks_url", idp.jwks_url())
        .with("issuers.dev.audiences", idp.audience())
        .with(
            "issuers.dev.algorithms",
            format!("{},{}", options.alg, other_algorithms.join(",")),
        );
    let mut config = load(&with_fake_google(sources, &idp))?;
    if config.database.is_default() {
        config.database.url = format!("sqlite://{}", options.data.join("dev.db").display()).into();
    }
    if config.vault.keys.is_empty() {
        config
            .vault
            .keys
            .push(dev_key::load_or_create(&options.data)?);
    }
    let metrics = telemetry::install_metrics()?;
    let start = async {
        let application = Application::start(&config, Some(metrics)).await?;
        // Logging starts after the first key fetch, so that the printed text is not mixed with log
        // lines.
        application.auth().wait_for_initial_fetch().await;
        Ok::<_, Failure>(application)
    };
    let Some(application) = signals.or_stop(start).await else {
        return Ok(());
    };
    let application = application?;
    let api = super::connectable_address(application.address());
    idp.attach_api(format!("http://{api}"), application.auth().clone());
    let _traces = telemetry::start(&config.telemetry)?;
    print(&idp, api);
    Ok(signals.run(application).await?)
}

/// Configures the fake Google of the development IdP as the issuer `google`, unless the environment
/// configures that issuer.
fn with_fake_google(sources: Sources, idp: &Idp) -> Sources {
    let configures_google = |name: &String| {
        name == "GOOGLE_CLIENT_ID" || name.starts_with("BEARWARD_ISSUERS__GOOGLE__")
    };
    if sources.variables.keys().any(configures_google) {
        return sources;
    }
    sources
        .with("issuers.google.issuer", idp.google_issuer())
        .with("issuers.google.jwks_url", idp.google_jwks_url())
        .with("issuers.google.audiences", idp.google_client_id())
        .with("issuers.google.use", "credential")
}

/// Prints the addresses, a token and example commands. Each command contains its token, so that it
/// works in a new terminal.
fn print(idp: &Idp, api: SocketAddr) {
    let (strong, plain, faint, note) = (style::STRONG, style::PLAIN, style::FAINT, style::NOTE);
    let base = idp.base();
    let curl = |token: &str| {
        format!("curl -i http://{api}/protected -H \"Authorization: Bearer {token}\"")
    };
    let token = compact_token(idp).sign();
    anstream::println!("{strong}bearward dev{plain} {note}for development only{plain}");
    anstream::println!("  API   http://{api}   {faint}/docs lists every route{plain}");
    anstream::println!(
        "  IdP   {base}   {faint}console: sign in as any user, explain tokens, rotate keys, simulate failures{plain}\n"
    );
    anstream::println!("{strong}A token{plain} {faint}(valid for 24 hours){plain}\n{token}\n");
    anstream::println!("{faint}Run these commands in another terminal:{plain}\n");
    anstream::println!(
        "{}200{plain} {faint}accepted{plain}\n{}\n",
        style::GOOD,
        curl(&token)
    );
    anstream::println!(
        "{}401{plain} {faint}expired{plain}\n{}\n",
        style::BAD,
        curl(&compact_token(idp).expired().sign())
    );
    anstream::println!(
        "{}401{plain} {faint}tampered with{plain}\n{}\n",
        style::BAD,
        curl(&compact_token(idp).tampered())
    );
    let body = r#"{"claims": {"sub": "grace", "email": "grace@example.com"}, "expires_in": 600}"#;
    anstream::println!(
        "{strong}A token of another user, valid for 10 minutes{plain} {faint}(more options: curl {base}/){plain}"
    );
    anstream::println!(
        "curl -s -X POST {base}/admin/tokens -H \"content-type: application/json\" -d '{body}'\n"
    );
    anstream::println!(
        "{strong}Explain why a token is rejected{plain}\nSUPABASE_URL={base} {} explain -\n",
        super::program_name()
    );
    anstream::println!("{faint}Ctrl-C stops both.{plain}");
}

/// Builds a token without the claims that the API does not use, so that four tokens fit on one
/// screen. The admin API of the IdP returns complete tokens.
fn compact_token(idp: &Idp) -> TokenBuilder {
    let unused_claims = [
        "amr",
        "app_metadata",
        "is_anonymous",
        "phone",
        "session_id",
        "user_metadata",
    ];
    unused_claims
        .into_iter()
        .fold(idp.token(TOKEN_LIFETIME), TokenBuilder::without)
}
