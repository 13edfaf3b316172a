//! The agent's integration tests, one binary.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod manifests;
