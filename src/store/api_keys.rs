//! Sealed API keys: store, read, replace, remove. Only the vault can unseal them.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, OnConflict},
};

use super::{
    DbTimestamp, Store, StoreError,
    entity::api_keys::{ActiveModel, Column, Entity, Model},
};
use crate::domain::{Owner, Provider};

/// A row of a sealed API key.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedApiKey {
    /// The provider that the key belongs to.
    pub provider: String,
    /// Id of the vault key that sealed it.
    pub key_id: String,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

impl Store {
    /// Stores keys of the owner and replaces those of the same providers: all of them, or none on
    /// an error.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] if the account was deleted, other variants if the database
    /// fails.
    pub async fn put_api_keys(
        &self,
        owner: &Owner,
        keys: Vec<SealedApiKey>,
        now: DbTimestamp,
    ) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let rows = keys.into_iter().map(|key| ActiveModel {
            user_id: Set(owner.id().uuid()),
            provider: Set(key.provider),
            key_id: Set(key.key_id),
            sealed: Set(key.sealed),
            created_at: Set(now.column()),
            updated_at: Set(now.column()),
        });
        let update = OnConflict::columns([Column::UserId, Column::Provider])
            .update_columns([Column::KeyId, Column::Sealed, Column::UpdatedAt])
            .to_owned();
        // One statement: atomic without a transaction.
        Entity::insert_many(rows)
            .on_conflict(update)
            .exec_without_returning(&self.writes)
            .await?;
        Ok(())
    }

    /// Returns all keys of the owner, ordered by provider.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] if the account was deleted, other variants if the database
    /// fails.
    pub async fn api_keys(&self, owner: &Owner) -> Result<Vec<SealedApiKey>, StoreError> {
        let query = Entity::find()
            .filter(Column::UserId.eq(owner.id().uuid()))
            .order_by_asc(Column::Provider);
        let rows = query.all(&self.reads).await?;
        if rows.is_empty() {
            self.ensure_exists(owner).await?;
        }
        Ok(rows.into_iter().map(from_row).collect())
    }

    /// Returns the owner's key for one provider.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] if the account was deleted, other variants if the database
    /// fails.
    pub async fn api_key(
        &self,
        owner: &Owner,
        provider: &Provider,
    ) -> Result<Option<SealedApiKey>, StoreError> {
        let query = Entity::find_by_id((owner.id().uuid(), provider.as_str().to_owned()));
        let row = query.one(&self.reads).await?;
        if row.is_none() {
            self.ensure_exists(owner).await?;
        }
        Ok(row.map(from_row))
    }

    /// Replaces `older` with `newer` unless the stored key has changed in the meantime. Returns
    /// whether it was replaced.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn replace_api_key(
        &self,
        owner: &Owner,
        older: &SealedApiKey,
        newer: &SealedApiKey,
    ) -> Result<bool, StoreError> {
        let update = Entity::update_many()
            .col_expr(Column::KeyId, Expr::value(newer.key_id.clone()))
            .col_expr(Column::Sealed, Expr::value(newer.sealed.clone()))
            .filter(Column::UserId.eq(owner.id().uuid()))
            .filter(Column::Provider.eq(older.provider.as_str()))
            .filter(Column::Sealed.eq(older.sealed.clone()));
        Ok(update.exec(&self.writes).await?.rows_affected == 1)
    }

    /// Removes the owner's key for one provider. Returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] if the account was deleted, other variants if the database
    /// fails.
    pub async fn remove_api_key(
        &self,
        owner: &Owner,
        provider: &Provider,
    ) -> Result<bool, StoreError> {
        let delete = Entity::delete_by_id((owner.id().uuid(), provider.as_str().to_owned()));
        let is_removed = delete.exec(&self.writes).await?.rows_affected == 1;
        if !is_removed {
            self.ensure_exists(owner).await?;
        }
        Ok(is_removed)
    }
}

fn from_row(row: Model) -> SealedApiKey {
    SealedApiKey {
        provider: row.provider,
        key_id: row.key_id,
        sealed: row.sealed,
    }
}

/// Omits the sealed bytes, which do not belong in logs either.
impl std::fmt::Debug for SealedApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedApiKey")
            .field("provider", &self.provider)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
