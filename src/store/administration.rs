//! Queries for administrators: list all accounts, enable and disable them.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use uuid::Uuid;

use super::{
    DbTimestamp, Store, StoreError,
    accounts::profile_from_row,
    entity::users::{Column, Entity},
};
use crate::domain::{Administrator, Page, PageRequest, Profile};

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

    /// Enables or disables an account and returns its profile, or `None` if there is no such
    /// account.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn set_active(
        &self,
        _: &Administrator,
        id: Uuid,
        is_active: bool,
        now: DbTimestamp,
    ) -> Result<Option<Profile>, StoreError> {
        Entity::update_many()
            .col_expr(Column::IsActive, Expr::value(is_active))
            .col_expr(Column::UpdatedAt, Expr::value(now.column()))
            .filter(Column::Id.eq(id))
            .filter(Column::IsActive.ne(is_active))
            .exec(&self.writes)
            .await?;
        Ok(Entity::find_by_id(id)
            .one(&self.reads)
            .await?
            .map(profile_from_row))
    }
}
