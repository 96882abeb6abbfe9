//! Schema migrations. A released migration is never changed; every schema change is a new one.

mod m0001_accounts;
mod m0002_email_verification;

use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// All migrations, oldest first.
pub(super) struct Migrations;

impl MigratorTrait for Migrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_accounts::Migration),
            Box::new(m0002_email_verification::Migration),
        ]
    }
}
