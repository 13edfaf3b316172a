//! Untrusted policy is compiled and tested in a child process with limits on memory and time before anything else
//! loads it, because a stack overflow or a runaway allocation cannot be caught. The child is the same binary, run with
//! [`SUBCOMMAND`]; `main` of every binary hands over to [`run_child`] when it sees it.

mod child;
mod classes;
mod lanes;
mod parent;
mod passed;
mod plan;

pub use classes::{ClassFindings, ClassPart};
use passed::{Known, Passed};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;
use writ_policy::check::{CheckedPolicy, Examination, Examined, InTurn, Lanes, examine};
use writ_policy::unit_test::TestResult;
use writ_policy::{CheckReport, Diagnostic, Digest, SourceFile};

pub use child::run_child;

/// The hidden first argument that makes a binary the child.
pub const SUBCOMMAND: &str = "__self-test";

/// The longest that one unit test may take.
const PER_TEST: Duration = Duration::from_secs(2);
/// The most threads that examine one repository.
const MOST_LANES: usize = 2;

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
    /// Whether the child ended for want of time or memory, which may be the machine's fault and not the files'.
    pub exhausted: bool,
}

/// The self-test could not begin, which says nothing of the files: it is worth another try.
#[derive(Debug, thiserror::Error)]
#[error("the self-test could not start")]
pub struct NotStarted(#[from] std::io::Error);

/// What was found, or why nothing.
type Answer = Result<Examined, NoReport>;

/// The one finding that says why there is no report, and whether that was for want of time or memory.
struct NoReport {
    finding: Diagnostic,
    exhausted: bool,
}

impl From<Diagnostic> for NoReport {
    fn from(finding: Diagnostic) -> Self {
        Self { finding, exhausted: false }
    }
}

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
    /// How many threads share the work.
    lanes: usize,
}

/// What the child says, one line of JSON each.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    /// A thread is about to read or evaluate this file, or has nothing left to do.
    Reading { lane: usize, path: Option<String> },
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
        let report = examined.and_then(|examined| {
            let whole = self.passed.complete(examined, &known, plan::digest_of_data(files));
            whole.map_err(NoReport::from)
        });
        Ok(report.unwrap_or_else(|NoReport { finding, exhausted }| {
            let check = CheckReport { diagnostics: vec![finding], ..CheckReport::default() };
            SelfTestReport { check, tests: vec![], exhausted }
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
        let lanes = std::thread::available_parallelism().map_or(1, |all| all.get().min(MOST_LANES));
        let cpu = (self.timeout.as_secs() + 1) * lanes as u64;
        let mut request = Request { files, others, known: known.digests(), memory: self.memory, cpu, lanes };
        let Some(program) = &self.program else { return in_this_process(request).await };
        let ended = match parent::run(program, self.timeout, &request).await? {
            Ok(examined) => return Ok(Ok(examined)),
            Err(ended) => ended,
        };
        if ended.crashed && ended.reading.len() > 1 {
            // One of several files; alone it is named.
            request.lanes = 1;
            return Ok(parent::run(program, self.timeout, &request).await?.map_err(NoReport::from));
        }
        Ok(Err(ended.into()))
    }
}

impl Request {
    /// The check and, when it finds no error, the tests.
    fn examine(&self, lanes: &dyn Lanes) -> Examined {
        let Self { files, others, known, .. } = self;
        examine(&Examination { files, others, per_test: PER_TEST, known, now: now() }, lanes)
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
        let _ = reply.send(request.examine(&InTurn));
    })?;
    Ok(report.await.map_err(|_| Diagnostic::error("", "the self-test crashed").into()))
}
