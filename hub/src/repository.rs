//! Everything that names git2. Following a repository belongs to `source`; this module opens, reads and writes git.

pub mod author;
mod commit;
mod mirror;
mod reference;
mod remote;
mod tree;

pub use commit::{Commit, Parts, is_urgent};
pub use mirror::{Mirror, Signature};
pub use reference::Reference;
pub use remote::Remote;
pub use tree::Read;

use anyhow::Context;

/// The policy files of a commit in a clone, or of its head, as the hub would read them; and which commit that is.
pub fn files_of(
    clone: &std::path::Path,
    commit: Option<&writ_policy::Revision>,
    folder: &str,
) -> anyhow::Result<(writ_policy::Revision, Read)> {
    let repository =
        git2::Repository::open(clone).with_context(|| format!("{} is no git repository", clone.display()))?;
    let commit = match commit {
        Some(commit) => {
            repository.find_commit(git2::Oid::from_str(commit.as_str())?).context("the commit is not there")?
        }
        None => repository.head().and_then(|head| head.peel_to_commit()).context("the repository has no commit")?,
    };
    let read = tree::read(&repository, commit.tree_id(), folder)?;
    Ok((writ_policy::Revision::new(commit.id().to_string())?, read))
}

/// The folder that holds the references of a repository at this path: bare, with a working tree, or a linked one.
pub fn references_of(path: &std::path::Path) -> anyhow::Result<std::path::PathBuf> {
    Ok(git2::Repository::open(path)?.commondir().to_owned())
}
