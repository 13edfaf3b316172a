//! `ConstraintTemplate`: a kind of constraints, the schema of their parameters, and the code that judges.

use super::embedded::Embedded;
use super::native::Native;
use super::schema::Schema;
use crate::Diagnostic;
use crate::document::Document;
use crate::yaml::Node;

/// A template as its author wrote it.
#[derive(Debug)]
pub(crate) struct Template {
    /// The kind of its constraints.
    pub kind: String,
    /// For people, from the annotations.
    pub title: String,
    pub description: String,
    pub schema: Option<Schema>,
    /// The module with `violation`, and its libraries.
    pub rego: Option<Vec<Embedded>>,
    /// Rules in CEL.
    pub native: Option<Native>,
    /// The file it stands in.
    pub path: String,
    place: (u32, u32),
}

const VERSIONS: [&str; 3] = ["v1", "v1beta1", "v1alpha1"];

impl Template {
    /// The template of this document; what is wrong is told, and what judges nothing is left out.
    pub(super) fn read(document: &Document<'_>, findings: &mut Vec<Diagnostic>) -> Option<Self> {
        let (node, path) = (&document.node, &document.file.path);
        let version = document.api_version.rsplit('/').next().unwrap_or_default();
        if !VERSIONS.contains(&version) {
            findings.push(
                document
                    .error(format!("`{}` is not known", document.api_version))
                    .help("Write `apiVersion: templates.gatekeeper.sh/v1`."),
            );
        }
        let Some(kind) = node.at(&["spec", "crd", "spec", "names", "kind"]).filter(|kind| kind.text().is_some()) else {
            let finding = document.error("the template names no kind of constraints");
            findings.push(finding.help("Write `spec.crd.spec.names.kind`."));
            return None;
        };
        let text = kind.text().unwrap_or_default();
        if document.name() != text.to_lowercase() {
            let message = format!("the template is named `{}`, and its kind is `{text}`", document.name());
            findings.push(
                kind.error(path, message).help(format!("Name it `{}`, as Gatekeeper asks for.", text.to_lowercase())),
            );
        }
        let Code { rego, native } = code(document, text, findings)?;
        let annotation = |key: &str| node.at(&["metadata", "annotations", key]).and_then(Node::text);
        let schema = node.at(&["spec", "crd", "spec", "validation", "openAPIV3Schema"]);
        Some(Self {
            kind: text.to_owned(),
            title: annotation("metadata.gatekeeper.sh/title").unwrap_or(text).to_owned(),
            description: annotation("description").unwrap_or_default().trim().to_owned(),
            schema: schema.map(|schema| Schema::new(schema.to_json())),
            rego,
            native,
            path: path.clone(),
            place: kind.place,
        })
    }

    /// A finding about the template as a whole, at its kind.
    pub(crate) fn error(&self, message: impl Into<String>) -> Diagnostic {
        let length = self.kind.chars().count() as u32;
        Diagnostic::error(&self.path, message).at(self.place.0, self.place.1).spanning(length)
    }

    /// A finding of its code at its place in the file.
    pub(crate) fn authors(&self, finding: Diagnostic) -> Diagnostic {
        let finding = self.rego.iter().flatten().fold(finding, |finding, source| source.authors(finding));
        self.native.iter().fold(finding, |finding, native| native.authors(finding))
    }
}

/// What judges.
struct Code {
    rego: Option<Vec<Embedded>>,
    native: Option<Native>,
}

/// The code of the one target that Gatekeeper has.
fn code(document: &Document<'_>, kind: &str, findings: &mut Vec<Diagnostic>) -> Option<Code> {
    let path = &document.file.path;
    let targets = document.node.at(&["spec", "targets"]).map(Node::items).unwrap_or_default();
    if let Some(second) = targets.get(1) {
        findings.push(second.error(path, "a template has one target").help("Split it into two templates."));
    }
    let Some(target) = targets.first() else {
        let finding = document.error("the template has no code: nothing would ever be judged");
        findings.push(finding.help("Write `spec.targets` with `target: admission.k8s.gatekeeper.sh` and `rego`."));
        return None;
    };
    if target.text_at(&["target"]) != "admission.k8s.gatekeeper.sh" {
        let finding = target.get("target").unwrap_or(target).error(path, "the target is not known");
        findings.push(finding.help("Write `target: admission.k8s.gatekeeper.sh`."));
    }
    let listed = target.get("code").map(Node::items).unwrap_or_default();
    let engine =
        |name: &str| listed.iter().find(|code| code.text_at(&["engine"]) == name).and_then(|code| code.get("source"));
    let rego = match engine("Rego") {
        Some(source) => Some((source, source.text_at(&["version"]) != "v1")),
        None => target.get("rego").map(|_| (target, true)),
    };
    let native = engine("K8sNativeValidation");
    if rego.is_none() && native.is_none() {
        let finding = target.error(path, "the target has no `rego`: nothing would ever be judged");
        findings.push(finding.help("Write `rego: |` with a package and `violation[{\"msg\": msg}] { ... }`."));
        return None;
    }
    let is_whole = findings.len();
    let code = Code {
        rego: rego.and_then(|(source, v0)| sources(document, kind, source, v0, findings)),
        native: native.and_then(|source| Native::read(document, source, kind, findings)),
    };
    let is_sound = findings[is_whole..].iter().all(|finding| !finding.is_error());
    (is_sound && (code.rego.is_some() || code.native.is_some())).then_some(code)
}

/// The module and its libraries, in this order.
fn sources(
    document: &Document<'_>,
    kind: &str,
    source: &Node,
    v0: bool,
    findings: &mut Vec<Diagnostic>,
) -> Option<Vec<Embedded>> {
    let rego = source.get("rego").filter(|rego| rego.text().is_some_and(|text| !text.trim().is_empty()));
    let Some(rego) = rego else {
        let finding = source.error(&document.file.path, "`rego` is empty: nothing would ever be judged");
        findings.push(finding.help("Write a package and `violation[{\"msg\": msg}] { ... }`."));
        return None;
    };
    let libraries = source.get("libs").map(Node::items).unwrap_or_default();
    let mut sources = vec![Embedded::new(document.file, rego, kind, v0)];
    for (number, library) in libraries.iter().enumerate() {
        sources.push(Embedded::new(document.file, library, &format!("{kind}/libs[{number}]"), v0));
    }
    Some(sources)
}
