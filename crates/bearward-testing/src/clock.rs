//! A clock that tests control.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bearward::{Clock, Sleep, SystemClock, Timestamp};
use tokio::sync::Notify;

/// A clock that advances only when a test advances it. Clones share the same time.
///
/// Futures from [`Clock::sleep_until`] complete when the clock reaches their deadline. The clock
/// starts at the system time, so that tokens signed elsewhere are valid too.
///
/// ```
/// use std::time::Duration;
/// use bearward::Clock;
/// use bearward_testing::TestClock;
///
/// let clock = TestClock::new();
/// let start = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), start.plus(Duration::from_secs(60)));
/// ```
#[derive(Debug, Clone)]
pub struct TestClock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<ClockState>,
    advanced: Notify,
}

#[derive(Debug)]
struct ClockState {
    wall: Timestamp,
    monotonic: Duration,
    sleepers: Vec<Duration>,
}

impl TestClock {
    /// Creates a clock set to the system time.
    pub fn new() -> Self {
        Self::at(SystemClock::new().now())
    }

    /// Creates a clock set to `wall`.
    pub fn at(wall: Timestamp) -> Self {
        let state = ClockState {
            wall,
            monotonic: Duration::from_secs(1),
            sleepers: Vec::new(),
        };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                advanced: Notify::new(),
            }),
        }
    }

    /// Advances the wall clock and the monotonic clock and completes the sleeps that are due.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state();
        state.wall = state.wall.plus(by);
        state.monotonic += by;
        drop(state);
        self.shared.advanced.notify_waiters();
    }

    /// Sets only the wall clock, as an administrator or NTP may do. Monotonic time is unchanged.
    pub fn set_wall_clock(&self, wall: Timestamp) {
        self.state().wall = wall;
    }

    /// Returns the time until the next pending sleep is due, or `None` if there is none.
    pub fn next_wake(&self) -> Option<Duration> {
        let state = self.state();
        state
            .sleepers
            .iter()
            .min()
            .map(|deadline| deadline.saturating_sub(state.monotonic))
    }

    /// Returns the number of pending sleeps, so that a test can wait for a task to go to sleep.
    pub fn sleepers(&self) -> usize {
        self.state().sleepers.len()
    }

    fn state(&self) -> MutexGuard<'_, ClockState> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.state().wall
    }

    fn monotonic(&self) -> Duration {
        self.state().monotonic
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        let sleeper = Sleeper::new(self.clone(), deadline);
        Box::pin(async move {
            loop {
                let advanced = sleeper.clock.shared.advanced.notified();
                tokio::pin!(advanced);
                // Registered before the time is read, so that an advance in between is not missed.
                advanced.as_mut().enable();
                if sleeper.clock.monotonic() >= deadline {
                    return;
                }
                advanced.await;
            }
        })
    }
}

/// A pending sleep; counted until it is dropped.
struct Sleeper {
    clock: TestClock,
    deadline: Duration,
}

impl Sleeper {
    fn new(clock: TestClock, deadline: Duration) -> Self {
        clock.state().sleepers.push(deadline);
        Self { clock, deadline }
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let mut state = self.clock.state();
        if let Some(index) = state
            .sleepers
            .iter()
            .position(|deadline| *deadline == self.deadline)
        {
            state.sleepers.swap_remove(index);
        }
    }
}
