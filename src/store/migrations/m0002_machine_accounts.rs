//! Marks the accounts of machine callers, whose subject is a client id.

use sea_orm::{
    DbBackend, DeriveIden, Statement,
    sea_query::{ColumnDef, Table},
};

use super::m0001_accounts::table_ref;

#[derive(DeriveIden)]
enum Users {
    Table,
    IsMachine,
}

pub(super) fn statements(backend: DbBackend) -> Vec<Statement> {
    // Servers of the previous version insert rows without the column.
    let alter = Table::alter()
        .table(table_ref(backend, Users::Table))
        .add_column(
            ColumnDef::new(Users::IsMachine)
                .boolean()
                .not_null()
                .default(false),
        )
        .to_owned();
    let alter = backend.build(&alter);
    if backend != DbBackend::MySql {
        return vec![alter];
    }
    // MySQL commits the change before the migration is recorded, and cannot add a column only if it
    // does not exist.
    let select = format!(
        "SET @bearward_migration = (SELECT IF(COUNT(*) = 0, '{}', 'DO 0') FROM information_schema.COLUMNS \
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'users' AND COLUMN_NAME = 'is_machine')",
        alter.sql
    );
    [
        select.as_str(),
        "PREPARE bearward_migration FROM @bearward_migration",
        "EXECUTE bearward_migration",
        "DEALLOCATE PREPARE bearward_migration",
    ]
    .map(|sql| Statement::from_string(backend, sql))
    .into()
}
