//! The table of the revocation list: what replicas add, and what each of them reads.

use std::time::Duration;

use bearward::{Revocation, RevocationKind, Timestamp};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement,
    sea_query::{Expr, OnConflict, Query},
};
use sqlx::postgres::{PgListener, PgPoolOptions};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    DbTimestamp, Store, StoreError,
    entity::revocations::{Column, Entity, Model},
};
use crate::domain::{Administrator, Page, PageRequest, RevocationEntry, RevocationReason};

/// How far back each read looks: a row becomes visible some time after its `changed_at` was set.
const OVERLAP_MS: i64 = 20_000;
/// Rows that are read at a time while the whole list is loaded.
const BATCH: u64 = 10_000;
/// The channel of PostgreSQL's notifications.
const CHANNEL: &str = "bearward_revocations";
/// An expired row is kept for this time, in case the clocks of replicas differ.
const KEEP_EXPIRED: Duration = Duration::from_secs(10 * 60);

/// What [`Store::read_revocations`] has read.
#[derive(Debug)]
pub(crate) struct RevocationRows {
    /// Rows that were added or extended.
    pub(crate) added: Vec<Revocation>,
    /// Rows that an administrator has removed, also those of earlier reads.
    pub(crate) removed: Vec<RemovedRow>,
    /// Where the next read begins.
    pub(crate) position: ReadPosition,
}

/// A row that an administrator has removed.
#[derive(Debug)]
pub(crate) struct RemovedRow {
    /// The id, and when it was removed: an entry can be added and removed again.
    pub(crate) id: (Uuid, i64),
    pub(crate) revocation: Revocation,
}

/// The time of a read by the clock of the database, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReadPosition(i64);

/// Notifications of other replicas. Only PostgreSQL has them.
pub(crate) struct RevocationListener(PgListener);

