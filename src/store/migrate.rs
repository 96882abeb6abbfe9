//! Applies pending migrations. A database lock ensures that only one replica does so at a time.

use std::{collections::BTreeSet, time::SystemTime};

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter,
    QuerySelect, Statement, Value,
};

use super::{
    Connections,
    connection::{Connection, Transaction, code},
    entity::migrations::{ActiveModel, Column, Entity},
    error::is_unavailable,
    migration_lock::{Lease, ROW, with_row_lock},
    migrations::MIGRATIONS,
    schema::{
        MIGRATIONS_TABLE, TABLES, check_tables, create_migrations_table, create_schema, existing,
        is_unprotected, protect, reject_foreign_tables, reject_hidden_rows,
        reject_tables_in_public, roles_with_access,
    },
};

/// How long a replica waits for the migration lock.
pub(super) const LOCK_TIMEOUT_SECONDS: u32 = 120;
/// Key of the PostgreSQL advisory lock: "bearward" in ASCII.
const POSTGRES_LOCK: i64 = 0x6265_6172_7761_7264;
/// The greatest length of the name of a MySQL lock.
const MAX_MYSQL_LOCK_LENGTH: usize = 64;

/// Why the tables could not be migrated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// The database has migrations that this version does not know.
    #[error(
        "the database has migrations of a newer bearward ({}); this version ({}) could damage it. Run the newer version, or set database.url \
         to another database", .0.join(", "), env!("CARGO_PKG_VERSION")
    )]
    Newer(Vec<String>),
    /// Another replica holds the migration lock.
    #[error(
        "another bearward process has held the migration lock for {LOCK_TIMEOUT_SECONDS} s; check whether it hangs"
    )]
    Locked,
    /// A table has a name that this server needs, and was created by another application.
    #[error(
        "the database has a table {0} that bearward did not create, and it needs one of this name; rename that table, or set database.url to \
         another database (PostgreSQL: or database.schema to another schema)"
    )]
    Foreign(String),
    /// The tables are in the schema "public". Holds the configured schema.
    #[error(
        "the schema public has the tables of an earlier bearward, and database.schema is {0}. To keep their rows, stop all servers and run: \
         CREATE SCHEMA IF NOT EXISTS {0}; ALTER TABLE public.users SET SCHEMA {0}; ALTER TABLE public.status_checks SET SCHEMA {0}; ALTER TABLE \
         public.api_keys SET SCHEMA {0}; ALTER TABLE IF EXISTS public.revocations SET SCHEMA {0}; ALTER TABLE IF EXISTS \
         public.user_sessions SET SCHEMA {0}; ALTER TABLE public.seaql_migrations SET SCHEMA {0}. To start with empty tables, drop those in public"
    )]
    InPublic(String),
    /// A table was dropped or changed after the migrations.
    #[error("the table {table} is not the one that the migrations created: {source}")]
    Unusable {
        /// The table.
        table: String,
        /// The cause.
        source: DbErr,
    },
    /// Row level security hides the rows of a table.
    #[error(
        "row level security hides the rows of the table {0} from the user of database.url; connect as the owner of the tables, or grant the \
         owner's role to that user"
    )]
    NotOwner(String),
    /// Other roles can read or change the tables.
    #[error(
        "other roles of the database can read or change the tables in the schema {schema}, which hold email addresses and sealed keys: {}. \
         Revoke their privileges: REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {}", .roles.join(", "), .roles.join(", ")
    )]
    Exposed {
        /// The schema.
        schema: String,
        /// The roles.
        roles: Vec<String>,
    },
    /// The database returned an error.
    #[error("cannot migrate the tables of database.url: {0}{hint}", hint = hint(.0))]
    Database(#[from] DbErr),
}

/// Suggests a fix for a missing permission.
fn hint(error: &DbErr) -> &'static str {
    if code(error).as_deref() == Some("42501") {
        ". Allow the user to create the schema of database.schema (GRANT CREATE ON DATABASE ... TO ...), or create it with the user as its \
         owner (CREATE SCHEMA ... AUTHORIZATION ...)"
    } else {
        ""
    }
}

