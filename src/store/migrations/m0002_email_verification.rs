//! `users.email_verified` becomes nullable: not every issuer says whether an address is verified.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, DeriveMigrationName},
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Until now, false also meant that the issuer does not say. The next token of the user
        // stores the right value.
        let statements: &[&str] = match manager.get_database_backend() {
            DbBackend::Postgres => &[
                "ALTER TABLE users ALTER COLUMN email_verified DROP NOT NULL",
                "UPDATE users SET email_verified = NULL WHERE email_verified = FALSE",
            ],
            // MySQL commits each ALTER implicitly; both statements can run again.
            DbBackend::MySql => &[
                "ALTER TABLE users MODIFY COLUMN email_verified BOOLEAN NULL",
                "UPDATE users SET email_verified = NULL WHERE email_verified = FALSE",
            ],
            // SQLite cannot change a column.
            _ => &[
                "ALTER TABLE users ADD COLUMN nullable_email_verified BOOLEAN",
                "UPDATE users SET nullable_email_verified = TRUE WHERE email_verified",
                "ALTER TABLE users DROP COLUMN email_verified",
                "ALTER TABLE users RENAME COLUMN nullable_email_verified TO email_verified",
            ],
        };
        for statement in statements {
            manager
                .get_connection()
                .execute_unprepared(statement)
                .await?;
        }
        Ok(())
    }
}
