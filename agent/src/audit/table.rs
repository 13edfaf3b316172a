//! Which objects are known to violate what, as compactly as telling changes allows: keys and hashes, never messages. A
//! pure state machine: what is judged goes in, what is to be told comes out.

mod cover;

use super::open::{Open, Verdict};
use crate::objects::ObjectName;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use writ_policy::wire::{Fixed, FixedReason, Violation, ViolationKey};
use writ_policy::{PolicyName, Revision};

/// Violations that are remembered; more are told each time they are found.
const MOST: usize = 250_000;

/// An object of a kind (`group/Kind`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectKey {
    /// `group/Kind`, shared by all objects of the kind.
    pub kind: Arc<str>,
    /// Which one.
    pub name: ObjectName,
}

/// How an object was come across.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Grows with each list of the kind.
    pub generation: u32,
    /// Whether violations are told though nothing changed: in a full pass.
    pub retell: bool,
}

/// When something was found, and what was enforced then.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    /// Unix milliseconds.
    pub(super) at: i64,
    /// The revision that decided.
    pub(super) revision: Revision,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    /// Objects that violate something.
    objects: HashMap<ObjectKey, Entry>,
    violations: HashMap<Arc<ViolationKey>, Known>,
    pending: HashMap<Arc<ViolationKey>, Pending>,
    /// Grows with what is told.
    version: u64,
    /// Violations that could not be remembered.
    pub(super) forgotten: u64,
}

#[derive(Debug)]
struct Entry {
    generation: u32,
    found: Box<[(Arc<ViolationKey>, u64)]>,
}

#[derive(Debug, Default)]
struct Known {
    /// How many objects it is about.
    objects: u32,
    /// What the hub was told last; nothing while something else speaks for it.
    told: Option<u64>,
    verdict: Verdict,
}

#[derive(Debug)]
enum Pending {
    Tell(Box<Violation>, bool),
    Fixed(Moment, FixedReason),
}

impl Table {
    /// What was found of one object, and why what was found before is not found now.
    pub(super) fn judged(
        &mut self,
        object: ObjectKey,
        seen: Seen,
        found: Vec<Violation>,
        moment: &Moment,
        why_not: &dyn Fn(&ViolationKey) -> FixedReason,
    ) {
        let before = self.objects.remove(&object).map(|entry| entry.found).unwrap_or_default();
        let mut now = Vec::with_capacity(found.len());
        for violation in found {
            let hash = hash_of(&violation);
            let known = before.iter().find(|(key, _)| **key == violation.key);
            if known.is_none_or(|(_, had)| *had != hash) || seen.retell {
                self.pending_tell(violation.clone(), seen.retell);
            }
            match known {
                Some((key, _)) => now.push((key.clone(), hash)),
                None => now.extend(self.remember(violation.key).map(|key| (key, hash))),
            }
        }
        let gone = before.iter().filter(|(key, _)| !now.iter().any(|(still, _)| still == key));
        for (key, _) in gone {
            self.release(key, moment, why_not(key));
        }
        if !now.is_empty() {
            self.objects.insert(object, Entry { generation: seen.generation, found: now.into() });
        }
    }

    /// The object could not be judged: what is known of it stays.
    pub(super) fn unjudged(&mut self, object: &ObjectKey, generation: u32) {
        if let Some(entry) = self.objects.get_mut(object) {
            entry.generation = generation;
        }
    }

    /// The object is no more.
    pub(super) fn gone(&mut self, object: &ObjectKey, moment: &Moment) {
        self.drop_object(object, moment, FixedReason::Gone);
    }

    /// The object is not judged any more.
    pub(super) fn excluded(&mut self, object: &ObjectKey, moment: &Moment) {
        self.drop_object(object, moment, FixedReason::Policy);
    }

    /// Objects of the kind, in one namespace or anywhere, that the last list did not show are no more.
    pub(super) fn sweep(&mut self, kind: &str, namespace: Option<&str>, generation: u32, moment: &Moment) {
        let is_unseen = |(key, entry): &(&ObjectKey, &Entry)| {
            let here = namespace.is_none() || key.name.namespace.as_deref() == namespace;
            &*key.kind == kind && here && entry.generation < generation
        };
        let unseen: Vec<ObjectKey> = self.objects.iter().filter(is_unseen).map(|(key, _)| key.clone()).collect();
        unseen.iter().for_each(|object| self.drop_object(object, moment, FixedReason::Gone));
    }

    /// No policy judges the kind any more, or the API server has no such kind.
    pub(super) fn forget(&mut self, kind: &str, moment: &Moment, reason: FixedReason) {
        let all: Vec<ObjectKey> = self.objects.keys().filter(|key| &*key.kind == kind).cloned().collect();
        all.iter().for_each(|object| self.drop_object(object, moment, reason));
    }

