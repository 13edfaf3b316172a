//! A policy that exceeds its budget again and again costs every review its time. After some times in a row it is not
//! evaluated for a while, and its `on_error` answers for it. A pure state machine: `now` is an argument, and who
//! evaluates tells what came of it.

use std::collections::BTreeMap;
use writ_policy::{Outcome, PolicyCode, PolicyResult};

/// What is said of a policy that is put aside. The same each time, for messages are counted.
const REASON: &str = "it is in quarantine, because it exceeded its budget again and again";

/// As good as for ever, in milliseconds: ten years.
const UNTIL_OTHERS: i64 = 10 * 365 * 86_400_000;

/// When a policy is put aside, and for how long. Times are milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuarantineRules {
    /// So many times in a row it may not exceed its budget.
    pub strikes: u32,
    /// The first and the last of them lie no further apart.
    pub window: i64,
    /// It is not evaluated for so long. When it then exceeds its budget again, it is put aside at once.
    pub term: i64,
}

impl Default for QuarantineRules {
    fn default() -> Self {
        Self { strikes: 3, window: 10 * 60_000, term: 5 * 60_000 }
    }
}

/// A policy that is not evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Which one.
    pub policy: PolicyCode,
    /// Unix milliseconds.
    pub since: i64,
    /// Unix milliseconds; from then on it is evaluated again.
    pub until: i64,
}

/// What is remembered of offenders.
#[derive(Debug, Default)]
pub(crate) struct Quarantine {
    rules: QuarantineRules,
    offenders: BTreeMap<PolicyCode, Offender>,
}

#[derive(Debug, Clone, Copy)]
struct Offender {
    strikes: u32,
    first: i64,
    term: Option<(i64, i64)>,
}

