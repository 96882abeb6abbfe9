//! The pause after a failed fetch.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_mins(1);

/// The longest `Retry-After` that is honoured: a mistaken one must not outlive the outage it came
/// from.
pub(super) const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(5);

/// One second, doubling to sixty with every failure in a row, times 0.5 to 1.5 as `random` (0 to 1)
/// says; no shorter than what the server asked for. Full jitter, 0 to 1, would make a short outage
/// end late for many.
pub(super) fn pause(
    failures_in_a_row: u32,
    random: f64,
    retry_after: Option<Duration>,
) -> Duration {
    let doublings = failures_in_a_row.saturating_sub(1).min(6);
    let length = FIRST.saturating_mul(1 << doublings).min(LAST);
    let jittered = length.mul_f64(0.5 + random.clamp(0.0, 1.0));
    jittered.max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn doubles_from_one_second_to_sixty() {
        let lengths =
            [1, 2, 3, 4, 5, 6, 7, 8, u32::MAX].map(|failures| pause(failures, 0.5, None).as_secs());
        assert_eq!(lengths, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn is_jittered_from_half_to_one_and_a_half() {
        assert_eq!((pause(4, 0.0, None), pause(4, 1.0, None)), (s(4), s(12)));
        assert_eq!((pause(99, 0.0, None), pause(99, 1.0, None)), (s(30), s(90)));
    }

    #[test]
    fn honours_retry_after_up_to_five_minutes() {
        assert_eq!(pause(1, 0.5, Some(s(120))), s(120));
        assert_eq!(pause(1, 0.5, Some(s(300))), s(300));
        assert_eq!(pause(1, 0.5, Some(s(301))), s(300));
        assert_eq!(
            pause(7, 0.5, Some(s(0))),
            s(60),
            "but never below its own pause"
        );
    }
}
