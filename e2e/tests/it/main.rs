//! The real binaries against a real git remote and a real browser, and the tidy checks of the repository itself.
//! `cargo build --workspace` comes first: tests do not build what they start.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails its test")]

mod access;
mod api_server;
mod audit;
mod bad_database;
mod bad_input;
mod balancer;
mod browser;
mod cluster;
mod commits;
mod empty_root;
mod hubs;
mod kubernetes;
mod ledger;
mod life;
mod magtape;
mod metrics;
mod monitoring;
mod outage;
mod pages;
mod people;
mod policies;
mod policy_reports;
mod process;
mod proxy;
mod registry;
mod replicas;
mod rotation;
mod shared;
mod slack;
mod sources;
mod tidy;
mod wait;
mod waves;
mod world;
