//! Refuses login roles that bypass row level security.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row, postgres::PgConnectOptions};

use super::{error::Error, roles::Roles, scoped_pool::AsScopedPool, settings::push_text};

/// Checks at startup what the first transaction of a pool checks, and that the login role can use
/// the configured roles.
///
/// ```no_run
/// # async fn start(pool: sqlx::PgPool) -> Result<(), bearward::postgres::Error> {
/// bearward::postgres::check(&pool).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// - [`Error::BypassesRowSecurity`]: the login role, `authenticated` or `anon` is a superuser or has
///   `BYPASSRLS`, or the login role owns a table whose row level security is enabled but not forced.
/// - [`Error::UnusableRole`]: an allowed role does not exist or was not granted to the login role.
///   The anonymous role may be missing.
/// - [`Error::Begin`]: the database is not available.
pub async fn check(pool: &impl AsScopedPool) -> Result<(), Error> {
    let (pool, scope) = pool.parts();
    let mut connection = pool.acquire().await.map_err(Error::Begin)?;
    let found = DatabaseRole::query(&mut connection, &scope.roles).await?;
    let required = std::iter::once(&scope.roles.default).chain(&scope.roles.allowed);
    for role in required {
        let unusable = |problem| Error::UnusableRole {
            role: role.clone(),
            problem,
        };
        match found.iter().find(|found| found.name == *role) {
            None => return Err(unusable("does not exist")),
            Some(found) if !found.is_granted => {
                return Err(unusable("is not granted to the login role"));
            }
            Some(_) => {}
        }
    }
    refuse_bypass(&found, &scope.roles)
}

/// What has passed the check.
static CHECKED: RwLock<Vec<Checked>> = RwLock::new(Vec::new());

/// A pool and its roles. Each pool has its own options, and the allocation lives as long as the
/// weak reference, so the address identifies the pool.
struct Checked {
    options: Weak<PgConnectOptions>,
    default_role: String,
    anonymous_role: String,
}

/// Checks a pool at its first transaction; a pool that has failed is checked again.
pub(super) async fn check_once(
    pool: &PgPool,
    connection: &mut PgConnection,
    roles: &Roles,
) -> Result<(), Error> {
    let options = pool.connect_options();
    let is_checked = CHECKED
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
        .any(|checked| {
            checked.options.as_ptr() == Arc::as_ptr(&options)
                && checked.default_role == roles.default
                && checked.anonymous_role == roles.anonymous
        });
    if is_checked {
        return Ok(());
    }
    refuse_bypass(&DatabaseRole::query(connection, roles).await?, roles)?;
    let mut checked = CHECKED.write().unwrap_or_else(PoisonError::into_inner);
    checked.retain(|checked| checked.options.strong_count() > 0);
    checked.push(Checked {
        options: Arc::downgrade(&options),
        default_role: roles.default.clone(),
        anonymous_role: roles.anonymous.clone(),
    });
    Ok(())
}

/// Roles that were allowed explicitly may bypass row level security.
fn refuse_bypass(found: &[DatabaseRole], roles: &Roles) -> Result<(), Error> {
    let must_not_bypass = |role: &&DatabaseRole| {
        role.is_login
            || ((role.name == roles.default || role.name == roles.anonymous)
                && !roles.allowed.contains(&role.name))
    };
    for role in found.iter().filter(must_not_bypass) {
        let owns_tables = (role.is_login && role.owns_tables)
            .then_some("owns tables on which row level security is enabled but not forced");
        if let Some(problem) = role.bypass.or(owns_tables) {
            return Err(Error::BypassesRowSecurity {
                role: role.name.clone(),
                problem,
            });
        }
    }
    Ok(())
}

/// A role as PostgreSQL knows it.
struct DatabaseRole {
    name: String,
    is_login: bool,
    /// The attribute with which the role bypasses row level security.
    bypass: Option<&'static str>,
    is_granted: bool,
    owns_tables: bool,
}

impl DatabaseRole {
    /// Reads the login role and the configured roles in one message, which also works with poolers
    /// in transaction mode.
    async fn query(connection: &mut PgConnection, roles: &Roles) -> Result<Vec<Self>, Error> {
        let mut sql = "SELECT r.rolname::text, r.rolname = session_user, r.rolsuper, r.rolbypassrls, \
             pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER'), \
             EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relrowsecurity AND NOT c.relforcerowsecurity \
             AND pg_catalog.pg_has_role(session_user, c.relowner, 'USAGE')) \
             FROM pg_catalog.pg_roles r WHERE r.rolname = session_user"
            .to_owned();
        for name in [&roles.default, &roles.anonymous]
            .into_iter()
            .chain(&roles.allowed)
        {
            sql.push_str(" OR r.rolname = ");
            push_text(&mut sql, name);
        }
        let rows = sqlx::raw_sql(AssertSqlSafe(sql))
            .fetch_all(connection)
            .await
            .map_err(Error::Begin)?;
        rows.iter()
            .map(|row| {
                Ok(Self {
                    name: row.try_get(0)?,
                    is_login: row.try_get(1)?,
                    bypass: match (row.try_get(2)?, row.try_get(3)?) {
                        (true, _) => Some("is a superuser"),
                        (false, true) => Some("has BYPASSRLS"),
                        (false, false) => None,
                    },
                    is_granted: row.try_get(4)?,
                    owns_tables: row.try_get(5)?,
                })
            })
            .collect::<Result<_, _>>()
            .map_err(Error::Begin)
    }
}
