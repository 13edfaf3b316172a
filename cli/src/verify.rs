//! `writ verify`: Gatekeeper's suites of tests, judged by the code that judges at admission.

mod folder;
mod human;

pub(crate) use crate::arguments::Verify;

use crate::exit::{DONE, FAILED, Outcome};
use crate::output::{Entry, Format, Group, Place, Results, Status};
use crate::terminal;
use folder::Folder;
use std::time::{Duration, Instant};
use writ_policy::suite::{self, CaseEnd, CaseResult, Conditions, Suite};
use writ_policy::{Budget, Diagnostic};

/// What one case may take. A case is not a request that somebody waits for, and a machine of CI is slow.
const BUDGET: Budget = Budget { per_policy: Duration::from_secs(10), per_review: Duration::from_secs(10) };

/// What came of one file of suites.
#[derive(Debug)]
struct Verified {
    /// As it is shown.
    file: String,
    results: Vec<CaseResult>,
    /// Why it cannot be read.
    findings: Vec<Diagnostic>,
}

pub(crate) fn run(options: Verify) -> Outcome {
    let thread = std::thread::Builder::new().name("verify".into()).stack_size(writ_policy::EVALUATION_STACK_BYTES);
    let ended = thread.spawn(move || verify(&options))?.join();
    ended.unwrap_or_else(|_| Err(anyhow::anyhow!("the evaluation crashed")))
}

fn verify(options: &Verify) -> Outcome {
    let started = Instant::now();
    let mut verified = vec![];
    for path in &options.paths {
        let folder = Folder::open(path, options.root.as_deref())?;
        for path in folder.yaml()? {
            verified.extend(verify_file(&folder, &path, options)?);
        }
    }
    anyhow::ensure!(!verified.is_empty(), "no suite was found (`kind: Suite` of `test.gatekeeper.sh`)");
    let is_empty = verified.iter().all(|verified| verified.results.is_empty() && verified.findings.is_empty());
    anyhow::ensure!(!is_empty, "no test was selected");
    let results = results(&verified);
    terminal::say(&match options.format {
        Format::Human => human::render(&verified, started.elapsed()),
        format => results.render(format)?,
    })?;
    Ok(if results.count(Status::Failed) == 0 { DONE } else { FAILED })
}

/// `None` when the file holds no suite.
fn verify_file(folder: &Folder, path: &str, options: &Verify) -> anyhow::Result<Option<Verified>> {
    let shown = folder.shown(path);
    let (results, findings) = match folder.read(path).map(|file| suite::read(&file)) {
        Ok(Ok(suites)) if suites.is_empty() => return Ok(None),
        Ok(Ok(suites)) => (run_all(folder, &suites, options), vec![]),
        Ok(Err(findings)) => (vec![], findings),
        // Not every file beside the suites is ours to read; one that is named is.
        Err(_) if !folder.is_named() => return Ok(None),
        Err(reason) => anyhow::bail!(reason),
    };
    Ok(Some(Verified { file: shown, results, findings }))
}

fn run_all(folder: &Folder, suites: &[Suite], options: &Verify) -> Vec<CaseResult> {
    let now = jiff::Timestamp::now().as_millisecond();
    let conditions = Conditions { budget: BUDGET, now, interpreted: options.interpreter };
    let read = |path: &str| folder.read(path);
    suites.iter().flat_map(|suite| suite::run(suite, &read, &options.run, &conditions)).collect()
}

fn results(verified: &[Verified]) -> Results {
    let group = |verified: &Verified| Group {
        file: verified.file.clone(),
        namespace: "verify".into(),
        entries: verified.findings.iter().map(unreadable).chain(verified.results.iter().map(entry)).collect(),
    };
    Results { groups: verified.iter().map(group).collect(), ..Results::default() }
}

fn unreadable(finding: &Diagnostic) -> Entry {
    Entry {
        rule: "unreadable".into(),
        place: Place { line: finding.line, column: finding.column, ..Place::default() },
        help: finding.help.clone().unwrap_or_default(),
        ..Entry::new(Status::Failed, &*finding.message)
    }
}

fn entry(result: &CaseResult) -> Entry {
    let (status, message) = match &result.end {
        CaseEnd::Passed => (Status::Passed, ""),
        CaseEnd::Skipped => (Status::Skipped, "skipped by its author"),
        CaseEnd::Failed(reason) => (Status::Failed, reason.as_str()),
    };
    Entry {
        name: name(result),
        rule: "suite".into(),
        place: Place { line: result.line, ..Place::default() },
        micros: Some(result.micros),
        ..Entry::new(status, message)
    }
}

/// `required-labels/missing-owner`.
fn name(result: &CaseResult) -> String {
    match result.case.as_str() {
        "" => result.test.clone(),
        case => format!("{}/{case}", result.test),
    }
}