impl Store {
    /// Adds entries. One that exists is extended: the later `issued_before` and expiry apply.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub(crate) async fn add_revocations(
        &self,
        entries: &[RevocationEntry],
    ) -> Result<(), StoreError> {
        self.writes
            .transaction(async |transaction| {
                for entry in entries {
                    insert(transaction, entry).await?;
                }
                Ok(())
            })
            .await?;
        self.notify_revocations().await;
        Ok(())
    }

    /// Notifies the other replicas of new entries. They read the table at an interval
    /// anyway, so a failure has no consequence.
    pub(crate) async fn notify_revocations(&self) {
        if self.shared().backend() == DbBackend::Postgres {
            let notify = format!("SELECT pg_notify('{CHANNEL}', '')");
            let statement = Statement::from_string(DbBackend::Postgres, notify);
            if let Err(error) = self.writes.query_one_raw(statement).await {
                tracing::debug!("cannot notify other replicas of a revocation: {error}");
            }
        }
    }

    /// Reads all entries that are in force, and the position of this read.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub(crate) async fn load_revocations(
        &self,
        now: Timestamp,
    ) -> Result<(Vec<Revocation>, ReadPosition), StoreError> {
        let position = self.database_time().await?;
        let (mut entries, mut after) = (Vec::new(), None);
        loop {
            let mut query = Entity::find()
                .filter(Column::Removed.eq(false))
                .filter(Column::ExpiresAt.gt(now.unix()))
                .order_by_asc(Column::Id)
                .limit(BATCH);
            if let Some(after) = after {
                query = query.filter(Column::Id.gt(after));
            }
            let rows = query.all(&self.reads).await?;
            after = rows.last().map(|row| row.id);
            let is_last = (rows.len() as u64) < BATCH;
            entries.extend(rows.into_iter().filter_map(revocation));
            if is_last {
                return Ok((entries, position));
            }
        }
    }

    /// Reads the entries that were changed since another read. Returns `None` if the clock of the
    /// database was set back, for example after a failover: then the whole list must be loaded.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub(crate) async fn read_revocations(
        &self,
        since: ReadPosition,
    ) -> Result<Option<RevocationRows>, StoreError> {
        let position = self.database_time().await?;
        if position < since {
            return Ok(None);
        }
        let rows = Entity::find()
            .filter(Column::ChangedAt.gte(since.0.saturating_sub(OVERLAP_MS)))
            .all(&self.reads)
            .await?;
        let (removed, added): (Vec<Model>, Vec<Model>) =
            rows.into_iter().partition(|row| row.removed);
        Ok(Some(RevocationRows {
            added: added.into_iter().filter_map(revocation).collect(),
            removed: removed
                .into_iter()
                .filter_map(|row| {
                    let id = (row.id, row.changed_at);
                    let revocation = revocation(row)?;
                    Some(RemovedRow { id, revocation })
                })
                .collect(),
            position,
        }))
    }

    /// Returns whether an entry revokes all tokens of a subject that were issued at this time.
    pub(super) async fn is_subject_revoked(
        &self,
        issuer: &str,
        subject: &str,
        issued_at: Timestamp,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let id = RevocationEntry::id_of(&Revocation::subject(issuer, subject, issued_at));
        let query = Entity::find_by_id(id)
            .select_only()
            .column(Column::Id)
            .filter(Column::Removed.eq(false))
            .filter(Column::ExpiresAt.gt(now.unix_timestamp()))
            .filter(Column::IssuedBefore.gte(issued_at.unix()))
            .into_tuple::<Uuid>();
        Ok(query.one(&self.reads).await?.is_some())
    }

    async fn database_time(&self) -> Result<ReadPosition, StoreError> {
        let backend = self.shared().backend();
        let select = format!("SELECT {} AS now", database_time(backend));
        let row = self
            .reads
            .query_one_raw(Statement::from_string(backend, select))
            .await?;
        let now = row.map(|row| row.try_get("", "now")).transpose()?;
        Ok(ReadPosition(now.unwrap_or(0)))
    }

    /// Deletes the rows that have expired, and returns their number.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub(crate) async fn delete_expired_revocations(
        &self,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let deleted = Entity::delete_many()
            .filter(Column::ExpiresAt.lt(now.minus(KEEP_EXPIRED).unix()))
            .exec(&self.writes)
            .await?;
        Ok(deleted.rows_affected)
    }

    /// Returns a page of the entries that are in force, in the order of their ids.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub(crate) async fn revocations(
        &self,
        _: &Administrator,
        request: PageRequest,
        now: Timestamp,
    ) -> Result<Page<RevocationEntry>, StoreError> {
        let mut query = Entity::find()
            .filter(Column::Removed.eq(false))
            .filter(Column::ExpiresAt.gt(now.unix()))
            .order_by_desc(Column::Id)
            .limit(request.limit() + 1);
        if let Some(after) = request.after_id() {
            query = query.filter(Column::Id.lt(after));
        }
        let rows = query.all(&self.reads).await?;
        let entries = rows.into_iter().filter_map(entry).collect();
        Ok(request.page(entries, |entry: &RevocationEntry| entry.id))
    }

    /// Removes an entry for all replicas and returns it, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub(crate) async fn remove_revocation(
        &self,
        _: &Administrator,
        id: Uuid,
        now: Timestamp,
    ) -> Result<Option<RevocationEntry>, StoreError> {
        let row = Entity::find_by_id(id)
            .filter(Column::Removed.eq(false))
            .filter(Column::ExpiresAt.gt(now.unix()))
            .one(&self.reads)
            .await?;
        let Some(entry) = row.and_then(entry) else {
            return Ok(None);
        };
        let backend = self.shared().backend();
        Entity::update_many()
            .col_expr(Column::Removed, Expr::value(true))
            .col_expr(Column::ChangedAt, Expr::cust(database_time(backend)))
            .filter(Column::Id.eq(id))
            .exec(&self.writes)
            .await?;
        self.notify_revocations().await;
        Ok(Some(entry))
    }

    /// Opens a connection for notifications. Returns `None` if the database has none, or a pooler
    /// would not pass them on.
    ///
    /// # Errors
    /// The error of the database.
    pub(crate) async fn listen_for_revocations(
        &self,
    ) -> Result<Option<RevocationListener>, sqlx::Error> {
        let Some(connections) = self.shared().connections() else {
            return Ok(None);
        };
        let Some(options) = connections.writes.listener_options() else {
            return Ok(None);
        };
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(self.shared().acquire_timeout())
            .connect_with(options)
            .await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        // A lost connection is an error, so that the server of the next one is looked up again.
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(Some(RevocationListener(listener)))
    }
}

