//! The `[database]` section.

use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    raw::{Hint, Raw, integer, one_of},
    redact::without_password,
    section::{Reported, Section},
};

/// The URL schemes of the supported databases.
const SCHEMES: [&str; 5] = ["sqlite", "postgres", "postgresql", "mysql", "mariadb"];

/// The greatest length of a name in PostgreSQL, in bytes.
const MAX_NAME_LENGTH: usize = 63;

/// What is in front of a PostgreSQL database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pooler {
    /// Determined at startup.
    Auto,
    /// Nothing, or a pooler that gives each client a session of its own.
    Session,
    /// A pooler that gives a client a session for one transaction.
    Transaction,
}

/// The database connection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Database {
    /// The URL, which may contain a password.
    pub url: SecretString,
    /// The maximum number of connections of one process.
    pub max_connections: u32,
    /// The PostgreSQL schema of the tables.
    pub schema: String,
    /// What is in front of a PostgreSQL database.
    pub pooler: Pooler,
}

impl Database {
    /// Returns whether the default database is used, a file in the working directory.
    pub fn is_default(&self) -> bool {
        self.url.expose_secret() == "sqlite://bearward.db"
    }

    /// Returns a warning if a remote database is configured without a TLS mode. Drivers then encrypt
    /// only if the server offers it, and do not verify the server's identity.
    pub(super) fn warning(&self) -> Option<String> {
        let url = Url::parse(self.url.expose_secret())
            .ok()
            .filter(|url| url.scheme() != "sqlite")?;
        let host = url
            .host_str()
            .filter(|host| !host.is_empty() && !is_loopback_host(host))?;
        let has_tls_mode = url
            .query_pairs()
            .any(|(name, _)| matches!(name.as_ref(), "sslmode" | "ssl-mode"));
        (!has_tls_mode).then(|| {
            let mode = if url.scheme().starts_with("postgres") { "sslmode=verify-full" } else { "ssl-mode=VERIFY_IDENTITY" };
            format!(
                "database.url sets no TLS mode for {host}: an attacker on the network can read the password and all data; \
                 unless the network is private, append ?{mode}"
            )
        })
    }

    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Reported> {
        let url = section.secret("url", without_password, database_url);
        let url = section.require(
            "url",
            url,
            "write a database URL, such as \"sqlite://bearward.db\"",
        );
        let max_connections = section.take("max_connections", integer(1..=10_000));
        let schema = section.take("schema", schema_name);
        let pooler = section.take(
            "pooler",
            one_of(&[
                ("auto", Pooler::Auto),
                ("session", Pooler::Session),
                ("transaction", Pooler::Transaction),
            ]),
        );
        section.finish();
        Ok(Self {
            url: url?,
            max_connections: max_connections?,
            schema: schema?,
            pooler: pooler?,
        })
    }
}

fn schema_name(raw: Raw<'_>) -> Result<String, Hint> {
    let text = raw.text()?;
    let is_valid = text.len() <= MAX_NAME_LENGTH
        && text.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        // Reserved for the system.
        && !text.starts_with("pg_")
        && text != "information_schema";
    is_valid.then(|| text.to_owned()).ok_or_else(|| {
        "write up to 63 of a-z, 0-9 and _, without a digit or pg_ at the start".to_owned()
    })
}

fn database_url(raw: Raw<'_>) -> Result<SecretString, Hint> {
    let text = raw.text()?;
    let Some((scheme, rest)) = text
        .split_once(':')
        .filter(|(scheme, _)| SCHEMES.contains(scheme))
    else {
        return Err(
            "the URL must begin with sqlite://, postgres:// or mysql:// (the value is not shown, because it may contain a password)".to_owned()
        );
    };
    // The driver must not see an invalid URL, because its error message repeats the URL.
    if scheme == "sqlite" || (rest.starts_with("//") && Url::parse(text).is_ok()) {
        return Ok(text.into());
    }
    Err(format!(
        "the URL must have the form {scheme}://USER:PASSWORD@HOST/NAME (the value is not shown); in a password write / as %2F, ? as %3F, # as %23, \
         @ as %40 and % as %25"
    ))
}

/// Returns whether the host is a loopback name or address. `bearward::internals::is_loopback` cannot be
/// used, because for schemes other than http the `url` crate does not parse IPv4 addresses.
fn is_loopback_host(host: &str) -> bool {
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}
