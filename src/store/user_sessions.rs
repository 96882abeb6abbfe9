//! The sessions of a user: record, list, end.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    DbTimestamp, Store, StoreError,
    entity::user_sessions::{ActiveModel, Column, Entity, Model},
    error::is_unique_violation,
};
use crate::domain::{Owner, SessionHash, SessionId, UserAgent};

/// The maximum number of sessions of a user that are kept.
const MAX_SESSIONS: usize = 100;
/// Sessions that were not used for this time are not listed.
const MAX_UNUSED: Duration = Duration::days(30);
/// How long the row of an ended session is kept after its last use.
const KEEP_ENDED: Duration = Duration::days(365);
/// The maximum number of ended sessions of a user that are kept.
const MAX_ENDED: usize = 1000;

/// The values of a token that are recorded for its session.
#[derive(Debug, Clone, Copy)]
pub struct SessionSighting<'a> {
    /// The session.
    pub id: SessionId<'a>,
    /// `iat` in milliseconds since the Unix epoch, or 0.
    pub issued_at: i64,
    /// The client of the request.
    pub user_agent: Option<&'a UserAgent>,
    /// The current time.
    pub now: DbTimestamp,
}

/// A stored session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSession {
    /// Id of the row.
    pub id: Uuid,
    /// Hash of the session id.
    pub session: SessionHash,
    /// The issuer's id of the session.
    pub session_id: String,
    /// The client.
    pub user_agent: Option<String>,
    /// `iat` of the newest token seen, in milliseconds since the Unix epoch; 0 without one.
    pub issued_at: i64,
    /// When the first token was seen.
    pub first_used_at: OffsetDateTime,
    /// When a token was last seen.
    pub last_used_at: OffsetDateTime,
    /// Whether its user has ended it.
    pub is_ended: bool,
}

