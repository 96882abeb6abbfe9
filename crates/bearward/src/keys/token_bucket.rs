//! The token bucket that limits the fetches that requests can cause: a burst, then one per
//! cooldown.
//!
//! Hand-written because `governor` keeps its state in atomics; a pure bucket lets the scheduler be
//! tested without I/O.

use std::time::Duration;

/// Starts full. Scheduled refreshes take no tokens.
#[derive(Debug, Clone)]
pub(super) struct TokenBucket {
    burst: u32,
    cooldown: Duration,
    tokens: u32,
    /// The start of the current refill interval.
    refill_started_at: Duration,
}

impl TokenBucket {
    /// `cooldown` must not be zero ([`JwksCacheConfig::check`](super::JwksCacheConfig::check)).
    pub(super) fn new(burst: u32, cooldown: Duration) -> Self {
        Self {
            burst,
            cooldown,
            tokens: burst,
            refill_started_at: Duration::ZERO,
        }
    }

    /// Takes a token. Returns whether there was one.
    pub(super) fn take(&mut self, now: Duration) -> bool {
        self.refill(now);
        let has_token = self.tokens > 0;
        self.tokens -= u32::from(has_token);
        has_token
    }

    /// Returns the time until the next token; zero if there is one, `None` if there never is.
    pub(super) fn next_token_in(&mut self, now: Duration) -> Option<Duration> {
        self.refill(now);
        match (self.tokens, self.burst) {
            (0, 0) => None,
            (0, _) => Some((self.refill_started_at + self.cooldown).saturating_sub(now)),
            _ => Some(Duration::ZERO),
        }
    }

    fn refill(&mut self, now: Duration) {
        if self.tokens >= self.burst {
            self.refill_started_at = now;
            return;
        }
        let elapsed = now.saturating_sub(self.refill_started_at);
        let intervals = elapsed.as_nanos() / self.cooldown.as_nanos();
        let missing = self.burst - self.tokens;
        match u32::try_from(intervals) {
            Ok(intervals) if intervals < missing => {
                self.tokens += intervals;
                self.refill_started_at += self.cooldown * intervals;
            }
            _ => {
                self.tokens = self.burst;
                self.refill_started_at = now;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn burst_then_one_token_per_cooldown() {
        let mut bucket = TokenBucket::new(2, at(30));
        let taken: Vec<bool> = [100, 100, 100, 129, 130, 130, 159, 160]
            .map(|t| bucket.take(at(t)))
            .into();
        assert_eq!(taken, [true, true, false, false, true, false, false, true]);
    }

    #[test]
    fn tokens_never_exceed_the_burst() {
        let mut bucket = TokenBucket::new(2, at(30));
        assert!(bucket.take(at(0)));
        let taken = [1_000_000; 4].map(|t| bucket.take(at(t)));
        assert_eq!(taken, [true, true, false, false]);
    }

    #[test]
    fn burst_of_zero_gives_no_token() {
        let mut bucket = TokenBucket::new(0, at(30));
        assert!(!bucket.take(at(1000)));
        assert_eq!(bucket.next_token_in(at(1000)), None);
    }

    #[test]
    fn next_token_comes_with_the_next_refill() {
        let mut bucket = TokenBucket::new(1, at(30));
        assert_eq!(bucket.next_token_in(at(100)), Some(Duration::ZERO));
        assert!(bucket.take(at(100)));
        assert_eq!(bucket.next_token_in(at(100)), Some(at(30)));
        assert_eq!(bucket.next_token_in(at(129)), Some(at(1)));
        assert_eq!(bucket.next_token_in(at(130)), Some(Duration::ZERO));
    }
}
