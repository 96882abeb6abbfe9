//! The layers of the configuration and their precedence.

use std::{num::NonZeroU32, path::Path, time::Duration};

use bearward::{Algorithm, Builder, ClaimMapping, Issuer, IssuerError, JwksCacheConfig};
use bearward_server::settings::{Config, LogFormat, Sources, ValueSource};
use insta::assert_snapshot;
use secrecy::ExposeSecret;

use super::{environment, error, folder, load, variables};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn source_of(config: &Config, path: &str) -> String {
    match &config
        .redacted()
        .values()
        .find(|value| value.path == path)
        .expect("a value")
        .source
    {
        ValueSource::File(path) => Path::new(path)
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned(),
        other => other.to_string(),
    }
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let config = environment(&[]).expect("defaults");
    assert_eq!(config.environment, "");
    let server = &config.server;
    assert_eq!(server.bind.to_string(), "127.0.0.1:8000");
    assert_eq!(
        (
            server.workers,
            server.public_url.is_none(),
            server.admin_bind
        ),
        (0, true, None)
    );
    assert_eq!(server.cors_origins, []);
    assert_eq!(
        (
            server.body_limit,
            server.request_timeout.as_secs(),
            server.shutdown_timeout.as_secs()
        ),
        (65_536, 30, 15)
    );
    assert!(server.trusted_proxies.is_empty());
    let jwks = JwksCacheConfig::default()
        .default_ttl(seconds(600))
        .min_ttl(seconds(60))
        .max_ttl(seconds(3600))
        .max_stale(seconds(21_600))
        .refetch_cooldown(seconds(10))
        .refetch_burst(2)
        .connect_timeout(seconds(2))
        .timeout(seconds(5))
        .max_bytes(131_072)
        .max_keys(100)
        .allow_http(false);
    assert_eq!(config.jwks, jwks);
    assert_eq!(jwks, JwksCacheConfig::default());
    assert_eq!(
        (
            config.tokens.max_bytes,
            config.tokens.cache_entries,
            &config.tokens.cookie
        ),
        (8192, 10_000, &None)
    );
    assert_eq!(
        (config.tokens.max_bytes, config.tokens.cache_entries),
        (
            Builder::DEFAULT_MAX_TOKEN_BYTES,
            Builder::DEFAULT_TOKEN_CACHE_ENTRIES
        )
    );
    assert_eq!(config.database.url.expose_secret(), "sqlite://bearward.db");
    assert!(config.vault.keys.is_empty());
    assert_eq!(
        config.vault.providers,
        [
            "togetherAI",
            "codeRabbit",
            "oumi",
            "kestra",
            "googleProviderToken"
        ]
    );
    assert_eq!(
        config.generate.base_url.as_str(),
        "https://api.together.xyz/v1"
    );
    let limits = &config.rate_limit;
    assert!(limits.enabled);
    assert_eq!(
        [
            limits.per_user,
            limits.per_address,
            limits.burst,
            limits.generations
        ]
        .map(NonZeroU32::get),
        [600, 1200, 60, 8]
    );
    assert_eq!(
        (config.telemetry.format, &config.telemetry.otlp_endpoint),
        (LogFormat::Pretty, &None)
    );
    assert!(config.issuers.is_empty() && config.warnings().is_empty());
}

#[test]
fn the_shipped_files_are_valid_in_both_environments() {
    for (environment, format) in [("", LogFormat::Pretty), ("production", LogFormat::Json)] {
        let sources = Sources::new(
            Some("config".into()),
            variables(&[("BEARWARD_ENV", environment)]),
        );
        let config = Config::load(&sources).expect(environment);
        assert_eq!(config.telemetry.format, format);
        assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    }
}

/// The effective values of a configuration without files.
fn values(environment_name: &str) -> Vec<(String, String)> {
    let config = environment(&[("BEARWARD_ENV", environment_name)]).expect("defaults");
    let values = config.redacted();
    values
        .values()
        .map(|value| (value.path.clone(), value.value.clone()))
        .collect()
}

#[test]
fn the_defaults_do_not_depend_on_the_environment() {
    for name in ["development", "production", "prod", "staging"] {
        assert_eq!(values(name), values(""), "{name}");
    }
}

#[test]
fn no_file_is_selected_without_an_environment() {
    let files = [("development.toml", "[jwks]\nmax_stale = \"7h\"")];
    let config = load(&files, &[]).expect("a valid configuration");
    assert_eq!(
        source_of(&config, "jwks.max_stale"),
        "the built-in defaults"
    );
    let config = load(&files, &[("BEARWARD_ENV", "development")]).expect("a valid configuration");
    assert_eq!(source_of(&config, "jwks.max_stale"), "development.toml");
}

#[test]
fn a_copy_of_the_defaults_keeps_the_development_defaults() {
    let text = "[admin]\nissuers = ['supabase']\n[generate]\nbase_url = 'http://127.0.0.1:9999/v1'\nmodel = 'm'\n";
    let load = |file: &str| {
        let dir = folder(&[("default.toml", file)]);
        let sources = Sources {
            development_defaults: Some(text.to_owned()),
            ..Sources::new(
                Some(dir.path().to_owned()),
                variables(&[("SUPABASE_URL", "https://abc.supabase.co")]),
            )
        };
        let config = Config::load(&sources).expect("a valid configuration");
        ["admin.issuers", "generate.base_url", "generate.model"].map(|key| source_of(&config, key))
    };
    let defaults = "the defaults of bearward dev";
    assert_eq!(load(Config::DEFAULTS), [defaults; 3]);
    let changed = Config::DEFAULTS.replace(
        "base_url = \"https://api.together.xyz/v1\"",
        "base_url = \"https://api.example.com/v1\"",
    );
    assert_eq!(load(&changed), [defaults, "default.toml", defaults]);
}

