//! `bearward backup` and `bearward restore`: copy the SQLite database and put a copy back.

use std::path::PathBuf;

use clap::Args;
use time::UtcDateTime;

use super::{Failure, load, style};
use crate::{
    settings::{Config, Sources},
    store::{BackupContents, BackupError, Store},
};

#[derive(Debug, Args)]
#[command(after_help = BACKUP_HELP)]
pub(super) struct BackupOptions {
    /// Write this file, which must not exist
    file: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = RESTORE_HELP)]
pub(super) struct RestoreOptions {
    /// Read this file, which `bearward backup` has written
    file: PathBuf,
}

const BACKUP_HELP: &str = "\
Copies the database of serve while it runs:
  DATABASE_URL=sqlite:///data/bearward.db bearward backup bearward.bak

The file has mode 0600 and contains email addresses. Users' API keys in it are
encrypted with the keys of vault.keys, which are not in it: keep a copy of them
in another place. PostgreSQL and MySQL have their own tools, which the command
names. docs/backup.md describes all of it.";

const RESTORE_HELP: &str = "\
Stop the server first:
  DATABASE_URL=sqlite:///data/bearward.db bearward restore bearward.bak

The backup is checked before anything is changed. The previous database is kept
beside the new one, under a name that the command prints.";

pub(super) async fn run_backup(sources: &Sources, options: BackupOptions) -> Result<(), Failure> {
    let config = load(sources)?;
    let contents = Store::back_up(&config.database, &options.file).await?;
    anstream::println!(
        "{}backed up{} {} to {}",
        style::GOOD,
        style::PLAIN,
        summary(&contents),
        options.file.display()
    );
    if !contents.vault_key_ids.is_empty() {
        anstream::println!(
            "the API keys in it can only be opened with the vault keys {}: keep a copy of them in another place",
            contents.vault_key_ids.join(", ")
        );
    }
    Ok(())
}

pub(super) async fn run_restore(sources: &Sources, options: RestoreOptions) -> Result<(), Failure> {
    let config = load(sources)?;
    let restored = Store::restore(&config.database, &options.file, UtcDateTime::now()).await?;
    anstream::println!(
        "{}restored{} {} to {}",
        style::GOOD,
        style::PLAIN,
        summary(&restored.contents),
        restored.database.display()
    );
    if let Some(replaced) = &restored.replaced {
        anstream::println!("the previous database is {}", replaced.display());
    }
    let missing = missing_vault_keys(&config, &restored.contents);
    if !missing.is_empty() {
        anstream::eprintln!(
            "{}warning:{} vault.keys lacks {}, without which API keys in this database cannot be opened",
            style::NOTE,
            style::PLAIN,
            missing.join(", ")
        );
    }
    Ok(())
}

fn summary(contents: &BackupContents) -> String {
    let count = |count: u64, name: &str| format!("{count} {name}{}", plural(count));
    format!(
        "{}, {} and {}",
        count(contents.accounts, "account"),
        count(contents.status_checks, "status check"),
        count(contents.api_keys, "API key")
    )
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Returns the ids of the vault keys that the rows need and the configuration does not have.
fn missing_vault_keys<'a>(config: &Config, contents: &'a BackupContents) -> Vec<&'a str> {
    let is_configured = |id: &str| config.vault.keys.iter().any(|key| key.id() == id);
    contents
        .vault_key_ids
        .iter()
        .map(String::as_str)
        .filter(|id| !is_configured(id))
        .collect()
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::OtherDatabase(_) | BackupError::InMemory => Self::Usage(error.to_string()),
            BackupError::Open(_)
            | BackupError::Missing(_)
            | BackupError::Exists(_)
            | BackupError::SameFile
            | BackupError::InUse(_)
            | BackupError::Corrupt { .. }
            | BackupError::NotBearward(_)
            | BackupError::Tables { .. }
            | BackupError::Database { .. }
            | BackupError::File { .. } => Self::Failed(error.to_string()),
        }
    }
}
