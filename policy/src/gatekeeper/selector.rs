//! Kubernetes' label selectors: `matchLabels` and `matchExpressions`, all of which must hold.

use crate::Diagnostic;
use crate::engine::Value;
use crate::yaml::Node;

/// A selector; an empty one selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    requirements: Vec<(String, Requirement)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
}

impl Selector {
    /// The selector at this node; what is wrong with it is told and left out.
    pub(crate) fn read(node: &Node, path: &str, findings: &mut Vec<Diagnostic>) -> Self {
        let mut requirements = vec![];
        for field in node.fields() {
            match field.key.as_str() {
                "matchLabels" => {
                    let labels = field.value.fields().iter();
                    requirements
                        .extend(labels.map(|label| (label.key.clone(), Requirement::In(vec![scalar(&label.value)]))));
                }
                "matchExpressions" => {
                    for item in field.value.items() {
                        match expression(item, path) {
                            Ok(requirement) => requirements.push(requirement),
                            Err(finding) => findings.push(finding),
                        }
                    }
                }
                other => {
                    let finding = field.error(path, format!("a label selector has no field `{other}`"));
                    findings.push(finding.help("Write `matchLabels` or `matchExpressions`."));
                }
            }
        }
        Self { requirements }
    }

    /// Whether an object with these labels (an object, or undefined) is selected.
    pub(crate) fn matches(&self, labels: &Value) -> bool {
        self.requirements.iter().all(|(key, requirement)| {
            let value = labels[key.as_str()].as_string().ok().map(AsRef::as_ref);
            let is_one_of = |values: &[String]| values.iter().any(|known| value == Some(known));
            match requirement {
                Requirement::In(values) => is_one_of(values),
                Requirement::NotIn(values) => !is_one_of(values),
                Requirement::Exists => value.is_some(),
                Requirement::DoesNotExist => value.is_none(),
            }
        })
    }
}

/// One of `matchExpressions`, by the rules of the API server.
fn expression(item: &Node, path: &str) -> Result<(String, Requirement), Diagnostic> {
    let key = item.text_at(&["key"]);
    if key.is_empty() {
        return Err(item
            .error(path, "the expression has no `key`")
            .help("Write `{key: env, operator: In, values: [prod]}`."));
    }
    let values: Vec<String> = item.get("values").map(Node::items).unwrap_or_default().iter().map(scalar).collect();
    let operator = item.get("operator").unwrap_or(item);
    let requirement = match (operator.text().unwrap_or_default(), values.is_empty()) {
        ("In", false) => Requirement::In(values),
        ("NotIn", false) => Requirement::NotIn(values),
        ("Exists", true) => Requirement::Exists,
        ("DoesNotExist", true) => Requirement::DoesNotExist,
        ("In" | "NotIn", true) => {
            return Err(operator
                .error(path, format!("`{}` needs `values`", operator.text().unwrap_or_default()))
                .help("List at least one value."));
        }
        ("Exists" | "DoesNotExist", false) => {
            return Err(operator.error(path, "an operator without values has some").help("Remove `values`."));
        }
        (other, _) => {
            return Err(operator
                .error(path, format!("{other:?} is not an operator"))
                .help("Use In, NotIn, Exists or DoesNotExist."));
        }
    };
    Ok((key.to_owned(), requirement))
}

/// A label's value as text; YAML reads `true` and `1` otherwise.
fn scalar(node: &Node) -> String {
    node.text().map_or_else(|| node.to_json().to_string(), str::to_owned)
}
