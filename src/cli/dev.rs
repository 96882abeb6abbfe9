//! `bearward dev`: starts a development IdP and the API on this machine.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use bearward::{Algorithm, Clock, SystemClock};
use bearward_idp::{ApiRequest, Idp, RequestLog};
use clap::Args;

use super::{
    Failure, data_folder::DataFolder, dev_certificate::DevCertificate, dev_key, idp, load,
    sign_in_flags::SignInFlags, style,
};
use crate::{
    server::{AnsweredRequest, Application, RequestObserver, Server, signals::Signals},
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
    /// Serve the API over https, with a certificate for localhost that is made once and kept in the data
    /// folder
    #[arg(long)]
    https: bool,
    /// Sign tokens with this algorithm: RS256, ES256, EdDSA or another
    #[arg(long, value_name = "ALG", default_value = "RS256")]
    alg: Algorithm,
    /// Keep users, signing keys, the database and the vault key in this folder; `DATABASE_URL`
    /// overrides the database
    #[arg(long, value_name = "DIR", default_value = DataFolder::DEFAULT)]
    data: PathBuf,
    /// Allow the development IdP to listen on an address that other machines can reach, for
    /// containers. Anyone who reaches it can impersonate any user
    #[arg(long)]
    dangerous_allow_remote: bool,
    #[command(flatten)]
    sign_in: SignInFlags,
}

const AFTER_HELP: &str = "\
If a port is in use:
  bearward dev --bind 127.0.0.1:8001 --idp-bind 127.0.0.1:9998

The folder .bearward keeps users, sessions, signing keys and rows over restarts.
Delete it to start anew.";

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

[issuers.dev]
# As for a hosted project: clients of the IdP's OAuth server need an entry in client_ids.
first_party = true

[admin]
issuers = ["dev"]

[telemetry]
format = "pretty"
"#;

