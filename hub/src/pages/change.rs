//! What a revision changed, as pages say it: shares, and the class of one that moved.

use super::figure::{Change, Share, Wish};
use crate::movement::{Effect, Movement, Rate, Reach};
use crate::store::sums::MINUTE;

/// The class of a share that was another one before; less is better.
pub(super) fn verdict(before: Rate, after: Rate) -> &'static str {
    match Movement::of(before, after) {
        Movement::Worse | Movement::New => "change worse",
        Movement::Better => "change better",
        Movement::Same => "change",
    }
}

impl Reach {
    /// "the hour", "the 6 hours".
    pub(super) fn label(self) -> &'static str {
        if self.span == MINUTE { "the hour" } else { "the 6 hours" }
    }
}

impl Effect {
    pub(super) fn share_before(&self) -> Share {
        Share { part: self.failing_before, whole: self.judged_before }
    }

    pub(super) fn share(&self) -> Share {
        Share { part: self.failing, whole: self.judged }
    }

    /// Better or worse, by the share of failures.
    pub(super) fn class(&self) -> &'static str {
        let (before, after) = self.rates();
        verdict(before, after)
    }

    pub(super) fn denied_share_before(&self) -> Share {
        Share { part: self.denied_before, whole: self.judged_before }
    }

    pub(super) fn denied_share(&self) -> Share {
        Share { part: self.denied, whole: self.judged }
    }

    pub(super) fn judged_change(&self) -> Change {
        Change::new(self.judged, self.judged_before, Wish::Neither)
    }
}
