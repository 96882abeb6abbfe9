//! `bearward dev`: the quick start, an identity provider and the API on this machine.

use std::{net::SocketAddr, time::Duration};

use clap::Args;

use super::{Failure, idp, load, style};
use crate::{auth::algorithm::Algorithm, config::Sources, idp::Idp, server::Application};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Where the API listens [default: server.bind, 127.0.0.1:8000]
    #[arg(long, value_name = "IP:PORT")]
    bind: Option<SocketAddr>,
    /// Where the development IdP listens
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:9999")]
    idp_bind: SocketAddr,
    /// What the development IdP signs with: RS256, ES256, EdDSA or another
    #[arg(long, value_name = "ALG", default_value = "RS256")]
    alg: Algorithm,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) async fn run(sources: Sources, options: Options) -> Result<(), Failure> {
    let idp = idp::start(&sources, options.idp_bind, options.alg, false)?;
    let sources = super::with_bind(sources, options.bind)
        .with("issuers.dev.issuer", idp.issuer())
        .with("issuers.dev.jwks_url", idp.jwks_url())
        .with("issuers.dev.audiences", idp.audience());
    let config = load(&sources)?;
    let metrics = super::observe(&config)?;
    let application = Application::start(&config, Some(metrics)).await.map_err(|error| Failure::Failed(error.to_string()))?;
    print(&idp, application.address());
    application.run().await.map_err(|error| Failure::Failed(error.to_string()))
}

/// Everything that somebody needs who runs this for the first time; each line can be copied.
fn print(idp: &Idp, api: SocketAddr) {
    let (strong, plain, faint, note) = (style::STRONG, style::PLAIN, style::FAINT, style::NOTE);
    let curl = |token: &str| format!("curl -i http://{api}/protected -H 'Authorization: Bearer {token}'");
    let good = idp.token(DAY).sign();
    anstream::println!("{strong}bearward dev{plain} {note}for development only{plain}");
    anstream::println!("  API   http://{api}");
    anstream::println!("  IdP   http://{}   {faint}issuer {}{plain}\n", idp.address(), idp.issuer());
    anstream::println!("{strong}A token{plain} {faint}(lives a day){plain}\n\n{good}\n");
    anstream::println!("{strong}200{plain} {faint}accepted{plain}\n\n{}\n", curl(&good));
    anstream::println!("{strong}401{plain} {faint}expired{plain}\n\n{}\n", curl(&idp.token(DAY).expired().sign()));
    anstream::println!("{strong}401{plain} {faint}tampered with{plain}\n\n{}\n", curl(&idp.token(DAY).tampered()));
    anstream::println!("{strong}Another user, another role, another lifetime{plain}\n");
    let order = r#"{"claims": {"sub": "grace", "email": "grace@example.com"}, "expires_in": 600}"#;
    anstream::println!(
        "curl -s -X POST http://{}/admin/tokens -H 'content-type: application/json' -d '{order}'\n",
        idp.address()
    );
    anstream::println!("{faint}Ctrl-C stops both.{plain}");
}