    /// Violations of other policies are no more.
    pub(super) fn keep_policies(&mut self, policies: &HashSet<PolicyName>, moment: &Moment) {
        let mut released = vec![];
        self.objects.retain(|_, entry| {
            let (kept, gone) = entry.found.iter().cloned().partition(|(key, _)| policies.contains(&key.policy));
            let kept: Vec<_> = kept;
            released.extend(gone);
            entry.found = kept.into();
            !entry.found.is_empty()
        });
        let released: Vec<(Arc<ViolationKey>, u64)> = released;
        released.iter().for_each(|(key, _)| self.release(key, moment, FixedReason::Policy));
    }

    /// Everything is forgotten and nothing told: somebody else audits from now on.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Violations that are open, those that another speaks for included.
    pub(super) fn open(&self) -> usize {
        self.violations.len()
    }

    /// Those that the hub was told.
    pub(super) fn known_to_the_hub(&self) -> Vec<Open> {
        let told = self.violations.iter().filter(|(_, known)| known.told.is_some());
        told.map(|(key, known)| Open { key: key.clone(), objects: known.objects, verdict: known.verdict }).collect()
    }

    /// Grows with what is told.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// How much waits to be told.
    pub(super) fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// The next that the hub is told, at most so many looked at.
    pub(super) fn take(&mut self, most: usize) -> (Vec<Violation>, Vec<Fixed>) {
        let keys: Vec<Arc<ViolationKey>> = self.pending.keys().take(most).cloned().collect();
        let (mut violations, mut fixed) = (vec![], vec![]);
        self.version += keys.len() as u64;
        for key in keys {
            match self.pending.remove(&key) {
                Some(Pending::Tell(violation, retell)) => self.tell(*violation, retell, &mut violations, &mut fixed),
                Some(Pending::Fixed(moment, reason)) => fixed.push(fix(&key, moment, reason)),
                None => {}
            }
        }
        (violations, fixed)
    }

    fn tell(&mut self, mut violation: Violation, retell: bool, tell: &mut Vec<Violation>, fixed: &mut Vec<Fixed>) {
        let moment = Moment { at: violation.at, revision: violation.revision.clone() };
        if cover::covers(&violation.key).any(|key| self.violations.contains_key(&key)) {
            fixed.extend(self.untell(&violation.key, &moment));
            return;
        }
        let Some(known) = self.violations.get_mut(&violation.key) else {
            // There was no room to remember it.
            tell.push(violation);
            return;
        };
        violation.objects = u64::from(known.objects);
        let hash = hash_of(&violation) ^ violation.objects;
        let is_new = known.told.is_none();
        if known.told == Some(hash) && !retell {
            return;
        }
        (known.told, known.verdict) = (Some(hash), Verdict::of(&violation));
        if is_new {
            let spoken_for = cover::covered_by(&violation.key);
            fixed.extend(spoken_for.iter().filter_map(|key| self.untell(key, &moment)));
        }
        tell.push(violation);
    }

    /// Something else speaks for it from now on.
    fn untell(&mut self, key: &ViolationKey, moment: &Moment) -> Option<Fixed> {
        let told = self.violations.get_mut(key)?.told.take();
        told.map(|_| fix(key, moment.clone(), FixedReason::Gone))
    }

    fn pending_tell(&mut self, violation: Violation, retell: bool) {
        let key = match self.violations.get_key_value(&violation.key) {
            Some((key, _)) => key.clone(),
            None => Arc::new(violation.key.clone()),
        };
        let before = matches!(self.pending.get(&key), Some(Pending::Tell(_, true)));
        self.pending.insert(key, Pending::Tell(violation.into(), retell || before));
    }

    fn remember(&mut self, key: ViolationKey) -> Option<Arc<ViolationKey>> {
        let shared = match self.violations.get_key_value(&key) {
            Some((shared, _)) => shared.clone(),
            None if self.violations.len() >= MOST => {
                self.forgotten += 1;
                return None;
            }
            None => Arc::new(key),
        };
        self.violations.entry(shared.clone()).or_default().objects += 1;
        Some(shared)
    }

    fn drop_object(&mut self, object: &ObjectKey, moment: &Moment, reason: FixedReason) {
        let entry = self.objects.remove(object);
        entry.iter().flat_map(|entry| &entry.found).for_each(|(key, _)| self.release(key, moment, reason));
    }

    /// One object less; with the last the violation is fixed.
    fn release(&mut self, key: &Arc<ViolationKey>, moment: &Moment, reason: FixedReason) {
        let Some(known) = self.violations.get_mut(key) else { return };
        known.objects -= 1;
        if known.objects > 0 {
            return;
        }
        let told = self.violations.remove(key).and_then(|known| known.told);
        self.pending.remove(key);
        if told.is_some() {
            self.pending.insert(key.clone(), Pending::Fixed(moment.clone(), reason));
        }
    }
}

fn fix(key: &ViolationKey, moment: Moment, reason: FixedReason) -> Fixed {
    Fixed { key: key.clone(), at: moment.at, reason, revision: moment.revision }
}

/// What people are told, apart from names that are random and from the time.
fn hash_of(violation: &Violation) -> u64 {
    let Violation { code, severity, action, because, exemption, outcome, message, .. } = violation;
    let mut hasher = DefaultHasher::new();
    let words = (severity.map(|severity| severity.as_str()), action.as_str(), outcome.as_str());
    (code, words, because, exemption, message).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
