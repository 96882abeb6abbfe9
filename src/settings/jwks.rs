//! The `[jwks]` section: how key sets are fetched, cached and refreshed.

use std::{path::PathBuf, time::Duration};

use bearward::{JwksCacheConfig, Setting};
use url::Url;

use super::{
    raw::{Hint, Raw, boolean, integer},
    redact::without_password,
    section::{Reported, Section},
    units::{duration, size},
};

/// Reads the section. Defaults and bounds are those of [`JwksCacheConfig`].
pub(super) fn read(mut section: Section<'_>) -> Result<JwksCacheConfig, Reported> {
    let mut config = JwksCacheConfig::default();
    let mut failed = Vec::new();
    for (key, setting, set) in DURATIONS {
        match section.take(key, duration(setting.range())) {
            Ok(value) => config = set(config, value),
            Err(Reported) => failed.push(key),
        }
    }
    let refetch_burst = section.take(
        "refetch_burst",
        integer(JwksCacheConfig::REFETCH_BURST.range()),
    );
    let max_bytes = section.take("max_bytes", size(JwksCacheConfig::MAX_BYTES.range()));
    let max_keys = section.take("max_keys", integer(JwksCacheConfig::MAX_KEYS.range()));
    let allow_http = section.take("allow_http", boolean);
    let ca_file = section.optional("ca_file", readable_file);
    let proxy = section.secret("proxy", without_password, proxy);
    let snapshot_dir = section.optional("snapshot_dir", |raw| raw.text().map(PathBuf::from));
    for (smaller, larger) in config.conflicts() {
        if !failed.contains(&smaller) && !failed.contains(&larger) {
            section.conflict(
                &[smaller, larger],
                &format!("{smaller} must not be longer than {larger}"),
            );
        }
    }
    section.finish();
    config = config
        .refetch_burst(refetch_burst?)
        .max_bytes(max_bytes?)
        .max_keys(max_keys?)
        .allow_http(allow_http?);
    if let Some(file) = ca_file? {
        config = config.ca_file(file);
    }
    if let Some(url) = proxy? {
        config = config.proxy(url);
    }
    if let Some(folder) = snapshot_dir? {
        config = config.snapshot_dir(folder);
    }
    if failed.is_empty() {
        Ok(config)
    } else {
        Err(Reported)
    }
}

type SetDuration = fn(JwksCacheConfig, Duration) -> JwksCacheConfig;

const DURATIONS: [(&str, Setting<Duration>, SetDuration); 7] = [
    (
        "default_ttl",
        JwksCacheConfig::DEFAULT_TTL,
        JwksCacheConfig::default_ttl,
    ),
    (
        "min_ttl",
        JwksCacheConfig::MIN_TTL,
        JwksCacheConfig::min_ttl,
    ),
    (
        "max_ttl",
        JwksCacheConfig::MAX_TTL,
        JwksCacheConfig::max_ttl,
    ),
    (
        "max_stale",
        JwksCacheConfig::MAX_STALE,
        JwksCacheConfig::max_stale,
    ),
    (
        "refetch_cooldown",
        JwksCacheConfig::REFETCH_COOLDOWN,
        JwksCacheConfig::refetch_cooldown,
    ),
    (
        "connect_timeout",
        JwksCacheConfig::CONNECT_TIMEOUT,
        JwksCacheConfig::connect_timeout,
    ),
    (
        "timeout",
        JwksCacheConfig::TIMEOUT,
        JwksCacheConfig::timeout,
    ),
];

fn readable_file(raw: Raw<'_>) -> Result<PathBuf, Hint> {
    let path = PathBuf::from(raw.text()?);
    let opened = std::fs::File::open(&path).and_then(|file| file.metadata());
    match opened {
        Ok(metadata) if metadata.is_file() => Ok(path),
        Ok(_) => Err("this is not a file; write the path of a PEM file".to_owned()),
        Err(error) => Err(format!("the file cannot be read: {error}")),
    }
}

fn proxy(raw: Raw<'_>) -> Result<Url, Hint> {
    Url::parse(raw.text()?)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| "write a URL such as \"http://proxy.internal:3128\"".to_owned())
}
