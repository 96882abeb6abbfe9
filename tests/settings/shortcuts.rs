//! Variables of other software: `SUPABASE_URL`, `GOOGLE_CLIENT_ID`, `DATABASE_URL`, `PORT`, `RUST_LOG`.

use std::time::Duration;

use bearward::Issuer;
use bearward_server::settings::{Config, Sources};
use insta::assert_snapshot;
use secrecy::ExposeSecret;

use super::{environment, error, load, variables};

const REFERENCE: &str = "abcdefghijklmnopqrst";

#[test]
fn supabase_projects_refuse_oauth_clients_of_third_parties() {
    let url = ("SUPABASE_URL", "https://auth.example.com");
    let is_first_party = |pairs: &[(&str, &str)]| {
        let config = environment(pairs).expect("a valid configuration");
        config.issuers["supabase"].is_first_party()
    };
    assert!(is_first_party(&[url]));
    let off = ("BEARWARD_ISSUERS__SUPABASE__FIRST_PARTY", "false");
    assert!(!is_first_party(&[url, off]));
    let listed = ("BEARWARD_ISSUERS__SUPABASE__CLIENT_IDS", "partner");
    assert!(is_first_party(&[url, listed]));
}

#[test]
fn supabase_url_adds_the_project_as_an_issuer() {
    for end in ["", "/", "/auth/v1", "/auth/v1/"] {
        let config = environment(&[(
            "SUPABASE_URL",
            &format!("https://{REFERENCE}.supabase.co{end}"),
        )])
        .expect("a valid configuration");
        let url = format!("https://{REFERENCE}.supabase.co");
        let supabase = &config.issuers["supabase"];
        assert_eq!(supabase, &Issuer::supabase(&url).expect("a project"));
        assert_eq!(supabase.iss(), format!("{url}/auth/v1"));
        assert!(config.require_issuer().is_ok());
    }
}

#[test]
fn supabase_url_adds_the_keys_that_its_section_lacks() {
    let text = "[issuers.supabase]\naudiences = ['authenticated', 'admin']\nleeway = '5s'";
    let config = load(
        &[("default.toml", text)],
        &[("SUPABASE_URL", "http://127.0.0.1:54321")],
    )
    .expect("a valid configuration");
    let supabase = &config.issuers["supabase"];
    let expected = Issuer::supabase("http://127.0.0.1:54321")
        .and_then(|issuer| issuer.audience("admin"))
        .and_then(|issuer| issuer.leeway(Duration::from_secs(5)))
        .expect("a valid issuer");
    assert_eq!(supabase, &expected);
}

#[test]
fn supabase_url_does_not_change_a_configured_issuer() {
    let text = "[issuers.supabase]\nissuer = 'https://auth.example.com/auth/v1'\naudiences = ['a']";
    let files = [("default.toml", text)];
    let config = load(&files, &[("SUPABASE_URL", "https://abc.supabase.co")])
        .expect("a valid configuration");
    assert_eq!(
        config.issuers["supabase"].iss(),
        "https://auth.example.com/auth/v1"
    );
    assert!(
        config.warnings()[0]
            .starts_with("SUPABASE_URL is not used, because issuers.supabase.issuer is set in")
    );
}

