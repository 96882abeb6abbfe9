//! Status checks: add, list.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{
    DbTimestamp, Store, StoreError,
    entity::status_checks::{ActiveModel, Column, Entity, Model},
    error::is_unique_violation,
};
use crate::domain::{ClientName, IdempotencyKey, Owner, Page, PageRequest, StatusCheck};

/// Outcome of [`Store::add_status_check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Insert {
    /// A row was inserted.
    Created(StatusCheck),
    /// The same request was sent before; this is the existing row.
    Replayed(StatusCheck),
    /// A different status check has the same idempotency key.
    KeyConflict,
}

impl Store {
    /// Adds a status check of the owner. Requests with the same idempotency key add one row, on any
    /// number of replicas.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] if the account was deleted, other variants if the database
    /// fails.
    pub async fn add_status_check(
        &self,
        owner: &Owner,
        client: &ClientName,
        key: Option<&IdempotencyKey>,
        now: DbTimestamp,
    ) -> Result<Insert, StoreError> {
        let row = Model {
            user_id: owner.id().uuid(),
            id: Uuid::now_v7(),
            client_name: client.as_str().to_owned(),
            idempotency_key: key.map(|key| key.as_str().to_owned()),
            timestamp: now.column(),
        };
        let insert = Entity::insert(ActiveModel {
            user_id: Set(row.user_id),
            id: Set(row.id),
            client_name: Set(row.client_name.clone()),
            idempotency_key: Set(row.idempotency_key.clone()),
            timestamp: Set(row.timestamp),
        });
        match (insert.exec_without_returning(&self.writes).await, key) {
            (Ok(_), _) => Ok(Insert::Created(from_row(row))),
            (Err(error), Some(key)) if is_unique_violation(&error) => {
                self.find_replayed(owner, client, key).await
            }
            (Err(error), _) => Err(error.into()),
        }
    }

    async fn find_replayed(
        &self,
        owner: &Owner,
        client: &ClientName,
        key: &IdempotencyKey,
    ) -> Result<Insert, StoreError> {
        let query = Entity::find()
            .filter(Column::UserId.eq(owner.id().uuid()))
            .filter(Column::IdempotencyKey.eq(key.as_str()));
        let row = query
            .one(&self.reads)
            .await?
            .ok_or(StoreError::AccountDeleted)?;
        Ok(if row.client_name == client.as_str() {
            Insert::Replayed(from_row(row))
        } else {
            Insert::KeyConflict
        })
    }

    /// Returns a page of the owner's status checks, newest first.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] if the account was deleted, other variants if the database
    /// fails.
    pub async fn status_checks(
        &self,
        owner: &Owner,
        request: PageRequest,
    ) -> Result<Page<StatusCheck>, StoreError> {
        let mut query = Entity::find()
            .filter(Column::UserId.eq(owner.id().uuid()))
            .order_by_desc(Column::Id)
            .limit(request.limit() + 1);
        if let Some(after) = request.after_id() {
            query = query.filter(Column::Id.lt(after));
        }
        let rows = query.all(&self.reads).await?;
        if rows.is_empty() {
            self.ensure_exists(owner).await?;
        }
        Ok(request.page(rows.into_iter().map(from_row).collect(), |check| check.id))
    }
}

fn from_row(row: Model) -> StatusCheck {
    StatusCheck {
        id: row.id,
        client_name: row.client_name,
        timestamp: DbTimestamp::from_column(row.timestamp).into(),
    }
}
