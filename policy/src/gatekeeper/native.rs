//! `K8sNativeValidation`: a template's rules in CEL, and what they are asked with.

use super::embedded::Embedded;
use crate::cel::{Asked, Expression, Policy, Scope, Shared, Source, Validation};
use crate::document::Document;
use crate::engine::Value;
use crate::yaml::Node;
use crate::{Diagnostic, SourceFile};

/// The rules as their author wrote them.
#[derive(Debug, Clone)]
pub(crate) struct Native {
    conditions: Vec<Named>,
    variables: Vec<Named>,
    validations: Vec<Rule>,
    ignores_errors: bool,
}

#[derive(Debug, Clone)]
struct Named {
    name: String,
    expression: Embedded,
}

#[derive(Debug, Clone)]
struct Rule {
    expression: Embedded,
    message: Option<String>,
    message_expression: Option<Embedded>,
}

const KNOWN: [&str; 6] =
    ["validations", "failurePolicy", "matchCondition", "matchConditions", "variables", "generateVAP"];
/// What Gatekeeper puts among the variables itself.
const GIVEN: [&str; 2] = ["anyObject", "params"];
/// Names that it keeps for itself.
const RESERVED: &str = "gatekeeper_internal_";
/// What every expression may name. Variables may also name `params`, the constraint as a whole.
const NAMES: [&str; 4] = ["object", "oldObject", "request", "namespaceObject"];
const NAMES_OF_VARIABLES: [&str; 5] = ["object", "oldObject", "request", "namespaceObject", "params"];

impl Native {
    /// The rules of this `source`; what is wrong with its form is told.
    pub(super) fn read(
        document: &Document<'_>,
        source: &Node,
        kind: &str,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let path = &document.file.path;
        for field in source.fields().iter().filter(|field| !KNOWN.contains(&field.key.as_str())) {
            let finding = Diagnostic::error(path, format!("`{}` is not known", field.key));
            findings.push(finding.at(field.place.0, field.place.1).help(format!("There are {}.", KNOWN.join(", "))));
        }
        let items = |name: &str| source.get(name).map(Node::items).unwrap_or_default();
        let mut reader = Reader { file: document.file, kind, findings };
        let mut conditions = reader.named("matchCondition", items("matchCondition"));
        if let Some(plural) = source.get("matchConditions") {
            conditions.extend(reader.named("matchConditions", plural.items()));
            let message = "Gatekeeper reads `matchCondition` and leaves `matchConditions` unread";
            reader.findings.push(plural.error(path, message).warning_only().help("Write `matchCondition`."));
        }
        let variables = reader.named("variables", items("variables"));
        let validations: Vec<Rule> =
            items("validations").iter().enumerate().filter_map(|(at, rule)| reader.rule(at, rule)).collect();
        let ignores_errors = reader.failure_policy(source);
        if validations.is_empty() {
            let finding = source.error(path, "`validations` is empty: nothing would ever be judged");
            findings.push(finding.help("Write `validations` with an `expression` that is true when all is well."));
            return None;
        }
        Some(Self { conditions, variables, validations, ignores_errors })
    }

    /// A finding of an expression at its place in the file.
    pub(super) fn authors(&self, finding: Diagnostic) -> Diagnostic {
        let named = self.conditions.iter().chain(&self.variables).map(|named| &named.expression);
        let rules =
            self.validations.iter().flat_map(|rule| std::iter::once(&rule.expression).chain(&rule.message_expression));
        named.chain(rules).fold(finding, |finding, expression| expression.authors(finding))
    }

    /// The policy, or what is wrong with its expressions.
    pub(crate) fn compile(&self) -> Result<Policy, Vec<Diagnostic>> {
        let given = GIVEN.iter().map(|name| (*name).to_owned());
        let all: Vec<String> = given.chain(self.variables.iter().map(|variable| variable.name.clone())).collect();
        let mut findings = vec![];
        let mut read = |embedded: &Embedded, names: &[&str], variables: &[String]| {
            let expression = Expression::read(&embedded.file.text, Scope { names, variables });
            expression.map_err(|found| findings.extend(found.into_iter().map(|finding| told(embedded, finding)))).ok()
        };
        let mut variables = vec![];
        for (at, named) in self.variables.iter().enumerate() {
            let expression = read(&named.expression, &NAMES_OF_VARIABLES, &all[..GIVEN.len() + at]);
            variables.extend(expression.map(|expression| (named.name.clone(), expression)));
        }
        let conditions = self.conditions.iter().filter_map(|named| read(&named.expression, &NAMES, &all)).collect();
        let mut validations = vec![];
        for rule in &self.validations {
            let expression = read(&rule.expression, &NAMES, &all);
            let message_expression = rule.message_expression.as_ref().map(|expression| read(expression, &NAMES, &all));
            if let (Some(expression), None | Some(Some(_))) = (expression, &message_expression) {
                let message_expression = message_expression.flatten();
                validations.push(Validation { expression, message: rule.message.clone(), message_expression });
            }
        }
        let source = Source { conditions, variables, validations, ignores_errors: self.ignores_errors };
        if findings.is_empty() { Ok(Policy::new(source)) } else { Err(findings) }
    }
}

fn told(embedded: &Embedded, finding: crate::cel::Finding) -> Diagnostic {
    Diagnostic::error(&embedded.file.path, finding.message).at(finding.place.0, finding.place.1).help(finding.help)
}

struct Reader<'a, 'b> {
    file: &'a SourceFile,
    kind: &'a str,
    findings: &'b mut Vec<Diagnostic>,
}

