//! Policies that look at other objects, of which agents replicate none.

use crate::policy_set::compile::{Compiled, CompiledPolicy};
use crate::{Diagnostic, Fleet};

/// A policy that sees nothing where it looks for other objects objects to nothing, or to everything.
pub(super) fn check(fleet: &Fleet, compiled: &Compiled) -> Vec<Diagnostic> {
    if !fleet.sync.is_empty() {
        return vec![];
    }
    let looks =
        |policy: &&CompiledPolicy| policy.program.is_some_and(|at| compiled.programs[at].origin.wants_inventory);
    let blind = compiled.policies.iter().filter(looks).filter(|policy| is_on(fleet, policy));
    blind.map(warning).collect()
}

/// Whether it judges in some cluster.
fn is_on(fleet: &Fleet, policy: &CompiledPolicy) -> bool {
    let names = |name: &String| name == policy.info.code.as_str() || policy.info.sets.contains(name);
    let rules = fleet.clusters.iter().flat_map(|rule| &rule.enable);
    policy.info.enabled || fleet.enable.iter().chain(rules).any(names)
}

fn warning(policy: &CompiledPolicy) -> Diagnostic {
    let (code, (line, column)) = (&policy.info.code, policy.code_place);
    let message = format!("`{code}` reads data.inventory, and the fleet's `sync` names no kind: it sees no objects");
    let finding = Diagnostic::warning(&policy.info.path, message).at(line, column);
    finding.help("Name the kinds in fleet.yaml, e.g. `sync: [networking.k8s.io/v1/Ingress]`.")
}
