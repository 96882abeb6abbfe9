//! Secrets are read from `_file` twins and redacted in all output.

use bearward_server::settings::{Config, Sources, VaultKey};
use insta::assert_snapshot;
use secrecy::ExposeSecret;

use super::{environment, error, file, folder, load, variables};

const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

#[test]
fn a_secret_is_read_from_the_file_of_its_twin() {
    let dir = folder(&[
        ("url", "postgres://u:p@db/app\n"),
        ("keys", &format!("new:{KEY}\nold:{KEY}\r\n")),
    ]);
    let path = |name: &str| dir.path().join(name).display().to_string();
    let pairs = [
        ("BEARWARD_DATABASE__URL_FILE", path("url")),
        ("BEARWARD_VAULT__KEYS_FILE", path("keys")),
    ];
    let config = environment(&pairs.each_ref().map(|(name, path)| (*name, path.as_str())))
        .expect("a valid configuration");
    assert_eq!(config.database.url.expose_secret(), "postgres://u:p@db/app");
    assert_eq!(
        config
            .vault
            .keys
            .iter()
            .map(VaultKey::id)
            .collect::<Vec<_>>(),
        ["new", "old"]
    );
    assert_eq!(
        config.vault.keys[0].expose(),
        b"0123456789abcdef0123456789abcdef"
    );
}

