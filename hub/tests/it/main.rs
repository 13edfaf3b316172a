//! The hub through its HTTP boundary: real routes, a real database, a real git repository; no sockets, no sleeps.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod access;
mod author;
mod backup;
mod break_glass;
mod checks;
mod classes;
mod database;
mod desired;
mod enrollment;
mod explain;
mod history;
mod hubs;
mod loops;
mod migrate;
mod openapi;
mod pages;
mod push;
mod replicas;
mod reports;
mod restart;
mod retention;
mod revisions;
mod rewritten;
mod rollouts;
mod rotation;
mod secrets;
mod signatures;
mod slow;
mod source;
mod sources;
mod support;
mod violations;
