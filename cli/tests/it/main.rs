//! The `writ` binary as people and CI run it: arguments in, text and exit code out.

mod rollback;
mod support;
mod wait;
