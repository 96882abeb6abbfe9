//! Opens the database in the background, notices when it becomes unavailable or read-only, and
//! replaces the connections when a usable server answers again.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, sea_query::Expr,
};
use tokio::time::{Instant, sleep, timeout};

use super::{
    OpenError, Store,
    connect::is_read_only,
    connection::Connection,
    connections::Connections,
    entity::migrations::{Column, Entity},
    error::{ErrorClass, error_class},
    migrations::MIGRATIONS,
    pool::{FILE_REPLACED, NO_ANSWER, READ_ONLY, Shared, own_error},
};
use crate::settings;

/// How long a probe may take. It runs through the same pool as requests.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);
/// A successful write of a request or of a probe is not probed again for this time.
const WRITE_IS_RECENT: Duration = Duration::from_secs(5);
/// Pause between two probes while the database is unavailable, and between two looks at the file of
/// an SQLite database.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Pause between two looks at whether the store was dropped.
const IDLE_INTERVAL: Duration = Duration::from_secs(60);
/// The shortest pause between two probes that errors of requests cause.
const MIN_PAUSE: Duration = Duration::from_millis(200);
/// Pause between two attempts to open the database.
pub(super) const RETRY_DELAY: Duration = Duration::from_millis(500);
/// A pool whose connections are all in use is abandoned if no statement has succeeded for this time
/// and the database accepts a write on another connection.
const DEAD_POOL: Duration = Duration::from_secs(5);
/// How long statements in progress may use connections that were replaced.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a failure that goes on is logged again while the database is opened.
const REPEAT_LOG: Duration = Duration::from_secs(60);

/// What the database can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseState {
    /// Reads and writes work.
    Available,
    /// Reads work, writes do not: a standby, a full disk, a removed file.
    ReadOnly,
    /// The database does not answer, or is not opened yet.
    Unavailable,
}

/// The state that was logged last, to log each change once.
#[derive(Debug, Default)]
pub(super) struct StateLog(Mutex<Option<(DatabaseState, Instant)>>);

/// Publishes the state as a metric.
fn publish(state: DatabaseState) {
    let value = f64::from(u8::from(state == DatabaseState::Available));
    metrics::gauge!("bearward_database_available").set(value);
}

impl StateLog {
    /// Records the result of a probe and logs a change.
    fn record(&self, result: &Result<(), (DatabaseState, DbErr)>) -> DatabaseState {
        let state = match result {
            Ok(()) => DatabaseState::Available,
            Err((state, _)) => *state,
        };
        publish(state);
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *last;
        if before.map(|(state, _)| state) == Some(state) {
            return state;
        }
        *last = Some((state, Instant::now()));
        drop(last);
        match (result, before) {
            (Ok(()), None) => {}
            (Ok(()), Some((_, since))) => tracing::info!(
                seconds = since.elapsed().as_secs(),
                "the database is available again"
            ),
            (Err((DatabaseState::ReadOnly, error)), _) => {
                tracing::error!("the database accepts no writes: {error}");
            }
            (Err((_, error)), _) => tracing::error!("the database is unavailable: {error}"),
        }
        state
    }
}

impl Store {
    /// Reads and writes a row, unless a write has succeeded within the last seconds, and returns
    /// what works.
    pub async fn probe(&self) -> DatabaseState {
        let Some(connections) = self.shared().connections() else {
            // The task that opens the database logs why it is not open.
            publish(DatabaseState::Unavailable);
            return DatabaseState::Unavailable;
        };
        let result = timeout(PROBE_TIMEOUT, self.try_probe(&connections))
            .await
            .unwrap_or_else(|_| Err((DatabaseState::Unavailable, own_error(NO_ANSWER))));
        self.state.record(&result)
    }

    async fn try_probe(&self, connections: &Connections) -> Result<(), (DatabaseState, DbErr)> {
        if let Some(file) = &connections.file
            && !file.is_in_place()
        {
            return Err((DatabaseState::ReadOnly, own_error(FILE_REPLACED)));
        }
        let is_recent = self.shared().since_write() < WRITE_IS_RECENT;
        if is_recent {
            return connections
                .reads
                .ping()
                .await
                .map_err(|error| (DatabaseState::Unavailable, error));
        }
        let result = match is_read_only(&connections.writes).await {
            Ok(true) => Err(own_error(READ_ONLY)),
            Ok(false) => write_probe(&connections.writes).await,
            Err(error) => Err(error),
        };
        match result {
            Ok(()) => {
                self.shared().record_write();
                Ok(())
            }
            // Another transaction holds the row: the database accepts writes.
            Err(error) if error_class(&error) == ErrorClass::Lock => Ok(()),
            Err(error) => match connections.reads.ping().await {
                Ok(()) => Err((DatabaseState::ReadOnly, error)),
                Err(_) => Err((DatabaseState::Unavailable, error)),
            },
        }
    }
}

