//! Limits requests per key and minute, in bounded memory.

use std::{fmt, hash::Hash, num::NonZeroU32, sync::Arc, time::Duration};

use bearward::Clock;
use governor::{
    Quota, RateLimiter,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use moka::{policy::EvictionPolicy, sync::Cache};

/// Maximum number of keys in one [`RateLimit`]: about 45 MB when it is full.
const MAX_KEYS: u64 = 100_000;

/// Limits each key to a number of requests per minute with a burst (GCRA, a leaky bucket).
///
/// # Memory
/// At most 100,000 keys are tracked. When the table is full, a new key evicts the least recently
/// used one. Keys whose bucket has been full for a minute are removed as well. An evicted key
/// starts again with a full bucket.
///
/// A new key is always admitted to the table: a frequency-based policy would reject new keys from a
/// full table, and each of them could then send requests without limit.
///
/// # Security
/// A client with more than 100,000 keys, such as the /64 networks of a large IPv6 block, gets a
/// full burst per key again after it has used all others, and resets the buckets of the keys that
/// it evicts. Eviction never causes a request to be rejected.
pub struct RateLimit<K> {
    buckets: Cache<K, Arc<Bucket>>,
    quota: Quota,
    clock: GovernorClock,
}

type Bucket = RateLimiter<NotKeyed, InMemoryState, GovernorClock, NoOpMiddleware<Duration>>;

/// The error of [`RateLimit::check`]: the key has used up its quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimited {
    /// Seconds until one more request is allowed; at least 1.
    pub retry_after: u64,
}

impl<K: Hash + Eq + Send + Sync + 'static> RateLimit<K> {
    /// Allows `per_minute` requests per key on average and `burst` at once.
    pub fn new(per_minute: NonZeroU32, burst: NonZeroU32, clock: Arc<dyn Clock>) -> Self {
        Self::with_capacity(MAX_KEYS, per_minute, burst, clock)
    }

    fn with_capacity(
        max_keys: u64,
        per_minute: NonZeroU32,
        burst: NonZeroU32,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let quota = Quota::per_minute(per_minute).allow_burst(burst);
        // A full bucket carries no information and can be removed. The cache uses the system clock
        // and not `clock`; the extra minute covers the difference.
        let idle = quota.burst_size_replenished_in() + Duration::from_secs(60);
        let buckets = Cache::builder()
            .max_capacity(max_keys)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(idle)
            .build();
        Self {
            buckets,
            quota,
            clock: GovernorClock(clock),
        }
    }

    /// Counts one request of `key` if its quota allows it.
    ///
    /// # Errors
    /// [`RateLimited`] if the quota is used up; the request is then not counted.
    pub fn check(&self, key: K) -> Result<(), RateLimited> {
        let bucket = self.buckets.get_with(key, || {
            Arc::new(RateLimiter::direct_with_clock(
                self.quota,
                self.clock.clone(),
            ))
        });
        bucket.check().map_err(|until| RateLimited {
            retry_after: retry_after(
                until.wait_time_from(governor::clock::Clock::now(&self.clock)),
            ),
        })
    }
}

/// Rounds a wait up to whole seconds, at least 1.
fn retry_after(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

impl<K> fmt::Debug for RateLimit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit")
            .field("quota", &self.quota)
            .finish_non_exhaustive()
    }
}

/// Adapts [`Clock`] to governor.
#[derive(Debug, Clone)]
struct GovernorClock(Arc<dyn Clock>);

impl governor::clock::Clock for GovernorClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}

#[cfg(test)]
mod tests {
    use bearward_testing::TestClock;

    use super::*;

    fn limit(max_keys: u64, per_minute: u32, burst: u32) -> (RateLimit<u64>, TestClock) {
        let clock = TestClock::new();
        let number = |number| NonZeroU32::new(number).expect("a number");
        (
            RateLimit::with_capacity(
                max_keys,
                number(per_minute),
                number(burst),
                Arc::new(clock.clone()),
            ),
            clock,
        )
    }

