//! A configuration that is wrong: exit code 2, the key, where it was written, and what would be
//! right.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt};

use crate::{Said, bearward, child::GUARD, run, run_with};

const FREE: [&str; 3] = ["serve", "--bind", "127.0.0.1:0"];
const REFERENCE: &str = "abcdefghijklmnopqrst";

#[test]
fn without_an_issuer_each_command_that_needs_one_names_the_ways_to_give_one() {
    for command in [&FREE[..], &["check"], &["explain", "eyJ.eyJ.AA"]] {
        let said = run(command, &[]);
        said.expect(
            2,
            &[
                "no issuer",
                "SUPABASE_URL=",
                "[issuers.NAME]",
                "BEARWARD_ISSUERS__NAME__ISSUER",
                "bearward dev",
            ],
        );
        assert!(!said.stdout.contains("sound"), "{said:?}");
    }
}

#[test]
fn what_people_write_instead_of_the_projects_url_is_answered_with_the_url() {
    let right = format!("https://{REFERENCE}.supabase.co");
    for wrong in [
        REFERENCE.to_owned(),
        format!("{REFERENCE}.supabase.co"),
        format!("https://supabase.com/dashboard/project/{REFERENCE}"),
        format!("https://supabase.com/dashboard/project/{REFERENCE}/settings/api-keys"),
        format!("postgresql://postgres:hunter2@db.{REFERENCE}.supabase.co:5432/postgres"),
    ] {
        let said = run(&FREE, &[("SUPABASE_URL", &wrong)]);
        said.expect(2, &["SUPABASE_URL", &right]);
        assert!(!said.stderr.contains("hunter2"), "{said:?}");
    }
}

#[test]
fn a_value_that_is_no_text_is_refused_and_no_default_takes_its_place() {
    for variable in ["BEARWARD_SERVER__BIND", "BEARWARD_TOKENS__LEEWAY", "PORT"] {
        let mut command = bearward(&["serve"], &[("SUPABASE_URL", "http://127.0.0.1:1")]);
        command.env(variable, OsStr::from_bytes(b"127.0.0.1:0\xff"));
        Said::from(
            assert_cmd::Command::from_std(command)
                .timeout(GUARD)
                .assert(),
        )
        .expect(2, &[variable]);
    }
}

#[test]
fn an_api_key_in_place_of_the_projects_url_is_not_repeated() {
    for key in [
        "sb_publishable_0123456789abcdef",
        "sb_secret_0123456789abcdef",
        "eyJhbGciOiJIUzI1NiJ9.0123456789abcdef.x",
    ] {
        let said = run(&FREE, &[("SUPABASE_URL", key)]);
        said.expect(
            2,
            &[
                "SUPABASE_URL",
                "API key",
                "https://YOUR-PROJECT.supabase.co",
            ],
        );
        assert!(!said.stderr.contains("0123456789abcdef"), "{said:?}");
    }
}

#[test]
fn plain_http_to_another_machine_is_refused_and_to_this_one_accepted() {
    let said = run(&FREE, &[("SUPABASE_URL", "http://192.0.2.1:8000")]);
    said.expect(
        2,
        &[
            "SUPABASE_URL",
            "swap the keys",
            "https://",
            "BEARWARD_JWKS__ALLOW_HTTP",
        ],
    );
    run(&["check"], &[("SUPABASE_URL", "http://127.0.0.1:1")]).expect(1, &["NO KEYS"]);
}

#[test]
fn a_typo_in_a_variable_is_answered_with_the_key_that_was_meant() {
    let issuer = ("SUPABASE_URL", "http://127.0.0.1:1");
    for (wrong, right) in [
        ("BEARWARD_JWKS__MAX_STAEL", "BEARWARD_JWKS__MAX_STALE"),
        ("BEARWARD_JWK__MAX_STALE", "BEARWARD_JWKS__MAX_STALE"),
        ("BEARWARD_SERVER__BINDS", "BEARWARD_SERVER__BIND"),
        ("BEARWARD_TOKENS_MAX_BYTES", "BEARWARD_TOKENS__MAX_BYTES"),
    ] {
        run(&FREE, &[issuer, (wrong, "6h")]).expect(2, &["unknown", wrong, right]);
    }
    let said = run(
        &FREE,
        &[issuer, ("BEARWARD_JWKS__MAX_STALE", "6 hours or so")],
    );
    said.expect(2, &["jwks.max_stale", "BEARWARD_JWKS__MAX_STALE", "6h"]);
}

#[test]
fn a_typo_in_a_file_is_answered_with_the_file_and_the_key() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("config")).unwrap();
    fs::write(
        folder.path().join("config/default.toml"),
        "[jwks]\nmax_stael = \"6h\"\n",
    )
    .unwrap();
    let issuer = [("SUPABASE_URL", "http://127.0.0.1:1")];
    run_with(&FREE, &issuer, "", folder.path())
        .expect(2, &["jwks.max_stael", "config/default.toml", "max_stale"]);

    let elsewhere = folder.path().join("config");
    run(&["check", "--config", elsewhere.to_str().unwrap()], &issuer)
        .expect(2, &["max_stael", "default.toml"]);
    run(&["check", "--config", "nowhere"], &issuer).expect(2, &["nowhere", "does not exist"]);
}

#[test]
fn every_mistake_is_told_at_once() {
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
fn what_only_the_verifier_can_refuse_is_a_mistake_of_the_configuration_too() {
    let variables = [
        ("SUPABASE_URL", "http://127.0.0.1:1"),
        ("BEARWARD_JWKS__CA_FILE", "/nowhere/ca.pem"),
    ];
    for command in [&FREE[..], &["check"], &["explain", "eyJ.eyJ.AA"]] {
        run(command, &variables).expect(2, &["ca_file", "/nowhere/ca.pem"]);
    }
}

#[test]
fn a_log_filter_that_cannot_be_read_is_named() {
    run(
        &FREE,
        &[
            ("SUPABASE_URL", "http://127.0.0.1:1"),
            ("RUST_LOG", "bearward=loud"),
        ],
    )
    .expect(2, &["RUST_LOG", "info"]);
}

#[test]
fn a_development_idp_in_production_is_refused() {
    for command in ["dev", "idp"] {
        run(&[command], &[("BEARWARD_ENV", "production")])
            .expect(2, &["BEARWARD_ENV=production", "anybody", "real issuer"]);
    }
}
