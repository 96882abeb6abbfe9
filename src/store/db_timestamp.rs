//! Points in time as rows keep them: UTC, to the microsecond, which is what every database can do.

use bearward::Timestamp;
use sea_orm::prelude::TimeDateTime;
use time::{OffsetDateTime, UtcDateTime};

/// A point in time that reads back as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DbTimestamp(TimeDateTime);

impl DbTimestamp {
    /// What a column holds.
    pub(super) fn column(self) -> TimeDateTime {
        self.0
    }

    /// From what a column holds.
    pub(super) fn of(column: TimeDateTime) -> Self {
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

impl From<DbTimestamp> for OffsetDateTime {
    fn from(at: DbTimestamp) -> Self {
        at.0.assume_utc()
    }
}
