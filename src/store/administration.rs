//! What administrators see and change: every account, and whether it may be used.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use uuid::Uuid;

use super::{
    DbTimestamp, Store, StoreError,
    accounts::profile,
    entity::users::{Column, Entity},
};
use crate::domain::{Administrator, Page, PageRequest, Profile};

impl Store {
    /// Every account, the latest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn users(
        &self,
        _: &Administrator,
        request: PageRequest,
    ) -> Result<Page<Profile>, StoreError> {
        let mut query = Entity::find()
            .order_by_desc(Column::Id)
            .limit(request.limit() + 1);
        if let Some(after) = request.after() {
            query = query.filter(Column::Id.lt(after));
        }
        let rows = query.all(&self.reads).await?;
        Ok(request.page(rows.into_iter().map(profile).collect(), |user| user.id))
    }

    /// Lets an account be used, or not. None when there is no such account.
    ///
    /// # Errors
    /// What the database says.
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
        Ok(Entity::find_by_id(id).one(&self.reads).await?.map(profile))
    }
}
