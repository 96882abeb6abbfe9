//! The tables' history. An entry that was released is never changed again: a change of the tables
//! is a new one.

mod m0001_accounts;

use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// Every migration, oldest first.
pub(super) struct Migrations;

impl MigratorTrait for Migrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_accounts::Migration)]
    }
}