impl Reader<'_, '_> {
    fn tell(&mut self, node: &Node, message: impl Into<String>, help: impl Into<String>) {
        self.findings.push(node.error(&self.file.path, message).help(help));
    }

    fn embedded(&self, node: &Node, label: &str) -> Embedded {
        Embedded::new(self.file, node, &format!("{}/{label}", self.kind), false)
    }

    fn expression(&mut self, node: &Node, key: &str, label: &str) -> Option<Embedded> {
        let found = node.get(key).filter(|text| text.text().is_some_and(|text| !text.trim().is_empty()));
        match found {
            Some(text) => Some(self.embedded(text, label)),
            None => {
                self.tell(node, format!("`{key}` is missing"), format!("Write `{key}` with an expression in CEL."));
                None
            }
        }
    }

    fn named(&mut self, list: &str, items: &[Node]) -> Vec<Named> {
        let mut read: Vec<Named> = vec![];
        for (at, node) in items.iter().enumerate() {
            let name = node.text_at(&["name"]).to_owned();
            if !is_name(&name) && list == "variables" {
                self.tell(node, format!("{name:?} is no name of a variable"), "Use letters, digits and `_`.");
                continue;
            }
            if name.starts_with(RESERVED) || (list == "variables" && GIVEN.contains(&name.as_str())) {
                self.tell(node, format!("the name `{name}` is Gatekeeper's"), "Give it another name.");
                continue;
            }
            if read.iter().any(|earlier| earlier.name == name) && !name.is_empty() {
                self.tell(node, format!("the name `{name}` is there twice"), "Give each a name of its own.");
                continue;
            }
            if let Some(expression) = self.expression(node, "expression", &format!("{list}[{at}]")) {
                read.push(Named { name, expression });
            }
        }
        read
    }

    fn rule(&mut self, at: usize, node: &Node) -> Option<Rule> {
        let expression = self.expression(node, "expression", &format!("validations[{at}]"))?;
        let message = node.get("message").and_then(Node::text).map(str::to_owned);
        let text = node.get("messageExpression").filter(|text| text.text().is_some_and(|text| !text.is_empty()));
        let message_expression = text.map(|text| self.embedded(text, &format!("validations[{at}].messageExpression")));
        Some(Rule { expression, message, message_expression })
    }

    fn failure_policy(&mut self, source: &Node) -> bool {
        let Some(policy) = source.get("failurePolicy").filter(|policy| !policy.is_null()) else { return false };
        match policy.text() {
            Some("Fail") => false,
            Some("Ignore") => true,
            other => {
                let shown = other.unwrap_or(policy.what()).to_owned();
                self.tell(policy, format!("`failurePolicy` is {shown:?}"), "Use Fail or Ignore.");
                false
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What of a review the expressions are asked about, made once for all templates.
#[derive(Debug)]
pub(crate) struct NativeReview {
    object: Shared,
    old_object: Shared,
    request: Shared,
    is_delete: bool,
}

/// Fields of the request that expressions may see: all but the objects, which have names of their own.
const OF_REQUEST: [&str; 12] = [
    "dryRun",
    "kind",
    "name",
    "namespace",
    "operation",
    "options",
    "requestKind",
    "requestResource",
    "requestSubResource",
    "resource",
    "subResource",
    "userInfo",
];

impl NativeReview {
    /// Of the request as the API server sent it: a deletion has no `object`.
    pub(crate) fn new(request: &Value) -> Self {
        let mut seen = Value::new_object();
        for name in OF_REQUEST {
            // Kubernetes leaves out what is empty.
            let value = &request[name];
            let is_empty =
                matches!(value, Value::Undefined | Value::Null) || value.as_string().is_ok_and(|text| text.is_empty());
            if let Ok(fields) = seen.as_object_mut()
                && !is_empty
            {
                fields.insert(Value::from(name), value.clone());
            }
        }
        let is_delete = request["operation"].as_string().is_ok_and(|operation| operation.as_ref() == "DELETE");
        let object = if is_delete { Shared::new(&Value::Null) } else { Shared::new(&request["object"]) };
        Self { object, old_object: Shared::new(&request["oldObject"]), request: Shared::new(&seen), is_delete }
    }
}

/// What a constraint gives its template's expressions.
#[derive(Debug)]
pub(crate) struct NativeConstraint {
    whole: Shared,
    parameters: Shared,
}

impl NativeConstraint {
    /// `whole` is the constraint with its parameters; they are null when it names none.
    pub(crate) fn new(whole: &Value) -> Self {
        Self { whole: Shared::new(whole), parameters: Shared::new(&whole["spec"]["parameters"]) }
    }

    /// Asks the policy about the review.
    pub(crate) fn ask(
        &self,
        policy: &Policy,
        review: &NativeReview,
        namespace: Option<&Value>,
        limit: std::time::Duration,
    ) -> crate::cel::Said {
        let any = if review.is_delete && review.object.is_null() { &review.old_object } else { &review.object };
        let names = [
            ("object", review.object.clone()),
            ("oldObject", review.old_object.clone()),
            ("request", review.request.clone()),
            ("namespaceObject", Shared::new(namespace.filter(|_| policy.wants_namespace()).unwrap_or(&Value::Null))),
            ("params", self.whole.clone()),
        ];
        let variables = [(GIVEN[0], any.clone()), (GIVEN[1], self.parameters.clone())];
        policy.judge(&Asked { names: &names, variables: &variables }, limit)
    }
}
