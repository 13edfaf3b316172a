//! Untrusted policy is compiled and tested in a child process with limits on memory and time before anything else
//! loads it, because a stack overflow or a runaway allocation cannot be caught. The child is the same binary, run with
//! [`SUBCOMMAND`]; `main` of every binary hands over to [`run_child`] when it sees it.

mod child;
mod parent;

use serde::{Deserialize, Serialize};
use std::time::Duration;
use writ_policy::unit_test::TestResult;
use writ_policy::{CheckReport, Diagnostic, SourceFile};

pub use child::run_child;

/// The hidden first argument that makes a binary the child.
pub const SUBCOMMAND: &str = "__self-test";

/// The longest that one unit test may take.
const PER_TEST: Duration = Duration::from_secs(2);
/// The interpreter and the parser recurse with the depth of a policy.
const STACK_BYTES: usize = 64 << 20;

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

/// What the child is asked.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    files: Vec<SourceFile>,
    /// Bytes of address space.
    memory: u64,
    /// Seconds of processor time.
    cpu: u64,
}

/// What the child says, one line of JSON each.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    /// It is about to read or evaluate this file.
    Reading(String),
    /// It is done.
    Report(Box<SelfTestReport>),
}

impl SelfTest {
    /// Checks and tests the files. A child that crashes, hangs or exceeds its limits is an error diagnostic of the
    /// report; a failed unit test is one too, at its file and line.
    pub async fn run(&self, files: &[SourceFile]) -> SelfTestReport {
        let report = match &self.program {
            Some(program) => parent::run(self, program, files).await,
            None => in_this_process(files.to_vec()).await,
        };
        report.unwrap_or_else(|finding| {
            let check = CheckReport { diagnostics: vec![finding], ..CheckReport::default() };
            SelfTestReport { check, tests: vec![] }
        })
    }
}

/// The check and, when it finds no error, the tests. `reading` is told of each file before it is touched.
fn examine(files: &[SourceFile], reading: &dyn Fn(&str)) -> SelfTestReport {
    let (mut check, tests) = writ_policy::check::check_and_test(files, PER_TEST, reading);
    check.diagnostics.extend(tests.iter().filter_map(failed));
    SelfTestReport { check, tests }
}

fn failed(test: &TestResult) -> Option<Diagnostic> {
    let reason = test.failure.as_ref()?;
    let name = test.name.rsplit('.').next().unwrap_or(&test.name);
    let finding = Diagnostic::error(&test.path, format!("`{name}` failed: {reason}")).at(test.line, 1);
    Some(
        finding
            .spanning(name.chars().count() as u32)
            .help("Run `writ test` to see it; correct the policy or its test."),
    )
}

async fn in_this_process(files: Vec<SourceFile>) -> Result<SelfTestReport, Diagnostic> {
    let (reply, report) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("self-test".into()).stack_size(STACK_BYTES);
    let started = thread.spawn(move || {
        // A caller that went away wants no report.
        let _ = reply.send(examine(&files, &|_| {}));
    });
    let crashed = || Diagnostic::error("", "the self-test crashed");
    started.map_err(|error| Diagnostic::error("", format!("the self-test could not start: {error}")))?;
    report.await.map_err(|_| crashed())
}
