//! A clock that tests move.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bearward::{Clock, Sleep, SystemClock, Timestamp};
use tokio::sync::Notify;

/// A clock that stands still until a test moves it; whoever sleeps by it wakes when its time has
/// come. Clones are the same clock.
///
/// It starts at the machine's time, so that tokens of other makers are in time too.
#[derive(Debug, Clone)]
pub struct TestClock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    times: Mutex<ClockState>,
    moved: Notify,
}

#[derive(Debug)]
struct ClockState {
    wall: Timestamp,
    monotonic: Duration,
    sleepers: Vec<Duration>,
}

impl TestClock {
    /// A clock that shows the machine's time and stands.
    pub fn new() -> Self {
        Self::at(SystemClock::new().now())
    }

    /// A clock that shows this time and stands.
    pub fn at(wall: Timestamp) -> Self {
        let times = ClockState {
            wall,
            monotonic: Duration::from_secs(1),
            sleepers: Vec::new(),
        };
        Self {
            shared: Arc::new(Shared {
                times: Mutex::new(times),
                moved: Notify::new(),
            }),
        }
    }

    /// Moves both times forward, and wakes who has slept until then.
    pub fn advance(&self, by: Duration) {
        let mut times = self.times();
        times.wall = times.wall.plus(by);
        times.monotonic += by;
        drop(times);
        self.shared.moved.notify_waiters();
    }

    /// Sets the wall clock alone, as an administrator may: monotonic time does not follow.
    pub fn set_wall_clock(&self, wall: Timestamp) {
        self.times().wall = wall;
    }

    /// How long until the next sleeper wakes; `None` when nobody sleeps.
    pub fn next_wake(&self) -> Option<Duration> {
        let times = self.times();
        times
            .sleepers
            .iter()
            .min()
            .map(|deadline| deadline.saturating_sub(times.monotonic))
    }

    /// How many sleep by this clock: a test that waits for somebody to sleep need not sleep itself.
    pub fn sleepers(&self) -> usize {
        self.times().sleepers.len()
    }

    fn times(&self) -> MutexGuard<'_, ClockState> {
        self.shared
            .times
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
        self.times().wall
    }

    fn monotonic(&self) -> Duration {
        self.times().monotonic
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        let sleeper = Sleeper::new(self.clone(), deadline);
        Box::pin(async move {
            loop {
                let moved = sleeper.clock.shared.moved.notified();
                tokio::pin!(moved);
                // Registered before the time is read: a move in between is not missed.
                moved.as_mut().enable();
                if sleeper.clock.monotonic() >= deadline {
                    return;
                }
                moved.await;
            }
        })
    }
}

/// Counted as long as it sleeps.
struct Sleeper {
    clock: TestClock,
    deadline: Duration,
}

impl Sleeper {
    fn new(clock: TestClock, deadline: Duration) -> Self {
        clock.times().sleepers.push(deadline);
        Self { clock, deadline }
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let mut times = self.clock.times();
        if let Some(at) = times
            .sleepers
            .iter()
            .position(|deadline| *deadline == self.deadline)
        {
            times.sleepers.swap_remove(at);
        }
    }
}
