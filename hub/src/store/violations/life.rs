//! The life of a violation as a pure function of what was told: it is open when it was seen after it was last fixed.
//! Times are compared, so that words that come late or in another order neither open nor fix wrongly: at the same
//! instant, fixed stands.

use uuid::Uuid;

/// What happened to a violation by one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Opened,
    Reopened,
    Fixed,
}

impl Change {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Change::Opened => "opened",
            Change::Reopened => "reopened",
            Change::Fixed => "fixed",
        }
    }
}

/// One word of an agent about a violation.
pub(super) struct Word {
    pub(super) violation: Uuid,
    pub(super) at: i64,
    pub(super) reason: &'static str,
    pub(super) revision: i64,
}

/// From when to when, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) first_seen_at: i64,
    pub(super) opened_at: i64,
    pub(super) opened_revision: i64,
    pub(super) last_seen_at: i64,
    pub(super) sightings: i64,
    pub(super) reopenings: i64,
    pub(super) fixed_at: Option<i64>,
    pub(super) fixed_reason: String,
    pub(super) fixed_revision: Option<i64>,
    pub(super) exempted: bool,
}

impl Life {
    /// Seen for the first time.
    pub(super) fn first(at: i64, exempted: bool, revision: i64) -> Self {
        Self {
            first_seen_at: at,
            opened_at: at,
            opened_revision: revision,
            last_seen_at: at,
            sightings: 1,
            reopenings: 0,
            fixed_at: None,
            fixed_reason: String::new(),
            fixed_revision: None,
            exempted,
        }
    }

    /// Seen once more.
    pub(super) fn see(&mut self, at: i64, exempted: bool, revision: i64) -> Option<Change> {
        self.sightings += 1;
        self.first_seen_at = self.first_seen_at.min(at);
        if at < self.last_seen_at {
            return None;
        }
        self.last_seen_at = at;
        self.exempted = exempted;
        if self.fixed_at.is_none_or(|fixed_at| at <= fixed_at) {
            return None;
        }
        self.fixed_at = None;
        self.fixed_reason.clear();
        self.fixed_revision = None;
        (self.opened_at, self.opened_revision) = (at, revision);
        self.reopenings += 1;
        Some(Change::Reopened)
    }

    /// Said to be no more. Of several such words the latest stands, so that what was seen between them stays fixed.
    pub(super) fn fix(&mut self, at: i64, reason: &str, revision: i64) -> Option<Change> {
        if at < self.last_seen_at || self.fixed_at.is_some_and(|fixed_at| at <= fixed_at) {
            return None;
        }
        let change = self.fixed_at.is_none().then_some(Change::Fixed);
        self.fixed_at = Some(at);
        self.fixed_reason = reason.to_owned();
        self.fixed_revision = Some(revision);
        change
    }

    /// Whether it is among the open ones that an exemption covers.
    pub(super) fn counts_as_exempted(&self) -> bool {
        self.exempted && self.fixed_at.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tells `(at, is sighting)` in this order and answers `(open, reopenings, sightings)`.
    fn told(words: &[(i64, bool)]) -> (bool, i64, i64) {
        let mut life = Life::first(words[0].0, false, 1);
        for (at, seen) in &words[1..] {
            let _ = if *seen { life.see(*at, false, 1) } else { life.fix(*at, "passes", 1) };
        }
        (life.fixed_at.is_none(), life.reopenings, life.sightings)
    }

    #[test]
    fn open_when_seen_after_it_was_last_fixed() {
        for (words, expected) in [
            (&[(1, true)][..], (true, 0, 1)),
            (&[(1, true), (2, false)], (false, 0, 1)),
            (&[(1, true), (1, false)], (false, 0, 1)),
            (&[(1, true), (2, false), (3, true)], (true, 1, 2)),
            (&[(1, true), (2, false), (2, true)], (false, 0, 2)),
            (&[(5, true), (4, false)], (true, 0, 1)),
            (&[(5, true), (6, false), (3, true)], (false, 0, 2)),
            (&[(1, true), (2, false), (6, false), (4, true)], (false, 0, 2)),
        ] {
            assert_eq!(told(words), expected, "{words:?}");
        }
    }

    #[test]
    fn reopening_keeps_the_first_history() {
        let mut life = Life::first(10, true, 1);
        assert!(life.counts_as_exempted());
        assert_eq!(life.fix(20, "passes", 2), Some(Change::Fixed));
        assert!(!life.counts_as_exempted());
        assert_eq!(life.see(30, false, 3), Some(Change::Reopened));
        assert_eq!((life.first_seen_at, life.opened_at, life.opened_revision), (10, 30, 3));
        assert_eq!((life.fixed_at, life.fixed_reason.as_str()), (None, ""));
    }
}