pub(super) async fn run(sources: Sources, options: Options) -> Result<(), Failure> {
    let mut signals = Signals::install()?;
    let folder = DataFolder::open(options.data)?;
    let idp = idp::start(
        &sources,
        options.idp_bind,
        options.alg,
        None,
        options.dangerous_allow_remote,
        options.sign_in.into_options(Some(folder.idp_file())),
    )?;
    let other_algorithms: Vec<_> = Algorithm::DEFAULT
        .iter()
        .copied()
        .filter(|algorithm| *algorithm != options.alg)
        .map(Algorithm::name)
        .collect();
    let sources = Sources {
        development_defaults: Some(defaults(&idp)),
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
    let certificate = options
        .https
        .then(|| DevCertificate::load_or_create(&folder.https_folder()))
        .transpose()?;
    let sources = match &certificate {
        Some(certificate) => certificate.configure(sources),
        None => sources,
    };
    let mut config = load(&with_fake_google(sources, &idp))?;
    if config.database.is_default() {
        config.database.url = folder.database_url().into();
    }
    if config.vault.keys.is_empty() {
        config.vault.keys.push(dev_key::load_or_create(&folder)?);
    }
    let uses_stand_in = idp.completions_url().as_ref() == Some(&config.generate.base_url);
    if uses_stand_in {
        idp.serve_completions();
    }
    let metrics = telemetry::install_metrics()?;
    let server = Server::from_settings(config.clone())
        .observe_requests(show_on_console(idp.request_log()))
        .docs_token_url(format!("{}/admin/tokens", idp.base()).parse().ok())
        .accepts_any_api_key(uses_stand_in);
    let start = Box::pin(async {
        let application = Application::build(server, Some(metrics)).await?;
        // Logging starts after the first key fetch, so that the printed text is not mixed with log
        // lines.
        application.auth().wait_for_initial_fetch().await;
        Ok::<_, Failure>(application)
    });
    let Some(application) = signals.or_stop(start).await else {
        return Ok(());
    };
    let application = application?;
    let api = super::connectable_address(application.address());
    let api = format!("{}://{api}", config.server.scheme());
    idp.attach_api(api.clone(), application.auth().clone());
    if config.revocation.backchannel_logout
        && let Ok(url) = format!("{api}/api/auth/backchannel-logout").parse()
    {
        let authority = certificate
            .as_ref()
            .map(DevCertificate::authority_pem)
            .transpose()?;
        idp.send_logout_tokens_to(url, authority.as_deref())
            .map_err(|error| Failure::Failed(error.to_string()))?;
    }
    let _traces = telemetry::start(&config.telemetry)?;
    print(&idp, &api, certificate.as_ref(), &folder);
    Ok(signals.run(application).await?)
}

/// Returns the defaults that differ from those of `serve`. The stand-in of the IdP answers
/// `/api/generate`, unless a file, a variable or a flag configures a service.
fn defaults(idp: &Idp) -> String {
    match idp.completions_url() {
        Some(url) => format!("{DEFAULTS}\n[generate]\nbase_url = \"{url}\"\n"),
        None => DEFAULTS.to_owned(),
    }
}

/// Returns an observer that shows each request of the API on the console of the IdP.
fn show_on_console(log: RequestLog) -> RequestObserver {
    let clock = SystemClock::new();
    Arc::new(move |request| {
        let AnsweredRequest {
            method,
            route,
            status,
            elapsed,
            request_id,
            error,
            rejection,
        } = request;
        let is_token_rejected = rejection.is_some();
        let (issuer, kid) = rejection.map_or((None, None), |failure| {
            (
                failure.issuer.map(|issuer| issuer.to_string()),
                failure.kid.map(|kid| kid.to_string()),
            )
        });
        log.record(&ApiRequest {
            at: clock.now(),
            method: method.to_string(),
            route,
            status: status.as_u16(),
            duration_ms: (elapsed.as_secs_f64() * 1e4).round() / 10.0,
            request_id,
            error,
            is_token_rejected,
            issuer,
            kid,
        });
    })
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

/// Prints commands to copy, and the addresses last, so that they stay in view: at most 20 lines of
/// 80 columns.
fn print(idp: &Idp, api: &str, certificate: Option<&DevCertificate>, folder: &DataFolder) {
    let (strong, plain, faint, note) = (style::STRONG, style::PLAIN, style::FAINT, style::NOTE);
    let (good, bad) = (style::GOOD, style::BAD);
    let base = idp.base();
    let trust = certificate.map_or_else(String::new, |certificate| {
        format!("--cacert {} ", certificate.authority.display())
    });
    let request = format!("curl -i {trust}{api}/protected");
    anstream::println!(
        "{strong}bearward dev{plain}  {note}for development only: the IdP issues tokens to anyone{plain}\n"
    );
    anstream::println!("Run these commands in another terminal:\n");
    anstream::println!("export TOKEN=$(curl -sXPOST {base}/admin/tokens | cut -d'\"' -f4)\n");
    anstream::println!("{good}200{plain} {faint}accepted{plain}");
    anstream::println!("{request} -H \"Authorization: Bearer $TOKEN\"");
    anstream::println!("{bad}401{plain} {faint}modified{plain}");
    anstream::println!("{request} -H \"Authorization: Bearer ${{TOKEN}}A\"");
    anstream::println!("{faint}check by check, why{plain}");
    anstream::println!(
        "SUPABASE_URL={base} {} explain ${{TOKEN}}A\n",
        super::program_name()
    );
    anstream::println!("{strong}data{plain}     {}", folder.path().display());
    anstream::println!("{strong}API{plain}      {api}");
    anstream::println!("{strong}docs{plain}     {api}/docs");
    anstream::println!(
        "{strong}console{plain}  {base}/        {faint}why tokens are rejected; users, keys{plain}"
    );
    anstream::println!("{strong}inbox{plain}    {base}/.inbox  {faint}mails of the IdP{plain}");
    if let Some(certificate) = certificate {
        anstream::println!(
            "{strong}trust{plain}    {}  {faint}import it as an authority in the browser{plain}",
            certificate.authority.display()
        );
    }
    anstream::println!("\n{faint}Ctrl-C stops both.{plain}");
}
