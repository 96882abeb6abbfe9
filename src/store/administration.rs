//! Queries for administrators: list all accounts, enable and disable them.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};
use uuid::Uuid;

use super::{
    DbTimestamp, Store, StoreError,
    accounts::profile_from_row,
    entity::users::{Column, Entity},
    revocations::insert,
};
use crate::domain::{Administrator, Owner, Page, PageRequest, Profile, RevocationEntry};

/// The result of `Store::disable`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disabled {
    /// The account is disabled.
    Done(Profile),
    /// The account is the caller's own. Nothing was changed.
    OwnAccount,
    /// The caller's account has been disabled. Nothing was changed: the other administrator may be
    /// the last one.
    CallerDisabled,
    /// No account has the id.
    NotFound,
}

impl Store {
    /// Returns a page of all accounts, newest first.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn users(
        &self,
        _: &Administrator,
        request: PageRequest,
    ) -> Result<Page<Profile>, StoreError> {
        let mut query = Entity::find()
            .order_by_desc(Column::Id)
            .limit(request.limit() + 1);
        if let Some(after) = request.after_id() {
            query = query.filter(Column::Id.lt(after));
        }
        let rows = query.all(&self.reads).await?;
        Ok(
            request.page(rows.into_iter().map(profile_from_row).collect(), |user| {
                user.id
            }),
        )
    }

    /// Enables an account and returns its profile, or `None` if there is no such
    /// account.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn enable(
        &self,
        _: &Administrator,
        id: Uuid,
        now: DbTimestamp,
    ) -> Result<Option<Profile>, StoreError> {
        update_status(&self.writes, id, true, now).await?;
        Ok(Entity::find_by_id(id)
            .one(&self.reads)
            .await?
            .map(profile_from_row))
    }

    /// Disables an account without a caller whose account must stay enabled, and adds what
    /// `revocation` returns to the revocation list. Returns the profile, or `None` if there is no
    /// such account.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub(crate) async fn disable_any(
        &self,
        _: &Administrator,
        id: Uuid,
        now: DbTimestamp,
        revocation: impl Fn(&Profile) -> Option<RevocationEntry>,
    ) -> Result<Option<Profile>, StoreError> {
        let disabled = self.writes.transaction(async |transaction| {
            update_status(transaction, id, false, now).await?;
            let row = Entity::find_by_id(id).one(transaction).await?;
            let profile = row.map(profile_from_row);
            if let Some(entry) = profile.as_ref().and_then(&revocation) {
                insert(transaction, &entry).await?;
            }
            Ok(profile)
        });
        Ok(disabled.await?)
    }

    /// Disables an account on behalf of an administrator whose own account stays enabled: of two
    /// administrators who disable each other at the same time, one succeeds. Adds what `revocation`
    /// returns to the revocation list in the same transaction.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] if the caller's account was deleted, other variants if the
    /// database fails.
    pub(crate) async fn disable(
        &self,
        _: &Administrator,
        caller: &Owner,
        id: Uuid,
        now: DbTimestamp,
        revocation: impl Fn(&Profile) -> Option<RevocationEntry>,
    ) -> Result<Disabled, StoreError> {
        let caller = caller.id().uuid();
        let disabled = self.writes.transaction(async |transaction| {
            // Locked in one order, so that two transactions never wait for each other.
            let rows = Entity::find()
                .filter(Column::Id.is_in([caller, id]))
                .order_by_asc(Column::Id)
                .lock_exclusive()
                .all(transaction)
                .await?;
            let find = |id| rows.iter().find(|row| row.id == id);
            let Some(own) = find(caller) else {
                return Ok(None);
            };
            if caller == id {
                return Ok(Some(Disabled::OwnAccount));
            }
            if !own.is_active {
                return Ok(Some(Disabled::CallerDisabled));
            }
            let Some(mut account) = find(id).cloned() else {
                return Ok(Some(Disabled::NotFound));
            };
            if account.is_active {
                update_status(transaction, id, false, now).await?;
                account.is_active = false;
                account.updated_at = now.column();
            }
            let profile = profile_from_row(account);
            if let Some(entry) = revocation(&profile) {
                insert(transaction, &entry).await?;
            }
            Ok(Some(Disabled::Done(profile)))
        });
        disabled.await?.ok_or(StoreError::AccountDeleted)
    }
}

async fn update_status(
    db: &impl ConnectionTrait,
    id: Uuid,
    is_active: bool,
    now: DbTimestamp,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::IsActive, Expr::value(is_active))
        .col_expr(Column::UpdatedAt, Expr::value(now.column()))
        .filter(Column::Id.eq(id))
        .filter(Column::IsActive.ne(is_active))
        .exec(db)
        .await
        .map(drop)
}
