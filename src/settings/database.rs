//! The `[database]` section.

use std::{net::IpAddr, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    raw::{Hint, Raw, integer, one_of},
    redact::without_password,
    section::{Reported, Section},
    units::duration,
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
    /// The URL of each server, in the order in which they are tried. One, unless `url` lists
    /// several hosts.
    pub servers: Vec<SecretString>,
    /// The maximum number of connections of one process.
    pub max_connections: u32,
    /// The PostgreSQL schema of the tables.
    pub schema: String,
    /// What is in front of a PostgreSQL database.
    pub pooler: Pooler,
    /// How long a statement waits for a connection.
    pub acquire_timeout: Duration,
    /// The time limit of a statement.
    pub statement_timeout: Duration,
    /// How long a statement waits for a lock.
    pub lock_timeout: Duration,
    /// A connection that is older is replaced.
    pub max_lifetime: Duration,
}

impl Database {
    /// Returns whether the default database is used, a file in the working directory.
    pub fn is_default(&self) -> bool {
        self.url.expose_secret() == "sqlite://bearward.db"
    }

    /// Returns a warning if a remote database is configured without a TLS mode. Drivers then encrypt
    /// only if the server offers it, and do not verify the server's identity.
    pub(super) fn warning(&self) -> Option<String> {
        let url = Url::parse(self.servers.first()?.expose_secret())
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
        let acquire_timeout = section.take(
            "acquire_timeout",
            duration(Duration::from_millis(100)..=Duration::from_secs(30)),
        );
        let limit = || duration(Duration::from_millis(100)..=Duration::from_mins(10));
        let statement_timeout = section.take("statement_timeout", limit());
        let lock_timeout = section.take("lock_timeout", limit());
        let max_lifetime = section.take(
            "max_lifetime",
            duration(Duration::from_secs(1)..=Duration::from_hours(24)),
        );
        if let (Ok(statement), Ok(lock)) = (statement_timeout, lock_timeout)
            && lock > statement
        {
            section.conflict(
                &["lock_timeout", "statement_timeout"],
                "lock_timeout must not exceed statement_timeout",
            );
        }
        section.finish();
        let (url, servers) = url?;
        Ok(Self {
            url,
            servers,
            max_connections: max_connections?,
            schema: schema?,
            pooler: pooler?,
            acquire_timeout: acquire_timeout?,
            statement_timeout: statement_timeout?,
            lock_timeout: lock_timeout?,
            max_lifetime: max_lifetime?,
        })
    }
}

pub(super) fn schema_name(raw: Raw<'_>) -> Result<String, Hint> {
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

/// Parses the URL, and returns it with the URL of each server that it lists.
fn database_url(raw: Raw<'_>) -> Result<(SecretString, Vec<SecretString>), Hint> {
    let text = raw.text()?;
    let Some((scheme, rest)) = text
        .split_once(':')
        .filter(|(scheme, _)| SCHEMES.contains(scheme))
    else {
        return Err(
            "the URL must begin with sqlite://, postgres:// or mysql:// (the value is not shown, because it may contain a password)".to_owned()
        );
    };
    if let Some(character) = text.chars().find(|character| character.is_control()) {
        return Err(format!(
            "the URL contains the control character {} (the value is not shown); remove it",
            character.escape_unicode()
        ));
    }
    if scheme == "sqlite" {
        return Ok((text.into(), vec![text.into()]));
    }
    let form = || {
        format!(
            "the URL must have the form {scheme}://USER:PASSWORD@HOST/NAME (the value is not shown); percent-encode the user name and the password: / as \
             %2F, ? as %3F, # as %23, @ as %40, : as %3A and % as %25"
        )
    };
    let rest = rest.strip_prefix("//").ok_or_else(form)?;
    let servers = server_urls(scheme, rest).ok_or_else(form)?;
    let mut checked = Vec::new();
    for server in servers {
        // The driver must not see an invalid URL, because its error message repeats the URL.
        let url = Url::parse(&server).map_err(|_| form())?;
        checked.push(check_parameters(url, scheme)?.as_str().into());
    }
    Ok((text.into(), checked))
}

/// Splits a URL that lists several hosts into one URL for each. `None` if a character that must be
/// percent-encoded is not.
fn server_urls(scheme: &str, rest: &str) -> Option<Vec<String>> {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    if rest.contains('#') || tail.contains('@') || !is_percent_encoded(rest) {
        return None;
    }
    let (user, hosts) = match authority.split_once('@') {
        Some((_, hosts)) if hosts.contains('@') => return None,
        Some((user, hosts)) => (format!("{user}@"), hosts),
        None => (String::new(), authority),
    };
    let hosts = hosts
        .split(',')
        .map(|host| format!("{scheme}://{user}{host}{tail}"));
    Some(hosts.collect())
}

/// Returns whether each % begins an escape of two hexadecimal digits.
fn is_percent_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|part| {
        part.as_bytes()
            .get(..2)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Rejects parameters that the driver would ignore. Removes `target_session_attrs`, whose only
/// supported meaning is what bearward does: it uses the server that accepts writes.
fn check_parameters(mut url: Url, scheme: &str) -> Result<Url, Hint> {
    const POSTGRES: [&str; 17] = [
        "sslmode",
        "ssl-mode",
        "sslrootcert",
        "ssl-root-cert",
        "ssl-ca",
        "sslcert",
        "ssl-cert",
        "sslkey",
        "ssl-key",
        "statement-cache-capacity",
        "host",
        "hostaddr",
        "port",
        "dbname",
        "user",
        "password",
        "application_name",
    ];
    const MYSQL: [&str; 13] = [
        "sslmode",
        "ssl-mode",
        "sslca",
        "ssl-ca",
        "charset",
        "collation",
        "sslcert",
        "ssl-cert",
        "sslkey",
        "ssl-key",
        "statement-cache-capacity",
        "socket",
        "timezone",
    ];
    let is_postgres = scheme.starts_with("postgres");
    let mut kept = Vec::new();
    for (name, value) in url.query_pairs() {
        match name.as_ref() {
            "target_session_attrs" if is_postgres => {
                if !matches!(value.as_ref(), "read-write" | "primary" | "any") {
                    return Err(
                        "target_session_attrs in the URL must be read-write, primary or any (the value is not shown): bearward writes, and uses the \
                         first server that accepts writes".to_owned(),
                    );
                }
                continue;
            }
            name if is_postgres
                && (POSTGRES.contains(&name)
                    || name == "options"
                    || name.starts_with("options[")) => {}
            name if !is_postgres && (MYSQL.contains(&name) || name == "time-zone") => {}
            name => {
                let known = if is_postgres {
                    &POSTGRES[..]
                } else {
                    &MYSQL[..]
                };
                return Err(format!(
                    "the URL has the unknown parameter {name:?} (the value is not shown); the known ones are {}{}",
                    known.join(", "),
                    if is_postgres {
                        ", options and target_session_attrs"
                    } else {
                        ""
                    }
                ));
            }
        }
        kept.push((name.into_owned(), value.into_owned()));
    }
    if url.query_pairs().count() != kept.len() {
        url.set_query(None);
        if !kept.is_empty() {
            url.query_pairs_mut().extend_pairs(kept);
        }
    }
    Ok(url)
}

/// Returns whether the host is a loopback name or address. `bearward::keys::is_loopback` cannot be
/// used, because for schemes other than http the `url` crate does not parse IPv4 addresses.
fn is_loopback_host(host: &str) -> bool {
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}
