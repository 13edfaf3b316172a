//! Rules and functions that reach themselves. OPA refuses them; the engine overflows its stack on functions, which
//! ends the process.

use super::super::{LoadedSource, walk};
use super::scope::{Scope, Scoped};
use super::symbols::{Name, Symbols, imports, package, rule_name};
use crate::Diagnostic;
use regorus::unstable::{Expr, Span};
use std::collections::{BTreeMap, BTreeSet};

/// What a rule or function refers to, and a place to point at.
struct Node<'s> {
    source: &'s LoadedSource,
    place: Span,
    uses: BTreeSet<Name>,
}

/// One finding per rule that reaches itself.
pub(super) fn check(sources: &[LoadedSource], symbols: &Symbols) -> Vec<Diagnostic> {
    let graph = graph(sources, symbols);
    let circles: Vec<_> =
        graph.iter().filter_map(|(name, node)| Some((node, way_back(&graph, name)?))).map(finding).collect();
    if circles.is_empty() { chain(&graph).into_iter().collect() } else { circles }
}

/// The longest chain of rules that use each other. The engine recurses along it, on a stack of
/// [`crate::EVALUATION_STACK_BYTES`]; a debug build takes about 35 KiB for a plain link.
const LONGEST_CHAIN: usize = 100;

/// The first rule at which a chain is too long.
fn chain(graph: &BTreeMap<Name, Node<'_>>) -> Option<Diagnostic> {
    let mut users: BTreeMap<&Name, Vec<&Name>> = BTreeMap::new();
    let mut waits: BTreeMap<&Name, usize> = BTreeMap::new();
    for (name, node) in graph {
        let used: Vec<&Name> = node.uses.iter().filter(|used| graph.contains_key(*used)).collect();
        waits.insert(name, used.len());
        used.into_iter().for_each(|used| users.entry(used).or_default().push(name));
    }
    let mut ready: Vec<(&Name, usize)> =
        waits.iter().filter(|(_, waits)| **waits == 0).map(|(name, _)| (*name, 1)).collect();
    let mut length: BTreeMap<&Name, usize> = BTreeMap::new();
    while let Some((name, own)) = ready.pop() {
        if own > LONGEST_CHAIN {
            return Some(too_long(&graph[name]));
        }
        for user in users.get(name).into_iter().flatten() {
            let longest = length.entry(user).or_default();
            *longest = (*longest).max(own + 1);
            let waits = waits.get_mut(user).expect("every rule is counted");
            *waits -= 1;
            if *waits == 0 {
                ready.push((user, length[user]));
            }
        }
    }
    None
}

fn too_long(node: &Node<'_>) -> Diagnostic {
    let range = node.place.start as usize..node.place.end as usize;
    let message = format!("a chain of more than {LONGEST_CHAIN} rules that use each other ends here");
    node.source.diagnostic(range, message).help("Join some of them: the engine keeps every one of them on its stack.")
}

fn finding((node, way): (&Node<'_>, Vec<Name>)) -> Diagnostic {
    let way: Vec<_> = way.iter().map(|name| name[1..].join(".")).collect();
    let range = node.place.start as usize..node.place.end as usize;
    node.source
        .diagnostic(range, format!("`{}` reaches itself: {}", way[0], way.join(" -> ")))
        .help("Rego has no recursion: write the steps out, or use `walk` or `graph.reachable`.")
}

fn graph<'s>(sources: &'s [LoadedSource], symbols: &Symbols) -> BTreeMap<Name, Node<'s>> {
    let mut graph = BTreeMap::new();
    for source in sources {
        let (package, imports) = (package(source.module()), imports(source.module()));
        for rule in &source.module().policy {
            let uses = uses_of(rule, Scope::of(rule, &package, &imports), symbols);
            let node = graph.entry(rule_name(&package, rule)).or_insert_with(|| Node {
                source,
                place: head_line(rule.span()),
                uses: BTreeSet::new(),
            });
            node.uses.extend(uses);
        }
    }
    graph
}

/// The beginning of the rule, as far as its first line goes.
fn head_line(span: &Span) -> Span {
    let mut span = span.clone();
    let first_line = span.text().split('\n').next().unwrap_or_default().trim_end().len() as u32;
    span.end = span.start + first_line;
    span
}

fn uses_of(rule: &regorus::unstable::Rule, scope: Scope<'_>, symbols: &Symbols) -> BTreeSet<Name> {
    let mut uses = BTreeSet::new();
    let seen = |scope: &Scope<'_>, expression: &Expr| {
        let reference = match expression {
            Expr::Call { fcn, .. } => fcn,
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => expression,
            _ => return,
        };
        if let Some(name) = scope.resolve(reference, symbols) {
            uses.extend(symbols.reached(&name).cloned());
        }
    };
    walk::rule(rule, &mut Scoped { scope, seen });
    uses
}

/// The shortest way from a rule back to itself.
fn way_back(graph: &BTreeMap<Name, Node<'_>>, start: &Name) -> Option<Vec<Name>> {
    let mut came_from: BTreeMap<&Name, &Name> = BTreeMap::new();
    let mut next = std::collections::VecDeque::from([start]);
    while let Some(name) = next.pop_front() {
        for used in graph.get(name).into_iter().flat_map(|node| &node.uses) {
            if used == start {
                return Some(path(&came_from, start, name));
            }
            if !came_from.contains_key(used) {
                came_from.insert(used, name);
                next.push_back(used);
            }
        }
    }
    None
}

fn path(came_from: &BTreeMap<&Name, &Name>, start: &Name, last: &Name) -> Vec<Name> {
    let mut way = vec![start.clone()];
    let mut at = last;
    while at != start {
        way.push(at.clone());
        at = came_from[at];
    }
    way.push(start.clone());
    way.reverse();
    way
}