impl Store {
    /// Returns what is stored about a session of the owner, also if it has ended.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn find_session(
        &self,
        owner: &Owner,
        session: &SessionHash,
    ) -> Result<Option<StoredSession>, StoreError> {
        let query = Entity::find()
            .filter(Column::UserId.eq(owner.id().uuid()))
            .filter(Column::Session.eq(session.as_bytes().to_vec()));
        Ok(query.one(&self.reads).await?.map(from_row))
    }

    /// Adds the session of a token, and deletes rows of the owner that are too old or too many.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] if the account was deleted, other variants if the database
    /// fails.
    pub async fn add_session(
        &self,
        owner: &Owner,
        sighting: &SessionSighting<'_>,
    ) -> Result<(), StoreError> {
        let now = sighting.now.column();
        let insert = Entity::insert(ActiveModel {
            user_id: Set(owner.id().uuid()),
            id: Set(Uuid::now_v7()),
            session: Set(sighting.id.hash().as_bytes().to_vec()),
            session_id: Set(sighting.id.as_str().to_owned()),
            user_agent: Set(sighting.user_agent.map(|agent| agent.as_str().to_owned())),
            issued_at: Set(sighting.issued_at),
            first_used_at: Set(now),
            last_used_at: Set(now),
            is_ended: Set(false),
        });
        match insert.exec_without_returning(&self.writes).await {
            Ok(_) => self.prune_sessions(owner, sighting.now).await,
            // A concurrent request has added it.
            Err(error) if is_unique_violation(&error) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Updates the last use of a session.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn update_session(
        &self,
        owner: &Owner,
        stored: &StoredSession,
        sighting: &SessionSighting<'_>,
    ) -> Result<(), StoreError> {
        let now = sighting.now.column();
        let issued_at = stored.issued_at.max(sighting.issued_at);
        let mut update = Entity::update_many()
            .col_expr(Column::LastUsedAt, Expr::value(now))
            .col_expr(Column::IssuedAt, Expr::value(issued_at))
            .filter(Column::UserId.eq(owner.id().uuid()))
            .filter(Column::Id.eq(stored.id))
            // The clock of another replica may be ahead.
            .filter(Column::LastUsedAt.lte(now));
        if let Some(user_agent) = sighting.user_agent {
            update = update.col_expr(Column::UserAgent, Expr::value(user_agent.as_str()));
        }
        update.exec(&self.writes).await?;
        Ok(())
    }

    /// Deletes the rows of the owner that are too old or too many.
    async fn prune_sessions(&self, owner: &Owner, now: DbTimestamp) -> Result<(), StoreError> {
        let now = OffsetDateTime::from(now);
        let rows = Entity::find()
            .select_only()
            .columns([Column::Id, Column::LastUsedAt, Column::IsEnded])
            .filter(Column::UserId.eq(owner.id().uuid()))
            .order_by_desc(Column::LastUsedAt)
            .order_by_desc(Column::Id)
            .into_tuple::<(Uuid, sea_orm::prelude::TimeDateTime, bool)>()
            .all(&self.reads)
            .await?;
        let (mut active, mut ended) = (0, 0);
        let surplus: Vec<Uuid> = rows
            .into_iter()
            .filter(|(_, last_used_at, is_ended)| {
                let (count, max, keep) = if *is_ended {
                    (&mut ended, MAX_ENDED, KEEP_ENDED)
                } else {
                    (&mut active, MAX_SESSIONS, MAX_UNUSED)
                };
                *count += 1;
                *count > max || now - last_used_at.assume_utc() > keep
            })
            .map(|(id, ..)| id)
            .collect();
        self.delete_sessions(owner, &surplus).await
    }

    /// Returns the owner's sessions that have not ended and were used in the last 30 days, the last
    /// used one first.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] if the account was deleted, other variants if the database
    /// fails.
    pub async fn sessions(
        &self,
        owner: &Owner,
        now: DbTimestamp,
    ) -> Result<Vec<StoredSession>, StoreError> {
        let oldest = OffsetDateTime::from(now) - MAX_UNUSED;
        let rows = Entity::find()
            .filter(Column::UserId.eq(owner.id().uuid()))
            .filter(Column::IsEnded.eq(false))
            .filter(Column::LastUsedAt.gte(DbTimestamp::from(oldest).column()))
            .order_by_desc(Column::LastUsedAt)
            .order_by_desc(Column::Id)
            .limit(MAX_SESSIONS as u64)
            .all(&self.reads)
            .await?;
        if rows.is_empty() {
            self.ensure_exists(owner).await?;
        }
        Ok(rows.into_iter().map(from_row).collect())
    }

    /// Returns one of the owner's sessions, also if it has ended.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn session(
        &self,
        owner: &Owner,
        id: Uuid,
    ) -> Result<Option<StoredSession>, StoreError> {
        let query = Entity::find_by_id((owner.id().uuid(), id));
        Ok(query.one(&self.reads).await?.map(from_row))
    }

    /// Marks a session of the owner as ended. Without a row, nothing happens.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn end_session(
        &self,
        owner: &Owner,
        session: &SessionHash,
    ) -> Result<(), StoreError> {
        Entity::update_many()
            .col_expr(Column::IsEnded, Expr::value(true))
            .filter(Column::UserId.eq(owner.id().uuid()))
            .filter(Column::Session.eq(session.as_bytes().to_vec()))
            .exec(&self.writes)
            .await?;
        Ok(())
    }

    /// Deletes the owner's sessions that have not ended, except one. A token that is issued later
    /// adds its session again.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn forget_sessions(
        &self,
        owner: &Owner,
        except: Option<&SessionHash>,
    ) -> Result<(), StoreError> {
        let mut concerned = Condition::all()
            .add(Column::UserId.eq(owner.id().uuid()))
            .add(Column::IsEnded.eq(false));
        if let Some(session) = except {
            concerned = concerned.add(Column::Session.ne(session.as_bytes().to_vec()));
        }
        Entity::delete_many()
            .filter(concerned)
            .exec(&self.writes)
            .await?;
        Ok(())
    }

    /// Deletes rows of the owner.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn delete_sessions(&self, owner: &Owner, ids: &[Uuid]) -> Result<(), StoreError> {
        if !ids.is_empty() {
            Entity::delete_many()
                .filter(Column::UserId.eq(owner.id().uuid()))
                .filter(Column::Id.is_in(ids.iter().copied()))
                .exec(&self.writes)
                .await?;
        }
        Ok(())
    }
}

fn from_row(row: Model) -> StoredSession {
    StoredSession {
        id: row.id,
        session: SessionHash::from_stored(&row.session),
        session_id: row.session_id,
        user_agent: row.user_agent,
        issued_at: row.issued_at,
        first_used_at: DbTimestamp::from_column(row.first_used_at).into(),
        last_used_at: DbTimestamp::from_column(row.last_used_at).into(),
        is_ended: row.is_ended,
    }
}
