//! The schema of the tables in PostgreSQL, and who can read them.

use std::collections::BTreeSet;

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, EntityTrait, IdenStatic, Iterable, QueryFilter, QueryResult,
    QuerySelect, QueryTrait, Statement, Value, sea_query::Expr,
};

use super::{
    connection::{Transaction, code},
    entity::{api_keys, migrations, revocations, status_checks, user_sessions, users},
    error::is_unavailable,
    migrate::MigrationError,
};

/// The tables of the migrations.
pub(super) const TABLES: [&str; 5] = [
    "users",
    "status_checks",
    "api_keys",
    "revocations",
    "user_sessions",
];
/// The tables that the first version had in the schema "public".
const FIRST_TABLES: [&str; 4] = ["users", "status_checks", "api_keys", MIGRATIONS_TABLE];
/// The table that the migrations are recorded in.
pub(super) const MIGRATIONS_TABLE: &str = "seaql_migrations";
/// The roles of Supabase and `PostgREST` that requests from the Internet have.
const API_ROLES: [&str; 2] = ["anon", "authenticated"];

/// The schema of the tables. Entities and migrations have the schema "bearward", which is replaced
/// in each statement: by the configured one in PostgreSQL, and by nothing in other databases.
#[derive(Debug, Clone)]
pub(super) struct Namespace {
    written: &'static str,
    replacement: String,
    schema: String,
}

impl Namespace {
    /// `schema` must be a valid name, see [`settings::Database::schema`](crate::settings::Database).
    pub(super) fn new(backend: DbBackend, schema: &str) -> Self {
        let (written, replacement) = match backend {
            DbBackend::Postgres => ("\"bearward\".", format!("\"{schema}\".")),
            DbBackend::MySql => ("`bearward`.", String::new()),
            _ => ("\"bearward\".", String::new()),
        };
        Self {
            written,
            replacement,
            schema: schema.to_owned(),
        }
    }

    /// Returns the name of the PostgreSQL schema.
    pub(super) fn schema(&self) -> &str {
        &self.schema
    }

    /// Inserts the schema. Statements contain placeholders for values, so the only other text is that
    /// of this program.
    pub(super) fn qualify(&self, mut statement: Statement) -> Statement {
        if self.written != self.replacement {
            statement.sql = self.qualify_sql(&statement.sql);
        }
        statement
    }

    pub(super) fn qualify_sql(&self, sql: &str) -> String {
        sql.replace(self.written, &self.replacement)
    }
}

/// Returns the tables of the given names that exist. In PostgreSQL views and the like count as well,
/// because their names collide with tables.
pub(super) async fn existing(
    db: &impl ConnectionTrait,
    namespace: &Namespace,
    names: &[&str],
) -> Result<BTreeSet<String>, DbErr> {
    let backend = db.get_database_backend();
    let statement = match backend {
        DbBackend::Postgres => Statement::from_sql_and_values(
            backend,
            "SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1::text",
            [Value::from(namespace.schema())],
        ),
        DbBackend::MySql => Statement::from_string(
            backend,
            // A column of information_schema can have a binary type.
            "SELECT CAST(TABLE_NAME AS CHAR) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()",
        ),
        _ => Statement::from_string(backend, "SELECT name FROM sqlite_master"),
    };
    let rows = db.query_all_raw(statement).await?;
    let all: BTreeSet<String> = texts(&rows)?;
    Ok(names
        .iter()
        .filter(|name| all.contains(**name))
        .map(|name| (*name).to_owned())
        .collect())
}

