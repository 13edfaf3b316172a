//! Whether enforcement grew weaker from one bundle or assignment to the next: policies that are gone, a deny level that
//! fell. Meant or not, people hear of it.

use std::collections::BTreeSet;
use writ_policy::{DenyLevel, PolicyInfo};

/// How long it is told to the hub, in milliseconds: a day.
pub const TOLD_MS: i64 = 24 * 60 * 60 * 1000;
/// How many policies are named.
const NAMED: usize = 10;

/// What is enforced, as far as it can grow weaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strength {
    /// Codes of the policies that judge.
    pub policies: BTreeSet<String>,
    /// Which severities deny.
    pub deny_level: DenyLevel,
}

impl Strength {
    /// The strength of these policies at this level.
    pub fn of<'a>(policies: impl IntoIterator<Item = &'a PolicyInfo>, deny_level: DenyLevel) -> Self {
        Self { policies: policies.into_iter().map(|policy| policy.code.to_string()).collect(), deny_level }
    }

    /// What is weaker than before, as a sentence; nothing when nothing is.
    pub fn weaker_than(&self, before: &Self) -> Option<String> {
        let gone: Vec<&str> = before.policies.difference(&self.policies).map(String::as_str).collect();
        let mut said = vec![];
        if !gone.is_empty() {
            let more = if gone.len() > NAMED { ", ..." } else { "" };
            let named = gone.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
            said.push(format!("{} of {} policies judge no more: {named}{more}", gone.len(), before.policies.len()));
        }
        if self.deny_level < before.deny_level {
            said.push(format!("the deny level fell from {} to {}", before.deny_level, self.deny_level));
        }
        (!said.is_empty()).then(|| said.join("; "))
    }
}

/// Follows the strength over time.
#[derive(Debug, Default)]
pub struct Watch {
    now: Option<Strength>,
    told: Option<Told>,
}

/// A weakening, until it is made good.
#[derive(Debug)]
struct Told {
    sentence: String,
    at: i64,
    before: Strength,
}

impl Watch {
    /// What is enforced from now on; what of it is weaker than before.
    pub fn see(&mut self, strength: Strength, at: i64) -> Option<String> {
        let before = self.now.replace(strength.clone())?;
        let weaker = strength.weaker_than(&before);
        if let Some(sentence) = &weaker {
            self.told = Some(Told { sentence: sentence.clone(), at, before });
        } else if self.told.as_ref().is_some_and(|told| strength.weaker_than(&told.before).is_none()) {
            self.told = None;
        }
        weaker
    }

    /// What is to be told now.
    pub fn told(&self, now: i64) -> Option<String> {
        let told = self.told.as_ref().filter(|told| now - told.at < TOLD_MS)?;
        Some(format!("enforcement is weaker than before: {}", told.sentence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strength(policies: &[&str], deny_level: DenyLevel) -> Strength {
        Strength { policies: policies.iter().map(|code| (*code).to_owned()).collect(), deny_level }
    }

    #[test]
    fn weakening_is_told_for_a_day_or_until_it_is_made_good() {
        let mut watch = Watch::default();
        assert_eq!(watch.see(strength(&["A"], DenyLevel::High), 0), None, "the first is no weaker than nothing");
        assert!(watch.see(strength(&["A"], DenyLevel::Low), 10).is_some());
        assert!(watch.told(10 + TOLD_MS - 1).is_some() && watch.told(10 + TOLD_MS).is_none());
        watch.see(strength(&["A"], DenyLevel::Med), 20);
        assert!(watch.told(20).is_some(), "not yet what it was");
        watch.see(strength(&["A", "B"], DenyLevel::High), 30);
        assert_eq!(watch.told(30), None);
    }

    #[test]
    fn fewer_policies_and_a_lower_level_are_weaker_and_more_is_not() {
        let before = strength(&["A", "B"], DenyLevel::Med);
        assert_eq!(strength(&["A", "B", "C"], DenyLevel::High).weaker_than(&before), None);
        assert_eq!(
            strength(&["A", "C"], DenyLevel::Low).weaker_than(&before).unwrap(),
            "1 of 2 policies judge no more: B; the deny level fell from MED to LOW"
        );
    }
}
