//! Real remotes on loopback: a git host over TLS, and an ssh daemon where one is installed. libgit2's transports are
//! registered once per process, so all tests share one set of options and the remotes misbehave by path.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails its test")]

mod host;
mod https;
mod ssh;