impl Connections {
    /// Applies pending migrations while holding the migration lock.
    pub(super) async fn migrate(&self) -> Result<(), MigrationError> {
        let (db, namespace) = (&self.writes, self.writes.namespace());
        let pending = pending(db).await?;
        let is_postgres = db.get_database_backend() == DbBackend::Postgres;
        if is_postgres && pending.len() == MIGRATIONS.len() {
            reject_tables_in_public(db, namespace).await?;
        }
        if !pending.is_empty() || (is_postgres && needs_protection(db).await?) {
            let migrations = migrate_locked(db).await?;
            if migrations > 0 {
                tracing::info!(
                    migrations,
                    database = self.kind(),
                    "applied database migrations"
                );
            }
        }
        check_tables(db, namespace).await?;
        let roles = roles_with_access(db, namespace).await?;
        if let Some(error) = exposed(db, roles) {
            tracing::warn!("{error}");
        }
        Ok(())
    }

    /// Returns the names of the pending migrations. Fails if the existing tables cannot be used, or
    /// if another role can.
    pub(super) async fn pending(&self) -> Result<Vec<String>, MigrationError> {
        let (db, namespace) = (&self.reads, self.reads.namespace());
        let pending = pending(db).await?;
        if pending.len() == MIGRATIONS.len() {
            if db.get_database_backend() == DbBackend::Postgres {
                reject_tables_in_public(db, namespace).await?;
            }
            let has_table = !existing(db, namespace, &[MIGRATIONS_TABLE])
                .await?
                .is_empty();
            reject_foreign_tables(db, namespace, has_table).await?;
        } else {
            if pending.is_empty() {
                check_tables(db, namespace).await?;
            } else {
                // The columns of the pending migrations are missing.
                reject_hidden_rows(db, namespace, &TABLES).await?;
            }
            let roles = roles_with_access(db, namespace).await?;
            if let Some(error) = exposed(db, roles) {
                return Err(error);
            }
        }
        Ok(pending.into_iter().map(str::to_owned).collect())
    }
}

fn exposed(db: &Connection, roles: BTreeSet<String>) -> Option<MigrationError> {
    (!roles.is_empty()).then(|| MigrationError::Exposed {
        schema: db.namespace().schema().to_owned(),
        roles: roles.into_iter().collect(),
    })
}

/// Returns whether the tables lack protection that the database offers.
async fn needs_protection(db: &Connection) -> Result<bool, DbErr> {
    match is_unprotected(db, db.namespace()).await {
        Err(error) if !is_unavailable(&error) && code(&error).is_some() => Ok(false),
        result => result,
    }
}

/// Applies the pending migrations and returns their number.
async fn migrate_locked(db: &Connection) -> Result<usize, MigrationError> {
    let transaction = db.begin().await?;
    let is_locked = match db.get_database_backend() {
        DbBackend::Postgres => lock_postgres(&transaction).await?,
        DbBackend::MySql => {
            let name = mysql_lock_name(&transaction).await?;
            let is_locked =
                !is_galera(&transaction).await? && lock_mysql(&transaction, &name).await?;
            if is_locked {
                let result = apply(db, &transaction).await;
                // The lock belongs to the connection, which returns to the pool. MySQL has already
                // committed the changes: every DDL statement commits implicitly.
                let release = mysql("DO RELEASE_LOCK(?)", &name);
                transaction.execute_raw(release).await?;
                transaction.commit().await?;
                return result;
            }
            false
        }
        // The transaction is the lock.
        _ => true,
    };
    if is_locked {
        let migrations = apply(db, &transaction).await?;
        transaction.commit().await?;
        return Ok(migrations);
    }
    drop(transaction);
    migrate_with_row_lock(db, Lease::default()).await
}

