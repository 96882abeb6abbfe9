//! The clock as a dependency: a wall clock for the times in tokens and a monotonic clock for the
//! age of key sets.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The future that [`Clock::sleep_until`] returns.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A source of time. All times in bearward come from one.
///
/// [`SystemClock`] is the default. The test kit has a clock that tests set and advance. An
/// implementation of one's own looks like this:
///
/// ```
/// use std::time::Duration;
///
/// use bearward::{Clock, Sleep, SystemClock, Timestamp};
///
/// /// A machine whose clock is known to be slow.
/// #[derive(Debug)]
/// struct Ahead(SystemClock);
///
/// impl Clock for Ahead {
///     fn now(&self) -> Timestamp {
///         self.0.now().plus(Duration::from_secs(5))
///     }
///     fn monotonic(&self) -> Duration {
///         self.0.monotonic()
///     }
///     fn sleep_until(&self, deadline: Duration) -> Sleep {
///         self.0.sleep_until(deadline)
///     }
/// }
///
/// let auth = bearward::Bearward::builder().clock(std::sync::Arc::new(Ahead(SystemClock::new())));
/// ```
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the wall-clock time, which is compared with `exp`, `nbf` and `iat`.
    fn now(&self) -> Timestamp;

    /// Returns the time since a fixed origin of this clock. It never decreases. The age of key sets
    /// is measured with it, so wall-clock adjustments do not affect key freshness.
    fn monotonic(&self) -> Duration;

    /// Completes when [`monotonic`](Self::monotonic) reaches `deadline`.
    fn sleep_until(&self, deadline: Duration) -> Sleep;
}

/// The clocks of the operating system.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// Creates a clock whose monotonic origin is the current time.
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        Box::pin(tokio::time::sleep_until((self.origin + deadline).into()))
    }
}

/// A point in time (`NumericDate` of RFC 7519 §2) with millisecond resolution.
///
/// `Display` and `Debug` print RFC 3339 in UTC, in whole seconds.
///
/// ```
/// use std::time::Duration;
///
/// use bearward::Timestamp;
///
/// let issued = Timestamp::from_unix(1_700_000_000);
/// let expires = issued.plus(Duration::from_secs(3600));
/// assert_eq!(expires.to_string(), "2023-11-14T23:13:20Z");
/// assert_eq!(expires.since(issued), Duration::from_secs(3600));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 9999-12-31T23:59:59Z in seconds: the last second that RFC 3339 can represent.
    pub(crate) const MAX_SECONDS: i64 = 253_402_300_799;

    /// Creates a timestamp from milliseconds since 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Creates a timestamp from seconds since 1970-01-01T00:00:00Z.
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Returns whole seconds since 1970-01-01T00:00:00Z, rounded down.
    pub const fn unix(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Returns milliseconds since 1970-01-01T00:00:00Z.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Adds a duration; saturates at the end of the representable range.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// Subtracts a duration; saturates at the start of the representable range.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// Returns the duration since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// A time before 1970 is 1970-01-01T00:00:00Z.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A timestamp before 1970 is [`UNIX_EPOCH`], and one after the year 9999 its end.
impl From<Timestamp> for SystemTime {
    fn from(timestamp: Timestamp) -> Self {
        let millis = timestamp.0.clamp(0, Timestamp::MAX_SECONDS * 1000);
        UNIX_EPOCH + Duration::from_millis(millis.unsigned_abs())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_seconds((*self).into()).fmt(f)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
