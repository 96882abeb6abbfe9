//! Timestamps as stored in the database: UTC with microsecond precision, which every supported
//! database has.

use bearward::Timestamp;
use sea_orm::prelude::TimeDateTime;
use time::{Duration, OffsetDateTime, UtcDateTime};

/// A timestamp that is read back exactly as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DbTimestamp(TimeDateTime);

impl DbTimestamp {
    /// Returns the time since an earlier timestamp; negative if it is later.
    pub(super) fn duration_since(self, earlier: Self) -> Duration {
        self.0 - earlier.0
    }

    /// Returns the value to store in a column.
    pub(super) fn column(self) -> TimeDateTime {
        self.0
    }

    /// Creates a timestamp from the value of a column.
    pub(super) fn from_column(column: TimeDateTime) -> Self {
        Self(column)
    }
}

impl From<Timestamp> for DbTimestamp {
    fn from(at: Timestamp) -> Self {
        let nanoseconds = i128::from(at.millis()) * 1_000_000;
        let utc =
            UtcDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap_or(UtcDateTime::UNIX_EPOCH);
        Self(TimeDateTime::new(utc.date(), utc.time()))
    }
}

impl From<OffsetDateTime> for DbTimestamp {
    fn from(at: OffsetDateTime) -> Self {
        let utc = UtcDateTime::from(at);
        Self(TimeDateTime::new(utc.date(), utc.time()))
    }
}

impl From<DbTimestamp> for OffsetDateTime {
    fn from(at: DbTimestamp) -> Self {
        at.0.assume_utc()
    }
}
