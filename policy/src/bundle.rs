//! What travels from hub to agent: a bundle (the policies of a revision) and an assignment (the hub's word to one
//! cluster), both signed; an index that names the files by digest; the files themselves as blobs.

use crate::sign::{Signed, Statement};
use crate::{ClusterName, Digest, Revision, Settings, SourceFile};
use serde::{Deserialize, Serialize};

/// The largest index that an agent reads, in bytes.
pub const MAX_INDEX_BYTES: usize = 4 << 20;

/// The files of a bundle by content. Its own digest depends on nothing but the content, so a revert needs no bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// The format, 1.
    pub format: u32,
    /// Sorted by path.
    pub files: Vec<IndexedFile>,
}

/// One file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexedFile {
    /// Path within the repository.
    pub path: String,
    /// Digest of the text, and the name of its blob.
    pub digest: Digest,
    /// Length of the text in bytes.
    pub bytes: u64,
}

impl Index {
    /// The index of these files and its text. Files that decide nothing (Markdown) are left out.
    pub fn build(files: &[SourceFile]) -> (Self, String) {
        let mut indexed: Vec<IndexedFile> = files
            .iter()
            .filter(|file| file.is_rego() || file.is_yaml() || file.path.ends_with(".json"))
            .map(|file| IndexedFile { path: file.path.clone(), digest: file.digest(), bytes: file.text.len() as u64 })
            .collect();
        indexed.sort_by(|a, b| a.path.cmp(&b.path));
        let index = Self { format: 1, files: indexed };
        let text = serde_json::to_string(&index).expect("an index has only string keys");
        (index, text)
    }
}

/// Signed by the hub (or the author): what the bundle is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleStatement {
    /// The commit it was built from.
    pub revision: Revision,
    /// Digest of the [`Index`] text.
    pub index: Digest,
    /// How many policies it holds, so that an agent can notice that they vanished.
    pub policies: u32,
    /// The [`Class`](crate::fleet::Class) of clusters that it is for; empty for those of none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub class: String,
    /// [`crate::author::AuthorStatement`], where an author signs outside of the hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Signed>,
}

impl Statement for BundleStatement {
    const NAME: &'static str = "bundle";
}

/// Signed by the hub: what one cluster should enforce.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// The one cluster that may obey it.
    pub cluster: ClusterName,
    /// Only grows; a revert is a new epoch. The agent refuses older ones.
    pub epoch: u64,
    /// Digest of the [`BundleStatement`] payload.
    pub bundle: Digest,
    /// The fleet's settings resolved for this cluster.
    pub settings: Settings,
    /// Unix milliseconds.
    pub issued_at: i64,
    /// Unix milliseconds from which the agent warns that it is stale. It keeps enforcing.
    pub stale_after: i64,
}

impl Statement for Assignment {
    const NAME: &'static str = "assignment";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_depends_on_content_alone() {
        let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.into() };
        let (_, one) = Index::build(&[file("b.rego", "b"), file("a.rego", "a"), file("README.md", "hello")]);
        let (_, two) = Index::build(&[file("a.rego", "a"), file("b.rego", "b")]);
        assert_eq!(one, two);
    }
}
