//! The revocation list, which all replicas load.

use sea_orm::{
    DbBackend, DeriveIden, Statement,
    sea_query::{ColumnDef, Index, IntoIden, IntoTableRef, TableCreateStatement},
};

use super::m0001_accounts::{table, table_ref, timestamp};

#[derive(DeriveIden)]
enum Revocations {
    Table,
    Id,
    Kind,
    Issuer,
    Target,
    IssuedBefore,
    ExceptSession,
    Reason,
    CreatedAt,
    ExpiresAt,
    ChangedAt,
    Removed,
}

pub(super) fn statements(backend: DbBackend) -> Vec<Statement> {
    let mut table = revocations(backend);
    if backend == DbBackend::MySql {
        // MySQL has no `CREATE INDEX IF NOT EXISTS`.
        table
            .index(
                Index::create()
                    .name("revocations_changed")
                    .col(Revocations::ChangedAt),
            )
            .index(
                Index::create()
                    .name("revocations_expires")
                    .col(Revocations::ExpiresAt),
            );
        return vec![backend.build(&table)];
    }
    // The query builder cannot write indexes with a schema for SQLite, which has none.
    let indexed = match backend {
        DbBackend::Sqlite => Revocations::Table.into_iden().into_table_ref(),
        _ => table_ref(backend, Revocations::Table),
    };
    let index = |name: &str, column| {
        let create = Index::create()
            .name(name)
            .table(indexed.clone())
            .col(column)
            .to_owned();
        backend.build(&create)
    };
    vec![
        backend.build(&table),
        index("revocations_changed", Revocations::ChangedAt),
        index("revocations_expires", Revocations::ExpiresAt),
    ]
}

fn revocations(backend: DbBackend) -> TableCreateStatement {
    table(backend, Revocations::Table)
        // Hash of what is revoked: an entry that is added again is updated.
        .col(
            ColumnDef::new(Revocations::Id)
                .uuid()
                .not_null()
                .primary_key(),
        )
        .col(ColumnDef::new(Revocations::Kind).string_len(16).not_null())
        .col(ColumnDef::new(Revocations::Issuer).text().not_null())
        .col(ColumnDef::new(Revocations::Target).text().not_null())
        // In seconds since the Unix epoch, as the claims that they are compared with.
        .col(ColumnDef::new(Revocations::IssuedBefore).big_integer())
        .col(ColumnDef::new(Revocations::ExceptSession).text())
        .col(
            ColumnDef::new(Revocations::Reason)
                .string_len(32)
                .not_null(),
        )
        .col(timestamp(backend, Revocations::CreatedAt))
        .col(
            ColumnDef::new(Revocations::ExpiresAt)
                .big_integer()
                .not_null(),
        )
        // In milliseconds by the clock of the database, which all replicas share.
        .col(
            ColumnDef::new(Revocations::ChangedAt)
                .big_integer()
                .not_null(),
        )
        .col(ColumnDef::new(Revocations::Removed).boolean().not_null())
        .to_owned()
}
