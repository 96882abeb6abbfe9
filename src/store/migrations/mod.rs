//! Schema migrations. A released migration is never changed; every schema change is a new one.

mod m0001_accounts;
mod m0002_machine_accounts;
mod m0003_revocations;
mod m0004_user_sessions;

use sea_orm::{DbBackend, Statement};

/// A change of the tables. MySQL commits each statement implicitly, so an interrupted migration must
/// be able to run again.
pub(super) struct Migration {
    pub(super) name: &'static str,
    /// Returns the statements for this kind of database.
    pub(super) statements: fn(DbBackend) -> Vec<Statement>,
}

/// All migrations, oldest first.
pub(super) const MIGRATIONS: [Migration; 4] = [
    Migration {
        name: "m0001_accounts",
        statements: m0001_accounts::statements,
    },
    Migration {
        name: "m0002_machine_accounts",
        statements: m0002_machine_accounts::statements,
    },
    Migration {
        name: "m0003_revocations",
        statements: m0003_revocations::statements,
    },
    Migration {
        name: "m0004_user_sessions",
        statements: m0004_user_sessions::statements,
    },
];
