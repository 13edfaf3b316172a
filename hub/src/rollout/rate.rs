//! Whether a policy denies or errs more than before, by more than the bound and by more than chance: a canary sees few
//! reviews, and one refusal among three is no rise yet, while three among three are.

use std::collections::BTreeSet;
use writ_policy::fleet::{HaltOn, Percent};

/// How many standard deviations are chance: one in a hundred.
const Z: f64 = 2.58;

/// What one policy did in the clusters of a wave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Its name.
    pub policy: String,
    /// By what was enforced before.
    pub before: Tally,
    /// By the revision that is rolled out.
    pub after: Tally,
}

/// Evaluations, and how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub evaluations: i64,
    /// Those whose action was deny.
    pub denials: i64,
    /// Those that erred.
    pub errors: i64,
}

/// A policy that does more than it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its name.
    pub policy: String,
    /// What it does, for people.
    pub reason: String,
}

impl Tally {
    /// Adds another one.
    pub fn add(&mut self, more: Self) {
        self.evaluations += more.evaluations;
        self.denials += more.denials;
        self.errors += more.errors;
    }
}

/// The policies that do more harm than the bounds allow, without those that somebody accepted.
pub fn alarms(bounds: HaltOn, judged: &[Judged], accepted: &BTreeSet<String>) -> Vec<Alarm> {
    let open = judged.iter().filter(|judged| !accepted.contains(&judged.policy));
    let alarm = |judged: &Judged| {
        let denies = rise(bounds.deny_rate_rise, judged, "denies", |tally| tally.denials);
        let reason = denies.or_else(|| rise(bounds.error_rate_rise, judged, "errs in", |tally| tally.errors))?;
        Some(Alarm { policy: judged.policy.clone(), reason })
    };
    open.filter_map(alarm).collect()
}

fn rise(bound: Option<Percent>, judged: &Judged, does: &str, count: fn(&Tally) -> i64) -> Option<String> {
    let bound = bound?;
    let Judged { policy, before, after } = judged;
    let (now, _) = interval(count(after), after.evaluations);
    let (_, then) = interval(count(before), before.evaluations);
    // Without any evaluation before, it is a policy that nobody was refused by.
    let then = if before.evaluations == 0 { 0.0 } else { then };
    if now - then <= bound.share() {
        return None;
    }
    let (after, before) = ((count(after), after.evaluations), (count(before), before.evaluations));
    Some(format!(
        "`{policy}` {does} {} of {} evaluations ({}), before {} of {} ({}): a rise above {bound}",
        after.0,
        after.1,
        percent(after),
        before.0,
        before.1,
        percent(before)
    ))
}

/// Wilson's interval: between which shares the true one is, by what was counted.
fn interval(hits: i64, of: i64) -> (f64, f64) {
    if of <= 0 {
        return (0.0, 1.0);
    }
    let (hits, of) = (hits.clamp(0, of) as f64, of as f64);
    let share = hits / of;
    let scale = 1.0 + Z * Z / of;
    let middle = share + Z * Z / (2.0 * of);
    let half = Z * (share * (1.0 - share) / of + Z * Z / (4.0 * of * of)).sqrt();
    ((middle - half) / scale, (middle + half) / scale)
}

fn percent((hits, of): (i64, i64)) -> String {
    if of == 0 {
        return "none".into();
    }
    format!("{:.1}%", 100.0 * hits as f64 / of as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(evaluations: i64, denials: i64) -> Tally {
        Tally { evaluations, denials, errors: 0 }
    }

    fn bounds() -> HaltOn {
        serde_json::from_value(serde_json::json!({ "denyRateRise": "5%", "errorRateRise": "1%" })).unwrap()
    }

    #[test]
    fn rise_above_the_bound_is_told_when_it_is_no_chance() {
        for (before, after, is_alarm) in [
            (tally(1_000, 0), tally(3, 3), true),
            (tally(1_000, 0), tally(0, 0), false),
            (tally(1_000, 20), tally(3, 1), false),
            (tally(1_000, 20), tally(1_000, 60), false),
            (tally(1_000, 20), tally(10_000, 1_000), true),
            (tally(0, 0), tally(20, 20), true),
            (tally(0, 0), tally(1_000, 10), false),
            (tally(100, 100), tally(100, 100), false),
            (tally(10, 1), tally(10, 1), false),
        ] {
            let judged = Judged { policy: "p".into(), before, after };
            let found = alarms(bounds(), &[judged], &BTreeSet::new());
            assert_eq!(!found.is_empty(), is_alarm, "{before:?} {after:?}");
        }
    }

    #[test]
    fn errors_count_by_their_own_bound_and_what_was_accepted_does_not() {
        let after = Tally { evaluations: 50, denials: 0, errors: 50 };
        let judged = [Judged { policy: "p".into(), before: tally(50, 0), after }];
        let found = alarms(bounds(), &judged, &BTreeSet::new());
        assert_eq!(
            found[0].reason,
            "`p` errs in 50 of 50 evaluations (100.0%), before 0 of 50 (0.0%): a rise above 1%"
        );
        assert!(alarms(bounds(), &judged, &BTreeSet::from(["p".into()])).is_empty());
        assert!(alarms(HaltOn::default(), &judged, &BTreeSet::new()).is_empty(), "no bound, no alarm");
    }
}
