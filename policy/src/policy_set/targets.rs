//! Which kinds the policies judge, for those who look for objects that exist already.

use super::PolicySet;
use crate::expansion;
use std::collections::BTreeMap;

/// A kind that policies judge.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// `group/Kind`, `Kind` for the core group, `*/Kind` for a kind of any group, or `*` for every kind.
    pub kind: String,
    /// Whether any of its policies looks at replicated objects, so that what they say may change when those change.
    pub reads_others: bool,
}

impl PolicySet {
    /// Every kind that a policy judges, sorted, with the workloads whose pods are judged.
    pub fn targets(&self) -> Vec<Target> {
        let mut kinds: BTreeMap<&str, bool> = BTreeMap::new();
        for judge in &self.judges {
            let reads_others = self.program(judge.program).wants_others();
            let mut targets: Vec<&str> = judge.info.kinds.iter().map(String::as_str).collect();
            let judges_pods = targets.iter().any(|kind| matches!(*kind, "Pod" | "*/Pod" | "*"));
            if self.settings.expand && judge.info.expand && judges_pods {
                expansion::workloads().for_each(|kind| targets.push(kind));
            }
            for kind in targets {
                *kinds.entry(kind).or_default() |= reads_others;
            }
        }
        kinds.into_iter().map(|(kind, reads_others)| Target { kind: kind.to_owned(), reads_others }).collect()
    }
}
