//! What a revision changed: failures in the hour before it was served and in the hour after.

use super::figure::{Change, Share, Wish};
use crate::store::{MINUTE_MS, Minute, Window};

/// How long before and after is measured, in minutes.
const MINUTES: i64 = 60;

/// Both hours, from the minute in which the revision was first served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Effect {
    pub(super) judged_before: i64,
    pub(super) failing_before: i64,
    pub(super) denied_before: i64,
    pub(super) judged: i64,
    pub(super) failing: i64,
    pub(super) denied: i64,
}

/// The hour before and the hour from the minute of this moment.
pub(super) fn around(at: i64) -> Window {
    let since = at.div_euclid(MINUTE_MS);
    Window { before: since - MINUTES, since, until: since + MINUTES }
}

/// The class of a share that was another one before; less is better.
pub(super) fn verdict(before: Share, after: Share) -> &'static str {
    match (before.percent(), after.percent()) {
        (Some(before), Some(after)) if after > before => "change worse",
        (Some(before), Some(after)) if after < before => "change better",
        _ => "change",
    }
}

impl Effect {
    /// The effect of what happened at this moment, by what these minutes hold.
    pub(super) fn of(at: i64, minutes: &[Minute]) -> Self {
        let window = around(at);
        let mut effect = Self::default();
        for minute in minutes.iter().filter(|minute| (window.before..window.until).contains(&minute.minute)) {
            let (judged, failing, denied) = match minute.minute < window.since {
                true => (&mut effect.judged_before, &mut effect.failing_before, &mut effect.denied_before),
                false => (&mut effect.judged, &mut effect.failing, &mut effect.denied),
            };
            *judged += minute.judged;
            *failing += minute.failing;
            *denied += minute.denied;
        }
        effect
    }

    pub(super) fn share_before(&self) -> Share {
        Share { part: self.failing_before, whole: self.judged_before }
    }

    pub(super) fn share(&self) -> Share {
        Share { part: self.failing, whole: self.judged }
    }

    /// Better or worse, by the share of failures.
    pub(super) fn class(&self) -> &'static str {
        verdict(self.share_before(), self.share())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minute_of_the_change_belongs_to_the_hour_after() {
        let minute = |minute, judged, failing| Minute { minute, judged, failing, denied: 0 };
        let minutes = [minute(39, 9, 9), minute(40, 10, 1), minute(100, 10, 4), minute(159, 10, 0), minute(160, 9, 9)];
        let effect = Effect::of(100 * MINUTE_MS + 59_000, &minutes);
        assert_eq!((effect.failing_before, effect.judged_before), (1, 10));
        assert_eq!((effect.failing, effect.judged), (4, 20));
        assert_eq!(effect.class(), "change worse");
    }
}
