//! Everything that names git2. Following a repository belongs to `source`; this module opens, reads and writes git.

pub mod author;
mod commit;
mod mirror;
mod remote;
mod tree;

pub use commit::Commit;
pub use mirror::{History, Mirror};
pub use remote::Remote;

/// The folder that holds the references of a repository at this path: bare, with a working tree, or a linked one.
pub fn references_of(path: &std::path::Path) -> anyhow::Result<std::path::PathBuf> {
    Ok(git2::Repository::open(path)?.commondir().to_owned())
}
