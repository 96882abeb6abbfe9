//! A pool with its allowed roles.

use std::{
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

use actix_web::web::Data;
use sqlx::PgPool;

use super::roles::{RoleNameError, Roles, parse_name};

/// A connection pool with the database roles that its transactions may use, and limits.
///
/// A plain `PgPool` uses Supabase's role names: `authenticated` for users, `anon` without a token.
///
/// ```no_run
/// use std::time::Duration;
///
/// use actix_web::{Responder, get, web};
/// use bearward::{Principal, postgres::{self, ScopedPool}};
///
/// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = sqlx::PgPool::connect("postgres://authenticator@localhost/app").await?;
/// let pool = ScopedPool::new(pool)
///     .allow_role("editor")?
///     .statement_timeout(Duration::from_secs(8));
/// # Ok(())
/// # }
///
/// #[get("/articles")]
/// async fn articles(user: Principal, db: web::Data<ScopedPool>) -> Result<impl Responder, postgres::Error> {
///     let tx = user.begin(&db).await?;
///     // ...
///     tx.commit().await?;
///     Ok("")
/// }
/// ```
#[derive(Clone)]
pub struct ScopedPool {
    pub(super) pool: PgPool,
    pub(super) scope: Scope,
}

/// What transactions of a pool may use.
#[derive(Debug, Clone)]
pub struct Scope {
    pub(super) roles: Roles,
    pub(super) statement_timeout: Option<Duration>,
}

impl ScopedPool {
    /// Creates a pool with the roles `authenticated` and `anon`.
    pub fn new(pool: PgPool) -> Self {
        Self {
            pool,
            scope: Scope::supabase(),
        }
    }

    /// Allows tokens to name this database role.
    ///
    /// # Errors
    /// [`RoleNameError`] if no role can have this name.
    ///
    /// # Security
    /// A caller with a token that names this role has all its privileges. A role with
    /// `BYPASSRLS`, such as Supabase's `service_role`, sees every row.
    pub fn allow_role(mut self, name: impl Into<String>) -> Result<Self, RoleNameError> {
        self.scope.roles.allowed.push(parse_name(name)?);
        Ok(self)
    }

    /// Sets the role of tokens that name none, instead of `authenticated`. Tokens may name it too.
    ///
    /// # Errors
    /// [`RoleNameError`] if no role can have this name.
    pub fn default_role(mut self, name: impl Into<String>) -> Result<Self, RoleNameError> {
        self.scope.roles.default = parse_name(name)?;
        Ok(self)
    }

    /// Sets the role of requests without a token, instead of `anon`.
    ///
    /// # Errors
    /// [`RoleNameError`] if no role can have this name.
    pub fn anonymous_role(mut self, name: impl Into<String>) -> Result<Self, RoleNameError> {
        self.scope.roles.anonymous = parse_name(name)?;
        Ok(self)
    }

    /// Limits the time of each statement, unless the transaction has its own limit.
    ///
    /// Settings of a role (`alter role authenticated set statement_timeout = …`) do not apply to
    /// these transactions: PostgreSQL reads them at login only.
    #[must_use]
    pub fn statement_timeout(mut self, limit: Duration) -> Self {
        self.scope.statement_timeout = Some(limit);
        self
    }

    /// Returns the pool. Its queries run as the login role, without claims.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }
}

impl Scope {
    fn supabase() -> Self {
        Self {
            roles: Roles::supabase(),
            statement_timeout: None,
        }
    }
}

impl fmt::Debug for ScopedPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedPool")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// A pool that transactions can begin on: a `PgPool`, a [`ScopedPool`], or one of them in
/// `web::Data` or `Arc`.
pub trait AsScopedPool: sealed::Sealed {
    /// Returns the pool and what its transactions may use.
    #[doc(hidden)]
    fn parts(&self) -> (&PgPool, &Scope);
}

static SUPABASE: LazyLock<Scope> = LazyLock::new(Scope::supabase);

impl AsScopedPool for PgPool {
    fn parts(&self) -> (&PgPool, &Scope) {
        (self, &SUPABASE)
    }
}

impl AsScopedPool for ScopedPool {
    fn parts(&self) -> (&PgPool, &Scope) {
        (&self.pool, &self.scope)
    }
}

impl<P: AsScopedPool> AsScopedPool for Data<P> {
    fn parts(&self) -> (&PgPool, &Scope) {
        self.as_ref().parts()
    }
}

impl<P: AsScopedPool> AsScopedPool for Arc<P> {
    fn parts(&self) -> (&PgPool, &Scope) {
        self.as_ref().parts()
    }
}

mod sealed {
    use super::{Arc, Data, PgPool, ScopedPool};

    pub trait Sealed: Send + Sync {}
    impl Sealed for PgPool {}
    impl Sealed for ScopedPool {}
    impl<P: Sealed> Sealed for Data<P> {}
    impl<P: Sealed> Sealed for Arc<P> {}
}
