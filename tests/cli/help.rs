//! `--help` is worth reading, and a slip is answered with what was meant.

use crate::run;

#[test]
fn the_first_page_of_help_says_what_each_command_is_for() {
    let said = run(&["--help"], &[]);
    said.expect(0, &[]);
    insta::assert_snapshot!(said.stdout);
}

#[test]
fn without_a_command_the_help_is_shown() {
    run(&[], &[]).expect(2, &["Usage: bearward", "bearward dev", "bearward check"]);
}

#[test]
fn every_commands_help_has_an_example_or_says_what_it_needs() {
    for (command, texts) in [
        ("dev", ["--bind", "--idp-bind", "A port is taken?"]),
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
        ("health", ["HEALTHCHECK", "/livez", "Exit code 0"]),
        ("check", ["--values", "SUPABASE_URL=", "Exit code 0"]),
        #[cfg(feature = "contract")]
        (
            "contract",
            ["--start", "BEARWARD_CONTRACT_ISSUER", "Exit code 0"],
        ),
    ] {
        run(&[command, "--help"], &[]).expect(0, &texts);
    }
}

#[test]
fn a_command_that_is_mistyped_is_answered_with_the_one_that_was_meant() {
    run(&["srve"], &[]).expect(2, &["'serve'"]);
    run(&["serve", "--bnd", "127.0.0.1:1"], &[]).expect(2, &["--bind"]);
}

#[test]
fn an_address_that_is_none_is_answered_with_one() {
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
fn an_algorithm_that_needs_a_secret_is_none() {
    for command in ["dev", "idp"] {
        run(&[command, "--alg", "HS256"], &[]).expect(2, &["HS256", "RS256 RS384"]);
    }
}

#[test]
fn the_version_is_the_crates() {
    run(&["--version"], &[]).expect(0, &[concat!("bearward ", env!("CARGO_PKG_VERSION"))]);
}
