//! Untrusted policy is compiled and tested in a child process with limits on memory and time before anything else
//! loads it, because a stack overflow or a runaway allocation cannot be caught. The child is the same binary, run with
//! [`SUBCOMMAND`]; `main` of every binary hands over to [`run_child`] when it sees it.

mod child;
mod parent;
mod passed;
mod plan;

use passed::{Known, Passed};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;
use writ_policy::check::{CheckedPolicy, Examination, Examined, examine};
use writ_policy::unit_test::TestResult;
use writ_policy::{CheckReport, Diagnostic, Digest, SourceFile};

pub use child::run_child;

/// The hidden first argument that makes a binary the child.
pub const SUBCOMMAND: &str = "__self-test";

/// The longest that one unit test may take.
const PER_TEST: Duration = Duration::from_secs(2);
/// How the check is run, and which tests passed last. Clones share the latter.
#[derive(Debug, Clone)]
pub struct SelfTest {
    program: Option<PathBuf>,
    timeout: Duration,
    memory: u64,
    passed: Passed,
}

/// What the child found.
#[derive(Debug, Clone, Default)]
pub struct SelfTestReport {
    /// The check of all files.
    pub check: CheckReport,
    /// Their unit tests, also those that were not run again because nothing they depend on changed.
    pub tests: Vec<TestResult>,
}

/// The self-test could not begin, which says nothing of the files: it is worth another try.
#[derive(Debug, thiserror::Error)]
#[error("the self-test could not start")]
pub struct NotStarted(#[from] std::io::Error);

/// What was found, or the one finding that says why there is no report.
type Answer = Result<Examined, Diagnostic>;

/// What the child is asked.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    files: Vec<SourceFile>,
    /// Policies in files that are left out.
    others: Vec<CheckedPolicy>,
    /// Test modules that need not run.
    known: HashSet<Digest>,
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
    Report(Box<Examined>),
}

impl SelfTest {
    /// Nothing passed yet. `program` is run with [`SUBCOMMAND`]; `None` checks in this process (tests of ours). The
    /// child may take no longer than `timeout` and have no more than `memory` bytes of address space.
    pub fn new(program: Option<PathBuf>, timeout: Duration, memory: u64) -> Self {
        Self { program, timeout, memory, passed: Passed::default() }
    }

    /// Checks the files and runs those tests whose results may differ from the last run without errors. A child that
    /// crashes, hangs or exceeds its limits is an error diagnostic of the report; a failed unit test is one too, at its
    /// file and line.
    pub async fn run(&self, files: &[SourceFile]) -> Result<SelfTestReport, NotStarted> {
        let known = self.passed.known();
        if let Some(report) = self.run_part(files, &known).await? {
            return Ok(report);
        }
        let examined = self.examine(files.to_vec(), vec![], &known).await?;
        let report = examined.and_then(|examined| self.passed.complete(examined, &known, plan::digest_of_data(files)));
        Ok(report.unwrap_or_else(|finding| {
            let check = CheckReport { diagnostics: vec![finding], ..CheckReport::default() };
            SelfTestReport { check, tests: vec![] }
        }))
    }

    /// The whole report from the part of the files that a change can matter to. `None` when all must be examined:
    /// also when anything is found in the part, so that findings are always those of the whole.
    async fn run_part(&self, files: &[SourceFile], known: &Known) -> Result<Option<SelfTestReport>, NotStarted> {
        let is_other = known.data != Some(plan::digest_of_data(files));
        let Some(plan) = plan::plan(files, &known.clean).filter(|_| !is_other) else { return Ok(None) };
        let examined = self.examine(plan.files.clone(), plan.others.clone(), known).await?;
        Ok(examined.ok().and_then(|examined| self.passed.complete_part(plan, examined, known)))
    }

    async fn examine(
        &self,
        files: Vec<SourceFile>,
        others: Vec<CheckedPolicy>,
        known: &Known,
    ) -> Result<Answer, NotStarted> {
        let cpu = self.timeout.as_secs() + 1;
        let request = Request { files, others, known: known.digests(), memory: self.memory, cpu };
        match &self.program {
            Some(program) => parent::run(program, self.timeout, &request).await,
            None => in_this_process(request).await,
        }
    }
}

impl Request {
    /// The check and, when it finds no error, the tests. `reading` is told of each file before it is touched.
    fn examine(&self, reading: &dyn Fn(&str)) -> Examined {
        let Self { files, others, known, .. } = self;
        examine(&Examination { files, others, per_test: PER_TEST, known, now: now() }, reading)
    }
}

/// Unix milliseconds; a clock before 1970 is taken for 1970.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

async fn in_this_process(request: Request) -> Result<Answer, NotStarted> {
    let (reply, report) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("self-test".into()).stack_size(writ_policy::EVALUATION_STACK_BYTES);
    thread.spawn(move || {
        // A caller that went away wants no report.
        let _ = reply.send(request.examine(&|_| {}));
    })?;
    Ok(report.await.map_err(|_| Diagnostic::error("", "the self-test crashed")))
}
