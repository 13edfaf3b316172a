//! The hub: follows a policy repository, serves signed bundles to agents, stores and shows what they report.

pub mod repository;
