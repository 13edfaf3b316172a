//! `kind: NamespacePolicies` as it is written.

use super::{KIND, Team};
use crate::Diagnostic;
use crate::document::Document;
use crate::fleet::API_VERSION;
use crate::yaml::Node;
use std::sync::Arc;

const EXAMPLE: &str = "Write `apiVersion: writ.dev/v1`, `metadata: {name: shop}` and `spec: {namespaces: [shop, shop-*]}`, in the \
    folder that the team owns.";

/// The teams among these documents, and what is wrong with them.
pub(crate) fn read(documents: &[Document<'_>]) -> (Vec<Arc<Team>>, Vec<Diagnostic>) {
    let (mut teams, mut findings) = (Vec::<Arc<Team>>::new(), vec![]);
    for document in documents.iter().filter(|document| document.group() == "writ.dev" && document.kind == KIND) {
        match team(document).and_then(|team| apart(document, team, &teams)) {
            Ok(team) => teams.push(team.into()),
            Err(finding) => findings.push(finding.help(EXAMPLE)),
        }
    }
    (teams, findings)
}

fn team(document: &Document<'_>) -> Result<Team, Diagnostic> {
    let path = &document.file.path;
    if document.api_version != API_VERSION {
        return Err(document.error(format!("`{}` is not known", document.api_version)));
    }
    only(document, &document.node, &["apiVersion", "kind", "metadata", "spec"])?;
    let name = document.name();
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || name.len() > 40 || !name.bytes().all(is_name) {
        return Err(document.error(format!("{name:?} is no name of a team: lower-case letters, digits and `-`")));
    }
    let spec = document.node.get("spec").ok_or_else(|| document.error("`spec` is missing"))?;
    only(document, spec, &["namespaces"])?;
    let listed = spec.get("namespaces").map(Node::items).unwrap_or_default();
    if listed.is_empty() {
        return Err(document.error("`spec.namespaces` is missing or empty"));
    }
    let mut namespaces = Vec::with_capacity(listed.len());
    for node in listed {
        // A glob that holds nothing of a name would reach namespaces of everybody.
        let text = node.text().filter(|text| text.bytes().filter(|byte| is_name(*byte)).count() > 1);
        let is_glob = |text: &&str| text.bytes().all(|byte| is_name(byte) || byte == b'*');
        let text = text.filter(is_glob);
        namespaces
            .push(text.ok_or_else(|| node.error(path, "a namespace is a name, or a glob such as `shop-*`"))?.into());
    }
    let Some((folder, _)) = path.rsplit_once('/') else {
        return Err(document.error("a team at the top of the repository would own all of it"));
    };
    Ok(Team {
        name: name.into(),
        namespaces,
        folder: format!("{folder}/"),
        path: path.clone(),
        place: document.node.place,
    })
}

fn only(document: &Document<'_>, node: &Node, known: &[&str]) -> Result<(), Diagnostic> {
    let unknown = node.fields().iter().find(|field| !known.contains(&field.key.as_str()));
    unknown.map_or(Ok(()), |field| {
        Err(field.error(&document.file.path, format!("`{KIND}` has no field `{}` there", field.key)))
    })
}

/// Nothing belongs to two teams.
fn apart(document: &Document<'_>, team: Team, teams: &[Arc<Team>]) -> Result<Team, Diagnostic> {
    let shares = |other: &&Arc<Team>| other.folder.starts_with(&team.folder) || team.folder.starts_with(&other.folder);
    if let Some(other) = teams.iter().find(shares) {
        return Err(
            document.error(format!("the folder {} is also of team `{}` ({})", team.folder, other.name, other.path))
        );
    }
    let packages = team.packages();
    if let Some(other) = teams.iter().find(|other| other.packages() == packages) {
        return Err(document.error(format!("team `{}` is already declared in {}", other.name, other.path)));
    }
    Ok(team)
}