async fn migrate_with_row_lock(db: &Connection, lease: Lease) -> Result<usize, MigrationError> {
    create_lock_table(db).await?;
    with_row_lock(db, lease, async {
        let transaction = db.begin().await?;
        let migrations = apply(db, &transaction).await?;
        transaction.commit().await?;
        Ok(migrations)
    })
    .await
}

/// Creates the table of the row lock. Without a lock, another process may create it concurrently.
async fn create_lock_table(db: &Connection) -> Result<(), DbErr> {
    let create = async || {
        if db.get_database_backend() == DbBackend::Postgres {
            create_schema(db, db.namespace()).await?;
        }
        create_migrations_table(db).await
    };
    for _ in 0..5 {
        match create().await {
            Err(error)
                if matches!(
                    code(&error).as_deref(),
                    Some("23505" | "42P06" | "42P07" | "40001")
                ) => {}
            result => return result,
        }
    }
    create().await
}

/// Applies the pending migrations. The caller holds the lock.
async fn apply(db: &Connection, transaction: &Transaction) -> Result<usize, MigrationError> {
    let (backend, namespace) = (db.get_database_backend(), db.namespace());
    // Another process may have applied them in the meantime.
    let pending: BTreeSet<&str> = pending_in(transaction, db).await?.into_iter().collect();
    if backend == DbBackend::Postgres {
        create_schema(transaction, namespace).await?;
    }
    if pending.len() == MIGRATIONS.len() {
        let has_table = !existing(transaction, namespace, &[MIGRATIONS_TABLE])
            .await?
            .is_empty();
        reject_foreign_tables(transaction, namespace, has_table).await?;
        create_migrations_table(transaction).await?;
    }
    for migration in MIGRATIONS
        .iter()
        .filter(|migration| pending.contains(migration.name))
    {
        for statement in (migration.statements)(backend) {
            transaction.execute_unprepared(&statement.sql).await?;
        }
        let row = ActiveModel {
            version: Set(migration.name.to_owned()),
            applied_at: Set(now()),
        };
        Entity::insert(row)
            .exec_without_returning(transaction)
            .await?;
    }
    if backend == DbBackend::Postgres {
        protect(transaction, namespace).await?;
    }
    Ok(pending.len())
}

/// Takes the advisory lock of PostgreSQL, which ends with the transaction. Returns `false` if the
/// database has none; the transaction is then unusable.
async fn lock_postgres(transaction: &Transaction) -> Result<bool, DbErr> {
    transaction
        .execute_unprepared(&format!(
            "SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"
        ))
        .await?;
    let lock = format!("SELECT pg_advisory_xact_lock({POSTGRES_LOCK})");
    is_supported(transaction.execute_unprepared(&lock).await)
}

/// Returns `false` for an error that says that the database has no such function.
fn is_supported<T>(result: Result<T, DbErr>) -> Result<bool, DbErr> {
    match result {
        Ok(_) => Ok(true),
        Err(error) if is_unavailable(&error) || code(&error).is_none() => Err(error),
        Err(error) => {
            tracing::debug!("the database has no advisory locks: {error}");
            Ok(false)
        }
    }
}

/// Returns whether the server is a node of a Galera cluster, where `GET_LOCK` locks one node only.
async fn is_galera(transaction: &Transaction) -> Result<bool, DbErr> {
    let statement = Statement::from_string(DbBackend::MySql, "SELECT @@global.wsrep_on = 1");
    match transaction.query_one_raw(statement).await {
        Ok(row) => Ok(row.is_some_and(|row| row.try_get_by_index::<i64>(0).unwrap_or(0) == 1)),
        Err(error) if is_unavailable(&error) || code(&error).is_none() => Err(error),
        // MySQL does not know the variable.
        Err(_) => Ok(false),
    }
}

