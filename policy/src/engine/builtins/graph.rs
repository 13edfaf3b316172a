//! Paths through graphs. Their number grows exponentially with the edges, so they are counted.

use super::answer::{Fault, items, within};
use super::{Answer, Own};
use regorus::Value;
use std::collections::BTreeSet;

pub(super) const BUILTINS: &[Own] = &[Own { name: "graph.reachable_paths", arity: 2, call: reachable_paths }];

/// The most steps along edges, over all paths.
const MAX_STEPS: usize = 100_000;
/// The longest path.
const MAX_LENGTH: usize = 1_000;

fn reachable_paths(arguments: &[Value]) -> Answer {
    arguments[0].as_object().map_err(|_| Fault::Undefined)?;
    let mut paths = Paths { graph: &arguments[0], found: BTreeSet::new(), steps: 0 };
    for node in items(arguments, 1)? {
        if paths.neighbours(node).is_some() {
            paths.follow(node, &mut vec![])?;
        }
    }
    Ok(Value::from(paths.found))
}

struct Paths<'v> {
    graph: &'v Value,
    found: BTreeSet<Value>,
    steps: usize,
}

impl<'v> Paths<'v> {
    fn neighbours(&self, node: &Value) -> Option<Vec<&'v Value>> {
        match self.graph.as_object().ok()?.get(node)? {
            Value::Array(items) => Some(items.iter().collect()),
            Value::Set(items) => Some(items.iter().collect()),
            _ => Some(vec![]),
        }
    }

    /// A path ends before a node that is not in the graph, or that it has already passed.
    fn follow(&mut self, node: &Value, path: &mut Vec<Value>) -> Result<(), Fault> {
        self.steps += 1 + path.len() / 16;
        within(self.steps, MAX_STEPS, "steps")?;
        within(path.len(), MAX_LENGTH, "nodes in a path")?;
        let neighbours = self.neighbours(node).filter(|_| !path.contains(node));
        let Some(neighbours) = neighbours else {
            self.found.insert(Value::from(path.clone()));
            return Ok(());
        };
        path.push(node.clone());
        if neighbours.is_empty() {
            self.found.insert(Value::from(path.clone()));
        }
        for neighbour in neighbours {
            self.follow(neighbour, path)?;
        }
        path.pop();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_end_where_the_graph_or_a_circle_does() {
        let graph = Value::from_json_str(r#"{"a": ["b", "c"], "b": ["a"], "c": ["x"], "d": []}"#).unwrap();
        let call =
            |from: &str| reachable_paths(&[graph.clone(), Value::from_json_str(from).unwrap()]).unwrap().to_string();
        assert_eq!(call(r#"["a"]"#), r#"[["a","b"],["a","c"]]"#);
        assert_eq!(call(r#"["d", "x"]"#), r#"[["d"]]"#);
    }

    #[test]
    fn dense_graphs_are_refused() {
        let nodes: Vec<Value> = (0..20_u64).map(Value::from).collect();
        let graph = nodes
            .iter()
            .map(|node| (node.clone(), Value::from(nodes.clone())))
            .collect::<std::collections::BTreeMap<_, _>>();
        let answer = reachable_paths(&[Value::from(graph), Value::from(nodes)]);
        assert!(matches!(answer, Err(Fault::Refused(_))), "{answer:?}");
    }
}
