//! Servers that tests need from the world around Writ: a git host over TLS, and the certificates for it. The tests
//! that drive the real binaries are in `tests/it`.

pub mod certificates;
pub mod git;
pub mod git_server;
pub mod postgres;
pub mod registry;
mod skipped;

pub use skipped::skipped;
