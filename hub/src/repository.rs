//! Everything that names git2. Following a repository belongs to `source`; this module opens, reads and writes git.

pub mod author;
