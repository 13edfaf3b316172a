//! The same words about the same object: told once, then gathered into one card when ten minutes are over. Pure.

use crate::tell::{MOST_REMEMBERED, Notice, SAME_MS};
use std::collections::HashMap;
use std::sync::Arc;

/// What was told in the last minutes, since when, and how often it was seen.
#[derive(Debug, Default)]
pub(super) struct Repeats(HashMap<Arc<Notice>, (i64, u32)>);

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    First,
    Again,
    TooMany,
}

impl Repeats {
    pub(super) fn see(&mut self, notice: &Arc<Notice>, now: i64) -> Seen {
        if let Some((_, times)) = self.0.get_mut(notice) {
            *times = times.saturating_add(1);
            return Seen::Again;
        }
        if self.0.len() >= MOST_REMEMBERED {
            return Seen::TooMany;
        }
        self.0.insert(notice.clone(), (now, 1));
        Seen::First
    }

    /// What was seen again, for those whose time is over; they are forgotten.
    pub(super) fn over(&mut self, now: i64) -> Vec<(Arc<Notice>, u32)> {
        let is_over = |since: i64| (now - since).abs() >= SAME_MS;
        let again = self.0.iter().filter(|(_, (since, times))| is_over(*since) && *times > 1);
        let again = again.map(|(notice, (_, times))| (notice.clone(), *times)).collect();
        self.0.retain(|_, (since, _)| !is_over(*since));
        again
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tell::tests::notice;

    #[test]
    fn same_words_are_one_card_and_a_digest() {
        let mut repeats = Repeats::default();
        assert_eq!(repeats.see(&notice("web").into(), 0), Seen::First);
        assert_eq!(repeats.see(&notice("web").into(), 1), Seen::Again);
        assert_eq!(repeats.see(&notice("api").into(), 1), Seen::First);
        assert_eq!(repeats.over(SAME_MS - 1), []);
        assert_eq!(repeats.over(SAME_MS + 1), [(notice("web").into(), 2)]);
        assert_eq!(repeats.see(&notice("web").into(), SAME_MS + 2), Seen::First);
    }
}
