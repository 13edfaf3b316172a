//! The `writ` binary as people and CI run it: arguments in, text and exit code out.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot be set up should fail")]

mod authors;
mod broken;
mod bundle;
mod charts;
mod conftest;
mod demo;
mod eval;
mod install;
mod rollback;
mod support;
mod verify;
mod wait;