    fn allowed(limit: &RateLimit<u64>, key: u64, tries: usize) -> usize {
        (0..tries).filter(|_| limit.check(key).is_ok()).count()
    }

    #[test]
    fn allows_a_burst_and_rejects_the_next_request() {
        let (limit, _clock) = limit(10, 60, 5);
        assert_eq!(allowed(&limit, 1, 5), 5);
        assert_eq!(limit.check(1), Err(RateLimited { retry_after: 1 }));
    }

    #[test]
    fn quota_is_replenished_one_by_one() {
        let (limit, clock) = limit(10, 6, 2);
        assert_eq!(allowed(&limit, 1, 3), 2);
        clock.advance(Duration::from_millis(9_999));
        assert_eq!(limit.check(1), Err(RateLimited { retry_after: 1 }));
        clock.advance(Duration::from_millis(1));
        assert_eq!(allowed(&limit, 1, 3), 1);
        clock.advance(Duration::from_secs(3600));
        assert_eq!(allowed(&limit, 1, 5), 2, "a bucket holds at most one burst");
    }

    #[test]
    fn retry_after_is_rounded_up_and_at_least_one() {
        let (limit, clock) = limit(10, 6, 1);
        assert_eq!(limit.check(1), Ok(()));
        assert_eq!(limit.check(1), Err(RateLimited { retry_after: 10 }));
        clock.advance(Duration::from_millis(1));
        assert_eq!(
            limit.check(1),
            Err(RateLimited { retry_after: 10 }),
            "9.999 s"
        );
        clock.advance(Duration::from_millis(999));
        assert_eq!(limit.check(1), Err(RateLimited { retry_after: 9 }));
        clock.advance(Duration::from_millis(8_999));
        assert_eq!(limit.check(1), Err(RateLimited { retry_after: 1 }), "1 ms");
        assert_eq!(retry_after(Duration::ZERO), 1);
    }

    #[test]
    fn rejected_requests_do_not_extend_the_wait() {
        let (limit, clock) = limit(10, 60, 1);
        assert_eq!(allowed(&limit, 1, 1_000), 1);
        clock.advance(Duration::from_secs(1));
        assert_eq!(limit.check(1), Ok(()));
    }

    #[test]
    fn keys_do_not_share_a_bucket() {
        let (limit, _clock) = limit(10, 60, 1);
        assert_eq!((limit.check(1), limit.check(2)), (Ok(()), Ok(())));
        assert!(limit.check(1).is_err() && limit.check(2).is_err());
    }

    #[test]
    fn new_keys_are_counted_in_a_full_table() {
        let (limit, _clock) = limit(100, 60, 3);
        // Frequently used keys, which a frequency-based policy would prefer to a new one.
        for key in (0..1_000).flat_map(|key| [key; 5]) {
            let _ = limit.check(key);
        }
        limit.buckets.run_pending_tasks();
        assert!(
            limit.buckets.entry_count() <= 100,
            "{}",
            limit.buckets.entry_count()
        );
        for _ in 0..3 {
            assert_eq!(limit.check(5_000), Ok(()));
            limit.buckets.run_pending_tasks();
        }
        assert!(limit.check(5_000).is_err(), "the new key is in the table");
    }

    #[test]
    fn the_least_recently_used_key_is_evicted_first() {
        let (limit, _clock) = limit(100, 60, 1);
        for key in 0..100 {
            assert_eq!(limit.check(key), Ok(()));
        }
        limit.buckets.run_pending_tasks();
        assert!(limit.check(0).is_err(), "this counts as a use");
        limit.buckets.run_pending_tasks();
        assert_eq!(limit.check(100), Ok(()));
        limit.buckets.run_pending_tasks();
        assert!(limit.check(0).is_err(), "still in the table");
        assert_eq!(limit.check(1), Ok(()), "evicted");
    }

    #[test]
    fn the_largest_configurable_quota_works() {
        let (limit, _clock) = limit(10, 1, 1_000_000);
        assert_eq!(allowed(&limit, 1, 10), 10);
    }
}
