//! `--help`, `--version` and invalid command lines.

use crate::run;

#[test]
fn help_lists_every_command() {
    let output = run(&["--help"], &[]);
    output.expect(0, &[]);
    insta::assert_snapshot!(output.stdout);
}

#[test]
fn help_is_shown_without_a_command() {
    run(&[], &[]).expect(2, &["Usage: bearward", "bearward dev", "bearward check"]);
}

#[test]
fn the_help_of_every_command_has_examples() {
    for (command, texts) in [
        ("dev", ["--bind", "--idp-bind", "If a port is in use"]),
        ("serve", ["--bind", "SUPABASE_URL=", "BEARWARD_ISSUERS__"]),
        (
            "idp",
            [
                "--dangerous-allow-remote",
                "--base",
                "SUPABASE_URL=http://127.0.0.1:9999 bearward serve",
            ],
        ),
        (
            "idp",
            [
                "--data",
                "--redirect",
                "createClient(\"http://127.0.0.1:9999\"",
            ],
        ),
        (
            "explain",
            ["--json", "standard input", "explain - < token.txt"],
        ),
        ("health", ["HEALTHCHECK", "/livez", "Exit codes: 0"]),
        ("check", ["--values", "SUPABASE_URL=", "Exit codes:"]),
        #[cfg(feature = "contract")]
        (
            "contract",
            ["--start", "BEARWARD_CONTRACT_ISSUER", "Exit codes: 0"],
        ),
    ] {
        run(&[command, "--help"], &[]).expect(0, &texts);
    }
}

#[test]
fn a_misspelled_command_or_flag_gets_a_suggestion() {
    run(&["srve"], &[]).expect(2, &["'serve'"]);
    run(&["serve", "--bnd", "127.0.0.1:1"], &[]).expect(2, &["--bind"]);
}

#[test]
fn an_invalid_address_gets_a_valid_one_as_hint() {
    for (command, flag, text, right) in [
        ("serve", "--bind", "8000", "127.0.0.1:8000"),
        ("serve", "--bind", ":8000", "127.0.0.1:8000"),
        ("dev", "--bind", "localhost:8001", "127.0.0.1:8001"),
        ("dev", "--idp-bind", "localhost:9998", "127.0.0.1:9998"),
        ("idp", "--bind", "everywhere", "such as 127.0.0.1:8000"),
    ] {
        run(&[command, flag, text], &[]).expect(2, &[flag, right]);
    }
}

#[test]
fn symmetric_algorithms_are_rejected() {
    for command in ["dev", "idp"] {
        run(&[command, "--alg", "HS256"], &[]).expect(2, &["HS256", "RS256 RS384"]);
    }
}

#[test]
fn the_help_of_every_command_fits_80_columns() {
    for command in [
        "dev",
        "serve",
        "idp",
        "contract",
        "explain",
        "check",
        "health",
        "config",
        "openapi",
        "admin",
        "vault",
        "backup",
        "restore",
        "completions",
        "man",
    ] {
        let output = run(&[command, "--help"], &[]);
        output.expect(0, &[]);
        for line in output.stdout.lines() {
            assert!(line.chars().count() <= 80, "{command}: {line}");
        }
    }
}
