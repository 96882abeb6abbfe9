//! The configuration as its users meet it: what wins, what is refused, and in which words.

mod bounds;
mod issuers;
mod layers;
mod secrets;
mod shortcuts;
mod unknown_keys;
mod wrong_values;

use std::{fs, path::Path};

use bearward_server::settings::{Config, IssuerSection, Sources};
use tempfile::TempDir;

/// A folder of files, each given as (name, text).
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

/// The configuration of these files and variables, or the message that a user reads.
fn load(files: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Config, String> {
    let dir = folder(files);
    let sources = Sources::new(
        (!files.is_empty()).then(|| dir.path().to_owned()),
        variables(environment),
    );
    Config::load(&sources).map_err(|errors| told(&errors.to_string(), dir.path()))
}

fn file(text: &str) -> Result<Config, String> {
    load(&[("default.toml", text)], &[])
}

fn environment(pairs: &[(&str, &str)]) -> Result<Config, String> {
    load(&[], pairs)
}

/// Messages name files by path, and the folder of a test has a new name each time.
fn told(message: &str, dir: &Path) -> String {
    message.replace(&dir.display().to_string(), "config")
}

fn refusal(loaded: Result<Config, String>) -> String {
    loaded.expect_err("refused")
}

/// An issuer that is right, with lines added to it.
fn issuer(lines: &str) -> String {
    format!("[issuers.idp]\nissuer = \"https://idp.example.com\"\naudiences = [\"api\"]\n{lines}")
}

fn idp(lines: &str) -> IssuerSection {
    file(&issuer(lines)).expect("accepted").issuers["idp"].clone()
}
