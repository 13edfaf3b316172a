//! Gatekeeper's suites of tests (`test.gatekeeper.sh`, kind `Suite`): a template and a constraint, and what they should say
//! of objects. Judged by the same [`crate::PolicySet`] as at admission. Which files there are is the caller's affair.

mod assertion;
mod filter;
mod objects;
mod read;
mod review;
mod run;

pub use filter::Filter;
pub use read::read;
pub use run::{Conditions, Files, run};

use assertion::Assertion;

/// One suite of a file.
#[derive(Debug, Clone)]
pub struct Suite {
    /// The file it stands in.
    pub path: String,
    /// Whether its author left it out.
    skip: bool,
    tests: Vec<Test>,
}

/// A template with one constraint, and cases for both. Paths are relative to the suite.
#[derive(Debug, Clone)]
struct Test {
    name: String,
    line: u32,
    template: String,
    constraint: String,
    /// Expansion templates, empty when there are none.
    expansion: String,
    /// Whether the constraint should be refused.
    invalid: bool,
    skip: bool,
    cases: Vec<Case>,
}

/// An object, and what should be said of it.
#[derive(Debug, Clone)]
struct Case {
    name: String,
    line: u32,
    object: String,
    inventory: Vec<String>,
    assertions: Vec<Assertion>,
    skip: bool,
}

/// How one case ended, or a test that got to none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult {
    /// The name of the test.
    pub test: String,
    /// The name of the case; empty when it is about the test as a whole.
    pub case: String,
    /// Where the suite declares it, from 1.
    pub line: u32,
    /// How it ended.
    pub end: CaseEnd,
    /// How many assertions held.
    pub held: usize,
    /// Microseconds.
    pub micros: u64,
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseEnd {
    /// As its author wanted it.
    Passed,
    /// Its author left it out.
    Skipped,
    /// What was wanted and what was said instead; several lines.
    Failed(String),
}
