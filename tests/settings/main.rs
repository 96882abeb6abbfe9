//! Tests of the configuration: precedence of layers, validation and error messages.

mod bounds;
mod database;
mod documentation;
mod issuers;
mod layers;
mod providers;
mod secrets;
mod service_keys;
mod shortcuts;
mod unknown_keys;
mod wrong_values;

use std::{fs, path::Path};

use bearward::Issuer;
use bearward_server::settings::{Config, Sources};
use tempfile::TempDir;

/// Creates a folder with these files, given as (name, text).
fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(dir.path().join(name), text).expect("a file");
    }
    dir
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Loads these files and variables, and returns the configuration or the error message.
fn load(files: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Config, String> {
    let dir = folder(files);
    let sources = Sources::new(
        (!files.is_empty()).then(|| dir.path().to_owned()),
        variables(environment),
    );
    Config::load(&sources).map_err(|errors| without_path(&errors.to_string(), dir.path()))
}

/// Loads a `default.toml` with this text.
fn file(text: &str) -> Result<Config, String> {
    load(&[("default.toml", text)], &[])
}

/// Loads these environment variables without files.
fn environment(pairs: &[(&str, &str)]) -> Result<Config, String> {
    load(&[], pairs)
}

/// Replaces the temporary folder in a message with `config`.
fn without_path(message: &str, dir: &Path) -> String {
    message.replace(&dir.display().to_string(), "config")
}

/// The message of a configuration that is expected to be invalid.
fn error(loaded: Result<Config, String>) -> String {
    loaded.expect_err("an invalid configuration")
}

/// The text of a valid issuer, with these lines added.
fn issuer_text(lines: &str) -> String {
    format!("[issuers.idp]\nissuer = \"https://idp.example.com\"\naudiences = [\"api\"]\n{lines}")
}

/// The issuer that is loaded from [`issuer_text`].
fn issuer(lines: &str) -> Issuer {
    file(&issuer_text(lines)).expect("a valid issuer").issuers["idp"].clone()
}
