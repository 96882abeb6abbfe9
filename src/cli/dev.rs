//! `bearward dev`: the quick start, an identity provider and the API on this machine.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use bearward::algorithm::Algorithm;
use bearward_idp::{AuthOptions, Idp};
use bearward_testing::TokenBuilder;
use clap::Args;

use super::{Failure, dev_key, idp, load, style};
use crate::{server::Application, settings::Sources};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Options {
    /// Where the API listens [default: server.bind, 127.0.0.1:8000]
    #[arg(long, value_name = "IP:PORT", value_parser = super::address)]
    bind: Option<SocketAddr>,
    /// Where the development IdP listens
    #[arg(long, value_name = "IP:PORT", value_parser = super::address, default_value = "127.0.0.1:9999")]
    idp_bind: SocketAddr,
    /// What the development IdP signs with: RS256, ES256, EdDSA or another
    #[arg(long, value_name = "ALG", default_value = "RS256")]
    alg: Algorithm,
    /// Where rows are kept, unless `DATABASE_URL` says another place
    #[arg(long, value_name = "DIR", default_value = ".bearward")]
    data: PathBuf,
    /// Let the development IdP listen on an address that other machines reach: anybody there can
    /// then be anybody. For containers
    #[arg(long)]
    dangerous_allow_remote: bool,
}

const AFTER_HELP: &str = "\
A port is taken?  bearward dev --bind 127.0.0.1:8001 --idp-bind 127.0.0.1:9998
Rows are kept in .bearward, which may be deleted. Each start has new keys, and tokens of the last one are refused.";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) async fn run(sources: Sources, options: Options) -> Result<(), Failure> {
    let idp = idp::start(
        &sources,
        options.idp_bind,
        options.alg,
        None,
        options.dangerous_allow_remote,
        AuthOptions::default(),
    )?;
    let algorithms: Vec<_> = Algorithm::DEFAULT
        .into_iter()
        .filter(|usual| *usual != options.alg)
        .map(Algorithm::name)
        .collect();
    let sources = super::with_bind(sources, options.bind)
        .with("issuers.dev.issuer", idp.issuer())
        .with("issuers.dev.jwks_url", idp.jwks_url())
        .with("issuers.dev.audiences", idp.audience())
        .with(
            "issuers.dev.algorithms",
            format!("{},{}", options.alg, algorithms.join(",")),
        );
    let mut config = load(&with_google(sources, &idp))?;
    if config.database.is_default() {
        config.database.url = format!("sqlite://{}", options.data.join("dev.db").display()).into();
    }
    if config.vault.keys.is_empty() {
        config.vault.keys.push(dev_key::of(&options.data)?);
    }
    let application = Application::start(&config, Some(super::metrics()?)).await?;
    // The first lines that somebody sees are not for the log: it begins once the keys are there.
    application.auth().wait_for_initial_fetch().await;
    let api = super::reached_at(application.address());
    idp.attach_api(format!("http://{api}"), application.auth().clone());
    let _traces = super::log(&config)?;
    print(&idp, api);
    application
        .run()
        .await
        .map_err(|error| Failure::Failed(error.to_string()))
}

/// The fake Google stands where Google is, unless somebody has a client of their own.
fn with_google(sources: Sources, idp: &Idp) -> Sources {
    let is_set = |name: &String| {
        name == "GOOGLE_CLIENT_ID" || name.starts_with("BEARWARD_ISSUERS__GOOGLE__")
    };
    if sources.variables.keys().any(is_set) {
        return sources;
    }
    sources
        .with("issuers.google.issuer", idp.google_issuer())
        .with("issuers.google.jwks_url", idp.google_jwks_url())
        .with("issuers.google.audiences", idp.google_client_id())
        .with("issuers.google.use", "credential")
}

/// Everything that somebody needs who runs this for the first time. Each line works by itself in a
/// new terminal, so each holds its token.
fn print(idp: &Idp, api: SocketAddr) {
    let (strong, plain, faint, note) = (style::STRONG, style::PLAIN, style::FAINT, style::NOTE);
    let base = idp.base();
    let curl = |token: &str| {
        format!("curl -i http://{api}/protected -H \"Authorization: Bearer {token}\"")
    };
    let good = short(idp).sign();
    anstream::println!("{strong}bearward dev{plain} {note}for development only{plain}");
    anstream::println!("  API   http://{api}   {faint}/docs shows every route{plain}");
    anstream::println!(
        "  IdP   {base}   {faint}open it: sign in as anybody, see why a token is refused, turn keys, break things{plain}\n"
    );
    anstream::println!("{strong}A token{plain} {faint}(lives a day){plain}\n{good}\n");
    anstream::println!("{faint}Copy a line into another terminal.{plain}\n");
    anstream::println!(
        "{}200{plain} {faint}accepted{plain}\n{}\n",
        style::GOOD,
        curl(&good)
    );
    anstream::println!(
        "{}401{plain} {faint}expired{plain}\n{}\n",
        style::BAD,
        curl(&short(idp).expired().sign())
    );
    anstream::println!(
        "{}401{plain} {faint}tampered with{plain}\n{}\n",
        style::BAD,
        curl(&short(idp).tampered())
    );
    let order = r#"{"claims": {"sub": "grace", "email": "grace@example.com"}, "expires_in": 600}"#;
    anstream::println!(
        "{strong}Another user, another lifetime{plain} {faint}(what else: curl {base}/){plain}"
    );
    anstream::println!(
        "curl -s -X POST {base}/admin/tokens -H \"content-type: application/json\" -d '{order}'\n"
    );
    anstream::println!(
        "{strong}Why is a token refused?{plain}\nSUPABASE_URL={base} {} explain -\n",
        super::invoked()
    );
    anstream::println!("{faint}Ctrl-C stops both.{plain}");
}

/// Without the claims that nothing here reads, so that four tokens fit on one screen. The admin API
/// gives whole ones.
fn short(idp: &Idp) -> TokenBuilder {
    let unread = [
        "amr",
        "app_metadata",
        "is_anonymous",
        "phone",
        "session_id",
        "user_metadata",
    ];
    unread
        .into_iter()
        .fold(idp.token(DAY), TokenBuilder::without)
}
