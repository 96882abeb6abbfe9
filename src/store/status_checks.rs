//! Status checks: added, listed.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{
    DbTimestamp, Store, StoreError,
    entity::status_checks::{ActiveModel, Column, Entity, Model},
    error::is_taken,
};
use crate::domain::{ClientName, IdempotencyKey, Owner, Page, PageRequest, StatusCheck};

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Insert {
    /// It is a row now.
    New(StatusCheck),
    /// It was a row already: this is the same request, sent again.
    Again(StatusCheck),
    /// Another report has the same idempotency key.
    Conflict,
}

impl Store {
    /// Adds a report of the owner, once for each idempotency key, however often and on however many
    /// replicas it arrives.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] when the account was erased, and what the database says.
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
            (Ok(_), _) => Ok(Insert::New(shown(row))),
            (Err(error), Some(key)) if is_taken(&error) => self.earlier(owner, client, key).await,
            (Err(error), _) => Err(error.into()),
        }
    }

    async fn earlier(
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
            Insert::Again(shown(row))
        } else {
            Insert::Conflict
        })
    }

    /// The owner's reports, newest first.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] when the account was erased, and what the database says.
    pub async fn status_checks(
        &self,
        owner: &Owner,
        request: PageRequest,
    ) -> Result<Page<StatusCheck>, StoreError> {
        let mut query = Entity::find()
            .filter(Column::UserId.eq(owner.id().uuid()))
            .order_by_desc(Column::Id)
            .limit(request.limit() + 1);
        if let Some(after) = request.after() {
            query = query.filter(Column::Id.lt(after));
        }
        let rows = query.all(&self.reads).await?;
        if rows.is_empty() {
            self.is_there(owner).await?;
        }
        Ok(request.page(rows.into_iter().map(shown).collect(), |check| check.id))
    }
}

fn shown(row: Model) -> StatusCheck {
    StatusCheck {
        id: row.id,
        client_name: row.client_name,
        timestamp: DbTimestamp::of(row.timestamp).into(),
    }
}
