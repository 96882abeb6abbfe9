//! Which value wins.

use std::{num::NonZeroU32, path::Path};

use bearward::Algorithm;
use bearward_server::settings::{Audiences, Config, CorsOrigin, LogFormat, Sources, ValueSource};
use insta::assert_snapshot;
use secrecy::ExposeSecret;

use super::{environment, file, folder, idp, load, refusal, variables};

fn origin_of(config: &Config, path: &str) -> String {
    match &config
        .redacted()
        .values()
        .find(|shown| shown.path == path)
        .expect("a value")
        .origin
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
fn the_compiled_in_defaults_are_those_of_the_contract() {
    let config = environment(&[]).expect("defaults");
    assert_eq!(config.environment, "development");
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
    assert_eq!(
        server
            .cors_origins
            .iter()
            .map(CorsOrigin::as_str)
            .collect::<Vec<_>>(),
        ["http://localhost:3000"]
    );
    assert_eq!(
        (
            server.body_limit,
            server.request_timeout.as_secs(),
            server.shutdown_timeout.as_secs()
        ),
        (65_536, 30, 15)
    );
    assert!(server.trusted_proxies.is_empty());
    let jwks = &config.jwks;
    let seconds = [
        jwks.default_ttl,
        jwks.min_ttl,
        jwks.max_ttl,
        jwks.max_stale,
        jwks.refetch_cooldown,
    ]
    .map(|ttl| ttl.as_secs());
    assert_eq!(seconds, [600, 60, 3600, 21_600, 30]);
    assert_eq!(
        (
            jwks.refetch_burst,
            jwks.connect_timeout.as_secs(),
            jwks.timeout.as_secs()
        ),
        (2, 2, 5)
    );
    assert_eq!(
        (jwks.max_bytes, jwks.max_keys, jwks.allow_http),
        (131_072, 100, false)
    );
    assert!(jwks.ca_file.is_none() && jwks.proxy.is_none() && jwks.snapshot_dir.is_none());
    assert_eq!(
        (
            config.tokens.max_bytes,
            config.tokens.cache_entries,
            &config.tokens.cookie
        ),
        (8192, 10_000, &None)
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
    assert!(config.issuers.is_empty() && config.notes().is_empty());
}

#[test]
fn the_shipped_files_load_in_both_environments() {
    for (environment, format) in [
        ("development", LogFormat::Pretty),
        ("production", LogFormat::Json),
    ] {
        let sources = Sources::new(
            Some("config".into()),
            variables(&[("BEARWARD_ENV", environment)]),
        );
        let config = Config::load(&sources).expect(environment);
        assert_eq!(config.telemetry.format, format);
        assert!(config.notes().is_empty(), "{:?}", config.notes());
    }
}

#[test]
fn the_example_of_an_issuer_in_the_documentation_shows_the_defaults() {
    let documentation = include_str!("../../config/default.toml");
    let lines = documentation
        .lines()
        .skip_while(|line| *line != "# [issuers.example]")
        .take_while(|line| line.starts_with('#'));
    let example: Vec<&str> = lines
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| !line.starts_with('#'))
        .collect();
    let config = file(&example.join("\n")).expect("the example loads");
    let (documented, short) = (&config.issuers["example"], idp(""));
    assert_eq!(documented.algorithms, short.algorithms);
    assert_eq!(documented.algorithms, Algorithm::DEFAULT);
    assert_eq!(documented.token_type, short.token_type);
    assert_eq!(documented.leeway, short.leeway);
    assert_eq!(documented.required_claims, short.required_claims);
    assert_eq!(documented.usage, short.usage);
}

#[test]
fn a_later_layer_wins_and_leaves_what_it_does_not_name() {
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
    let config = Config::load(&sources).expect("loaded");
    let jwks = &config.jwks;
    assert_eq!(
        [jwks.min_ttl, jwks.default_ttl, jwks.max_ttl, jwks.max_stale].map(|ttl| ttl.as_secs()),
        [61, 720, 14_400, 36_000]
    );
    assert_eq!(origin_of(&config, "jwks.timeout"), "the built-in defaults");
    assert_eq!(origin_of(&config, "jwks.min_ttl"), "default.toml");
    assert_eq!(origin_of(&config, "jwks.default_ttl"), "staging.toml");
    assert_eq!(origin_of(&config, "jwks.max_ttl"), "BEARWARD_JWKS__MAX_TTL");
    assert_eq!(origin_of(&config, "jwks.max_stale"), "the command line");
}

#[test]
fn a_variable_sets_lists_numbers_and_switches() {
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
    .expect("loaded");
    let idp = &config.issuers["idp"];
    assert_eq!(idp.audiences, Audiences::OneOf(vec!["one".into()]));
    assert_eq!(idp.algorithms, [Algorithm::ES256, Algorithm::RS256]);
    assert_eq!(idp.claims["roles"], "/groups");
    assert!(config.server.cors_origins.is_empty() && config.jwks.allow_http);
    assert_eq!(
        (config.tokens.cache_entries, config.jwks.max_bytes),
        (0, 131_073)
    );
}

#[test]
fn an_environment_without_its_file_is_noted() {
    assert!(
        load(&[("default.toml", "")], &[])
            .expect("loaded")
            .notes()
            .is_empty()
    );
    let config = load(&[("default.toml", "")], &[("BEARWARD_ENV", "prodution")]).expect("loaded");
    assert!(
        config.notes()[0].ends_with("prodution.toml does not exist, so nothing is read from it"),
        "{:?}",
        config.notes()
    );
}

#[test]
fn a_missing_folder_and_an_environment_that_is_a_path_are_refused() {
    let missing =
        Config::load(&Sources::new(Some("no/such/folder".into()), [])).expect_err("refused");
    assert_snapshot!(missing, @r"
    the configuration has a problem:
      the configuration folder no/such/folder does not exist
    ");
    assert_snapshot!(refusal(load(&[("default.toml", "")], &[("BEARWARD_ENV", "../secrets")])), @r#"
    the configuration has a problem:
      BEARWARD_ENV: found "../secrets"; an environment is named with letters, digits, - and _, for example production
    "#);
}
