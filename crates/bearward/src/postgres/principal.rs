//! Transactions of the extractors.

use super::{
    RequestContext, claims,
    error::Error,
    options::TransactionOptions,
    scoped_pool::{AsScopedPool, Scope},
    settings::Settings,
    transaction::ScopedTransaction,
};
use crate::{
    actix::{MaybePrincipal, Principal},
    claims::CustomClaims,
};

/// What begins a transaction: the verified role and claims, if there is a token, and the request.
struct Caller<'a> {
    role: Option<&'a str>,
    /// The payload of the token, as JSON text.
    payload: Option<String>,
    context: &'a RequestContext,
}

impl Caller<'_> {
    fn settings<'s>(
        &'s self,
        scope: &'s Scope,
        options: TransactionOptions,
    ) -> Result<Settings<'s>, Error> {
        let (role, claims) = if let Some(payload) = &self.payload {
            let role = scope.roles.select(self.role)?;
            (role, claims::with_role(payload, role)?)
        } else {
            let role = scope.roles.anonymous.as_str();
            (role, claims::role_only(role))
        };
        Ok(Settings {
            role,
            claims,
            method: self.context.method(),
            path: self.context.path(),
            statement_timeout: options.statement_timeout.or(scope.statement_timeout),
        })
    }

    async fn begin(
        &self,
        pool: &impl AsScopedPool,
        options: TransactionOptions,
    ) -> Result<ScopedTransaction, Error> {
        let (pool, scope) = pool.parts();
        let settings = self.settings(scope, options)?;
        let statement = format!("{};{}", options.begin(), settings.statement());
        ScopedTransaction::start(pool, scope, statement).await
    }
}

impl<C: CustomClaims> Principal<C> {
    fn caller(&self) -> Caller<'_> {
        Caller {
            role: self.claims().role(),
            payload: Some(self.claims_json()),
            context: self.request_context(),
        }
    }

    /// Begins a transaction with the caller's database role and claims, in one round trip.
    ///
    /// `pool` is a `PgPool` or a [`ScopedPool`](crate::postgres::ScopedPool), also in `web::Data`.
    /// See the [module](crate::postgres) for an example and for what is set.
    ///
    /// # Errors
    /// | error | status |
    /// |---|---|
    /// | [`RoleNotAllowed`](Error::RoleNotAllowed): the token names a role that the pool does not allow | 403 |
    /// | [`UnsupportedClaims`](Error::UnsupportedClaims): PostgreSQL cannot store the claims | 403 |
    /// | [`BypassesRowSecurity`](Error::BypassesRowSecurity): the pool's login role bypasses row level security | 500 |
    /// | [`Begin`](Error::Begin): the database is unavailable, or the role does not exist or was not granted | 503, 500 |
    ///
    /// # Security
    /// What the policies do not restrict is not restricted, see the
    /// [module](crate::postgres#security).
    pub async fn begin(&self, pool: &impl AsScopedPool) -> Result<ScopedTransaction, Error> {
        self.begin_with(pool, TransactionOptions::new()).await
    }

    /// Begins a transaction that refuses writes, otherwise like [`begin`](Self::begin).
    ///
    /// # Errors
    /// Same as [`begin`](Self::begin).
    pub async fn begin_read_only(
        &self,
        pool: &impl AsScopedPool,
    ) -> Result<ScopedTransaction, Error> {
        self.begin_with(pool, TransactionOptions::new().read_only())
            .await
    }

    /// Begins a transaction with options, otherwise like [`begin`](Self::begin).
    ///
    /// # Errors
    /// Same as [`begin`](Self::begin).
    pub async fn begin_with(
        &self,
        pool: &impl AsScopedPool,
        options: TransactionOptions,
    ) -> Result<ScopedTransaction, Error> {
        self.caller().begin(pool, options).await
    }

    /// Returns the statement that sets the caller's role and claims in a transaction of another
    /// client, such as `SeaORM`.
    ///
    /// Run it first in each transaction; outside of a transaction it has no effect on later
    /// statements. It has no parameters and returns one row. `pool` is only read for its allowed
    /// roles and its statement timeout.
    ///
    /// ```
    /// use bearward::{Principal, postgres};
    ///
    /// fn settings(user: &Principal, pool: &sqlx::PgPool) -> Result<String, postgres::Error> {
    ///     user.transaction_settings(pool)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`RoleNotAllowed`](Error::RoleNotAllowed) and
    /// [`UnsupportedClaims`](Error::UnsupportedClaims), as [`begin`](Self::begin).
    ///
    /// # Security
    /// The login role is not checked: call [`check`](crate::postgres::check) at startup.
    pub fn transaction_settings(&self, pool: &impl AsScopedPool) -> Result<String, Error> {
        let (_, scope) = pool.parts();
        let caller = self.caller();
        let settings = caller.settings(scope, TransactionOptions::new())?;
        Ok(settings.statement())
    }
}

impl<C: CustomClaims> MaybePrincipal<C> {
    fn caller(&self) -> Caller<'_> {
        Caller {
            role: self.as_ref().and_then(|user| user.claims().role()),
            payload: self.as_ref().map(|user| user.claims_json()),
            context: self.request_context(),
        }
    }

    /// Begins a transaction like [`Principal::begin`]. Without a token, the role is `anon`, and the
    /// claims are `{"role": "anon"}`.
    ///
    /// # Errors
    /// Same as [`Principal::begin`].
    pub async fn begin(&self, pool: &impl AsScopedPool) -> Result<ScopedTransaction, Error> {
        self.begin_with(pool, TransactionOptions::new()).await
    }

    /// Begins a transaction that refuses writes, otherwise like [`begin`](Self::begin).
    ///
    /// # Errors
    /// Same as [`Principal::begin`].
    pub async fn begin_read_only(
        &self,
        pool: &impl AsScopedPool,
    ) -> Result<ScopedTransaction, Error> {
        self.begin_with(pool, TransactionOptions::new().read_only())
            .await
    }

    /// Begins a transaction with options, otherwise like [`begin`](Self::begin).
    ///
    /// # Errors
    /// Same as [`Principal::begin`].
    pub async fn begin_with(
        &self,
        pool: &impl AsScopedPool,
        options: TransactionOptions,
    ) -> Result<ScopedTransaction, Error> {
        self.caller().begin(pool, options).await
    }
}
