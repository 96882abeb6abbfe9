//! `bearward health`: does a server answer? For containers, which have no other program to ask
//! with.

use std::time::Duration;

use clap::Args;
use reqwest::{Client, redirect::Policy};
use url::Url;

use super::Failure;
use crate::settings::{Config, Sources};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Options {
    /// The server's own address [default: `server.bind` of the configuration]
    #[arg(value_name = "URL", value_parser = server)]
    url: Option<Url>,
}

const AFTER_HELP: &str = "\
In a container file:  HEALTHCHECK CMD [\"bearward\", \"health\"]

It asks /livez, which says that the process is up: restarting it would cure neither
an issuer's outage nor the database's.
Exit code 0: it answers. 1: it does not.";

/// Whoever asks waits for less: a health check's usual limit is 30 s, and a process that takes
/// seconds for this is not well.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn run(sources: &Sources, options: Options) -> Result<(), Failure> {
    let base = match options.url {
        Some(url) => url,
        None => own_address(sources)?,
    };
    let url = base.join("/livez").map_err(|_| {
        Failure::Usage(format!(
            "{base} is no server's address; write http://HOST:PORT"
        ))
    })?;
    let failed = |problem: &str| Failure::Failed(format!("{url} {problem}"));
    let client = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .build();
    let client = client.map_err(|_| failed("cannot be asked: no HTTP client can be made"))?;
    match client.get(url.clone()).send().await {
        Ok(response) if response.status().is_success() => Ok(()),
        Ok(response) => Err(failed(&format!("answers {}", response.status()))),
        Err(error) if error.is_timeout() => Err(failed("does not answer within 3 s")),
        Err(_) => Err(failed("does not answer: nothing listens there")),
    }
}

fn server(text: &str) -> Result<Url, String> {
    Url::parse(text)
        .ok()
        .filter(Url::has_host)
        .ok_or_else(|| "write http://HOST:PORT".to_owned())
}

fn own_address(sources: &Sources) -> Result<Url, Failure> {
    let address = super::reached_at(Config::load(sources)?.server.bind);
    Url::parse(&format!("http://{address}")).map_err(|error| Failure::Usage(error.to_string()))
}