impl Quarantine {
    pub(crate) fn new(rules: QuarantineRules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// What came of one review, and which policies exceeded their budgets on it. An error of another kind says nothing:
    /// the policy may not have been reached.
    pub(crate) fn learn(&mut self, results: &[PolicyResult], overran: &[PolicyCode], now: i64) {
        overran.iter().for_each(|policy| self.record(policy, true, now));
        let evaluated = results.iter().filter(|result| !matches!(result.outcome, Outcome::Error(_)));
        for result in evaluated.filter(|_| !self.offenders.is_empty()).collect::<Vec<_>>() {
            self.record(&result.policy.code, false, now);
        }
    }

    /// The policy held its thread and could not be stopped: it is put aside until there are other policies.
    pub(crate) fn put_aside(&mut self, policy: &PolicyCode, now: i64) {
        let term = Some((now, now.saturating_add(UNTIL_OTHERS)));
        self.offenders.insert(policy.clone(), Offender { strikes: self.rules.strikes, first: now, term });
    }

    /// The policy was evaluated, and did or did not exceed its budget.
    fn record(&mut self, policy: &PolicyCode, exceeded: bool, now: i64) {
        let known = self.offenders.get(policy).copied();
        if known.is_some_and(|offender| offender.is_aside(now)) {
            // It was evaluated by a worker that had not heard of it yet.
            return;
        }
        if exceeded {
            self.strike(policy, known, now);
        } else {
            self.offenders.remove(policy);
        }
    }

    fn strike(&mut self, policy: &PolicyCode, known: Option<Offender>, now: i64) {
        let served = known.is_some_and(|offender| offender.term.is_some());
        let counted = known.filter(|offender| now - offender.first <= self.rules.window);
        let strikes = counted.map_or(0, |offender| offender.strikes) + 1;
        let first = counted.map_or(now, |offender| offender.first);
        let term = (served || strikes >= self.rules.strikes).then(|| (now, now + self.rules.term));
        self.offenders.insert(policy.clone(), Offender { strikes, first, term });
    }

    /// Those that are not evaluated at this time, by code.
    pub(crate) fn list(&self, now: i64) -> Vec<Quarantined> {
        let aside = self.offenders.iter().filter(|(_, offender)| offender.is_aside(now));
        let quarantined = |(policy, offender): (&PolicyCode, &Offender)| {
            let (since, until) = offender.term?;
            Some(Quarantined { policy: policy.clone(), since, until })
        };
        aside.filter_map(quarantined).collect()
    }

    /// What a worker is told: who is put aside, and what is said of each.
    pub(crate) fn reasons(&self, now: i64) -> BTreeMap<PolicyCode, String> {
        self.list(now).into_iter().map(|quarantined| (quarantined.policy, REASON.to_owned())).collect()
    }

    /// Whether anything is remembered. Mostly not, and then nothing else need be asked.
    pub(crate) fn is_empty(&self) -> bool {
        self.offenders.is_empty()
    }

    /// Other policies are active: whoever offended may have been mended.
    pub(crate) fn forget(&mut self) {
        self.offenders.clear();
    }
}

impl Offender {
    fn is_aside(&self, now: i64) -> bool {
        self.term.is_some_and(|(since, until)| (since..until).contains(&now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULES: QuarantineRules = QuarantineRules { strikes: 3, window: 100, term: 50 };

    fn code(name: &str) -> PolicyCode {
        PolicyCode::new(name).unwrap()
    }

    fn after(history: &[(bool, i64)]) -> Quarantine {
        let mut quarantine = Quarantine::new(RULES);
        history.iter().for_each(|(exceeded, now)| quarantine.record(&code("A"), *exceeded, *now));
        quarantine
    }

    fn aside(history: &[(bool, i64)], now: i64) -> bool {
        !after(history).list(now).is_empty()
    }

    #[test]
    fn third_time_in_a_row_puts_a_policy_aside_for_its_term() {
        let thrice = [(true, 0), (true, 10), (true, 20)];
        assert!(!aside(&thrice[..2], 20));
        let expected = Quarantined { policy: code("A"), since: 20, until: 70 };
        assert_eq!(after(&thrice).list(69), [expected]);
        assert!(!aside(&thrice, 70));
    }

    #[test]
    fn one_evaluation_within_the_budget_clears_the_policy() {
        assert!(!aside(&[(true, 0), (true, 10), (false, 15), (true, 20), (true, 30)], 30));
        assert!(after(&[(true, 0), (false, 1)]).is_empty());
    }

    #[test]
    fn offences_far_apart_do_not_add_up() {
        assert!(!aside(&[(true, 0), (true, 90), (true, 101)], 101));
        assert!(aside(&[(true, 0), (true, 90), (true, 100)], 100));
    }

    #[test]
    fn a_policy_that_served_its_term_is_put_aside_at_the_first_offence() {
        let served = [(true, 0), (true, 10), (true, 20), (true, 500)];
        assert!(aside(&served, 500));
        assert!(!aside(&[(true, 0), (true, 10), (true, 20), (false, 500), (true, 510)], 510));
    }

    #[test]
    fn policies_do_not_answer_for_each_other() {
        let mut quarantine = Quarantine::new(RULES);
        ["A", "B", "C"].into_iter().for_each(|name| quarantine.record(&code(name), true, 0));
        assert!(quarantine.list(0).is_empty());
    }

    proptest! {
        /// Whoever is aside offended at least three times or had been aside, is released after the term at the latest,
        /// and never forgets a clean evaluation.
        #[test]
        fn nobody_is_aside_without_offences_in_a_row(
            history in proptest::collection::vec((any::<bool>(), 0_i64..60), 0..40)
        ) {
            let mut quarantine = Quarantine::new(RULES);
            let (mut now, mut in_a_row, mut served) = (0, 0_u32, false);
            for (exceeded, wait) in history {
                now += wait;
                let was_aside = !quarantine.list(now).is_empty();
                quarantine.record(&code("A"), exceeded, now);
                let is_aside = !quarantine.list(now).is_empty();
                if was_aside {
                    prop_assert!(is_aside, "a term does not end early");
                    continue;
                }
                in_a_row = if exceeded { in_a_row + 1 } else { 0 };
                served = served && exceeded;
                prop_assert!(!is_aside || (exceeded && (served || in_a_row >= RULES.strikes)));
                served |= is_aside;
                prop_assert!(quarantine.list(now + RULES.term).is_empty(), "a term ends");
            }
        }

        /// Offences in a row within the window always end in quarantine.
        #[test]
        fn who_offends_three_times_at_once_is_put_aside(start in 0_i64..1_000, waits in proptest::collection::vec(0_i64..=50, 2)) {
            let mut now = start;
            let mut history = vec![(true, now)];
            for wait in waits {
                now += wait;
                history.push((true, now));
            }
            prop_assert!(aside(&history, now));
        }
    }
}
