//! Gatekeeper's own configuration: namespaces that it leaves out, kinds that it replicates, and kinds that Writ does not
//! have.

use super::wildcard::Wildcard;
use crate::Diagnostic;
use crate::document::Document;
use crate::yaml::Node;

/// What `Config` and `SyncSet` say.
#[derive(Debug, Default)]
pub(super) struct Config {
    /// Namespaces in which no constraint judges at admission.
    pub excluded: Vec<Wildcard>,
    /// `group/version/Kind`.
    pub sync: Vec<String>,
}

impl Config {
    /// Reads a document that is neither template nor constraint.
    pub(super) fn read(&mut self, document: &Document<'_>, findings: &mut Vec<Diagnostic>) {
        let spec = document.node.get("spec");
        match (document.group(), document.kind.as_str()) {
            ("config.gatekeeper.sh", "Config") => {
                self.exclude(document, findings);
                self.sync.extend(gvks(spec.and_then(|spec| spec.at(&["sync", "syncOnly"]))));
            }
            ("syncset.gatekeeper.sh", "SyncSet") => self.sync.extend(gvks(spec.and_then(|spec| spec.get("gvks")))),
            (group, kind) => findings.push(unsupported(document, group, kind)),
        }
    }

    fn exclude(&mut self, document: &Document<'_>, findings: &mut Vec<Diagnostic>) {
        let entries = document.node.at(&["spec", "match"]).map(Node::items).unwrap_or_default();
        for entry in entries {
            let processes = entry.get("processes").map(Node::items).unwrap_or_default();
            if !processes.iter().any(|process| matches!(process.text(), Some("*" | "webhook"))) {
                continue;
            }
            for name in entry.get("excludedNamespaces").map(Node::items).unwrap_or_default() {
                match name.text().and_then(Wildcard::new) {
                    Some(wildcard) => self.excluded.push(wildcard),
                    None => findings.push(not_a_name(name, &document.file.path)),
                }
            }
        }
    }
}

/// A name that Gatekeeper's schema refuses.
pub(super) fn not_a_name(name: &Node, path: &str) -> Diagnostic {
    let shown = name.text().unwrap_or(name.what());
    let finding = name.error(path, format!("{shown:?} is neither a name nor a glob"));
    finding.help("`*` may stand at the front, at the end, or at both.")
}

fn gvks(listed: Option<&Node>) -> Vec<String> {
    let gvk = |item: &Node| match (item.text_at(&["group"]), item.text_at(&["version"]), item.text_at(&["kind"])) {
        ("", version, kind) => format!("{version}/{kind}"),
        (group, version, kind) => format!("{group}/{version}/{kind}"),
    };
    listed.map(Node::items).unwrap_or_default().iter().map(gvk).collect()
}

fn unsupported(document: &Document<'_>, group: &str, kind: &str) -> Diagnostic {
    let finding = document.error(format!("`{kind}` of `{group}` is read by Gatekeeper, not by Writ"));
    let help = match group {
        "expansion.gatekeeper.sh" => {
            "Writ judges the pods that workloads imply by itself; other expansions are not made. Remove the document."
        }
        "mutations.gatekeeper.sh" => "Writ changes no object. Keep mutations with Gatekeeper, in another folder.",
        "externaldata.gatekeeper.sh" => "No policy can call the network. Put the data into parameters.",
        _ => "Remove the document; nothing would honour it.",
    };
    finding.help(help).warning_only()
}
