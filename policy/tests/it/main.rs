//! Behaviour of the policy crate from outside: files in, findings and decisions out.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod break_glass;
mod cases;
mod check;
mod conftest;
mod corpus;
mod decide;
mod exemptions;
mod expansion;
mod explain;
mod files;
mod library;
mod load;
mod load_after;
mod mutated;
mod pod_security;
mod skew;
mod suite;
mod switches;
mod teams;
mod template;
mod unit_test;
