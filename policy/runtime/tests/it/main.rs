//! Workers and the self-test child from outside.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod evaluator;
mod remembered;
mod self_test;

use writ_policy::SourceFile;

/// A repository of one policy that objects to names longer than three characters.
fn policy() -> SourceFile {
    file("policy.rego", include_str!("policy.rego"))
}

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.into(), text: text.into() }
}
