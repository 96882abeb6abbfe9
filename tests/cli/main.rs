//! Every command as somebody runs it: the printed lines, the exit code, and what is said when
//! something is wrong.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod check;
mod child;
mod configuration;
#[cfg(feature = "contract")]
mod contract;
mod dev;
mod explain;
mod health;
mod help;
mod idp;
mod openapi;
mod serve;
mod traces;
mod vault;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
    time::Duration,
};

use assert_cmd::assert::Assert;

/// The binary in an environment with nothing in it, in a folder without configuration.
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

/// A folder of this run: what an earlier version has left in another one is of no concern.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
});

/// Runs it to its end, which comes soon.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Said {
    run_with(arguments, variables, "", &FOLDER)
}

/// With this on standard input, in this folder.
fn run_with(arguments: &[&str], variables: &[(&str, &str)], stdin: &str, folder: &Path) -> Said {
    let mut command = bearward(arguments, variables);
    command.current_dir(folder);
    let assert = assert_cmd::Command::from_std(command)
        .write_stdin(stdin)
        .timeout(Duration::from_secs(60))
        .assert();
    Said::from(assert)
}

/// What a command said before it ended.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Assert> for Said {
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

impl Said {
    /// It ended with this code, and each of these texts stands in what it wrote.
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

    /// The last part of the token stands nowhere in what it wrote.
    #[track_caller]
    fn hides_signature_of(&self, token: &str) {
        let signature = token.rsplit('.').next().unwrap();
        assert!(signature.len() > 40);
        assert!(
            !self.stdout.contains(signature) && !self.stderr.contains(signature),
            "{self:#?}"
        );
    }
}
