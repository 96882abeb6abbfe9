//! The variables that people already have.

use bearward::{KeySource, TokenUse};
use bearward_server::settings::Audiences;
use insta::assert_snapshot;
use secrecy::ExposeSecret;

use super::{environment, load, refusal};

const REFERENCE: &str = "abcdefghijklmnopqrst";

#[test]
fn supabase_url_adds_the_project_as_an_issuer() {
    for end in ["", "/", "/auth/v1", "/auth/v1/"] {
        let config = environment(&[(
            "SUPABASE_URL",
            &format!("https://{REFERENCE}.supabase.co{end}"),
        )])
        .expect("loaded");
        let supabase = &config.issuers["supabase"];
        assert_eq!(
            supabase.accepted_issuers,
            [format!("https://{REFERENCE}.supabase.co/auth/v1")]
        );
        let keys = format!("https://{REFERENCE}.supabase.co/auth/v1/.well-known/jwks.json");
        assert_eq!(supabase.keys, KeySource::Url(keys.parse().expect("a URL")));
        assert_eq!(
            supabase.audiences,
            Audiences::OneOf(vec!["authenticated".into()])
        );
        assert_eq!(supabase.usage, TokenUse::AccessToken);
        assert!(config.require_issuer().is_ok());
    }
}

#[test]
fn supabase_url_fills_in_what_its_section_does_not_say() {
    let text = "[issuers.supabase]\naudiences = ['authenticated', 'admin']\nleeway = '5s'";
    let config = load(
        &[("default.toml", text)],
        &[("SUPABASE_URL", "http://127.0.0.1:54321")],
    )
    .expect("loaded");
    let supabase = &config.issuers["supabase"];
    assert_eq!(
        supabase.accepted_issuers,
        ["http://127.0.0.1:54321/auth/v1"]
    );
    assert_eq!(
        supabase.audiences,
        Audiences::OneOf(vec!["authenticated".into(), "admin".into()])
    );
    assert_eq!(supabase.leeway.as_secs(), 5);
}

#[test]
fn supabase_url_leaves_a_configured_issuer_alone_and_says_so() {
    let text = "[issuers.supabase]\nissuer = 'https://auth.example.com/auth/v1'\naudiences = ['a']";
    let files = [("default.toml", text)];
    let config = load(&files, &[("SUPABASE_URL", "https://abc.supabase.co")]).expect("loaded");
    assert_eq!(
        config.issuers["supabase"].accepted_issuers,
        ["https://auth.example.com/auth/v1"]
    );
    assert!(
        config.notes()[0]
            .starts_with("SUPABASE_URL is not used, because issuers.supabase.issuer is set in")
    );
}

