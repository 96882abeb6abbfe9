//! API keys, sealed: kept, found, removed, sealed again. What is in them only the vault knows.

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

/// A sealed key as a row holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedApiKey {
    /// Whose service it opens.
    pub provider: String,
    /// Which key of the vault has sealed it.
    pub key_id: String,
    /// What the vault has made of it.
    pub sealed: Vec<u8>,
}

impl Store {
    /// Keeps keys of the owner, in place of those that have the same providers: all of them, or
    /// none.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] when the account was erased, and what the database says.
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
        let newer = OnConflict::columns([Column::UserId, Column::Provider])
            .update_columns([Column::KeyId, Column::Sealed, Column::UpdatedAt])
            .to_owned();
        // One statement, so all of them or none.
        Entity::insert_many(rows)
            .on_conflict(newer)
            .exec_without_returning(&self.writes)
            .await?;
        Ok(())
    }

    /// Every key of the owner, by provider.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] when the account was erased, and what the database says.
    pub async fn api_keys(&self, owner: &Owner) -> Result<Vec<SealedApiKey>, StoreError> {
        let query = Entity::find()
            .filter(Column::UserId.eq(owner.id().uuid()))
            .order_by_asc(Column::Provider);
        let rows = query.all(&self.reads).await?;
        if rows.is_empty() {
            self.is_there(owner).await?;
        }
        Ok(rows.into_iter().map(kept).collect())
    }

    /// The owner's key for one provider.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] when the account was erased, and what the database says.
    pub async fn api_key(
        &self,
        owner: &Owner,
        provider: &Provider,
    ) -> Result<Option<SealedApiKey>, StoreError> {
        let query = Entity::find_by_id((owner.id().uuid(), provider.as_str().to_owned()));
        let row = query.one(&self.reads).await?;
        if row.is_none() {
            self.is_there(owner).await?;
        }
        Ok(row.map(kept))
    }

    /// Puts `newer` in the place of `older`, unless the owner has changed the key meanwhile. Tells
    /// whether it did.
    ///
    /// # Errors
    /// What the database says.
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

    /// Removes the owner's key for one provider. Tells whether there was one.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] when the account was erased, and what the database says.
    pub async fn remove_api_key(
        &self,
        owner: &Owner,
        provider: &Provider,
    ) -> Result<bool, StoreError> {
        let delete = Entity::delete_by_id((owner.id().uuid(), provider.as_str().to_owned()));
        let is_removed = delete.exec(&self.writes).await?.rows_affected == 1;
        if !is_removed {
            self.is_there(owner).await?;
        }
        Ok(is_removed)
    }
}

fn kept(row: Model) -> SealedApiKey {
    SealedApiKey {
        provider: row.provider,
        key_id: row.key_id,
        sealed: row.sealed,
    }
}

/// Without the sealed bytes: a log is no place for them either.
impl std::fmt::Debug for SealedApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptKey")
            .field("provider", &self.provider)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
