//! YAML of the repository, known by content: Writ's kinds, kinds that are not supported yet, and YAML that is none of
//! Writ's business (CI, Kubernetes manifests).

use crate::fleet::API_VERSION;
use crate::{Diagnostic, Fleet, SourceFile};
use serde::Deserialize;

/// The head that every Kubernetes-like document has.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "apiVersion")]
    api_version: Option<serde_json::Value>,
    kind: Option<serde_json::Value>,
}

/// Gatekeeper's groups.
const GATEKEEPER: [&str; 6] = [
    "templates.gatekeeper.sh",
    "constraints.gatekeeper.sh",
    "config.gatekeeper.sh",
    "expansion.gatekeeper.sh",
    "mutations.gatekeeper.sh",
    "externaldata.gatekeeper.sh",
];

/// The fleet of these files, with the path of its file, and what is wrong with their YAML.
pub(crate) fn read(files: &[SourceFile]) -> (Option<(&SourceFile, Fleet)>, Vec<Diagnostic>) {
    let mut findings = vec![];
    let mut fleet: Option<(&SourceFile, Fleet)> = None;
    for file in files.iter().filter(|file| file.is_yaml()) {
        match read_file(file) {
            Ok(None) => {}
            Ok(Some(_)) if fleet.is_some() => {
                let first = fleet.as_ref().map(|(file, _)| file.path.as_str()).unwrap_or_default();
                let message = format!("a second fleet; the first one is in {first}");
                findings.push(Diagnostic::error(&file.path, message).help("Keep one `kind: Fleet` in the repository."));
            }
            Ok(Some(found)) => fleet = Some((file, found)),
            Err(finding) => findings.push(finding),
        }
    }
    (fleet, findings)
}

fn read_file(file: &SourceFile) -> Result<Option<Fleet>, Diagnostic> {
    if let Err(error) = serde_saphyr::from_multiple::<serde::de::IgnoredAny>(&file.text) {
        return Err(crate::fleet::yaml_diagnostic(&file.path, &error));
    }
    // Cheap and sure: no document of ours is without these letters.
    if !file.text.contains("writ.dev") && !file.text.contains("gatekeeper.sh") {
        return Ok(None);
    }
    let documents: Vec<Document> = documents(&file.text);
    let ours: Vec<&Document> = documents.iter().filter(|document| document.is_ours()).collect();
    for document in &ours {
        document.check(&file.path)?;
    }
    match ours.as_slice() {
        [] => Ok(None),
        [_] if documents.len() == 1 => Fleet::parse(file).map(Some),
        [.., document] => {
            let message = "the fleet shares its file with other documents";
            Err(Diagnostic::error(&file.path, message).at(document.line, 1).help("Give `kind: Fleet` its own file."))
        }
    }
}

/// One document of a YAML file, by its top-level `apiVersion` and `kind`.
struct Document {
    line: u32,
    api_version: String,
    kind: String,
}

impl Document {
    fn group(&self) -> &str {
        self.api_version.split('/').next().unwrap_or_default()
    }

    fn is_ours(&self) -> bool {
        self.group() == "writ.dev" || GATEKEEPER.contains(&self.group())
    }

    fn check(&self, path: &str) -> Result<(), Diagnostic> {
        let refuse = |message: String, help: &str| Err(Diagnostic::error(path, message).at(self.line, 1).help(help));
        let Self { api_version, kind, .. } = self;
        if GATEKEEPER.contains(&self.group()) {
            let help =
                "Write the policy in Writ's or MagTape's dialect for now, or keep the file out of the policy path.";
            return refuse(format!("`{kind}` of `{api_version}` is Gatekeeper's and not supported yet"), help);
        }
        match kind.as_str() {
            "Fleet" if api_version == API_VERSION => Ok(()),
            "Fleet" => refuse(format!("`{api_version}` is not known"), "Write `apiVersion: writ.dev/v1`."),
            "Exemption" | "NamespacePolicies" => {
                refuse(format!("`kind: {kind}` is not supported yet"), "Remove the document; nothing would honour it.")
            }
            _ => refuse(format!("`kind: {kind}` is not one of Writ's"), "Writ knows `kind: Fleet`."),
        }
    }
}

/// The documents of a file. Templates and the like that are not YAML yield what their lines say.
fn documents(text: &str) -> Vec<Document> {
    let mut documents = vec![];
    let mut start = 1;
    let mut part = String::new();
    let mut finish = |start: u32, part: &str| documents.extend(document(start, part));
    for (number, line) in text.lines().enumerate() {
        if line == "---" || line.starts_with("--- ") {
            finish(start, &part);
            (start, part) = (number as u32 + 2, String::new());
        } else {
            part.push_str(line);
            part.push('\n');
        }
    }
    finish(start, &part);
    documents
}

fn document(start: u32, text: &str) -> Option<Document> {
    let head: Option<Head> = serde_saphyr::from_str(text).ok();
    let from_lines = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(key))
            .map(|rest| rest.trim().trim_matches(['"', '\'']).to_owned())
    };
    let word = |value: Option<serde_json::Value>| value.and_then(|value| value.as_str().map(str::to_owned));
    let (api_version, kind) = match head {
        Some(head) => (word(head.api_version), word(head.kind)),
        None => (from_lines("apiVersion:"), from_lines("kind:")),
    };
    let is_empty = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    let line = text.lines().position(|line| line.starts_with("kind:")).unwrap_or(0) as u32;
    (!is_empty).then(|| Document {
        line: start + line,
        api_version: api_version.unwrap_or_default(),
        kind: kind.unwrap_or_default(),
    })
}