fn texts(rows: &[QueryResult]) -> Result<BTreeSet<String>, DbErr> {
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Fails if a table exists that no migration of this server has created.
pub(super) async fn reject_foreign_tables(
    db: &impl ConnectionTrait,
    namespace: &Namespace,
    has_migrations_table: bool,
) -> Result<(), MigrationError> {
    for table in existing(db, namespace, &TABLES).await? {
        // In MySQL an interrupted migration leaves tables behind.
        let is_ours = has_migrations_table
            && db.get_database_backend() == DbBackend::MySql
            && mysql_columns(db, &table).await? == columns(&table);
        if !is_ours {
            return Err(MigrationError::Foreign(table));
        }
    }
    Ok(())
}

async fn mysql_columns(db: &impl ConnectionTrait, table: &str) -> Result<BTreeSet<String>, DbErr> {
    let statement = Statement::from_sql_and_values(
        DbBackend::MySql,
        "SELECT CAST(COLUMN_NAME AS CHAR) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?",
        [Value::from(table)],
    );
    texts(&db.query_all_raw(statement).await?)
}

/// The columns that the first migration creates.
fn columns(table: &str) -> BTreeSet<String> {
    const ADDED_LATER: [&str; 1] = ["is_machine"];
    fn of<C: Iterable + IdenStatic>() -> BTreeSet<String> {
        C::iter()
            .map(|column| column.as_str().to_owned())
            .filter(|column| !ADDED_LATER.contains(&column.as_str()))
            .collect()
    }
    match table {
        "users" => of::<users::Column>(),
        "status_checks" => of::<status_checks::Column>(),
        "revocations" => of::<revocations::Column>(),
        "user_sessions" => of::<user_sessions::Column>(),
        _ => of::<api_keys::Column>(),
    }
}

/// Checks that each table exists, has all columns and shows its rows.
pub(super) async fn check_tables(
    db: &impl ConnectionTrait,
    namespace: &Namespace,
) -> Result<(), MigrationError> {
    check_table(db, users::Entity).await?;
    check_table(db, status_checks::Entity).await?;
    check_table(db, api_keys::Entity).await?;
    check_table(db, revocations::Entity).await?;
    check_table(db, user_sessions::Entity).await?;
    reject_hidden_rows(db, namespace, &TABLES).await
}

/// Fails if row level security hides the rows of these tables, which must exist. Every query would
/// find nothing.
pub(super) async fn reject_hidden_rows(
    db: &impl ConnectionTrait,
    namespace: &Namespace,
    tables: &[&str],
) -> Result<(), MigrationError> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    for table in tables {
        let statement = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "SELECT row_security_active($1::text)",
            [Value::from(format!(
                "\"{}\".\"{table}\"",
                namespace.schema()
            ))],
        );
        let is_active = match db.query_one_raw(statement).await {
            Ok(row) => row.map(|row| row.try_get_by_index(0)).transpose()?,
            Err(error) if is_unavailable(&error) => return Err(error.into()),
            // Not every database that speaks PostgreSQL's protocol has row level security.
            Err(_) => None,
        };
        if is_active == Some(true) {
            return Err(MigrationError::NotOwner((*table).to_owned()));
        }
    }
    Ok(())
}

async fn check_table<E: EntityTrait>(
    db: &impl ConnectionTrait,
    entity: E,
) -> Result<(), MigrationError> {
    let no_rows = E::find().filter(Expr::cust("1 = 0")).limit(1);
    match db.query_all(no_rows.as_query()).await {
        Ok(_) => Ok(()),
        Err(error) if is_unavailable(&error) || code(&error).is_none() => Err(error.into()),
        Err(source) => Err(MigrationError::Unusable {
            table: entity.table_name().to_owned(),
            source,
        }),
    }
}

/// Creates the schema if it is missing. Without the permission to create one, an administrator can
/// create it and make the user its owner.
pub(super) async fn create_schema(
    db: &impl ConnectionTrait,
    namespace: &Namespace,
) -> Result<(), DbErr> {
    let schema = namespace.schema();
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1::text",
        [Value::from(schema)],
    );
    if db.query_one_raw(statement).await?.is_none() {
        db.execute_unprepared(&format!("CREATE SCHEMA \"{schema}\""))
            .await?;
    }
    Ok(())
}

/// Creates the table of the migrations, in the form that `SeaORM` gave it.
pub(super) async fn create_migrations_table(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let mut table = sea_orm::Schema::new(backend).create_table_from_entity(migrations::Entity);
    let statement = backend.build(table.if_not_exists());
    db.execute_unprepared(&statement.sql).await?;
    Ok(())
}

/// Returns whether the tables of PostgreSQL lack protection: row level security is off, or everyone
/// or a role of the Data API has privileges.
pub(super) async fn is_unprotected(
    db: &impl ConnectionTrait,
    namespace: &Namespace,
) -> Result<bool, DbErr> {
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        format!(
            "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1::text AND c.relname IN ({}) AND (NOT c.relrowsecurity OR EXISTS (\
             SELECT 1 FROM aclexplode(c.relacl) a LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee \
             WHERE a.grantee = 0 OR r.rolname IN ({})))",
            list(&all_tables()),
            list(&API_ROLES),
        ),
        [Value::from(namespace.schema())],
    );
    Ok(db.query_one_raw(statement).await?.is_some())
}

pub(super) fn all_tables() -> Vec<&'static str> {
    TABLES.into_iter().chain([MIGRATIONS_TABLE]).collect()
}

fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    quoted.join(", ")
}