/// Writes without changing anything that is read.
async fn write_probe(connection: &Connection) -> Result<(), DbErr> {
    if connection.get_database_backend() == DbBackend::Sqlite {
        // An update to the same values writes nothing in SQLite. The user version is not used
        // otherwise.
        let statement = format!("PRAGMA user_version = {}", fastrand::u32(1..1 << 30));
        return connection.execute_unprepared(&statement).await.map(drop);
    }
    let first = MIGRATIONS.first().map_or("", |migration| migration.name);
    let update = Entity::update_many()
        .col_expr(Column::AppliedAt, Expr::col(Column::AppliedAt))
        .filter(Column::Version.eq(first));
    update.exec(connection).await.map(drop)
}

/// Opens the database, retrying transient errors until it succeeds.
pub(super) async fn open(store: Store, settings: settings::Database) -> Result<(), OpenError> {
    let mut logged: Option<Instant> = None;
    loop {
        // Boxed to keep the caller's future small.
        match Box::pin(Store::try_open(&settings)).await {
            Ok(connections) => {
                store.shared().replace(connections);
                let _ = store.state.record(&Ok(()));
                if logged.is_some() {
                    tracing::info!("the database is open");
                }
                start(&store, settings);
                return Ok(());
            }
            Err(error) if error.is_transient() => {
                if logged.is_none_or(|at| at.elapsed() >= REPEAT_LOG) {
                    tracing::warn!(
                        "the database is not available yet, and routes that need it are answered with 503: {error}"
                    );
                    logged = Some(Instant::now());
                }
                sleep(RETRY_DELAY).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Starts the monitor of an open database. It ends with the last clone of the store.
pub(super) fn start(store: &Store, settings: settings::Database) {
    let weak = Arc::downgrade(store.shared());
    let (suspicion, state) = (
        Arc::clone(&store.shared().suspicion),
        Arc::clone(&store.state),
    );
    let has_file = store
        .shared()
        .connections()
        .is_some_and(|connections| connections.file.is_some());
    tokio::spawn(async move {
        let mut is_available = true;
        loop {
            let pause = if is_available && !has_file {
                IDLE_INTERVAL
            } else {
                CHECK_INTERVAL
            };
            let is_suspicious = timeout(pause, suspicion.notified()).await.is_ok();
            let Some(store) = upgrade(&weak, &state) else {
                return;
            };
            if is_available && !is_suspicious && is_file_in_place(&store) {
                continue;
            }
            is_available = check(&store, &settings, is_available).await;
            // Bounds the number of probes while requests fail.
            sleep(MIN_PAUSE).await;
        }
    });
}

fn is_file_in_place(store: &Store) -> bool {
    store.shared().connections().is_none_or(|connections| {
        connections
            .file
            .as_ref()
            .is_none_or(super::file::FileIdentity::is_in_place)
    })
}

fn upgrade(weak: &Weak<Shared>, state: &Arc<StateLog>) -> Option<Store> {
    Some(Store::from_parts(weak.upgrade()?, Arc::clone(state)))
}

/// Probes the database. Replaces the connections if they do not work and a server that accepts writes
/// answers. Returns whether the database is available.
async fn check(store: &Store, settings: &settings::Database, was_available: bool) -> bool {
    let shared = store.shared();
    if shared.backend() == DbBackend::Sqlite {
        return store.probe().await == DatabaseState::Available;
    }
    let is_available = |state| state == DatabaseState::Available && !shared.has_dead_connections();
    let (state, fresh) = if was_available {
        let state = store.probe().await;
        if is_available(state) {
            return true;
        }
        (state, Store::connect(settings).await)
    } else {
        // At the same time, because a probe of dead connections takes until its limit: a server that
        // accepts writes is used as soon as it answers.
        tokio::join!(store.probe(), Store::connect(settings))
    };
    let Ok(fresh) = fresh else {
        return is_available(state);
    };
    // The pool may be busy and not dead: then a statement has succeeded recently.
    let is_busy = state == DatabaseState::Unavailable
        && !shared.has_dead_connections()
        && shared.since_success() < DEAD_POOL;
    if is_available(state) || is_busy || !accepts_writes(&fresh).await {
        close_in_background(Arc::new(fresh), Duration::ZERO);
        return is_available(state);
    }
    tracing::info!("a database server that accepts writes answers: replacing all connections");
    if let Some(old) = shared.replace(fresh) {
        // Requests that have loaded the old pools may still take a connection.
        close_in_background(old, shared.acquire_timeout());
    }
    store.probe().await == DatabaseState::Available
}

/// Writes on new connections. A server whose disk is full does not report that it is read-only.
async fn accepts_writes(connections: &Connections) -> bool {
    match timeout(PROBE_TIMEOUT, write_probe(&connections.writes)).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => error_class(&error) == ErrorClass::Lock,
        Err(_) => false,
    }
}

fn close_in_background(connections: Arc<Connections>, delay: Duration) {
    tokio::spawn(async move {
        sleep(delay).await;
        let _ = timeout(CLOSE_TIMEOUT, connections.close()).await;
    });
}
