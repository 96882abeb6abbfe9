//! The `[jwks]` section: how key sets are fetched, kept and renewed.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use url::Url;

use super::{
    raw::{Hint, Raw, integer, switch},
    redact::without_password,
    section::{Reported, Section},
    units::{duration, size},
};

/// The numbers of the key cache, the same for every issuer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Jwks {
    /// How long a set is fresh when the response does not say.
    pub default_ttl: Duration,
    /// The least that a response's `max-age` can mean.
    pub min_ttl: Duration,
    /// The most that a response's `max-age` can mean.
    pub max_ttl: Duration,
    /// How long a set serves after its last successful fetch while fetches fail.
    pub max_stale: Duration,
    /// One fetch for an unknown key is allowed each this long, beyond the burst.
    pub refetch_cooldown: Duration,
    /// Fetches for unknown keys that are allowed at once.
    pub refetch_burst: u32,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a whole fetch may take.
    pub timeout: Duration,
    /// The largest body of a response, in bytes.
    pub max_bytes: usize,
    /// The most keys that are read of one set.
    pub max_keys: usize,
    /// Whether plain http is accepted to hosts other than this machine.
    pub allow_http: bool,
    /// PEM certificates that are trusted beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// The proxy for fetches; the URL may hold a password.
    pub proxy: Option<SecretString>,
    /// Where the last good sets are kept for a restart during an outage.
    pub snapshot_dir: Option<PathBuf>,
}

impl Jwks {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Reported> {
        let hours = |hours: u64| Duration::from_hours(hours);
        let ttl = || duration(Duration::from_secs(1)..=hours(7 * 24));
        let timeouts = || duration(Duration::from_millis(10)..=Duration::from_mins(1));
        let default_ttl = section.take("default_ttl", ttl());
        let min_ttl = section.take("min_ttl", ttl());
        let max_ttl = section.take("max_ttl", ttl());
        let max_stale = section.take("max_stale", ttl());
        let refetch_cooldown = section.take(
            "refetch_cooldown",
            duration(Duration::from_secs(1)..=hours(1)),
        );
        let refetch_burst = section.take("refetch_burst", integer(1..=100));
        let connect_timeout = section.take("connect_timeout", timeouts());
        let timeout = section.take("timeout", timeouts());
        let max_bytes = section.take("max_bytes", size(1024..=4 << 20));
        let max_keys = section.take("max_keys", integer(1..=1000));
        let allow_http = section.take("allow_http", switch);
        let ca_file = section.optional("ca_file", readable_file);
        let proxy = section.secret("proxy", without_password, proxy);
        let snapshot_dir = section.optional("snapshot_dir", |raw| raw.text().map(PathBuf::from));
        for (lower, higher) in [
            ("min_ttl", "default_ttl"),
            ("default_ttl", "max_ttl"),
            ("max_ttl", "max_stale"),
        ] {
            let of = |key| match key {
                "min_ttl" => min_ttl,
                "default_ttl" => default_ttl,
                "max_ttl" => max_ttl,
                _ => max_stale,
            };
            if let (Ok(low), Ok(high)) = (of(lower), of(higher))
                && low > high
            {
                section.conflict(
                    &[lower, higher],
                    &format!("{lower} must not be longer than {higher}"),
                );
            }
        }
        section.finish();
        Ok(Self {
            default_ttl: default_ttl?,
            min_ttl: min_ttl?,
            max_ttl: max_ttl?,
            max_stale: max_stale?,
            refetch_cooldown: refetch_cooldown?,
            refetch_burst: refetch_burst?,
            connect_timeout: connect_timeout?,
            timeout: timeout?,
            max_bytes: max_bytes?,
            max_keys: max_keys?,
            allow_http: allow_http?,
            ca_file: ca_file?,
            proxy: proxy?,
            snapshot_dir: snapshot_dir?,
        })
    }
}

fn readable_file(raw: Raw<'_>) -> Result<PathBuf, Hint> {
    let path = PathBuf::from(raw.text()?);
    let opened = std::fs::File::open(&path).and_then(|file| file.metadata());
    match opened {
        Ok(metadata) if metadata.is_file() => Ok(path),
        Ok(_) => Err("this is a folder; name the file".to_owned()),
        Err(error) => Err(format!("the file cannot be read: {error}")),
    }
}

fn proxy(raw: Raw<'_>) -> Result<SecretString, Hint> {
    let text = raw.text()?;
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.map(|_| text.into())
        .ok_or_else(|| "write a URL such as \"http://proxy.internal:3128\"".to_owned())
}
