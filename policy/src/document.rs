//! YAML of the repository, known by content: Writ's kinds, Gatekeeper's kinds, and YAML that is none of Writ's business (CI,
//! Kubernetes manifests, suites of tests). A file may hold any number of documents.

use crate::fleet::{API_VERSION, yaml_diagnostic};
use crate::yaml::{self, Node};
use crate::{Diagnostic, Exemption, Fleet, SourceFile, exemption, team};

/// Groups of which Gatekeeper's kinds are; those of `test.gatekeeper.sh` are suites, which decide nothing.
const GATEKEEPER: [&str; 8] = [
    "templates.gatekeeper.sh",
    "constraints.gatekeeper.sh",
    "config.gatekeeper.sh",
    "syncset.gatekeeper.sh",
    "expansion.gatekeeper.sh",
    "mutations.gatekeeper.sh",
    "externaldata.gatekeeper.sh",
    "connection.gatekeeper.sh",
];

/// One document that Writ reads.
pub(crate) struct Document<'a> {
    pub file: &'a SourceFile,
    pub api_version: String,
    pub kind: String,
    pub node: Node,
    /// Whether its file holds other documents too.
    pub shares_file: bool,
}

/// Every document of Writ's and Gatekeeper's kinds, in the order of the files, and what is wrong with their YAML.
pub(crate) fn read(files: &[SourceFile]) -> (Vec<Document<'_>>, Vec<Diagnostic>) {
    let (mut documents, mut findings) = (vec![], vec![]);
    for file in files.iter().filter(|file| file.is_yaml()) {
        match read_file(file) {
            Ok(found) => documents.extend(found),
            Err(finding) => findings.push(finding),
        }
    }
    (documents, findings)
}

fn read_file(file: &SourceFile) -> Result<Vec<Document<'_>>, Diagnostic> {
    // Cheap and sure: no document of ours is without these letters.
    if !file.text.contains("writ.dev") && !file.text.contains("gatekeeper.sh") {
        let parsed = yaml::parse::<serde::de::IgnoredAny>(&file.text);
        return parsed.map(|_| vec![]).map_err(|error| yaml_diagnostic(&file.path, &error));
    }
    let nodes: Vec<Node> = yaml::documents(file)?.into_iter().flat_map(items).collect();
    let shares_file = nodes.len() > 1;
    let documents = nodes.into_iter().map(|node| Document::new(file, node, shares_file));
    Ok(documents.filter(Document::is_ours).collect())
}

/// The items of a `List`, as `kubectl get` writes them, or the document itself.
fn items(node: Node) -> Vec<Node> {
    match (node.text_at(&["kind"]), node.get("items")) {
        ("List", Some(items)) => items.items().to_vec(),
        _ => vec![node],
    }
}

impl<'a> Document<'a> {
    fn new(file: &'a SourceFile, node: Node, shares_file: bool) -> Self {
        let (api_version, kind) = (node.text_at(&["apiVersion"]).to_owned(), node.text_at(&["kind"]).to_owned());
        Self { file, api_version, kind, node, shares_file }
    }

    /// The part of the `apiVersion` before the version.
    pub(crate) fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// Whether it is one of Gatekeeper's.
    pub(crate) fn is_gatekeeper(&self) -> bool {
        GATEKEEPER.contains(&self.group())
    }

    fn is_ours(&self) -> bool {
        self.group() == "writ.dev" || self.is_gatekeeper()
    }

    /// The name, empty when there is none.
    pub(crate) fn name(&self) -> &str {
        self.node.text_at(&["metadata", "name"])
    }

    /// A finding about the document as a whole, at its kind.
    pub(crate) fn error(&self, message: impl Into<String>) -> Diagnostic {
        let field = self.node.fields().iter().find(|field| field.key == "kind").or(self.node.fields().first());
        match field {
            Some(field) => field.error(&self.file.path, message).spanning(1),
            None => Diagnostic::error(&self.file.path, message),
        }
    }
}

/// The fleet among these documents, with its file, and what is wrong with Writ's own kinds.
pub(crate) fn fleet<'a>(documents: &[Document<'a>]) -> (Option<(&'a SourceFile, Fleet)>, Vec<Diagnostic>) {
    let mut fleet: Option<(&SourceFile, Fleet)> = None;
    let mut findings = vec![];
    let others = ["Exemption", team::KIND];
    let is_read_here =
        |document: &&Document<'_>| !document.is_gatekeeper() && !others.contains(&document.kind.as_str());
    for document in documents.iter().filter(is_read_here) {
        match read_fleet(document) {
            Ok(_) if fleet.is_some() => {
                let first = fleet.as_ref().map(|(file, _)| file.path.as_str()).unwrap_or_default();
                let message = format!("a second fleet; the first one is in {first}");
                let finding = Diagnostic::error(&document.file.path, message);
                findings.push(finding.help("Keep one `kind: Fleet` in the repository."));
            }
            Ok(found) => fleet = Some((document.file, found)),
            Err(finding) => findings.push(finding),
        }
    }
    (fleet, findings)
}

/// The exemptions among these documents, and what is wrong with them.
pub(crate) fn exemptions(documents: &[Document<'_>]) -> (Vec<Exemption>, Vec<Diagnostic>) {
    let mut findings = vec![];
    let ours = documents.iter().filter(|document| document.group() == "writ.dev" && document.kind == "Exemption");
    let exemptions = ours.filter_map(|document| exemption::read(document, &mut findings)).collect();
    (exemptions, findings)
}

fn read_fleet(document: &Document<'_>) -> Result<Fleet, Diagnostic> {
    let Document { api_version, kind, .. } = document;
    let refuse = |message: String, help: &str| Err(document.error(message).help(help));
    match kind.as_str() {
        "Fleet" if api_version != API_VERSION => {
            refuse(format!("`{api_version}` is not known"), "Write `apiVersion: writ.dev/v1`.")
        }
        "Fleet" if document.shares_file => {
            refuse("the fleet shares its file with other documents".into(), "Give `kind: Fleet` its own file.")
        }
        "Fleet" => Fleet::parse(document.file),
        _ => refuse(
            format!("`kind: {kind}` is not one of Writ's"),
            "Writ knows `kind: Fleet`, `kind: Exemption` and `kind: NamespacePolicies`.",
        ),
    }
}