#[test]
fn a_secret_that_is_set_twice_is_rejected() {
    let text = "[database]\nurl_file = '/run/secrets/url'";
    assert_snapshot!(error(load(&[("default.toml", text)], &[("DATABASE_URL", "postgres://u:hunter2@db/app")])), @r"
    the configuration has a problem:
      database.url (DATABASE_URL) and database.url_file (config/default.toml): set only one of them
    ");
}

#[test]
fn an_unusable_secret_file_is_reported_with_its_path() {
    assert_snapshot!(error(environment(&[("BEARWARD_VAULT__KEYS_FILE", "/no/such/keys")])), @r#"
    the configuration has a problem:
      vault.keys_file in BEARWARD_VAULT__KEYS_FILE: found "/no/such/keys"; the file cannot be read: No such file or directory (os error 2)
    "#);
    let dir = folder(&[("empty", "\n")]);
    let path = dir.path().join("empty").display().to_string();
    let message = error(environment(&[("BEARWARD_DATABASE__URL_FILE", &path)]));
    assert!(
        message.contains("database.url_file")
            && message.contains(&path)
            && message.ends_with("the file is empty"),
        "{message}"
    );
}

#[test]
fn an_invalid_secret_is_not_repeated() {
    assert_snapshot!(error(file("[vault]\nkeys = ['hunter2']")), @r#"
    the configuration has a problem:
      vault.keys in config/default.toml: key number 1 is not ID:BASE64 with 32 bytes; create one with `echo "k1:$(openssl rand -base64 32)"`
    "#);
    assert_snapshot!(error(file("[vault]\nkeys = 'k1:hunter2'")), @r#"
    the configuration has a problem:
      vault.keys in config/default.toml: write a list, such as ["a", "b"]
    "#);
    assert_snapshot!(error(file("[jwks]\nproxy = 'socks5://u:hunter2@proxy'")), @r#"
    the configuration has a problem:
      jwks.proxy in config/default.toml: write a URL such as "http://proxy.internal:3128"
    "#);
    assert_snapshot!(error(file("[server]\npublic_url = 'https://u:hunter2@a.example'")), @r#"
    the configuration has a problem:
      server.public_url in config/default.toml: found "https://u:***@a.example/"; a user name or password in the URL is not accepted; remove the part before the @
    "#);
}

#[test]
fn an_invalid_database_url_is_rejected_without_its_password() {
    assert_snapshot!(error(environment(&[("DATABASE_URL", "postgres://bear:hunter2/x@db/app")])), @r"
    the configuration has a problem:
      database.url in DATABASE_URL: the URL must have the form postgres://USER:PASSWORD@HOST/NAME (the value is not shown); percent-encode the user name and the password: / as %2F, ? as %3F, # as %23, @ as %40, : as %3A and % as %25
    ");
    for wrong in [
        "postgres:bear:hunter2@db/app",
        "postgres:/bear:hunter2@db/app",
        "mysql://bear:hunter2@db:99999/app",
        "postgres://bear:a#hunter2@db/app",
    ] {
        let message = error(environment(&[("DATABASE_URL", wrong)]));
        assert!(
            message.contains("DATABASE_URL")
                && message.contains("%2F")
                && !message.contains("hunter2"),
            "{message}"
        );
    }
    for right in [
        "postgres://bear:hunter2%2Fx@db/app",
        "mariadb://bear@db:3306/app",
        "sqlite::memory:",
        "sqlite:a b.db",
        "sqlite://bear.db?mode=rwc",
    ] {
        assert_eq!(
            environment(&[("DATABASE_URL", right)])
                .expect(right)
                .database
                .url
                .expose_secret(),
            right
        );
    }
}

#[test]
fn a_remote_database_without_tls_mode_causes_a_warning() {
    let warnings = |url: &str| {
        environment(&[("DATABASE_URL", url)])
            .expect("a valid configuration")
            .warnings()
            .to_vec()
    };
    for (url, mode) in [
        (
            "postgres://bear:hunter2@db.example.com/app",
            "?sslmode=verify-full",
        ),
        (
            "postgresql://bear:hunter2@10.0.0.1:5432/app?application_name=x",
            "?sslmode=verify-full",
        ),
        ("mariadb://bear:hunter2@db/app", "?ssl-mode=VERIFY_IDENTITY"),
    ] {
        let [warning] = warnings(url).try_into().expect("one warning");
        assert!(
            warning.contains("database.url")
                && warning.ends_with(mode)
                && !warning.contains("hunter2"),
            "{warning}"
        );
    }
    for url in [
        "postgres://bear:hunter2@db.example.com/app?sslmode=verify-full",
        "postgres://bear:hunter2@db/app?sslmode=disable",
        "mysql://bear:hunter2@db/app?ssl-mode=VERIFY_IDENTITY",
        "postgres://bear:hunter2@localhost/app",
        "postgres://bear:hunter2@127.0.0.1:5432/app",
        "mysql://bear:hunter2@[::1]/app",
        "postgres:///app?host=/var/run/postgresql",
        "sqlite://bearward.db",
    ] {
        assert_eq!(warnings(url), [""; 0], "{url}");
    }
}

fn config_with_secrets() -> Config {
    environment(&[
        ("BEARWARD_DPOP__NONCE_KEYS", KEY),
        ("DATABASE_URL", "postgres://bear:hunter2@db.example.com/app"),
        ("BEARWARD_VAULT__KEYS", &format!("k1:{KEY}")),
        (
            "BEARWARD_JWKS__PROXY",
            "http://bear:hunter2@proxy.example.com:3128",
        ),
        ("SUPABASE_URL", "https://abc.supabase.co"),
        ("RUST_LOG", "debug"),
    ])
    .expect("a valid configuration")
}

#[test]
fn debug_and_the_effective_values_redact_secrets() {
    let config = config_with_secrets();
    let sources = Sources::new(
        None,
        variables(&[("DATABASE_URL", "postgres://bear:hunter2@db/app")]),
    );
    for text in [
        format!("{config:?}"),
        format!("{config:#?}"),
        config.redacted().to_string(),
        format!("{sources:?}"),
    ] {
        assert!(
            !text.contains("hunter2") && !text.contains(KEY) && !text.contains("0123456789abcdef"),
            "{text}"
        );
    }
}

#[test]
fn the_effective_values_have_their_sources() {
    let config = config_with_secrets();
    assert_snapshot!(config.redacted(), @r#"
    server.bind = "127.0.0.1:8000"                               the built-in defaults
    server.workers = 0                                           the built-in defaults
    server.public_url = ""                                       the built-in defaults
    server.cors_origins = []                                     the built-in defaults
    server.cors_headers = []                                     the built-in defaults
    server.body_limit = "64KiB"                                  the built-in defaults
    server.request_timeout = "30s"                               the built-in defaults
    server.shutdown_timeout = "15s"                              the built-in defaults
    server.shutdown_delay = "0s"                                 the built-in defaults
    server.keep_alive = "75s"                                    the built-in defaults
    server.header_timeout = "10s"                                the built-in defaults
    server.write_timeout = "30s"                                 the built-in defaults
    server.max_connections = 0                                   the built-in defaults
    server.max_connections_per_address = 0                       the built-in defaults
    server.admin_bind = ""                                       the built-in defaults
    server.trusted_proxies = []                                  the built-in defaults
    server.proxy_headers = "x-forwarded"                         the built-in defaults
    server.client_certificate_header = ""                        the built-in defaults
    server.tls.cert_file = ""                                    the built-in defaults
    server.tls.key_file = ""                                     the built-in defaults
    server.tls.client_ca_file = ""                               the built-in defaults
    server.tls.client_auth = "off"                               the built-in defaults
    server.tls.hsts_max_age = "0s"                               the built-in defaults
    jwks.default_ttl = "10m"                                     the built-in defaults
    jwks.min_ttl = "60s"                                         the built-in defaults
    jwks.max_ttl = "1h"                                          the built-in defaults
    jwks.max_stale = "6h"                                        the built-in defaults
    jwks.refetch_cooldown = "10s"                                the built-in defaults
    jwks.connect_timeout = "2s"                                  the built-in defaults
    jwks.timeout = "5s"                                          the built-in defaults
    jwks.refetch_burst = 2                                       the built-in defaults
    jwks.max_bytes = "128KiB"                                    the built-in defaults
    jwks.max_keys = 100                                          the built-in defaults
    jwks.allow_http = false                                      the built-in defaults
    jwks.ca_file = ""                                            the built-in defaults
    jwks.proxy = "http://bear:***@proxy.example.com:3128/"       BEARWARD_JWKS__PROXY
    jwks.snapshot_dir = ""                                       the built-in defaults
    issuers.supabase.issuer = "https://abc.supabase.co/auth/v1"  SUPABASE_URL
    issuers.supabase.client_ids = ""                             the built-in defaults
    issuers.supabase.audiences = ["authenticated"]               SUPABASE_URL
    issuers.supabase.first_party = true                          SUPABASE_URL
    issuers.supabase.logout_audiences = ""                       the built-in defaults
    issuers.supabase.jwks_url = "https://abc.supabase.co/auth/v1/.well-known/jwks.json"  SUPABASE_URL
    issuers.supabase.tenants = ""                                the built-in defaults
    issuers.supabase.algorithms = "RS256,ES256,EdDSA"            the built-in defaults
    issuers.supabase.token_type = "jwt"                          the built-in defaults
    issuers.supabase.leeway = "30s"                              the built-in defaults
    issuers.supabase.required_claims = ""                        the built-in defaults
    issuers.supabase.require = ""                                the built-in defaults
    issuers.supabase.use = "bearer"                              the built-in defaults
    issuers.supabase.dpop = "off"                                the built-in defaults
    tokens.max_bytes = 8192                                      the built-in defaults
    tokens.cache_entries = 10000                                 the built-in defaults
    tokens.cookie = ""                                           the built-in defaults
    tokens.header = ""                                           the built-in defaults
    dpop.max_age = "60s"                                         the built-in defaults
    dpop.replay_entries = 100000                                 the built-in defaults
    dpop.nonce = "off"                                           the built-in defaults
    dpop.nonce_keys = ***                                        BEARWARD_DPOP__NONCE_KEYS
    admin.issuers = []                                           the built-in defaults
    admin.role = "admin"                                         the built-in defaults
    revocation.enabled = true                                    the built-in defaults
    revocation.interval = "2s"                                   the built-in defaults
    revocation.retention = "7days"                               the built-in defaults
    revocation.max_entries = 1000000                             the built-in defaults
    revocation.backchannel_logout = true                         the built-in defaults
    revocation.supabase.schema = "auth"                          the built-in defaults
    revocation.supabase.interval = "5s"                          the built-in defaults
    revocation.supabase.issuer = ""                              the built-in defaults
    database.url = "postgres://bear:***@db.example.com/app"      DATABASE_URL
    database.max_connections = 10                                the built-in defaults
    database.schema = "bearward"                                 the built-in defaults
    database.pooler = "auto"                                     the built-in defaults
    database.acquire_timeout = "2s"                              the built-in defaults
    database.statement_timeout = "8s"                            the built-in defaults
    database.lock_timeout = "4s"                                 the built-in defaults
    database.max_lifetime = "5m"                                 the built-in defaults
    vault.keys = ***                                             BEARWARD_VAULT__KEYS
    vault.providers = ["togetherAI", "codeRabbit", "oumi", "kestra", "googleProviderToken"]  the built-in defaults
    generate.base_url = "https://api.together.xyz/v1"            the built-in defaults
    generate.model = "Qwen/Qwen2.5-Coder-32B-Instruct"           the built-in defaults
    generate.timeout = "60s"                                     the built-in defaults
    rate_limit.enabled = true                                    the built-in defaults
    rate_limit.per_user = 600                                    the built-in defaults
    rate_limit.per_address = 1200                                the built-in defaults
    rate_limit.burst = 60                                        the built-in defaults
    rate_limit.generations = 8                                   the built-in defaults
    telemetry.format = "pretty"                                  the built-in defaults
    telemetry.otlp_endpoint = ""                                 the built-in defaults
    log filter = "debug"                                         RUST_LOG
    "#);
}
