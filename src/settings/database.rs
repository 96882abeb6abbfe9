//! The `[database]` section.

use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    raw::{Hint, Raw, integer},
    redact::without_password,
    section::{Reported, Section},
};

/// Schemes of the databases that the store can speak to.
const SCHEMES: [&str; 5] = ["sqlite", "postgres", "postgresql", "mysql", "mariadb"];

/// Where rows are kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Database {
    /// The database's URL, which may hold a password.
    pub url: SecretString,
    /// The most connections of one process.
    pub max_connections: u32,
}

impl Database {
    /// Whether nobody has named a database: then it is the file beside the server.
    pub fn is_default(&self) -> bool {
        self.url.expose_secret() == "sqlite://bearward.db"
    }

    /// Unless told otherwise, drivers encrypt only where the other side offers it, and do not ask
    /// who that is.
    pub(super) fn note(&self) -> Option<String> {
        let url = Url::parse(self.url.expose_secret())
            .ok()
            .filter(|url| url.scheme() != "sqlite")?;
        let host = url
            .host_str()
            .filter(|host| !host.is_empty() && !is_this_machine(host))?;
        let is_told = url
            .query_pairs()
            .any(|(name, _)| matches!(name.as_ref(), "sslmode" | "ssl-mode"));
        (!is_told).then(|| {
            let mode = if url.scheme().starts_with("postgres") { "sslmode=verify-full" } else { "ssl-mode=VERIFY_IDENTITY" };
            format!(
                "database.url does not say how {host} is to be reached: whoever stands between can read the password and every row; \
                 unless that network is yours alone, end it with ?{mode}"
            )
        })
    }

    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Reported> {
        let url = section.secret("url", without_password, database_url);
        let url = section.present(
            "url",
            url,
            "write a database URL, such as \"sqlite://bearward.db\"",
        );
        let max_connections = section.take("max_connections", integer(1..=10_000));
        section.finish();
        Ok(Self {
            url: url?,
            max_connections: max_connections?,
        })
    }
}

fn database_url(raw: Raw<'_>) -> Result<SecretString, Hint> {
    let text = raw.text()?;
    let Some((scheme, rest)) = text
        .split_once(':')
        .filter(|(scheme, _)| SCHEMES.contains(scheme))
    else {
        return Err(
            "it must begin with sqlite://, postgres:// or mysql:// (the value is not shown: it may hold a password)".to_owned()
        );
    };
    // What is no URL must not come to the driver, whose error repeats it.
    if scheme == "sqlite" || (rest.starts_with("//") && Url::parse(text).is_ok()) {
        return Ok(text.into());
    }
    Err(format!(
        "it is not of the form {scheme}://USER:PASSWORD@HOST/NAME (the value is not shown); in a password write / as %2F, ? as %3F, # as %23, \
         @ as %40 and % as %25"
    ))
}

/// Not by `is_loopback`: under a scheme that is not the web's, an IPv4 address is a name to the
/// URL.
fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}
