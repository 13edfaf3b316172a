//! The span of time that a page compares with the span before it, in whole Unix minutes.

/// Two spans of the same length, one after the other: `[before, since)` and `[since, until)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First minute of the span before.
    pub before: i64,
    /// First minute of the span.
    pub since: i64,
    /// The minute after the last; the minute of `now` is in.
    pub until: i64,
}

/// Unix milliseconds of one minute.
pub const MINUTE_MS: i64 = 60_000;

impl Window {
    /// The last `minutes` up to and with the minute of `now`, and as many before.
    pub fn ending_at(now: i64, minutes: i64) -> Self {
        let until = now.div_euclid(MINUTE_MS) + 1;
        Self { before: until - 2 * minutes, since: until - minutes, until }
    }

    /// Length of one span in minutes.
    pub fn minutes(&self) -> i64 {
        self.until - self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minute_of_now_is_the_last_of_the_window() {
        let window = Window::ending_at(1_000 * MINUTE_MS + 59_999, 60);
        assert_eq!(window, Window { before: 881, since: 941, until: 1_001 });
        assert_eq!(window.minutes(), 60);
    }
}
