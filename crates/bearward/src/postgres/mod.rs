//! Transactions that PostgreSQL runs as the caller, for row level security.
//!
//! [`Principal::begin`](crate::Principal::begin) starts a transaction with the caller's database
//! role and claims. Policies then decide which rows each query sees, also in a query without
//! `WHERE`:
//!
//! ```
//! use actix_web::{Responder, get, web};
//! use bearward::{Principal, postgres};
//! use sqlx::PgPool;
//!
//! #[get("/todos")]
//! async fn todos(user: Principal, db: web::Data<PgPool>) -> Result<impl Responder, postgres::Error> {
//!     let mut tx = user.begin(&db).await?;
//!     let titles: Vec<String> = sqlx::query_scalar("select title from todos").fetch_all(&mut *tx).await?;
//!     tx.commit().await?;
//!     Ok(web::Json(titles))
//! }
//! ```
//!
//! # What is set
//!
//! The settings that `PostgREST` sets, for the duration of the transaction. Policies with Supabase's
//! `auth.uid()`, `auth.jwt()` and `auth.role()` work unchanged.
//!
//! | setting | value |
//! |---|---|
//! | `role` | the token's database role, [`Claims::role`](crate::Claims::role) |
//! | `request.jwt.claims` | the verified payload as JSON, with `role` set to the transaction's role |
//! | `request.method`, `request.path` | of the request, the path without the query |
//! | `statement_timeout` | if one is configured |
//!
//! A token without a role uses the role `authenticated`. A token with any other role than
//! `authenticated` is rejected before a statement is sent, unless a [`ScopedPool`] allows the role.
//! [`MaybePrincipal::begin`](crate::MaybePrincipal::begin) uses `anon` for requests without a token.
//!
//! They are sent in one message with `BEGIN`, so the transaction takes no more round trips than a
//! plain one. Nothing outlives the transaction and no named statement is used, so poolers in
//! transaction mode (`PgBouncer`, Supavisor) are supported.
//!
//! # Other clients
//!
//! [`Principal::transaction_settings`](crate::Principal::transaction_settings) returns the
//! statement for transactions of `SeaORM` and other clients.
//!
//! # Security
//! - The database enforces the policies. A table without row level security is not protected.
//! - The login role of the pool must not bypass row level security: it must not be a superuser, have
//!   `BYPASSRLS` or own the tables. The first transaction of a pool checks that and
//!   [refuses](Error::BypassesRowSecurity); [`check`] does so at startup. The role should be
//!   `NOINHERIT`, with no privileges of its own, so that a query without `begin` sees nothing.
//! - SQL injection in a handler's own query can run `reset role` and then `set role` to any role that
//!   was granted to the login role. Nothing in this module prevents that: bind all parameters, and
//!   grant the login role no more roles than the service needs.
//! - Statements that a handler runs can change settings beyond the transaction, for example
//!   `set role` without `local`, and end it with `commit`.
//! - PostgreSQL may log the statement with the encoded claims (`log_statement`,
//!   `log_min_duration_statement`). The token and its signature are not sent.

mod claims;
mod error;
mod login_role;
mod options;
mod principal;
mod request_context;
mod roles;
mod scoped_pool;
mod settings;
mod transaction;

pub(crate) use self::request_context::RequestContext;
pub use self::{
    error::Error,
    login_role::check,
    options::{IsolationLevel, TransactionOptions},
    roles::RoleNameError,
    scoped_pool::{AsScopedPool, ScopedPool},
    transaction::ScopedTransaction,
};
