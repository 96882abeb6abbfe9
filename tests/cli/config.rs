//! `bearward config`: the defaults and what applies.

use std::fs;

use crate::{run, run_with};

#[test]
fn the_printed_defaults_are_the_documented_file() {
    let output = run(&["config"], &[("SUPABASE_URL", "invalid")]);
    output.expect(0, &[]);
    assert_eq!(output.stdout, include_str!("../../config/default.toml"));
}

#[test]
fn the_printed_defaults_are_a_valid_configuration() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("config")).unwrap();
    let defaults = run(&["config"], &[]).stdout;
    fs::write(folder.path().join("config/default.toml"), defaults).unwrap();
    run_with(&["config", "--effective"], &[], "", folder.path())
        .expect(0, &["config/default.toml"]);
}

#[test]
fn effective_values_have_their_sources_and_no_secrets() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("config")).unwrap();
    let text = "[jwks]\nmax_stale = \"2h\"\n";
    fs::write(folder.path().join("config/default.toml"), text).unwrap();
    let variables = [
        ("BEARWARD_JWKS__TIMEOUT", "4s"),
        ("DATABASE_URL", "postgres://user:hunter2@db/app"),
    ];
    let output = run_with(&["config", "--effective"], &variables, "", folder.path());
    output.expect(0, &["database.url = \"postgres://user:***@db/app\""]);
    let source = |path: &str| {
        let line = output.stdout.lines().find(|line| line.starts_with(path));
        line.and_then(|line| line.split("  ").last())
            .unwrap()
            .trim()
    };
    assert_eq!(source("jwks.max_stale "), "config/default.toml");
    assert_eq!(source("jwks.timeout "), "BEARWARD_JWKS__TIMEOUT");
    assert_eq!(source("database.url "), "DATABASE_URL");
    assert_eq!(source("jwks.max_keys "), "the built-in defaults");
    assert!(!output.stdout.contains("hunter2"), "{output:?}");
}

#[test]
fn an_invalid_configuration_is_reported() {
    let variables = [("BEARWARD_JWKS__TIMEOUT", "4")];
    run(&["config", "--effective"], &variables).expect(2, &["jwks.timeout"]);
}
