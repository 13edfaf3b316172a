//! What a policy is and what it decides. Pure: no I/O, no clock, no threads, no environment.
//! Time, budgets, Namespace objects and file contents are arguments; the callers own them.
//!
//! A newcomer's order: [`source`] (files as the repository has them) -> [`check`] (is it sound?) ->
//! [`bundle`] (what travels) -> [`PolicySet`] (what decides) -> [`Decision`] -> [`answer`] (what is said).

pub mod action;
pub mod answer;
pub mod author;
pub mod break_glass;
pub mod bundle;
mod catalog;
mod cel;
pub mod check;
pub mod conftest;
pub mod decision;
pub mod diagnostic;
pub mod digest;
mod document;
pub mod engine;
pub mod exemption;
mod expansion;
pub mod explain;
pub mod fleet;
mod gatekeeper;
pub mod glob;
pub mod inventory;
pub mod lifeline;
mod magtape;
mod metadata;
pub mod name;
pub mod policy_set;
pub mod review;
pub mod severity;
pub mod sign;
pub mod source;
pub mod succession;
pub mod suite;
mod team;
pub mod unit_test;
pub mod wire;
mod yaml;

/// The stack that every thread that loads or evaluates policies needs, in bytes: the engine recurses with policies, with
/// the objects they judge, and along chains of rules, within the bounds that the load pipeline sets.
pub const EVALUATION_STACK_BYTES: usize = 64 << 20;

pub use action::{Action, Because, Objection, OnError, Ruling, Words};
pub use answer::answer;
pub use break_glass::BreakGlass;
pub use check::{CheckReport, check};
pub use decision::{Decision, Dialect, Outcome, PolicyInfo, PolicyResult};
pub use diagnostic::{Diagnostic, Level};
pub use digest::Digest;
pub use exemption::Exemption;
pub use expansion::workloads;
pub use fleet::{Fleet, Settings};
pub use inventory::{Inventory, NoInventory, Replicated};
pub use name::{AgentId, ClusterName, Labels, NamespaceName, PolicyCode, PolicyName, Revision};
pub use policy_set::{Budget, Decided, PolicySet, Target};
pub use review::{ReviewError, ReviewFacts};
pub use severity::{DenyLevel, Severity};
pub use source::SourceFile;
