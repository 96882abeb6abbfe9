//! Accounts and the rows they own: status checks and API keys.

use sea_orm::{
    DbBackend, DeriveIden, Statement,
    sea_query::{
        ColumnDef, ForeignKey, ForeignKeyAction, ForeignKeyCreateStatement, Index, IntoIden,
        IntoTableRef, Table, TableCreateStatement, TableRef,
    },
};

/// The schema of the entities.
#[derive(DeriveIden)]
struct Bearward;

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
    Identity,
    Issuer,
    Subject,
    Email,
    EmailVerified,
    Name,
    Picture,
    ChosenName,
    ChosenPicture,
    IsActive,
    Session,
    ClaimsAt,
    LastLogin,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum StatusChecks {
    Table,
    Id,
    UserId,
    ClientName,
    IdempotencyKey,
    Timestamp,
}

#[derive(DeriveIden)]
enum ApiKeys {
    Table,
    UserId,
    Provider,
    KeyId,
    Sealed,
    CreatedAt,
    UpdatedAt,
}

pub(super) fn statements(backend: DbBackend) -> Vec<Statement> {
    [users(backend), status_checks(backend), api_keys(backend)]
        .iter()
        .map(|table| backend.build(table))
        .collect()
}

fn users(backend: DbBackend) -> TableCreateStatement {
    table(backend, Users::Table)
        .col(ColumnDef::new(Users::Id).uuid().not_null().primary_key())
        // Hash of issuer and subject. Every database compares binary columns byte by byte.
        .col(
            ColumnDef::new(Users::Identity)
                .binary_len(32)
                .not_null()
                .unique_key(),
        )
        .col(ColumnDef::new(Users::Issuer).text().not_null())
        .col(ColumnDef::new(Users::Subject).text().not_null())
        .col(ColumnDef::new(Users::Email).text())
        // Null if the issuer does not say.
        .col(ColumnDef::new(Users::EmailVerified).boolean())
        .col(ColumnDef::new(Users::Name).text())
        .col(ColumnDef::new(Users::Picture).text())
        .col(ColumnDef::new(Users::ChosenName).text())
        .col(ColumnDef::new(Users::ChosenPicture).text())
        .col(ColumnDef::new(Users::IsActive).boolean().not_null())
        .col(ColumnDef::new(Users::Session).binary_len(32).not_null())
        .col(ColumnDef::new(Users::ClaimsAt).big_integer().not_null())
        .col(timestamp(backend, Users::LastLogin))
        .col(timestamp(backend, Users::CreatedAt))
        .col(timestamp(backend, Users::UpdatedAt))
        .to_owned()
}

fn status_checks(backend: DbBackend) -> TableCreateStatement {
    table(backend, StatusChecks::Table)
        .col(ColumnDef::new(StatusChecks::Id).uuid().not_null())
        .col(ColumnDef::new(StatusChecks::UserId).uuid().not_null())
        .col(
            ColumnDef::new(StatusChecks::ClientName)
                .string_len(100)
                .not_null(),
        )
        .col(ColumnDef::new(StatusChecks::IdempotencyKey).string_len(200))
        .col(timestamp(backend, StatusChecks::Timestamp))
        // The rows of a user are stored together, in the order of the list.
        .primary_key(
            Index::create()
                .col(StatusChecks::UserId)
                .col(StatusChecks::Id),
        )
        .index(
            Index::create()
                .name("status_checks_idempotency")
                .unique()
                .col(StatusChecks::UserId)
                .col(StatusChecks::IdempotencyKey),
        )
        .foreign_key(&mut owner_foreign_key(
            backend,
            "status_checks_user",
            StatusChecks::Table,
            StatusChecks::UserId,
        ))
        .to_owned()
}

fn api_keys(backend: DbBackend) -> TableCreateStatement {
    table(backend, ApiKeys::Table)
        .col(ColumnDef::new(ApiKeys::UserId).uuid().not_null())
        .col(ColumnDef::new(ApiKeys::Provider).string_len(64).not_null())
        .col(ColumnDef::new(ApiKeys::KeyId).string_len(32).not_null())
        .col(ColumnDef::new(ApiKeys::Sealed).blob().not_null())
        .col(timestamp(backend, ApiKeys::CreatedAt))
        .col(timestamp(backend, ApiKeys::UpdatedAt))
        .primary_key(Index::create().col(ApiKeys::UserId).col(ApiKeys::Provider))
        .foreign_key(&mut owner_foreign_key(
            backend,
            "api_keys_user",
            ApiKeys::Table,
            ApiKeys::UserId,
        ))
        .to_owned()
}

/// The query builder cannot write foreign keys with a schema for MySQL, which has none.
pub(super) fn table_ref(backend: DbBackend, name: impl IntoIden) -> TableRef {
    match backend {
        DbBackend::MySql => name.into_iden().into_table_ref(),
        _ => (Bearward, name.into_iden()).into_table_ref(),
    }
}

/// MySQL commits each DDL statement implicitly, so an interrupted migration must be able to run
/// again: `IF NOT EXISTS`.
pub(super) fn table(backend: DbBackend, name: impl IntoIden) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(table_ref(backend, name)).if_not_exists();
    if backend == DbBackend::MySql {
        table
            .engine("InnoDB")
            .character_set("utf8mb4")
            .collate("utf8mb4_bin");
    }
    table
}

/// A timestamp column with microsecond precision. Values are UTC by convention.
pub(super) fn timestamp(backend: DbBackend, name: impl IntoIden) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    match backend {
        DbBackend::MySql => column.custom("datetime(6)"),
        _ => column.date_time(),
    };
    column.not_null().take()
}

/// A foreign key to the owner. Deleting a user deletes the rows.
pub(super) fn owner_foreign_key(
    backend: DbBackend,
    name: &str,
    table: impl IntoIden,
    column: impl IntoIden,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(name)
        .from(table_ref(backend, table), column)
        .to(table_ref(backend, Users::Table), Users::Id)
        .on_delete(ForeignKeyAction::Cascade)
        .on_update(ForeignKeyAction::Cascade)
        .to_owned()
}
