//! The sessions of users, as the server has seen them in tokens.

use sea_orm::{
    DbBackend, DeriveIden, Statement,
    sea_query::{ColumnDef, Index},
};

use super::m0001_accounts::{owner_foreign_key, table, timestamp};

#[derive(DeriveIden)]
enum UserSessions {
    Table,
    UserId,
    Id,
    Session,
    SessionId,
    UserAgent,
    IssuedAt,
    FirstUsedAt,
    LastUsedAt,
    IsEnded,
}

pub(super) fn statements(backend: DbBackend) -> Vec<Statement> {
    let create = table(backend, UserSessions::Table)
        .col(ColumnDef::new(UserSessions::UserId).uuid().not_null())
        .col(ColumnDef::new(UserSessions::Id).uuid().not_null())
        // Hash of the session id. Every database compares binary columns byte by byte.
        .col(
            ColumnDef::new(UserSessions::Session)
                .binary_len(32)
                .not_null(),
        )
        .col(ColumnDef::new(UserSessions::SessionId).text().not_null())
        .col(ColumnDef::new(UserSessions::UserAgent).string_len(255))
        // In milliseconds since the Unix epoch, 0 if the token has no `iat`.
        .col(
            ColumnDef::new(UserSessions::IssuedAt)
                .big_integer()
                .not_null(),
        )
        .col(timestamp(backend, UserSessions::FirstUsedAt))
        .col(timestamp(backend, UserSessions::LastUsedAt))
        .col(ColumnDef::new(UserSessions::IsEnded).boolean().not_null())
        // The rows of a user are stored together.
        .primary_key(
            Index::create()
                .col(UserSessions::UserId)
                .col(UserSessions::Id),
        )
        .index(
            Index::create()
                .name("user_sessions_session")
                .unique()
                .col(UserSessions::UserId)
                .col(UserSessions::Session),
        )
        .foreign_key(&mut owner_foreign_key(
            backend,
            "user_sessions_user",
            UserSessions::Table,
            UserSessions::UserId,
        ))
        .to_owned();
    vec![backend.build(&create)]
}