/// Takes the lock of MySQL. Returns `false` if the database has none.
async fn lock_mysql(transaction: &Transaction, name: &str) -> Result<bool, MigrationError> {
    let statement = mysql(&format!("SELECT GET_LOCK(?, {LOCK_TIMEOUT_SECONDS})"), name);
    let row = match transaction.query_one_raw(statement).await {
        Ok(row) => row,
        Err(error) => return Ok(is_supported::<()>(Err(error))?),
    };
    let taken: Option<i64> = match row {
        Some(row) => row.try_get_by_index(0)?,
        None => None,
    };
    if taken == Some(1) {
        Ok(true)
    } else {
        Err(MigrationError::Locked)
    }
}

/// Returns the name of the lock: locks of MySQL belong to the server, not to the database.
async fn mysql_lock_name(transaction: &Transaction) -> Result<String, DbErr> {
    let statement = Statement::from_string(DbBackend::MySql, "SELECT DATABASE()");
    let row = transaction.query_one_raw(statement).await?;
    let database: Option<String> = match row {
        Some(row) => row.try_get_by_index(0)?,
        None => None,
    };
    let name = format!("bearward {}", database.unwrap_or_default());
    Ok(name.chars().take(MAX_MYSQL_LOCK_LENGTH).collect())
}

fn mysql(statement: &str, value: &str) -> Statement {
    Statement::from_sql_and_values(DbBackend::MySql, statement, [Value::from(value)])
}

/// Returns the names of the migrations that are not applied. Fails if the database has migrations
/// that this version does not know.
async fn pending(db: &Connection) -> Result<Vec<&'static str>, MigrationError> {
    if !existing(db, db.namespace(), &[MIGRATIONS_TABLE])
        .await?
        .is_empty()
    {
        reject_hidden_rows(db, db.namespace(), &[MIGRATIONS_TABLE]).await?;
    }
    pending_in(db, db).await
}

async fn pending_in(
    queries: &impl ConnectionTrait,
    db: &Connection,
) -> Result<Vec<&'static str>, MigrationError> {
    let table = existing(queries, db.namespace(), &[MIGRATIONS_TABLE]).await?;
    let applied: BTreeSet<String> = if table.is_empty() {
        BTreeSet::new()
    } else {
        let names = Entity::find()
            .select_only()
            .column(Column::Version)
            .filter(Column::Version.ne(ROW))
            .into_tuple::<String>();
        names.all(queries).await?.into_iter().collect()
    };
    let is_known = |name: &str| MIGRATIONS.iter().any(|migration| migration.name == name);
    let unknown: Vec<String> = applied
        .iter()
        .filter(|name| !is_known(name))
        .cloned()
        .collect();
    if !unknown.is_empty() {
        return Err(if unknown.len() == applied.len() {
            MigrationError::Foreign(MIGRATIONS_TABLE.to_owned())
        } else {
            MigrationError::Newer(unknown)
        });
    }
    Ok(MIGRATIONS
        .iter()
        .map(|migration| migration.name)
        .filter(|name| !applied.contains(*name))
        .collect())
}

/// Returns the seconds since the Unix epoch.
fn now() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use test_support::database;

    use super::*;
    use crate::{
        settings::{Config, Sources},
        store::Store,
    };

    /// Runs on the server of `BEARWARD_TEST_DATABASE_URL`, or on SQLite.
    #[tokio::test]
    async fn servers_migrate_an_empty_database_once_with_the_row_lock() {
        let sources = Sources::new(None, [])
            .with("database.url", database::create().await)
            // The machine may be busy.
            .with("database.acquire_timeout", "30s");
        let config = Config::load(&sources).expect("a configuration");
        let lease = Lease {
            poll: Duration::from_millis(5),
            ..Lease::default()
        };
        let start = async || {
            let connections = Store::connect(&config.database).await.expect("a database");
            let migrations = migrate_with_row_lock(&connections.writes, lease)
                .await
                .expect("migrations");
            check_tables(&connections.writes, connections.writes.namespace())
                .await
                .expect("the tables");
            migrations
        };
        let applied = futures_util::future::join_all((0..4).map(|_| start())).await;
        assert_eq!(applied.iter().sum::<usize>(), MIGRATIONS.len());
    }
}
