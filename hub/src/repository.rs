//! Everything that names git2. Following a repository belongs to `source`; this module opens, reads and writes git.

pub mod author;
mod commit;
mod mirror;
mod remote;
mod tree;

pub use commit::Commit;
pub use mirror::{History, Mirror};
pub use remote::{Remote, RemoteConfig};
