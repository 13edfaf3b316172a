//! The real binaries against a real git remote and a real browser, and the tidy checks of the repository itself.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails its test")]

mod tidy;