#[test]
fn development_defaults_are_overridden_by_every_other_source() {
    let dir = folder(&[("default.toml", "[server]\nworkers = 3")]);
    let text = "[server]\nbind = '127.0.0.1:8000'\nworkers = 2\nshutdown_timeout = '1s'\nrequest_timeout = '2s'";
    let sources = Sources {
        development_defaults: Some(text.to_owned()),
        ..Sources::new(
            Some(dir.path().to_owned()),
            variables(&[("BEARWARD_SERVER__REQUEST_TIMEOUT", "3s"), ("PORT", "9000")]),
        )
    };
    let server = Config::load(&sources)
        .expect("a valid configuration")
        .server;
    assert_eq!(
        (
            server.workers,
            server.request_timeout,
            server.shutdown_timeout
        ),
        (3, seconds(3), seconds(1))
    );
    assert_eq!(
        server.bind.to_string(),
        "127.0.0.1:9000",
        "not all addresses"
    );
}

#[test]
fn a_later_layer_overrides_only_the_keys_that_it_sets() {
    let dir = folder(&[
        (
            "default.toml",
            "[jwks]\nmin_ttl = \"61s\"\ndefault_ttl = \"11m\"\nmax_ttl = \"2h\"\nmax_stale = \"7h\"",
        ),
        (
            "staging.toml",
            "[jwks]\ndefault_ttl = \"12m\"\nmax_ttl = \"3h\"\nmax_stale = \"8h\"",
        ),
    ]);
    let pairs = [
        ("BEARWARD_ENV", "staging"),
        ("BEARWARD_JWKS__MAX_TTL", "4h"),
        ("BEARWARD_JWKS__MAX_STALE", "9h"),
    ];
    let sources =
        Sources::new(Some(dir.path().to_owned()), variables(&pairs)).with("jwks.max_stale", "10h");
    let config = Config::load(&sources).expect("a valid configuration");
    let jwks = JwksCacheConfig::default()
        .min_ttl(seconds(61))
        .default_ttl(seconds(720))
        .max_ttl(seconds(14_400))
        .max_stale(seconds(36_000));
    assert_eq!(config.jwks, jwks);
    assert_eq!(source_of(&config, "jwks.timeout"), "the built-in defaults");
    assert_eq!(source_of(&config, "jwks.min_ttl"), "default.toml");
    assert_eq!(source_of(&config, "jwks.default_ttl"), "staging.toml");
    assert_eq!(source_of(&config, "jwks.max_ttl"), "BEARWARD_JWKS__MAX_TTL");
    assert_eq!(source_of(&config, "jwks.max_stale"), "the command line");
}

#[test]
fn a_variable_sets_lists_numbers_and_booleans() {
    let config = environment(&[
        ("BEARWARD_ISSUERS__IDP__ISSUER", "https://idp.example.com"),
        ("BEARWARD_ISSUERS__IDP__AUDIENCES", "one"),
        ("BEARWARD_ISSUERS__IDP__ALGORITHMS", "ES256, RS256"),
        ("BEARWARD_ISSUERS__IDP__CLAIMS__ROLES", "/groups"),
        ("BEARWARD_SERVER__CORS_ORIGINS", ""),
        ("BEARWARD_TOKENS__CACHE_ENTRIES", "0"),
        ("BEARWARD_JWKS__ALLOW_HTTP", "true"),
        ("BEARWARD_JWKS__MAX_BYTES", "131073"),
    ])
    .expect("a valid configuration");
    let expected = || -> Result<Issuer, IssuerError> {
        Ok(Issuer::new("https://idp.example.com", "one")?
            .name("idp")
            .algorithms([Algorithm::ES256, Algorithm::RS256])?
            .claim_mapping(ClaimMapping::default().set("roles", "/groups")?))
    };
    assert_eq!(Ok(config.issuers["idp"].clone()), expected());
    assert!(config.server.cors_origins.is_empty());
    assert_eq!(config.tokens.cache_entries, 0);
    assert_eq!(
        config.jwks,
        JwksCacheConfig::default()
            .allow_http(true)
            .max_bytes(131_073)
    );
}

#[test]
fn an_environment_without_file_causes_a_warning() {
    assert!(
        load(&[("default.toml", "")], &[])
            .expect("a valid configuration")
            .warnings()
            .is_empty()
    );
    let config = load(&[("default.toml", "")], &[("BEARWARD_ENV", "prodution")])
        .expect("a valid configuration");
    assert!(
        config.warnings()[0].ends_with("prodution.toml does not exist and is ignored"),
        "{:?}",
        config.warnings()
    );
}

#[test]
fn a_missing_folder_and_an_environment_with_a_path_are_rejected() {
    let missing =
        Config::load(&Sources::new(Some("no/such/folder".into()), [])).expect_err("no folder");
    assert_snapshot!(missing, @r"
    the configuration has a problem:
      the configuration folder no/such/folder does not exist
    ");
    assert_snapshot!(error(load(&[("default.toml", "")], &[("BEARWARD_ENV", "../secrets")])), @r#"
    the configuration has a problem:
      BEARWARD_ENV: found "../secrets"; use only letters, digits, - and _, such as production
    "#);
}