#[test]
fn an_invalid_supabase_url_gets_the_right_one_as_hint() {
    let message = |value: &str| error(environment(&[("SUPABASE_URL", value)]));
    assert_snapshot!(message(&format!("https://supabase.com/dashboard/project/{REFERENCE}")), @r#"
    the configuration has a problem:
      SUPABASE_URL: found "https://supabase.com/dashboard/project/abcdefghijklmnopqrst"; this is the URL of the dashboard; write https://abcdefghijklmnopqrst.supabase.co
    "#);
    assert_snapshot!(message(REFERENCE), @r#"
    the configuration has a problem:
      SUPABASE_URL: found "abcdefghijklmnopqrst"; this is the project's reference; write https://abcdefghijklmnopqrst.supabase.co
    "#);
    assert_snapshot!(message(&format!("{REFERENCE}.supabase.co")), @r#"
    the configuration has a problem:
      SUPABASE_URL: found "abcdefghijklmnopqrst.supabase.co"; the scheme is missing; write https://abcdefghijklmnopqrst.supabase.co
    "#);
    assert_snapshot!(message(&format!("postgresql://postgres:hunter2@db.{REFERENCE}.supabase.co:5432/postgres")), @r#"
    the configuration has a problem:
      SUPABASE_URL: found "postgresql://postgres:***@db.abcdefghijklmnopqrst.supabase.co:5432/postgres"; this is the URL of the database, which belongs in DATABASE_URL; write https://abcdefghijklmnopqrst.supabase.co
    "#);
    assert_snapshot!(message("sb_publishable_ACJWlzQHlZjBrEguHvfOxg"), @r"
    the configuration has a problem:
      SUPABASE_URL: found ***; this is an API key; SUPABASE_URL is the project's URL, https://YOUR-PROJECT.supabase.co, found in the dashboard under Project Settings, Data API
    ");
    assert_snapshot!(message("http://kong:8000"), @r#"
    the configuration has a problem:
      issuers.supabase.jwks_url in SUPABASE_URL: found "http://kong:8000/auth/v1/.well-known/jwks.json"; over plain http an attacker on the network can replace the keys; write https://, or set jwks.allow_http = true (BEARWARD_JWKS__ALLOW_HTTP) if you trust the network
    "#);
    assert_snapshot!(message(&format!("https://{REFERENCE}.supabase.co/rest/v1/")), @r#"
    the configuration has a problem:
      SUPABASE_URL: found "https://abcdefghijklmnopqrst.supabase.co/rest/v1/"; nothing may follow the host; write https://abcdefghijklmnopqrst.supabase.co
    "#);
    assert_snapshot!(message("my project"), @r#"
    the configuration has a problem:
      SUPABASE_URL: found "my project"; this is not a URL; write the project's URL, https://YOUR-PROJECT.supabase.co, found in the dashboard under Project Settings, Data API
    "#);
}

#[test]
fn google_client_id_adds_google_as_a_credential_issuer() {
    let config = environment(&[("GOOGLE_CLIENT_ID", "123-abc.apps.googleusercontent.com")])
        .expect("a valid configuration");
    let expected = Issuer::google("123-abc.apps.googleusercontent.com").expect("a valid issuer");
    assert_eq!(config.issuers["google"], expected);
    assert_eq!(
        expected.accepted_issuers().collect::<Vec<_>>(),
        ["https://accounts.google.com", "accounts.google.com"]
    );

    let ids = "1-a.apps.googleusercontent.com, 2-b.apps.googleusercontent.com";
    let config = environment(&[("GOOGLE_CLIENT_ID", ids)]).expect("a valid configuration");
    let expected = Issuer::google("1-a.apps.googleusercontent.com")
        .and_then(|google| google.audience("2-b.apps.googleusercontent.com"))
        .expect("a valid issuer");
    assert_eq!(config.issuers["google"], expected);
}

#[test]
fn database_url_overrides_files_and_port_everything() {
    let text = "[server]\nbind = '0.0.0.0:8000'\n[database]\nurl = 'sqlite://file.db'";
    let files = [("default.toml", text)];
    let shortcuts = [("DATABASE_URL", "sqlite://shortcut.db"), ("PORT", "9000")];
    let config = load(&files, &shortcuts).expect("a valid configuration");
    assert_eq!(config.server.bind.to_string(), "0.0.0.0:9000");
    assert_eq!(config.database.url.expose_secret(), "sqlite://shortcut.db");
    let explicit = [
        ("BEARWARD_SERVER__BIND", "[::1]:1"),
        ("BEARWARD_DATABASE__URL", "sqlite://explicit.db"),
    ];
    let config = load(&files, &[shortcuts, explicit].concat()).expect("a valid configuration");
    assert_eq!(config.server.bind.to_string(), "[::1]:9000");
    assert_eq!(config.database.url.expose_secret(), "sqlite://explicit.db");
    assert_eq!(
        config.warnings(),
        ["DATABASE_URL is not used, because database.url is set in BEARWARD_DATABASE__URL"]
    );
}

#[test]
fn port_decides_the_port_and_never_the_address() {
    let bind = |bind: Option<&str>, port: &str| {
        let variables = bind.map(|bind| ("BEARWARD_SERVER__BIND", bind));
        let variables: Vec<_> = variables.into_iter().chain([("PORT", port)]).collect();
        let config = environment(&variables).expect("a valid configuration");
        assert_eq!(config.warnings(), [""; 0]);
        config.server.bind.to_string()
    };
    for (configured, address) in [
        (None, "0.0.0.0:8080"),
        (Some("0.0.0.0"), "0.0.0.0:8080"),
        (Some("0.0.0.0:8000"), "0.0.0.0:8080"),
        (Some("127.0.0.1:8000"), "127.0.0.1:8080"),
        (Some("::"), "[::]:8080"),
        (Some("[::1]"), "[::1]:8080"),
    ] {
        assert_eq!(bind(configured, "8080"), address, "{configured:?}");
    }
    assert_eq!(bind(Some("0.0.0.0"), ""), "0.0.0.0:8000", "PORT is unset");
}

#[test]
fn port_overrides_the_flag_with_a_warning() {
    let sources = Sources::new(None, variables(&[("PORT", "8080")]));
    let config = Config::load(&sources.with("server.bind", "127.0.0.1:8001"))
        .expect("a valid configuration");
    assert_eq!(config.server.bind.to_string(), "127.0.0.1:8080");
    assert_eq!(
        config.warnings(),
        ["the port of --bind 127.0.0.1:8001 is not used, because PORT is set to 8080"]
    );
}

#[test]
fn port_does_not_hide_an_invalid_address() {
    let variables = [("BEARWARD_SERVER__BIND", "localhost"), ("PORT", "8080")];
    assert_snapshot!(error(environment(&variables)), @r#"
    the configuration has a problem:
      server.bind in BEARWARD_SERVER__BIND: found "localhost"; write an IP address and a port, such as "127.0.0.1:8000" or "0.0.0.0:8000"
    "#);
}

#[test]
fn an_invalid_shortcut_is_reported_by_its_variable() {
    assert_snapshot!(error(environment(&[("PORT", "65536")])), @r#"
    the configuration has a problem:
      PORT: found "65536"; write a port number from 0 to 65535
    "#);
    assert_snapshot!(error(environment(&[("DATABASE_URL", "mongodb://u:hunter2@db")])), @r"
    the configuration has a problem:
      database.url in DATABASE_URL: the URL must begin with sqlite://, postgres:// or mysql:// (the value is not shown, because it may contain a password)
    ");
    assert_snapshot!(error(environment(&[("RUST_LOG", "bearward=loud")])), @r#"
    the configuration has a problem:
      RUST_LOG: found "bearward=loud"; write levels such as "info" or "info,bearward=debug"
    "#);
    assert_snapshot!(error(environment(&[("GOOGLE_CLIENT_ID", "GOCSPX-abcdef")])), @r"
    the configuration has a problem:
      GOOGLE_CLIENT_ID: found ***; this is the client secret, which bearward does not need; write the OAuth client id, such as 1234567890-abc.apps.googleusercontent.com; separate several with commas
    ");
    assert_snapshot!(error(environment(&[("GOOGLE_CLIENT_ID", "123-abc")])), @r#"
    the configuration has a problem:
      GOOGLE_CLIENT_ID: found "123-abc"; write the OAuth client id, such as 1234567890-abc.apps.googleusercontent.com; separate several with commas
    "#);
}
