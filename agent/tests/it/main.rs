//! The agent through its real boundaries: a hub that signs, a data folder, a TLS client, the self-test's child.
#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "tests")]

mod aside;
mod author;
mod bundles;
mod fake_hub;
mod health;
mod manifests;
mod renewal;
mod report;
mod rotation;
mod sync;
mod test_agent;
mod webhook;