/// Enables row level security without policies, which denies the rows to everyone but the owner and
/// administrators, and revokes the privileges that default privileges may have granted. The tables
/// are created without protection in a database that has no row level security.
pub(super) async fn protect(transaction: &Transaction, namespace: &Namespace) -> Result<(), DbErr> {
    transaction.execute_unprepared("SAVEPOINT protect").await?;
    match try_protect(transaction, namespace).await {
        Err(error)
            if matches!(
                code(&error).as_deref(),
                Some("0A000" | "42601" | "42703" | "42883" | "42P01")
            ) =>
        {
            tracing::warn!(
                "the database does not support row level security; check that no other role can read the tables: {error}"
            );
            transaction
                .execute_unprepared("ROLLBACK TO SAVEPOINT protect")
                .await?;
            Ok(())
        }
        result => result,
    }
}

async fn try_protect(transaction: &Transaction, namespace: &Namespace) -> Result<(), DbErr> {
    if !is_unprotected(transaction, namespace).await? {
        return Ok(());
    }
    let statement = Statement::from_string(
        DbBackend::Postgres,
        format!(
            "SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname IN ({})",
            list(&API_ROLES)
        ),
    );
    let mut roles = vec!["PUBLIC".to_owned()];
    for role in texts(&transaction.query_all_raw(statement).await?)? {
        roles.push(format!("\"{role}\""));
    }
    let (schema, roles) = (namespace.schema(), roles.join(", "));
    for table in all_tables() {
        transaction
            .execute_unprepared(&format!(
                "ALTER TABLE \"{schema}\".\"{table}\" ENABLE ROW LEVEL SECURITY; REVOKE ALL ON TABLE \"{schema}\".\"{table}\" FROM {roles}"
            ))
            .await?;
    }
    // The schema "public" has other tables.
    if schema != "public" {
        transaction
            .execute_unprepared(&format!("REVOKE ALL ON SCHEMA \"{schema}\" FROM {roles}"))
            .await?;
    }
    tracing::info!(
        schema,
        "enabled row level security and revoked the privileges of other roles"
    );
    Ok(())
}

/// Returns the roles that can read or change the tables, other than administrators, the owner and
/// roles that act for it. Returns none if the database cannot tell.
pub(super) async fn roles_with_access(
    db: &impl ConnectionTrait,
    namespace: &Namespace,
) -> Result<BTreeSet<String>, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(BTreeSet::new());
    }
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        format!(
            "SELECT DISTINCT r.rolname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             CROSS JOIN pg_catalog.pg_roles r WHERE n.nspname = $1::text AND c.relname IN ({}) AND c.relkind IN ('r', 'p') \
             AND NOT r.rolsuper AND r.rolname NOT LIKE 'pg\\_%' AND NOT pg_has_role(r.oid, c.relowner, 'USAGE') \
             AND has_schema_privilege(r.oid, n.oid, 'USAGE') \
             AND (has_table_privilege(r.oid, c.oid, 'TRUNCATE') OR has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE') \
             OR has_table_privilege(r.oid, c.oid, 'DELETE')) \
             AND (r.rolbypassrls OR NOT c.relrowsecurity OR has_table_privilege(r.oid, c.oid, 'TRUNCATE') \
             OR EXISTS (SELECT 1 FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid))",
            list(&all_tables()),
        ),
        [Value::from(namespace.schema())],
    );
    match db.query_all_raw(statement).await {
        Ok(rows) => texts(&rows),
        Err(error) if is_unavailable(&error) || code(&error).is_none() => Err(error),
        Err(error) => {
            tracing::warn!("cannot determine which roles can read the tables: {error}");
            Ok(BTreeSet::new())
        }
    }
}

/// Fails if the schema "public" has the tables of an earlier build, which had no schema of its own.
pub(super) async fn reject_tables_in_public(
    db: &impl ConnectionTrait,
    namespace: &Namespace,
) -> Result<(), MigrationError> {
    if namespace.schema() == "public" {
        return Ok(());
    }
    let public = Namespace::new(DbBackend::Postgres, "public");
    if existing(db, &public, &FIRST_TABLES).await?.len() < FIRST_TABLES.len() {
        return Ok(());
    }
    let statement = Statement::from_string(
        DbBackend::Postgres,
        "SELECT 1 FROM public.seaql_migrations WHERE version = 'm0001_accounts'",
    );
    match db.query_one_raw(statement).await {
        Ok(Some(_)) => Err(MigrationError::InPublic(namespace.schema().to_owned())),
        Err(error) if is_unavailable(&error) || code(&error).is_none() => Err(error.into()),
        // The table belongs to another application.
        Ok(None) | Err(_) => Ok(()),
    }
}
