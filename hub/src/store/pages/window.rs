//! The span of time that a page compares with the span before it, in Unix minutes, and the sums that it is made of.

use crate::store::sums::{DAY, HOUR, MINUTE};

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

/// Buckets of one length, `[first, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// Whether it belongs to the later span.
    pub(super) is_later: bool,
    /// Length of a bucket in minutes.
    pub(super) span: i64,
    pub(super) first: i64,
    pub(super) end: i64,
}

/// Unix milliseconds of one minute.
pub const MINUTE_MS: i64 = 60_000;
/// The most pieces of a window: minutes, hours, days, hours, minutes of each span.
pub(super) const PIECES: usize = 10;

impl Window {
    /// The last `minutes` up to and with the minute of `now`, and as many before. A day and more is taken by whole
    /// hours, since no minutes are kept for long.
    pub fn ending_at(now: i64, minutes: i64) -> Self {
        let finest = if minutes < DAY { MINUTE } else { HOUR };
        let until = (now.div_euclid(MINUTE_MS).div_euclid(finest) + 1) * finest;
        Self { before: until - 2 * minutes, since: until - minutes, until }
    }

    /// Length of the later span in minutes.
    pub fn minutes(&self) -> i64 {
        self.until - self.since
    }

    /// The fewest sums that make up both spans: whole days, the hours beside them, and the minutes beside those.
    pub(super) fn pieces(&self) -> Vec<Piece> {
        let mut pieces = Vec::with_capacity(PIECES);
        for (is_later, from, until) in [(false, self.before, self.since), (true, self.since, self.until)] {
            let until = until.max(from);
            let hours = (up(from, HOUR).min(until), down(until, HOUR).max(up(from, HOUR).min(until)));
            let days = (up(hours.0, DAY).min(hours.1), down(hours.1, DAY).max(up(hours.0, DAY).min(hours.1)));
            let ranges = [
                (MINUTE, from, hours.0),
                (HOUR, hours.0, days.0),
                (DAY, days.0, days.1),
                (HOUR, days.1, hours.1),
                (MINUTE, hours.1, until),
            ];
            pieces.extend(ranges.map(|(span, from, until)| {
                let (first, end) = (from.div_euclid(span), until.div_euclid(span));
                Piece { is_later, span, first, end: if from == until { first } else { end } }
            }));
        }
        pieces
    }
}

/// The next multiple, or this one.
fn up(minute: i64, span: i64) -> i64 {
    -down(-minute, span)
}

/// The multiple before, or this one.
fn down(minute: i64, span: i64) -> i64 {
    minute.div_euclid(span) * span
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

    #[test]
    fn day_and_more_is_taken_by_whole_hours() {
        let window = Window::ending_at(1_000_001 * MINUTE_MS, DAY);
        assert_eq!((window.until, window.until % HOUR, window.since), (1_000_020, 0, 1_000_020 - DAY));
    }

    #[test]
    fn pieces_cover_every_minute_once() {
        for (before, since, until) in
            [(881, 941, 1_001), (0, 1, 2), (59, 61, 4_400), (100, 5_000, 90_001), (60, 1_440, 2_880), (5, 5, 5)]
        {
            let window = Window { before, since, until };
            for (is_later, from, until) in [(false, before, since), (true, since, until)] {
                let pieces = window.pieces().into_iter().filter(|piece| piece.is_later == is_later);
                let mut minutes: Vec<i64> =
                    pieces.flat_map(|piece| piece.first * piece.span..piece.end * piece.span).collect();
                minutes.sort_unstable();
                assert_eq!(minutes, (from..until).collect::<Vec<_>>(), "{window:?}");
            }
        }
    }

    #[test]
    fn a_month_is_few_rows_of_each_subject() {
        let window = Window::ending_at(1_795_243_328_000, 30 * DAY);
        let buckets: i64 = window.pieces().iter().map(|piece| piece.end - piece.first).sum();
        assert!(buckets < 135, "{buckets}");
        assert_eq!(window.pieces().len(), PIECES);
    }
}
