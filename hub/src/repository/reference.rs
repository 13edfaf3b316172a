//! What of a repository is followed: a branch, or a tag that is moved. Always a full name, never a text that git would
//! interpret.

use std::fmt;

/// A branch or a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    kind: &'static str,
    name: String,
}

impl Reference {
    /// The branch of this name.
    pub fn branch(name: &str) -> Self {
        Self { kind: "heads", name: name.to_owned() }
    }

    /// The tag of this name.
    pub fn tag(name: &str) -> Self {
        Self { kind: "tags", name: name.to_owned() }
    }

    /// `refs/heads/main`.
    pub fn full_name(&self) -> String {
        format!("refs/{}/{}", self.kind, self.name)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.kind == "tags" { "tag" } else { "branch" };
        write!(f, "{kind} `{}`", self.name)
    }
}
