//! `classes` of the fleet: clusters that are served a part of the policies. There is one bundle for each class, and one of
//! everything for the clusters of none; settings stay each cluster's own.

use super::{API_VERSION, Fleet};
use crate::glob::glob_matches;
use crate::{Diagnostic, Labels, SourceFile};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most classes of a fleet: each commit is checked once for each.
const MAX_CLASSES: usize = 16;

/// Clusters that are served the same part of the files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Class {
    /// What people call it.
    pub name: String,
    /// All of these labels must be there, with these values. A cluster is of the first class that matches.
    #[serde(rename = "match", default)]
    pub labels: Labels,
    /// Which files its clusters are served, by globs of their paths (`common/*`: all below that folder).
    pub paths: BTreeSet<String>,
}

impl Class {
    /// Those of the files that its clusters are served. Documents of Writ's own go everywhere: settings, exemptions and
    /// teams are resolved from them, and an author's signature is held against them.
    pub fn files(&self, files: &[SourceFile]) -> Vec<SourceFile> {
        files.iter().filter(|file| self.serves(file)).cloned().collect()
    }

    /// Whether its clusters are served this file.
    pub fn serves(&self, file: &SourceFile) -> bool {
        self.has(&file.path) || is_writs(file)
    }

    /// Whether its `paths` name the file at this path.
    pub fn has(&self, path: &str) -> bool {
        self.paths.iter().any(|pattern| glob_matches(pattern, path))
    }
}

fn is_writs(file: &SourceFile) -> bool {
    file.is_yaml() && file.text.contains(API_VERSION)
}

impl Fleet {
    /// The class of a cluster with these labels; nothing when it is served everything.
    pub fn class_of(&self, labels: &Labels) -> Option<&Class> {
        let matches = |class: &&Class| class.labels.iter().all(|(key, value)| labels.get(key) == Some(value));
        self.classes.iter().find(matches)
    }

    /// The files that a cluster with these labels is served.
    pub fn served_to(&self, labels: &Labels, files: &[SourceFile]) -> Vec<SourceFile> {
        self.class_of(labels).map_or_else(|| files.to_vec(), |class| class.files(files))
    }

    /// What is wrong with the classes as a whole.
    pub(super) fn check_classes(&self, file: &SourceFile) -> Result<(), Diagnostic> {
        let wrong = |message: String| Diagnostic::error(&file.path, message);
        if self.classes.len() > MAX_CLASSES {
            return Err(wrong(format!("the fleet has {} classes, more than {MAX_CLASSES}", self.classes.len())));
        }
        let mut names = BTreeSet::new();
        for class in &self.classes {
            let name = &class.name;
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if name.is_empty() || name.len() > 63 || !name.chars().all(plain) {
                let finding = wrong(format!("`{name}` is no name for a class"));
                return Err(finding.help("Write 1 to 63 of a-z, A-Z, 0-9, `-`, `_` and `.`."));
            }
            if !names.insert(name) {
                return Err(wrong(format!("two classes are called `{name}`")).help("Give each a name of its own."));
            }
            if class.labels.is_empty() {
                let finding = wrong(format!("the class `{name}` matches every cluster"));
                return Err(finding.help("Write labels to `match`; clusters of no class are served everything."));
            }
            if class.paths.is_empty() {
                let finding = wrong(format!("the class `{name}` is served nothing"));
                return Err(finding.help("Write which files it is served: `paths: [common/*, edge/*]`."));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.into(), text: text.into() }
    }

    fn fleet(classes: &str) -> Result<Fleet, Diagnostic> {
        let text = format!("apiVersion: writ.dev/v1\nkind: Fleet\nclasses: {classes}\n");
        Fleet::parse(&file("fleet.yaml", &text))
    }

    #[test]
    fn first_class_that_matches_is_the_clusters_and_none_is_everything() {
        let classes = "[{name: edge, match: {tier: edge}, paths: [common/*, edge/*]}, \
                       {name: far, match: {tier: edge, far: 'yes'}, paths: [far/*]}]";
        let fleet = fleet(classes).unwrap();
        let labels = Labels::from([("tier".to_owned(), "edge".to_owned()), ("far".to_owned(), "yes".to_owned())]);
        assert_eq!(fleet.class_of(&labels).unwrap().name, "edge");
        let files = [
            file("common/a.rego", ""),
            file("edge/deep/b.rego", ""),
            file("core/c.rego", ""),
            file("fleet.yaml", "apiVersion: writ.dev/v1"),
            file("core/d.yaml", "kind: ConfigMap"),
        ];
        let served: Vec<_> = fleet.served_to(&labels, &files).into_iter().map(|file| file.path).collect();
        assert_eq!(served, ["common/a.rego", "edge/deep/b.rego", "fleet.yaml"]);
        assert_eq!(fleet.served_to(&Labels::new(), &files).len(), files.len());
    }

    #[test]
    fn odd_classes_are_refused() {
        for (classes, reason) in [
            ("[{name: a b, match: {x: y}, paths: ['*']}]", "no name"),
            ("[{name: a, paths: ['*']}]", "matches every cluster"),
            ("[{name: a, match: {x: y}, paths: []}]", "served nothing"),
            ("[{name: a, match: {x: y}, paths: ['*']}, {name: a, match: {x: z}, paths: ['*']}]", "two classes"),
            ("[{name: a, match: {x: y}, path: ['*']}]", "path"),
        ] {
            let finding = fleet(classes).unwrap_err();
            assert!(finding.message.contains(reason), "{classes}: {finding}");
        }
    }
}
