//! What a revision changed: the share of failures in some time before it was served and in as much after. How long
//! depends on how finely it was counted. Pure.

use super::{Movement, Rate};
use crate::store::sums::{DAY, HOUR, MINUTE};
use crate::store::{MINUTE_MS, Minute, Window};

/// Minutes are kept for some days; what is older is told by hours.
const BY_MINUTES_MS: i64 = 2 * 24 * 60 * MINUTE_MS;

/// How far before and after is looked, by sums of which length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Length of the sums, in minutes.
    pub span: i64,
    /// How far, in minutes.
    pub minutes: i64,
}

/// Both times, without the bucket in which it happened where that holds both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effect {
    /// Judged before.
    pub judged_before: i64,
    /// Failing before.
    pub failing_before: i64,
    /// Denied before.
    pub denied_before: i64,
    /// Judged after.
    pub judged: i64,
    /// Failing after.
    pub failing: i64,
    /// Denied after.
    pub denied: i64,
}

impl Reach {
    /// An hour by minutes, six hours by hours, three days by days.
    pub fn by(span: i64) -> Self {
        let minutes = match span {
            MINUTE => HOUR,
            DAY => 3 * DAY,
            _ => 6 * HOUR,
        };
        Self { span, minutes }
    }

    /// What is known of a moment.
    pub fn of(at: i64, now: i64) -> Self {
        Self::by(if now - at < BY_MINUTES_MS { MINUTE } else { HOUR })
    }

    /// Before and from a moment. Of a moment within a bucket, the later span begins with the next one.
    pub fn around(self, at: i64) -> Window {
        let minute = at.div_euclid(MINUTE_MS);
        let bucket = minute.div_euclid(self.span) * self.span;
        let since = if self.span == MINUTE { minute } else { bucket + self.span };
        Window { before: bucket - self.minutes, since, until: since + self.minutes }
    }
}

impl Effect {
    /// The effect of what happened at this moment, by what these buckets hold.
    pub fn of(at: i64, reach: Reach, buckets: &[Minute]) -> Self {
        let window = reach.around(at);
        let end_before = window.before + reach.minutes;
        let mut effect = Self::default();
        for bucket in buckets {
            let (judged, failing, denied) = match bucket.minute {
                minute if (window.before..end_before).contains(&minute) => {
                    (&mut effect.judged_before, &mut effect.failing_before, &mut effect.denied_before)
                }
                minute if (window.since..window.until).contains(&minute) => {
                    (&mut effect.judged, &mut effect.failing, &mut effect.denied)
                }
                _ => continue,
            };
            *judged += bucket.judged;
            *failing += bucket.failing;
            *denied += bucket.denied;
        }
        effect
    }

    /// What failed before, and after.
    pub fn rates(&self) -> (Rate, Rate) {
        (
            Rate { judged: self.judged_before, failing: self.failing_before },
            Rate { judged: self.judged, failing: self.failing },
        )
    }

    /// Whether the difference says anything.
    pub fn movement(&self) -> Movement {
        let (before, after) = self.rates();
        Movement::of(before, after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(minute: i64, judged: i64, failing: i64) -> Minute {
        Minute { minute, judged, failing, denied: 0 }
    }

    #[test]
    fn minute_of_the_change_belongs_to_the_hour_after() {
        let buckets = [(39, 9, 9), (40, 1_000, 100), (100, 1_000, 400), (159, 1_000, 0), (160, 9, 9)];
        let buckets = buckets.map(|(minute, judged, failing)| bucket(minute, judged, failing));
        let effect = Effect::of(100 * MINUTE_MS + 59_000, Reach::by(MINUTE), &buckets);
        assert_eq!((effect.failing_before, effect.judged_before), (100, 1_000));
        assert_eq!((effect.failing, effect.judged), (400, 2_000));
        assert_eq!(effect.movement(), Movement::Worse);
    }

    #[test]
    fn hour_that_holds_the_change_is_on_neither_side() {
        let buckets: Vec<Minute> = (0..20).map(|hour| bucket(hour * 60, 100, hour)).collect();
        let effect = Effect::of((10 * 60 + 30) * MINUTE_MS, Reach::by(HOUR), &buckets);
        assert_eq!((effect.judged_before, effect.failing_before), (600, 4 + 5 + 6 + 7 + 8 + 9));
        assert_eq!((effect.judged, effect.failing), (600, 11 + 12 + 13 + 14 + 15 + 16));
    }

    #[test]
    fn few_reviews_are_no_verdict() {
        let effect = Effect { judged_before: 10, failing_before: 1, judged: 20, failing: 4, ..Effect::default() };
        assert_eq!(effect.movement(), Movement::Same);
    }
}
