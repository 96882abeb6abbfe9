//! How often somebody may do something: one bucket for each key, in bounded memory.

use std::{fmt, hash::Hash, num::NonZeroU32, sync::Arc, time::Duration};

use bearward::Clock;
use governor::{
    Quota, RateLimiter,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use moka::{policy::EvictionPolicy, sync::Cache};

/// How many keys one [`RateLimit`] remembers: about 45 MB when it is full.
const MAX_KEYS: u64 = 100_000;

/// So many a minute for each key, and so many of them at once (GCRA, which is a leaky bucket).
///
/// # Memory
/// At most 100,000 keys are remembered. When one more comes, the one that has been quiet for the
/// longest time is forgotten, and so is each whose bucket has been full again for a while; a key
/// that is forgotten begins with a full bucket. The newcomer is always the one that is kept:
/// were it the other way round, whoever fills the table could then ask without end under a new key.
///
/// What it gains somebody who has more than 100,000 keys, such as the /64 networks of a large IPv6
/// block: each of his keys has a full burst again after he has used all the others. He needs that
/// many keys for it, and they have that many bursts anyway; but others, whom his flood pushes out,
/// begin afresh as well. Nobody is refused for being forgotten.
pub struct RateLimit<K> {
    buckets: Cache<K, Arc<Bucket>>,
    quota: Quota,
    time: GovernorClock,
}

type Bucket = RateLimiter<NotKeyed, InMemoryState, GovernorClock, NoOpMiddleware<Duration>>;

/// The bucket is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimited {
    /// After so many seconds there is room for one; at least 1.
    pub retry_after: u64,
}

impl<K: Hash + Eq + Send + Sync + 'static> RateLimit<K> {
    /// `per_minute` on average, `burst` of them at once.
    pub fn new(per_minute: NonZeroU32, burst: NonZeroU32, clock: Arc<dyn Clock>) -> Self {
        Self::with_room_for(MAX_KEYS, per_minute, burst, clock)
    }

    fn with_room_for(
        keys: u64,
        per_minute: NonZeroU32,
        burst: NonZeroU32,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let quota = Quota::per_minute(per_minute).allow_burst(burst);
        // A bucket that is full again is as good as none. The table's own clock is the machine's,
        // hence the minute between.
        let idle = quota.burst_size_replenished_in() + Duration::from_secs(60);
        let buckets = Cache::builder()
            .max_capacity(keys)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(idle)
            .build();
        Self {
            buckets,
            quota,
            time: GovernorClock(clock),
        }
    }

    /// Counts one, if there is room for it.
    ///
    /// # Errors
    /// [`RateLimited`] when there is none; it is then not counted.
    pub fn count(&self, key: K) -> Result<(), RateLimited> {
        let bucket = self.buckets.get_with(key, || {
            Arc::new(RateLimiter::direct_with_clock(
                self.quota,
                self.time.clone(),
            ))
        });
        bucket.check().map_err(|until| {
            let wait = until.wait_time_from(governor::clock::Clock::now(&self.time));
            RateLimited {
                retry_after: wait.as_secs() + u64::from(wait.subsec_nanos() > 0),
            }
            .at_least_1()
        })
    }
}

impl RateLimited {
    fn at_least_1(self) -> Self {
        Self {
            retry_after: self.retry_after.max(1),
        }
    }
}

impl<K> fmt::Debug for RateLimit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit")
            .field("quota", &self.quota)
            .finish_non_exhaustive()
    }
}

