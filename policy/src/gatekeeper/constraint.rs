//! A constraint: who is judged by a template, with which parameters, and what an objection does.

use super::enforcement::Enforcement;
use super::matcher::Matcher;
use super::native::NativeConstraint;
use super::template::Template;
use super::wildcard::Wildcard;
use crate::document::Document;
use crate::yaml::Node;
use crate::{Diagnostic, PolicyCode, PolicyName};
use serde_json::{Map, Value};
use std::sync::Arc;

/// A constraint as its author wrote it, with the defaults of its template's schema.
#[derive(Debug, Clone)]
pub(crate) struct Constraint {
    /// The kind of its template.
    pub kind: String,
    /// `K8sRequiredLabels/must-have-owner`.
    pub code: PolicyCode,
    /// `k8srequiredlabels/must-have-owner`.
    pub name: PolicyName,
    pub parameters: Map<String, Value>,
    pub matcher: Arc<Matcher>,
    pub enforcement: Enforcement,
    /// What the expressions of its template are asked with, where it has some.
    pub native: Option<Arc<NativeConstraint>>,
    /// Whether what cannot be evaluated is passed, as the template's `failurePolicy` says.
    pub ignores_errors: bool,
    /// Namespaces that Gatekeeper's own configuration leaves out.
    pub excluded: Arc<[Wildcard]>,
    /// The file it stands in.
    pub path: String,
    /// Where its name is written.
    pub place: (u32, u32),
}

impl Constraint {
    /// The constraint of this document; what is wrong is told.
    pub(super) fn read(
        document: &Document<'_>,
        template: Option<&Template>,
        excluded: &[Wildcard],
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let (path, kind) = (&document.file.path, &document.kind);
        let Some(template) = template else {
            let finding = document.error(format!("no ConstraintTemplate declares the kind `{kind}`"));
            findings.push(
                finding
                    .spanning(4)
                    .help("Commit the template with it, or correct the kind; nothing would be enforced."),
            );
            return None;
        };
        let Some(name) = document.node.at(&["metadata", "name"]) else {
            findings.push(document.error("the constraint has no name").help("Write `metadata.name`."));
            return None;
        };
        let text = name.text().unwrap_or_default();
        let names =
            (PolicyCode::new(format!("{kind}/{text}")), PolicyName::new(format!("{}/{text}", kind.to_lowercase())));
        let (Ok(code), Ok(policy)) = names else {
            let finding = name.error(path, format!("{text:?} is not a name that Kubernetes takes"));
            findings.push(finding.help("Use lower-case letters, digits, `-` and `.`."));
            return None;
        };
        let spec = document.node.get("spec");
        let parameters = parameters(document, spec, template, findings);
        let native = template.native.as_ref().map(|_| Arc::new(native(document, &parameters)));
        Some(Self {
            kind: kind.clone(),
            code,
            name: policy,
            parameters,
            native,
            ignores_errors: false,
            matcher: Arc::new(Matcher::read(spec.and_then(|spec| spec.get("match")), path, findings)),
            enforcement: Enforcement::read(spec, path, findings),
            excluded: excluded.into(),
            path: path.clone(),
            place: name.place,
        })
    }

    /// The name within its kind, as denials show it.
    pub(crate) fn short_name(&self) -> &str {
        self.code.as_str().split_once('/').map_or(self.code.as_str(), |(_, name)| name)
    }
}

/// The constraint as expressions see it: with the defaults of its parameters, where it names any.
fn native(document: &Document<'_>, parameters: &Map<String, Value>) -> NativeConstraint {
    let mut whole = document.node.to_json();
    if let Some(given) = whole.pointer_mut("/spec/parameters").filter(|given| given.is_object()) {
        *given = Value::Object(parameters.clone());
    }
    NativeConstraint::new(&whole.into())
}

fn parameters(
    document: &Document<'_>,
    spec: Option<&Node>,
    template: &Template,
    findings: &mut Vec<Diagnostic>,
) -> Map<String, Value> {
    let given = spec.and_then(|spec| spec.get("parameters")).filter(|given| !given.is_null());
    let Some(schema) = &template.schema else {
        return given.map(Node::to_json).and_then(object).unwrap_or_default();
    };
    match given {
        Some(given) => {
            findings.extend(schema.check(given, &document.file.path));
            object(schema.with_defaults(given.to_json())).unwrap_or_default()
        }
        None => {
            if let Some(missing) = schema.requires_something() {
                let finding = document.error(format!("`parameters.{missing}` is missing"));
                findings.push(finding.help("The template's `openAPIV3Schema` says what its parameters are."));
            }
            Map::new()
        }
    }
}

fn object(value: Value) -> Option<Map<String, Value>> {
    if let Value::Object(fields) = value { Some(fields) } else { None }
}
