//! Retry with full jitter: a random time up to a bound that doubles, so that a fleet never returns in step.

use std::time::Duration;

/// Grows with each failure, starts over after a success.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    attempt: u32,
}

impl Backoff {
    /// Waits up to `first` at first, never longer than `cap`.
    pub fn new(first: Duration, cap: Duration) -> Self {
        Self { first, cap, attempt: 0 }
    }

    /// How often in a row it failed.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The next pause: anything between nothing and the bound.
    pub fn next_pause(&mut self) -> Duration {
        let bound = self.bound();
        self.attempt = self.attempt.saturating_add(1);
        bound.mul_f64(fastrand::f64())
    }

    /// Start over.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }

    fn bound(&self) -> Duration {
        self.first.saturating_mul(1 << self.attempt.min(20)).min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_is_bounded_by_the_cap_and_starts_over() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        for _ in 0..100 {
            assert!(backoff.next_pause() <= Duration::from_secs(5));
        }
        backoff.reset();
        assert!(backoff.next_pause() <= Duration::from_millis(100));
    }
}
