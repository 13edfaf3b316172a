//! So many at once, and one more every so often. Pure.

/// A bucket of permissions that fills again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    most: i64,
    every_ms: i64,
    /// When it was, or will be, full, Unix milliseconds.
    full_at: i64,
}

impl Bucket {
    /// Full.
    pub(super) fn new(most: i64, every_ms: i64) -> Self {
        Self { most, every_ms, full_at: 0 }
    }

    /// Takes one, if there is one.
    pub(super) fn take(&mut self, now: i64) -> bool {
        // A clock that was set back must not close it for ever.
        let full_at = self.full_at.clamp(now, now + self.most * self.every_ms);
        let has_one = full_at + self.every_ms <= now + self.most * self.every_ms;
        self.full_at = if has_one { full_at + self.every_ms } else { full_at };
        has_one
    }

    /// Whether nothing was taken lately.
    pub(super) fn is_full(&self, now: i64) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_once_and_one_more_every_so_often() {
        let mut bucket = Bucket::new(3, 1_000);
        let taken: Vec<bool> = [0, 0, 0, 0, 999, 1_000, 1_000, 10_000].map(|now| bucket.take(now)).into();
        assert_eq!(taken, [true, true, true, false, false, true, false, true]);
        assert!(!bucket.is_full(10_000) && bucket.is_full(20_000));
        bucket.take(1_000_000_000);
        bucket.take(5_000);
        assert!(bucket.take(6_000), "the clock was set back");
    }
}
