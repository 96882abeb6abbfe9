//! Whose keys a rotation of the vault has still to seal again.

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
    /// How many users have keys that another key than `key_id` has sealed.
    ///
    /// # Errors
    /// What the database says.
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

    /// The next of these users after `last`, at most `limit`. Their rows are then worked on as each
    /// owner's own.
    ///
    /// # Errors
    /// What the database says.
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
