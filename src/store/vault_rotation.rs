//! Finds the users whose API keys must be resealed after a rotation of the vault key.

use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    prelude::Uuid,
    sea_query::{Expr, Func},
};

use super::{
    Store, StoreError,
    entity::api_keys::{Column, Entity},
};
use crate::domain::{Owner, UserId};

impl Store {
    /// Counts the users with API keys that were sealed with a vault key other than `key_id`.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn count_owners_to_reseal(&self, key_id: &str) -> Result<u64, StoreError> {
        let count = Entity::find()
            .select_only()
            .expr_as(Func::count_distinct(Expr::col(Column::UserId)), "owners")
            .filter(Column::KeyId.ne(key_id))
            .into_tuple::<i64>()
            .one(&self.reads)
            .await?;
        Ok(count
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or(0))
    }

    /// Returns up to `limit` of these users, in the order of their ids, starting after `last`.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn owners_to_reseal(
        &self,
        key_id: &str,
        last: Option<Owner>,
        limit: u64,
    ) -> Result<Vec<Owner>, StoreError> {
        let mut query = Entity::find()
            .select_only()
            .column(Column::UserId)
            .distinct()
            .filter(Column::KeyId.ne(key_id))
            .order_by_asc(Column::UserId)
            .limit(limit);
        if let Some(last) = last {
            query = query.filter(Column::UserId.gt(last.id().uuid()));
        }
        let owners: Vec<Uuid> = query.into_tuple().all(&self.reads).await?;
        Ok(owners
            .into_iter()
            .map(|id| Owner::new(UserId::new(id)))
            .collect())
    }
}
