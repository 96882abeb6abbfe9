//! The pause after a failed attempt.
//!
//! Hand-written because the crates for retries also sleep or call; the scheduler needs only the
//! duration.

use std::time::Duration;

const MIN_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// The longest `Retry-After` that is honoured, so that a wrong value does not outlast the outage.
pub(super) const MAX_RETRY_AFTER: Duration = Duration::from_secs(5 * 60);

/// Returns the pause before the next attempt: one second, doubled with each consecutive failure up
/// to 60 seconds, multiplied by a jitter of 0.5 to 1.5, and at least `retry_after` (up to
/// [`MAX_RETRY_AFTER`]).
///
/// `random` is in 0 to 1. Full jitter (0 to 1 times the pause) would end short outages late for
/// many processes.
pub(super) fn pause(
    failures_in_a_row: u32,
    random: f64,
    retry_after: Option<Duration>,
) -> Duration {
    let doublings = failures_in_a_row.saturating_sub(1).min(6);
    let pause = MIN_PAUSE.saturating_mul(1 << doublings).min(MAX_PAUSE);
    let jittered = pause.mul_f64(0.5 + random.clamp(0.0, 1.0));
    jittered.max(retry_after.unwrap_or_default().min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn pause_doubles_from_1_to_60_seconds() {
        let pauses =
            [1, 2, 3, 4, 5, 6, 7, 8, u32::MAX].map(|failures| pause(failures, 0.5, None).as_secs());
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn pause_is_jittered_by_half() {
        assert_eq!((pause(4, 0.0, None), pause(4, 1.0, None)), (s(4), s(12)));
        assert_eq!((pause(99, 0.0, None), pause(99, 1.0, None)), (s(30), s(90)));
    }

    #[test]
    fn retry_after_is_honoured_up_to_five_minutes() {
        assert_eq!(pause(1, 0.5, Some(s(120))), s(120));
        assert_eq!(pause(1, 0.5, Some(s(300))), s(300));
        assert_eq!(pause(1, 0.5, Some(s(301))), s(300));
        assert_eq!(
            pause(7, 0.5, Some(s(0))),
            s(60),
            "never shorter than the backoff"
        );
    }
}
