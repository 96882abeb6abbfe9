//! The token bucket that bounds how many fetches requests can cause: a burst, and then one per
//! cooldown.

use std::time::Duration;

/// Full at first. The scheduled refresh never draws from it.
#[derive(Debug, Clone)]
pub(super) struct TokenBucket {
    burst: u32,
    cooldown: Duration,
    tokens: u32,
    /// When the token that is being earned began to be earned.
    earning_since: Duration,
}

impl TokenBucket {
    /// `cooldown` is not zero ([`JwksCacheConfig::check`](super::JwksCacheConfig::check)).
    pub(super) fn new(burst: u32, cooldown: Duration) -> Self {
        Self {
            burst,
            cooldown,
            tokens: burst,
            earning_since: Duration::ZERO,
        }
    }

    /// Takes a token if there is one.
    pub(super) fn take(&mut self, now: Duration) -> bool {
        self.earn(now);
        let has = self.tokens > 0;
        self.tokens -= u32::from(has);
        has
    }

    fn earn(&mut self, now: Duration) {
        if self.tokens >= self.burst {
            self.earning_since = now;
            return;
        }
        let earned = now.saturating_sub(self.earning_since).as_nanos() / self.cooldown.as_nanos();
        let missing = self.burst - self.tokens;
        match u32::try_from(earned) {
            Ok(earned) if earned < missing => {
                self.tokens += earned;
                self.earning_since += self.cooldown * earned;
            }
            _ => {
                self.tokens = self.burst;
                self.earning_since = now;
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
    fn gives_the_burst_then_one_per_cooldown() {
        let mut bucket = TokenBucket::new(2, at(30));
        let taken: Vec<bool> = [100, 100, 100, 129, 130, 130, 159, 160]
            .map(|t| bucket.take(at(t)))
            .into();
        assert_eq!(taken, [true, true, false, false, true, false, false, true]);
    }

    #[test]
    fn never_holds_more_than_the_burst() {
        let mut bucket = TokenBucket::new(2, at(30));
        assert!(bucket.take(at(0)));
        let taken = [1_000_000; 4].map(|t| bucket.take(at(t)));
        assert_eq!(taken, [true, true, false, false]);
    }

    #[test]
    fn a_burst_of_zero_gives_nothing() {
        assert!(!TokenBucket::new(0, at(30)).take(at(1000)));
    }
}