impl RevocationListener {
    /// Waits for the next notification. Returns `false` if the connection was lost.
    pub(crate) async fn changed(&mut self) -> bool {
        let received = matches!(self.0.try_recv().await, Ok(Some(_)));
        // Notifications that arrived together are one change.
        while self.0.next_buffered().is_some() {}
        received
    }
}

/// Adds an entry or extends the one with the same id.
pub(super) async fn insert(
    db: &impl ConnectionTrait,
    entry: &RevocationEntry,
) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let later = |column: &str| {
        Expr::cust(match backend {
            DbBackend::Postgres => {
                format!("GREATEST(\"revocations\".\"{column}\", \"excluded\".\"{column}\")")
            }
            DbBackend::MySql => format!("GREATEST(`{column}`, VALUES(`{column}`))"),
            _ => format!("MAX(\"{column}\", \"excluded\".\"{column}\")"),
        })
    };
    let mut conflict = OnConflict::column(Column::Id);
    conflict
        .value(Column::IssuedBefore, later("issued_before"))
        .value(Column::ExpiresAt, later("expires_at"))
        .update_columns([Column::Reason, Column::Removed])
        .value(Column::ChangedAt, Expr::cust(database_time(backend)));
    let columns = [
        Column::Id,
        Column::Kind,
        Column::Issuer,
        Column::Target,
        Column::IssuedBefore,
        Column::ExceptSession,
        Column::Reason,
        Column::CreatedAt,
        Column::ExpiresAt,
        Column::ChangedAt,
        Column::Removed,
    ];
    let values = [
        Expr::value(entry.id),
        Expr::value(entry.kind.name()),
        Expr::value(entry.issuer.clone()),
        Expr::value(entry.target.clone()),
        Expr::value(entry.issued_before.map(OffsetDateTime::unix_timestamp)),
        Expr::value(entry.except_session.clone()),
        Expr::value(entry.reason.name()),
        Expr::value(DbTimestamp::from(entry.created_at).column()),
        Expr::value(entry.expires_at.unix_timestamp()),
        Expr::cust(database_time(backend)),
        Expr::value(false),
    ];
    let mut insert = Query::insert();
    insert
        .into_table(sea_orm::EntityName::table_ref(&Entity))
        .columns(columns)
        .values(values)
        .map_err(|error| DbErr::Custom(error.to_string()))?
        .on_conflict(conflict);
    db.execute(&insert).await.map(drop)
}

/// Returns the expression for the current time in milliseconds since the Unix epoch.
fn database_time(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
        DbBackend::MySql => "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)",
        _ => "CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)",
    }
}

/// Converts a row. A kind of a newer version is skipped: this version cannot check it.
fn revocation(row: Model) -> Option<Revocation> {
    entry(row).map(|entry| entry.revocation())
}

fn entry(row: Model) -> Option<RevocationEntry> {
    let time = |seconds: i64| OffsetDateTime::from_unix_timestamp(seconds).ok();
    Some(RevocationEntry {
        id: row.id,
        kind: RevocationKind::from_name(&row.kind)?,
        issuer: row.issuer,
        target: row.target,
        issued_before: row.issued_before.and_then(time),
        except_session: row.except_session,
        reason: RevocationReason::from_name(&row.reason),
        created_at: DbTimestamp::from_column(row.created_at).into(),
        expires_at: time(row.expires_at)?,
    })
}
