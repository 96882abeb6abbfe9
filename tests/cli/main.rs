//! Tests of the command line: output, exit codes and error messages of every command.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod admin;
mod audit;
mod backup;
mod check;
mod config;
mod configuration;
#[cfg(feature = "contract")]
mod contract;
mod dev;
mod documents;
mod explain;
mod health;
mod help;
mod https;
mod idp;
mod keys;
mod openapi;
mod pages;
mod platforms;
mod serve;
mod shutdown;
mod third_party_clients;
mod traces;
mod vault;
mod version;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use assert_cmd::assert::Assert;
use test_support::TEST_TIMEOUT;

/// The `bearward` binary with only these environment variables, in a folder without configuration.
fn bearward(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bearward"));
    command
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.current_dir(&*FOLDER);
    command
}

/// The working directory of this test run. It is new, so files of earlier runs do not matter.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
});

/// Runs a command that ends by itself.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> CommandOutput {
    run_with(arguments, variables, "", &FOLDER)
}

/// Runs a command with this standard input, in this folder.
fn run_with(
    arguments: &[&str],
    variables: &[(&str, &str)],
    stdin: &str,
    folder: &Path,
) -> CommandOutput {
    let mut command = bearward(arguments, variables);
    command.current_dir(folder);
    let assert = assert_cmd::Command::from_std(command)
        .write_stdin(stdin)
        .timeout(TEST_TIMEOUT)
        .assert();
    CommandOutput::from(assert)
}

/// The exit code and the output of a command.
#[derive(Debug)]
struct CommandOutput {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Assert> for CommandOutput {
    fn from(assert: Assert) -> Self {
        let output = assert.get_output();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

impl CommandOutput {
    /// Asserts the exit code, and that stdout or stderr contains each of these texts.
    #[track_caller]
    fn expect(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for text in texts {
            assert!(
                self.stdout.contains(text) || self.stderr.contains(text),
                "{text:?} in {self:#?}"
            );
        }
    }

    /// Asserts that neither stdout nor stderr contains the signature of the token.
    #[track_caller]
    fn assert_hides_signature(&self, token: &str) {
        let signature = token.rsplit('.').next().unwrap();
        assert!(signature.len() > 40);
        assert!(
            !self.stdout.contains(signature) && !self.stderr.contains(signature),
            "{self:#?}"
        );
    }
}
