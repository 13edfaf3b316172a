//! Which policies judge which kind, so that a review costs nothing for those that cannot match.

use crate::decision::PolicyInfo;
use std::collections::HashMap;

/// Positions of policies by the kinds that they declare.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By group, then kind.
    exact: HashMap<String, Vec<usize>>,
    /// By kind, whatever the group.
    any_group: HashMap<String, Vec<usize>>,
    /// Every kind.
    any: Vec<usize>,
}

impl Index {
    pub(super) fn build<'a>(policies: impl Iterator<Item = &'a PolicyInfo>) -> Self {
        let mut index = Self::default();
        for (position, policy) in policies.enumerate() {
            for kind in &policy.kinds {
                match kind.strip_prefix("*/") {
                    _ if kind == "*" => index.any.push(position),
                    Some(kind) => index.any_group.entry(kind.to_owned()).or_default().push(position),
                    None => index.exact.entry(kind.to_owned()).or_default().push(position),
                }
            }
        }
        index
    }

    /// The positions of policies that judge this `group/Kind`, ascending.
    pub(super) fn find(&self, group_kind: &str) -> Vec<usize> {
        let kind = group_kind.rsplit('/').next().unwrap_or(group_kind);
        let lists = [self.exact.get(group_kind), self.any_group.get(kind), Some(&self.any)];
        let mut found: Vec<usize> = lists.into_iter().flatten().flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}
