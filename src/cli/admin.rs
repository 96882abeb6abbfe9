//! `bearward admin`: lists, enables and disables accounts in the configured database, also if no
//! administrator can sign in.

use bearward::{Clock, SanitizedText, SystemClock};
use clap::Subcommand;
use uuid::Uuid;

use super::{Failure, load, style};
use crate::{
    domain::{Administrator, Cursor, PageRequest, Profile},
    settings::Sources,
    store::{DbTimestamp, SchemaStatus, Store, StoreError},
};

/// The permission for store methods that are not limited to one owner: who can run this command
/// has the database's password.
const ADMINISTRATOR: Administrator = Administrator::new();

#[derive(Debug, Subcommand)]
#[command(after_help = AFTER_HELP)]
pub(super) enum Command {
    /// List all accounts, newest first
    List,
    /// Enable an account
    Enable {
        /// Change the account with this id, as printed by list
        id: Uuid,
    },
    /// Disable an account
    Disable {
        /// Change the account with this id, as printed by list
        id: Uuid,
    },
}

const AFTER_HELP: &str = "\
Uses the same database as serve:
  DATABASE_URL=postgres://user@host/name bearward admin list

Can be run while servers are running; they apply a change within 20 seconds.
Roles are in the tokens of the identity provider and are changed there.";

pub(super) async fn run(sources: &Sources, command: Command) -> Result<(), Failure> {
    let config = load(sources)?;
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(error.to_string());
    let schema = Store::schema_status(&config.database)
        .await
        .map_err(|error| failed(&error))?;
    if let SchemaStatus::NoFile(path) = schema {
        return Err(Failure::Failed(format!(
            "there are no accounts: {} (from database.url, DATABASE_URL) does not exist",
            path.display()
        )));
    }
    let store = Store::open(&config.database)
        .await
        .map_err(|error| failed(&error))?;
    match command {
        Command::List => list(&store).await.map_err(|error| failed(&error)),
        Command::Enable { id } => set_active(&store, id, true).await,
        Command::Disable { id } => set_active(&store, id, false).await,
    }
}

async fn list(store: &Store) -> Result<(), StoreError> {
    let mut request = PageRequest::default();
    loop {
        let page = store.users(&ADMINISTRATOR, request).await?;
        for account in &page.items {
            print(account);
        }
        let next = page.next_cursor.map(|cursor| Cursor::parse(&cursor));
        let Some(Ok(cursor)) = next else {
            return Ok(());
        };
        request = PageRequest::default().after(cursor);
    }
}

async fn set_active(store: &Store, id: Uuid, is_active: bool) -> Result<(), Failure> {
    let now = DbTimestamp::from(SystemClock::new().now());
    let account = store
        .set_active(&ADMINISTRATOR, id, is_active, now)
        .await
        .map_err(|error| Failure::Failed(error.to_string()))?
        .ok_or_else(|| {
            Failure::Failed(format!(
                "no account has the id {id}; run `bearward admin list`"
            ))
        })?;
    print(&account);
    Ok(())
}

fn print(account: &Profile) {
    let (color, status) = if account.is_active {
        (style::GOOD, "enabled ")
    } else {
        (style::BAD, "disabled")
    };
    anstream::println!(
        "{}  {color}{status}{}  {} at {}{}",
        account.id,
        style::PLAIN,
        SanitizedText::new(&account.subject),
        account.issuer,
        account
            .email
            .as_deref()
            .map(|email| format!("  {email}"))
            .unwrap_or_default()
    );
}
