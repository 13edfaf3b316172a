//! Policies that are off for a cluster. Most of a library is, and where all files passed a check, a worker need not read them
//! to know that they decide nothing.

use super::compile::{Said, said_by};
use crate::check::CheckedPolicy;
use crate::engine::load::names_below_data;
use crate::metadata::Metadata;
use crate::{Settings, SourceFile, catalog};
use std::collections::BTreeSet;

/// The files of a bundle, apart by whether they decide.
pub(super) struct Parted {
    pub deciding: Vec<SourceFile>,
    /// What policies that are off, and that no other one needs, say of themselves.
    pub resting: Vec<CheckedPolicy>,
}

/// A policy that is off, until another one is found to need it.
struct Off<'a> {
    file: &'a SourceFile,
    package: Vec<String>,
    said: Said,
}

/// Tests decide nothing, and the check has read them.
pub(super) fn part(files: &[SourceFile], settings: &Settings) -> Parted {
    // What a team's policies are called, and who may use them, is known only once all was read.
    let has_teams = files.iter().any(|file| file.is_yaml() && file.text.contains("NamespacePolicies"));
    let (mut deciding, mut all_off) = (vec![], vec![]);
    for file in files.iter().filter(|file| !file.is_test()) {
        match off(file, settings).filter(|_| !has_teams) {
            Some(off) => all_off.push(off),
            None => deciding.push(file.clone()),
        }
    }
    let mut looked_at = 0;
    while looked_at < deciding.len() {
        let names = needs(&deciding[looked_at]);
        looked_at += 1;
        let (needed, rest): (Vec<_>, Vec<_>) =
            all_off.into_iter().partition(|off| names.iter().any(|path| catalog::overlap(path, &off.package)));
        deciding.extend(needed.into_iter().map(|off| off.file.clone()));
        all_off = rest;
    }
    let resting = all_off.into_iter().map(|Off { said: (info, parameters, _), .. }| CheckedPolicy { info, parameters });
    Parted { deciding, resting: resting.collect() }
}

/// The policy of this file, if that says without an engine that it is one in Writ's dialect, and is off.
fn off<'a>(file: &'a SourceFile, settings: &Settings) -> Option<Off<'a>> {
    let package = package(file)?;
    let is_policy = matches!(package.as_slice(), [writ, kind, ..] if writ == "writ" && kind != "lib");
    let said = said_by(file, &package, None, Metadata::parse(file).ok().filter(|_| is_policy)?);
    (!settings.enables(&said.0)).then_some(Off { file, package, said })
}

fn package(file: &SourceFile) -> Option<Vec<String>> {
    let text = file.is_rego().then(|| catalog::package_of(&file.text))?;
    let is_name =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let parts: Vec<String> = text.split('.').map(str::to_owned).collect();
    parts.iter().all(|part| is_name(part)).then_some(parts)
}

/// What the file may ask below `data`; its own package is one that others may share.
fn needs(file: &SourceFile) -> BTreeSet<Vec<String>> {
    let mut names = if file.is_rego() { names_below_data(&file.text) } else { BTreeSet::new() };
    names.extend(package(file));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(code: &str, enabled: bool, body: &str) -> SourceFile {
        let name = code.to_lowercase();
        let text = format!(
            "# METADATA\n# title: {code}\n# custom:\n#   code: {code}\n#   severity: HIGH\n#   kinds: [Pod]\n#   enabled: {enabled}\n\
             package writ.{name}\n\n{body}\n"
        );
        SourceFile::new(&format!("policies/{name}.rego"), text.as_bytes()).unwrap()
    }

    fn paths(files: &[SourceFile]) -> (Vec<String>, Vec<String>) {
        let Parted { deciding, resting } = part(files, &Settings::default());
        let deciding = deciding.into_iter().map(|file| file.path).collect();
        (deciding, resting.into_iter().map(|policy| policy.info.code.to_string()).collect())
    }

    #[test]
    fn policy_that_is_off_rests_unless_another_one_needs_it_directly_or_not() {
        let files = [
            policy("A1", true, "deny contains data.writ.b1.message if true"),
            policy("B1", false, "message := data.writ.c1.text\ndeny contains \"b\" if true"),
            policy("C1", false, "text := \"c\"\ndeny contains \"c\" if true"),
            policy("D1", false, "deny contains \"d\" if true # data.writ.a1"),
        ];
        let (deciding, resting) = paths(&files);
        assert_eq!(deciding, ["policies/a1.rego", "policies/b1.rego", "policies/c1.rego"]);
        assert_eq!(resting, ["D1"]);
    }

    #[test]
    fn policy_that_asks_for_all_policies_needs_all() {
        let files = [
            policy("A1", true, "deny contains name if some name, _ in data.writ"),
            policy("B1", false, "deny := set()"),
        ];
        assert_eq!(paths(&files).0.len(), 2);
    }

    #[test]
    fn nothing_rests_beside_teams() {
        let team = b"apiVersion: writ.dev/v1\nkind: NamespacePolicies\n";
        let files = [policy("B1", false, "deny := set()"), SourceFile::new("teams/shop/team.yaml", team).unwrap()];
        assert_eq!(paths(&files).0.len(), 2);
    }
}
