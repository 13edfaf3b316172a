//! Policies that get the same input are asked together, in one engine, so that what they share (the containers of a
//! pod, say) is worked out once a review and not once a policy. It is only a shorter way to the same sets: when the
//! engine errs, runs out of time or gives anything but one set for each, every policy is asked by itself, and the one
//! that is to blame is found.

use super::compile::Compiled;
use super::index::Index;
use crate::decision::Dialect;
use crate::engine::load::{LoadedSource, load};
use crate::engine::{Engine, Value};
use crate::{Settings, SourceFile};
use std::collections::HashMap;
use std::time::Duration;

/// The most policies that share an engine; it holds all of them once more.
const MOST_MEMBERS: usize = 128;
const PACKAGE: &str = "writ_group";

/// Policies that can be asked together.
pub(super) struct Group {
    engine: Engine,
    /// Which policies are members, by position.
    members: Vec<bool>,
    /// The rule that asks these members.
    rules: HashMap<Vec<usize>, String>,
}

impl Group {
    /// The group of Writ's policies without parameters, if there are at least two that judge one kind.
    pub(super) fn build(policies: &[Compiled], index: &Index, settings: &Settings) -> Option<Self> {
        let members: Vec<bool> = policies.iter().map(|policy| is_member(policy, settings)).collect();
        if members.iter().filter(|member| **member).count() > MOST_MEMBERS {
            return None;
        }
        let mut text = format!("package {PACKAGE}\n");
        let mut rules = HashMap::new();
        for matching in index.all() {
            let asked: Vec<usize> = matching.into_iter().filter(|position| members[*position]).collect();
            if asked.len() < 2 || rules.contains_key(&asked) {
                continue;
            }
            let name = format!("k{}", rules.len());
            let sets: Vec<String> =
                asked.iter().map(|position| format!("{}.deny", policies[*position].data_path)).collect();
            text.push_str(&format!("\n{name} := [{}]\n", sets.join(", ")));
            rules.insert(asked, format!("data.{PACKAGE}.{name}"));
        }
        if rules.is_empty() {
            return None;
        }
        let sources = sources(policies, &members, &text)?;
        let engine = Engine::build(sources.iter()).ok()?;
        Some(Self { engine, members, rules })
    }

    /// The `deny` of each member among these policies with its position; nothing when they must be asked one by one.
    pub(super) fn ask(&mut self, matching: &[usize], input: &Value, limit: Duration) -> Vec<(usize, Value)> {
        let asked: Vec<usize> = matching.iter().copied().filter(|position| self.members[*position]).collect();
        let Some(rule) = self.rules.get(&asked) else { return vec![] };
        self.engine.set_input(input.clone());
        match self.engine.eval(rule, limit) {
            Ok(Value::Array(sets)) if sets.len() == asked.len() => {
                let are_sets = sets.iter().all(|set| matches!(set, Value::Set(_)));
                let answers = asked.into_iter().zip(sets.iter().cloned());
                if are_sets { answers.collect() } else { vec![] }
            }
            _ => vec![],
        }
    }
}

/// Policies with parameters have an input of their own, and MagTape's a rule to ask first.
fn is_member(policy: &Compiled, settings: &Settings) -> bool {
    let overridden = settings.parameters.get(policy.info.code.as_str()).is_some_and(|given| !given.is_empty());
    policy.info.dialect == Dialect::Writ && policy.parameters.is_empty() && !overridden && !policy.wants_data
}

/// The modules of all members, each once, and the one that asks them.
fn sources(policies: &[Compiled], members: &[bool], text: &str) -> Option<Vec<LoadedSource>> {
    let asking = SourceFile { path: format!("{PACKAGE}.rego"), text: text.into() };
    let mut sources = vec![load(&asking, false).ok()?];
    let of_members =
        policies.iter().zip(members).filter(|(_, member)| **member).flat_map(|(policy, _)| &policy.sources);
    for source in of_members {
        if !sources.iter().any(|known| known.path == source.path) {
            sources.push(source.clone());
        }
    }
    Some(sources)
}
