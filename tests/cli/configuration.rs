//! An invalid configuration: exit code 2 and a message with the key, its source and a valid value.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt};
use test_support::TEST_TIMEOUT;

use crate::{CommandOutput, bearward, run, run_with};

/// The command `serve` on a free port.
const SERVE: [&str; 3] = ["serve", "--bind", "127.0.0.1:0"];
const REFERENCE: &str = "abcdefghijklmnopqrst";

#[test]
fn commands_that_need_an_issuer_explain_how_to_configure_one() {
    for command in [&SERVE[..], &["check"]] {
        let output = run(command, &[]);
        output.expect(
            2,
            &[
                "no issuer",
                "SUPABASE_URL=",
                "[issuers.NAME]",
                "BEARWARD_ISSUERS__NAME__ISSUER",
                "bearward dev",
            ],
        );
        assert!(!output.stdout.contains("sound"), "{output:?}");
    }
}

#[test]
fn a_value_similar_to_a_project_url_gets_the_url_as_hint() {
    let right = format!("https://{REFERENCE}.supabase.co");
    for wrong in [
        REFERENCE.to_owned(),
        format!("{REFERENCE}.supabase.co"),
        format!("https://supabase.com/dashboard/project/{REFERENCE}"),
        format!("https://supabase.com/dashboard/project/{REFERENCE}/settings/api-keys"),
        format!("postgresql://postgres:hunter2@db.{REFERENCE}.supabase.co:5432/postgres"),
    ] {
        let output = run(&SERVE, &[("SUPABASE_URL", &wrong)]);
        output.expect(2, &["SUPABASE_URL", &right]);
        assert!(!output.stderr.contains("hunter2"), "{output:?}");
    }
}

#[test]
fn a_value_that_is_not_utf8_is_rejected() {
    for variable in ["BEARWARD_SERVER__BIND", "BEARWARD_TOKENS__LEEWAY", "PORT"] {
        let mut command = bearward(&["serve"], &[("SUPABASE_URL", "http://127.0.0.1:1")]);
        command.env(variable, OsStr::from_bytes(b"127.0.0.1:0\xff"));
        CommandOutput::from(
            assert_cmd::Command::from_std(command)
                .timeout(TEST_TIMEOUT)
                .assert(),
        )
        .expect(2, &[variable]);
    }
}

#[test]
fn an_api_key_as_supabase_url_is_not_repeated() {
    for key in [
        "sb_publishable_0123456789abcdef",
        "sb_secret_0123456789abcdef",
        "eyJhbGciOiJIUzI1NiJ9.0123456789abcdef.x",
    ] {
        let output = run(&SERVE, &[("SUPABASE_URL", key)]);
        output.expect(
            2,
            &[
                "SUPABASE_URL",
                "API key",
                "https://YOUR-PROJECT.supabase.co",
            ],
        );
        assert!(!output.stderr.contains("0123456789abcdef"), "{output:?}");
    }
}

#[test]
fn plain_http_is_accepted_for_loopback_hosts_only() {
    let output = run(&SERVE, &[("SUPABASE_URL", "http://192.0.2.1:8000")]);
    output.expect(
        2,
        &[
            "SUPABASE_URL",
            "replace the keys",
            "https://",
            "BEARWARD_JWKS__ALLOW_HTTP",
        ],
    );
    run(&["check"], &[("SUPABASE_URL", "http://127.0.0.1:1")]).expect(1, &["NO KEYS"]);
}

#[test]
fn a_misspelled_variable_gets_a_suggestion() {
    let issuer = ("SUPABASE_URL", "http://127.0.0.1:1");
    for (wrong, right) in [
        ("BEARWARD_JWKS__MAX_STAEL", "BEARWARD_JWKS__MAX_STALE"),
        ("BEARWARD_JWK__MAX_STALE", "BEARWARD_JWKS__MAX_STALE"),
        ("BEARWARD_SERVER__BINDS", "BEARWARD_SERVER__BIND"),
    ] {
        run(&SERVE, &[issuer, (wrong, "6h")]).expect(2, &["unknown", wrong, right]);
    }
    let output = run(
        &SERVE,
        &[issuer, ("BEARWARD_JWKS__MAX_STALE", "6 hours or so")],
    );
    output.expect(2, &["jwks.max_stale", "BEARWARD_JWKS__MAX_STALE", "6h"]);
}

#[test]
fn a_misspelled_key_in_a_file_is_reported_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("config")).unwrap();
    fs::write(
        folder.path().join("config/default.toml"),
        "[jwks]\nmax_stael = \"6h\"\n",
    )
    .unwrap();
    let issuer = [("SUPABASE_URL", "http://127.0.0.1:1")];
    run_with(&SERVE, &issuer, "", folder.path())
        .expect(2, &["jwks.max_stael", "config/default.toml", "max_stale"]);

    let elsewhere = folder.path().join("config");
    run(&["check", "--config", elsewhere.to_str().unwrap()], &issuer)
        .expect(2, &["max_stael", "default.toml"]);
    run(&["check", "--config", "nowhere"], &issuer).expect(2, &["nowhere", "does not exist"]);
}

#[test]
fn all_errors_are_reported_together() {
    let variables = [
        ("SUPABASE_URL", REFERENCE),
        ("PORT", "eighty"),
        ("BEARWARD_TOKENS__MAX_BYTES", "0"),
    ];
    run(&["serve"], &variables).expect(
        2,
        &["3 problems", "SUPABASE_URL", "PORT", "tokens.max_bytes"],
    );
}

#[test]
fn a_missing_ca_file_is_a_configuration_error() {
    let variables = [
        ("SUPABASE_URL", "http://127.0.0.1:1"),
        ("BEARWARD_JWKS__CA_FILE", "/nowhere/ca.pem"),
    ];
    for command in [&SERVE[..], &["check"], &["explain", "eyJ.eyJ.AA"]] {
        run(command, &variables).expect(2, &["ca_file", "/nowhere/ca.pem"]);
    }
}

#[test]
fn an_invalid_log_filter_is_rejected() {
    run(
        &SERVE,
        &[
            ("SUPABASE_URL", "http://127.0.0.1:1"),
            ("RUST_LOG", "bearward=loud"),
        ],
    )
    .expect(2, &["RUST_LOG", "info"]);
}

#[test]
fn the_development_idp_refuses_to_run_in_production() {
    for command in ["dev", "idp"] {
        run(&[command], &[("BEARWARD_ENV", "production")])
            .expect(2, &["BEARWARD_ENV=production", "any user", "real issuer"]);
    }
}