#[test]
fn a_wrong_supabase_url_is_answered_with_the_right_one() {
    let told = |value: &str| refusal(environment(&[("SUPABASE_URL", value)]));
    assert_snapshot!(told(&format!("https://supabase.com/dashboard/project/{REFERENCE}")), @r#"
    the configuration has a problem:
      SUPABASE_URL: found "https://supabase.com/dashboard/project/abcdefghijklmnopqrst"; this is the dashboard's address; write https://abcdefghijklmnopqrst.supabase.co
    "#);
    assert_snapshot!(told(REFERENCE), @r#"
    the configuration has a problem:
      SUPABASE_URL: found "abcdefghijklmnopqrst"; this is the project's reference; write https://abcdefghijklmnopqrst.supabase.co
    "#);
    assert_snapshot!(told(&format!("{REFERENCE}.supabase.co")), @r#"
    the configuration has a problem:
      SUPABASE_URL: found "abcdefghijklmnopqrst.supabase.co"; the scheme is missing; write https://abcdefghijklmnopqrst.supabase.co
    "#);
    assert_snapshot!(told(&format!("postgresql://postgres:hunter2@db.{REFERENCE}.supabase.co:5432/postgres")), @r#"
    the configuration has a problem:
      SUPABASE_URL: found "postgresql://postgres:***@db.abcdefghijklmnopqrst.supabase.co:5432/postgres"; this is the database's address, which belongs in DATABASE_URL; write https://abcdefghijklmnopqrst.supabase.co
    "#);
    assert_snapshot!(told("sb_publishable_ACJWlzQHlZjBrEguHvfOxg"), @r"
    the configuration has a problem:
      SUPABASE_URL: found ***; this is an API key; SUPABASE_URL is the project's URL, https://YOUR-PROJECT.supabase.co, found in the dashboard under Project Settings, Data API
    ");
    assert_snapshot!(told("http://kong:8000"), @r#"
    the configuration has a problem:
      issuers.supabase.jwks_url in SUPABASE_URL: found "http://kong:8000/auth/v1/.well-known/jwks.json"; plain http would let anybody on the way swap the keys; write https://, or set jwks.allow_http = true (BEARWARD_JWKS__ALLOW_HTTP) for a network that you trust
    "#);
    assert_snapshot!(told(&format!("https://{REFERENCE}.supabase.co/rest/v1/")), @r#"
    the configuration has a problem:
      SUPABASE_URL: found "https://abcdefghijklmnopqrst.supabase.co/rest/v1/"; the address ends after the host; write https://abcdefghijklmnopqrst.supabase.co
    "#);
    assert_snapshot!(told("my project"), @r#"
    the configuration has a problem:
      SUPABASE_URL: found "my project"; this is not a URL; write the project's URL, https://YOUR-PROJECT.supabase.co, found in the dashboard under Project Settings, Data API
    "#);
}

#[test]
fn google_client_id_adds_google_for_signing_in_only() {
    let config =
        environment(&[("GOOGLE_CLIENT_ID", "123-abc.apps.googleusercontent.com")]).expect("loaded");
    let google = &config.issuers["google"];
    assert_eq!(
        google.accepted_issuers,
        ["https://accounts.google.com", "accounts.google.com"]
    );
    assert_eq!(
        google.keys,
        KeySource::Url(
            "https://www.googleapis.com/oauth2/v3/certs"
                .parse()
                .expect("a URL")
        )
    );
    assert_eq!(
        google.audiences,
        Audiences::OneOf(vec!["123-abc.apps.googleusercontent.com".into()])
    );
    assert_eq!(google.usage, TokenUse::IdToken);
}

#[test]
fn database_url_and_port_are_above_files_and_below_bearward_variables() {
    let text = "[server]\nbind = '0.0.0.0:8000'\n[database]\nurl = 'sqlite://file.db'";
    let files = [("default.toml", text)];
    let shortcuts = [("DATABASE_URL", "sqlite://shortcut.db"), ("PORT", "9000")];
    let config = load(&files, &shortcuts).expect("loaded");
    assert_eq!(config.server.bind.to_string(), "0.0.0.0:9000");
    assert_eq!(config.database.url.expose_secret(), "sqlite://shortcut.db");
    let explicit = [
        ("BEARWARD_SERVER__BIND", "[::1]:1"),
        ("BEARWARD_DATABASE__URL", "sqlite://explicit.db"),
    ];
    let config = load(&files, &[shortcuts, explicit].concat()).expect("loaded");
    assert_eq!(config.server.bind.to_string(), "[::1]:1");
    assert_eq!(config.database.url.expose_secret(), "sqlite://explicit.db");
    assert_eq!(
        config.notes(),
        [
            "DATABASE_URL is not used, because database.url is set in BEARWARD_DATABASE__URL",
            "PORT is not used, because server.bind is set in BEARWARD_SERVER__BIND",
        ]
    );
}

#[test]
fn a_wrong_shortcut_is_named_by_its_variable() {
    assert_snapshot!(refusal(environment(&[("PORT", "65536")])), @r#"
    the configuration has a problem:
      PORT: found "65536"; write a port number from 0 to 65535
    "#);
    assert_snapshot!(refusal(environment(&[("DATABASE_URL", "mongodb://u:hunter2@db")])), @r"
    the configuration has a problem:
      database.url in DATABASE_URL: it must begin with sqlite://, postgres:// or mysql:// (the value is not shown: it may hold a password)
    ");
    assert_snapshot!(refusal(environment(&[("RUST_LOG", "bearward=loud")])), @r#"
    the configuration has a problem:
      RUST_LOG: found "bearward=loud"; write levels such as "info" or "info,bearward=debug"
    "#);
    assert_snapshot!(refusal(environment(&[("GOOGLE_CLIENT_ID", "GOCSPX-abcdef")])), @r"
    the configuration has a problem:
      GOOGLE_CLIENT_ID: found ***; this is the client's secret, which bearward does not need; write the OAuth client's id, 1234567890-abc.apps.googleusercontent.com, several separated by commas
    ");
    assert_snapshot!(refusal(environment(&[("GOOGLE_CLIENT_ID", "123-abc")])), @r#"
    the configuration has a problem:
      GOOGLE_CLIENT_ID: found "123-abc"; write the OAuth client's id, 1234567890-abc.apps.googleusercontent.com, several separated by commas
    "#);
}
