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

/// Buckets of one length, `[first, end)`, and what they count for in each span: once, not at all, or taken off, where a
/// longer bucket brought too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// 1, 0 or -1 for the later span.
    pub(super) later: i64,
    /// The same for the earlier one.
    pub(super) earlier: i64,
    /// Length of a bucket in minutes.
    pub(super) span: i64,
    pub(super) first: i64,
    pub(super) end: i64,
}

/// Minutes `[from, until)` in buckets of one length, added or taken off.
#[derive(Debug, Clone, Copy)]
struct Run {
    sign: i64,
    span: i64,
    from: i64,
    until: i64,
}

/// Unix milliseconds of one minute.
pub const MINUTE_MS: i64 = 60_000;
/// The most pieces of a window: minutes, hours, quarters, days, weeks, days, quarters, hours, minutes of each span.
pub(super) const PIECES: usize = 18;

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

    /// The fewest sums of these lengths that make up both spans: whole weeks, and the days, hours and minutes from there to the
    /// ends, added or taken off, whichever are fewer. What both spans need is read once.
    pub(super) fn pieces(&self, spans: &[i64]) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::with_capacity(PIECES);
        for (is_later, from, until) in [(0, self.before, self.since), (1, self.since, self.until)] {
            for Run { sign, span, from, until } in runs(from, until, spans) {
                let (first, end) = (from / span, until / span);
                let (later, earlier) = (sign * is_later, sign * (1 - is_later));
                match pieces.iter_mut().find(|piece| (piece.span, piece.first, piece.end) == (span, first, end)) {
                    Some(piece) => (piece.later, piece.earlier) = (piece.later + later, piece.earlier + earlier),
                    None => pieces.push(Piece { later, earlier, span, first, end }),
                }
            }
        }
        pieces
    }
}

/// Buckets that add up to `[from, until)`: two runs of each length at most, and one of the longest.
fn runs(from: i64, until: i64, spans: &[i64]) -> Vec<Run> {
    let mut runs = vec![Run { sign: 1, span: spans[0], from, until }];
    // The buckets of the length before are between those that lead to them from both ends.
    for (index, span) in spans[1..].iter().enumerate() {
        let Some(through) = through(*span, runs[index]) else { break };
        runs.splice(index..=index, through);
    }
    runs.retain(|run| run.from < run.until);
    runs
}

/// The same by buckets of this length between the nearest to both ends, if those are fewer.
fn through(span: i64, run: Run) -> Option<[Run; 3]> {
    let (first, end) = (nearest(run.from, span), nearest(run.until, span));
    let ends = [between(run.span, run.from, first), between(run.span, end, run.until)];
    let runs = [ends[0], Run { sign: 1, span, from: first, until: end }, ends[1]];
    let buckets = |run: &Run| (run.until - run.from) / run.span;
    (runs.iter().map(buckets).sum::<i64>() < buckets(&run)).then_some(runs)
}

/// What leads from one place to another: taken off when it lies behind.
fn between(span: i64, from: i64, to: i64) -> Run {
    Run { sign: if from <= to { 1 } else { -1 }, span, from: from.min(to), until: from.max(to) }
}

/// The multiple that is nearest.
fn nearest(minute: i64, span: i64) -> i64 {
    (minute + span / 2).div_euclid(span) * span
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sums::{Kind, WEEK};

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

    const SPANS: &[i64] = Kind::Policy.spans();

    /// How often each minute around the window counts in the later and in the earlier span.
    fn counted(window: Window) -> Vec<(i64, i64)> {
        let around = WEEK;
        let mut counted = vec![(0, 0); usize::try_from(window.until - window.before + 2 * around).unwrap()];
        for piece in window.pieces(SPANS) {
            for minute in piece.first * piece.span..piece.end * piece.span {
                let counted = &mut counted[usize::try_from(minute - window.before + around).unwrap()];
                *counted = (counted.0 + piece.later, counted.1 + piece.earlier);
            }
        }
        counted
    }

    #[test]
    fn every_minute_of_a_span_counts_once_and_no_other() {
        let far = 1_000 * DAY;
        for (before, since, until) in [
            (881, 941, 1_001),
            (0, 1, 2),
            (59, 61, 4_400),
            (100, 5_000, 90_001),
            (60, 1_440, 2_880),
            (5, 5, 5),
            (1, 50, 99),
        ] {
            let window = Window { before: far + before, since: far + since, until: far + until };
            let expected = |minute: i64| {
                let minute = minute + window.before - WEEK;
                let is_in = |from, until| i64::from((from..until).contains(&minute));
                (is_in(window.since, window.until), is_in(window.before, window.since))
            };
            let counted = counted(window);
            let odd = (0..).zip(&counted).find(|(minute, counted)| **counted != expected(*minute));
            assert_eq!(odd, None, "{window:?}: {:?}", window.pieces(SPANS));
            assert!(window.pieces(SPANS).len() <= PIECES, "{window:?}");
        }
    }

    #[test]
    fn windows_are_few_rows_of_each_subject() {
        let buckets = |now: i64, minutes: i64| {
            let pieces = Window::ending_at(now * MINUTE_MS, minutes).pieces(SPANS);
            pieces.iter().map(|piece| piece.end - piece.first).sum::<i64>()
        };
        let week = || (29_920_722..29_920_722 + WEEK).step_by(7);
        let most = |minutes| week().map(|now| buckets(now, minutes)).max().unwrap();
        let mean = |minutes| week().map(|now| buckets(now, minutes)).sum::<i64>() / week().count() as i64;
        let windows = [HOUR, DAY, 7 * DAY, 30 * DAY];
        assert_eq!((windows.map(most), windows.map(mean)), ([120, 17, 29, 30], [47, 9, 15, 21]));
    }
}