/// The crate's clock, as governor reads one.
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

    fn limit(keys: u64, per_minute: u32, burst: u32) -> (RateLimit<u64>, TestClock) {
        let clock = TestClock::new();
        let number = |number| NonZeroU32::new(number).expect("a number");
        (
            RateLimit::with_room_for(
                keys,
                number(per_minute),
                number(burst),
                Arc::new(clock.clone()),
            ),
            clock,
        )
    }

    fn allowed(limit: &RateLimit<u64>, key: u64, tries: usize) -> usize {
        (0..tries).filter(|_| limit.count(key).is_ok()).count()
    }

    #[test]
    fn a_burst_passes_and_the_next_one_does_not() {
        let (limit, _clock) = limit(10, 60, 5);
        assert_eq!(allowed(&limit, 1, 5), 5);
        assert_eq!(limit.count(1), Err(RateLimited { retry_after: 1 }));
    }

    #[test]
    fn room_comes_back_one_by_one_and_not_a_moment_early() {
        let (limit, clock) = limit(10, 6, 2);
        assert_eq!(allowed(&limit, 1, 3), 2);
        clock.advance(Duration::from_millis(9_999));
        assert_eq!(limit.count(1), Err(RateLimited { retry_after: 1 }));
        clock.advance(Duration::from_millis(1));
        assert_eq!(allowed(&limit, 1, 3), 1);
        clock.advance(Duration::from_secs(3600));
        assert_eq!(
            allowed(&limit, 1, 5),
            2,
            "a bucket holds no more than a burst"
        );
    }

    #[test]
    fn the_seconds_until_there_is_room_are_rounded_up_and_at_least_one() {
        let (limit, clock) = limit(10, 6, 1);
        assert_eq!(limit.count(1), Ok(()));
        assert_eq!(limit.count(1), Err(RateLimited { retry_after: 10 }));
        clock.advance(Duration::from_millis(1));
        assert_eq!(
            limit.count(1),
            Err(RateLimited { retry_after: 10 }),
            "9.999 s"
        );
        clock.advance(Duration::from_millis(999));
        assert_eq!(limit.count(1), Err(RateLimited { retry_after: 9 }));
        clock.advance(Duration::from_millis(8_999));
        assert_eq!(
            limit.count(1),
            Err(RateLimited { retry_after: 1 }),
            "a millisecond"
        );
        assert_eq!(
            RateLimited { retry_after: 0 }.at_least_1(),
            RateLimited { retry_after: 1 }
        );
    }

    #[test]
    fn whoever_goes_on_asking_is_let_in_as_early_as_whoever_waits() {
        let (limit, clock) = limit(10, 60, 1);
        assert_eq!(allowed(&limit, 1, 1_000), 1);
        clock.advance(Duration::from_secs(1));
        assert_eq!(limit.count(1), Ok(()));
    }

    #[test]
    fn keys_do_not_share_a_bucket() {
        let (limit, _clock) = limit(10, 60, 1);
        assert_eq!((limit.count(1), limit.count(2)), (Ok(()), Ok(())));
        assert!(limit.count(1).is_err() && limit.count(2).is_err());
    }

    #[test]
    fn memory_is_bounded_and_the_newcomer_is_counted_in_a_full_table() {
        let (limit, _clock) = limit(100, 60, 3);
        // Keys that were seen often, which a policy of frequency would rather keep than a newcomer.
        for key in (0..1_000).flat_map(|key| [key; 5]) {
            let _ = limit.count(key);
        }
        limit.buckets.run_pending_tasks();
        assert!(
            limit.buckets.entry_count() <= 100,
            "{}",
            limit.buckets.entry_count()
        );
        for _ in 0..3 {
            assert_eq!(limit.count(5_000), Ok(()));
            limit.buckets.run_pending_tasks();
        }
        assert!(limit.count(5_000).is_err(), "it is remembered");
    }

    #[test]
    fn the_quietest_key_is_forgotten_first() {
        let (limit, _clock) = limit(100, 60, 1);
        for key in 0..100 {
            assert_eq!(limit.count(key), Ok(()));
        }
        limit.buckets.run_pending_tasks();
        assert!(limit.count(0).is_err(), "it is awake again");
        limit.buckets.run_pending_tasks();
        assert_eq!(limit.count(100), Ok(()));
        limit.buckets.run_pending_tasks();
        assert!(limit.count(0).is_err(), "remembered");
        assert_eq!(limit.count(1), Ok(()), "forgotten");
    }

    #[test]
    fn the_largest_quota_that_the_configuration_takes_can_be_had() {
        let (limit, _clock) = limit(10, 1, 1_000_000);
        assert_eq!(allowed(&limit, 1, 10), 10);
    }
}
