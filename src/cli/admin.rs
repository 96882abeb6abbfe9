//! `bearward admin`: lists, enables and disables accounts and revokes tokens in the configured
//! database, also if no administrator can sign in.

use bearward::{Clock, Revocation, SanitizedText, SystemClock};
use clap::{Subcommand, ValueEnum};
use uuid::Uuid;

use super::{Failure, load, style};
use crate::{
    domain::{Administrator, Cursor, PageRequest, Profile, RevocationEntry, RevocationReason},
    settings::{self, Config, Sources},
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
    /// Revoke tokens before they expire
    Revoke {
        /// Revoke the tokens of a session, of a subject (those issued up to now), one token by its
        /// jti, or all tokens that a key has signed
        kind: Kind,
        /// The session id, the subject, the jti or the kid
        target: String,
        /// The issuer of the tokens: its name in the configuration, or its iss; not needed if one
        /// issuer is configured
        #[arg(long)]
        issuer: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    Session,
    Subject,
    Token,
    Key,
}

const AFTER_HELP: &str = "\
Uses the same database as serve:
  DATABASE_URL=postgres://user@host/name bearward admin list

Can be run while servers are running. They apply a revocation within 2 seconds
(revocation.interval), and other changes within 20 seconds. Disabling an account
revokes its tokens.
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
        Command::Enable { id } => {
            let now = DbTimestamp::from(SystemClock::new().now());
            changed(id, store.enable(&ADMINISTRATOR, id, now).await)
        }
        Command::Disable { id } => {
            let disabled = disable(&config.revocation, &store, id).await;
            store.notify_revocations().await;
            changed(id, disabled)
        }
        Command::Revoke {
            kind,
            target,
            issuer,
        } => revoke(&config, &store, kind, &target, issuer.as_deref()).await,
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

/// Disables an account and revokes its tokens.
async fn disable(
    settings: &settings::Revocation,
    store: &Store,
    id: Uuid,
) -> Result<Option<Profile>, StoreError> {
    let now = SystemClock::new().now();
    let entry = |account: &Profile| {
        let revocation = Revocation::subject(&account.issuer, &account.subject, now);
        let reason = RevocationReason::AccountDisabled;
        let expires_at = now.plus(settings.retention);
        (settings.enabled).then(|| RevocationEntry::new(&revocation, reason, now, expires_at))
    };
    store
        .disable_any(&ADMINISTRATOR, id, now.into(), entry)
        .await
}

fn changed(id: Uuid, account: Result<Option<Profile>, StoreError>) -> Result<(), Failure> {
    let account = account
        .map_err(|error| Failure::Failed(error.to_string()))?
        .ok_or_else(|| {
            Failure::Failed(format!(
                "no account has the id {id}; run `bearward admin list`"
            ))
        })?;
    print(&account);
    Ok(())
}

async fn revoke(
    config: &Config,
    store: &Store,
    kind: Kind,
    target: &str,
    issuer: Option<&str>,
) -> Result<(), Failure> {
    if !config.revocation.enabled {
        return Err(Failure::Failed(
            "revocation.enabled is false, so servers would not read the entry".to_owned(),
        ));
    }
    config.require_issuer()?;
    let issuer = find_issuer(config, issuer)?;
    let now = SystemClock::new().now();
    let revocation = match kind {
        Kind::Session => Revocation::session(&issuer, target),
        Kind::Subject => Revocation::subject(&issuer, target, now),
        Kind::Token => Revocation::token(&issuer, target),
        Kind::Key => Revocation::key(&issuer, target),
    };
    let expires_at = now.plus(config.revocation.retention);
    let entry = RevocationEntry::new(
        &revocation,
        RevocationReason::Administrator,
        now,
        expires_at,
    );
    store
        .add_revocations(std::slice::from_ref(&entry))
        .await
        .map_err(|error| Failure::Failed(error.to_string()))?;
    anstream::println!(
        "{}  {}revoked{}  {} {} at {issuer}, until {expires_at}",
        entry.id,
        style::BAD,
        style::PLAIN,
        entry.kind,
        SanitizedText::new(target),
    );
    Ok(())
}

/// Returns the canonical issuer.
fn find_issuer(config: &Config, issuer: Option<&str>) -> Result<String, Failure> {
    let names: Vec<&str> = config.issuers.keys().map(String::as_str).collect();
    let found = match issuer {
        Some(text) => config
            .issuers
            .iter()
            .find(|(name, issuer)| *name == text || issuer.accepts_iss(text))
            .map(|(_, issuer)| (issuer, text)),
        None => match config.issuers.values().collect::<Vec<_>>()[..] {
            [issuer] => Some((issuer, "")),
            _ => None,
        },
    };
    let (issuer, text) = found.ok_or_else(|| {
        Failure::Failed(format!("write --issuer with one of: {}", names.join(", ")))
    })?;
    match issuer.template_description() {
        // The tenants are separate.
        Some(_) if issuer.accepts_iss(text) => Ok(text.to_owned()),
        Some(template) => Err(Failure::Failed(format!(
            "write --issuer with the iss of one tenant: {template}"
        ))),
        None => Ok(issuer.iss().to_owned()),
    }
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
