//! The parent: starts the child, feeds it, waits no longer than it may take, and says why there is no report.

use super::{NoReport, NotStarted, Request, SUBCOMMAND, Word};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use writ_policy::Diagnostic;
use writ_policy::check::Examined;

/// The longest answer that is read, in bytes.
const MOST_OUTPUT: u64 = 256 << 20;
/// How much of what the child says about its end is kept, in bytes.
const MOST_LAST_WORDS: u64 = 4 << 10;

/// How a child ended that gave no report.
pub(super) struct Ended {
    /// What it read then, one file for each of its threads that was at work.
    pub(super) reading: Vec<String>,
    /// Whether it ended by itself, before its time was over.
    pub(super) crashed: bool,
    how: How,
}

/// The child's report, or how it ended without one.
pub(super) async fn run(
    program: &Path,
    timeout: Duration,
    request: &Request,
) -> Result<Result<Examined, Ended>, NotStarted> {
    let request = serde_json::to_vec(request).map_err(std::io::Error::from)?;
    let mut child = start(program)?;
    let mut reading = Reading::new();
    let conversation = converse(&mut child, request, &mut reading);
    let (crashed, how) = match tokio::time::timeout(timeout, conversation).await {
        Ok(Ok(examined)) => return Ok(Ok(examined)),
        Ok(Err(how)) => (true, how),
        Err(_) => {
            // Killed and waited for, so that no process is left behind.
            let _ = child.kill().await;
            (false, How { words: format!("took longer than {} s", timeout.as_secs_f32()), exhausted: true })
        }
    };
    Ok(Err(Ended { reading: reading.into_values().collect(), crashed, how }))
}

/// In words, and whether it was for want of time or memory.
struct How {
    words: String,
    exhausted: bool,
}

/// The file that each thread of the child reads.
type Reading = BTreeMap<usize, String>;

fn start(program: &Path) -> std::io::Result<Child> {
    Command::new(program)
        .arg(SUBCOMMAND)
        .env_clear()
        // mimalloc sets a gibibyte of addresses aside at a time, which is the whole of what the child may have.
        .env("MIMALLOC_ARENA_RESERVE", "64MiB")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// Feeds the child while listening to it, until it ends. The error says how it ended.
async fn converse(child: &mut Child, request: Vec<u8>, reading: &mut Reading) -> Result<Examined, How> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A child that ended early does not read all of it; its end is explained below.
            let _ = stdin.write_all(&request).await;
        }
    };
    let ((), report, last_words) = tokio::join!(feed, listen(stdout, reading), last_words(stderr));
    let status = child.wait().await.map_err(|error| How { words: error.to_string(), exhausted: false })?;
    match report {
        Some(report) if status.success() => Ok(report),
        _ => Err(ended(status, &last_words)),
    }
}

async fn listen(stdout: Option<impl AsyncRead + Unpin>, reading: &mut Reading) -> Option<Examined> {
    let mut lines = BufReader::new(stdout?.take(MOST_OUTPUT)).lines();
    let mut report = None;
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Word::Reading { lane, path: Some(path) }) => drop(reading.insert(lane, path)),
            Ok(Word::Reading { lane, path: None }) => drop(reading.remove(&lane)),
            Ok(Word::Report(found)) => report = Some(*found),
            Err(_) => return None,
        }
    }
    report
}

/// The beginning of what the child writes to standard error; the rest is read and dropped so that it never waits.
async fn last_words(stderr: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stderr) = stderr else { return String::new() };
    let mut words = Vec::new();
    let _ = (&mut stderr).take(MOST_LAST_WORDS).read_to_end(&mut words).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    let words = String::from_utf8_lossy(&words);
    let line = words.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

fn ended(status: ExitStatus, last_words: &str) -> How {
    use rustix::process::Signal;
    let is = |signal: Signal| status.signal() == Some(signal.as_raw());
    let (how, exhausted) = match status.signal() {
        Some(_) if is(Signal::XCPU) => ("used more processor time than it may".to_owned(), true),
        Some(_) if is(Signal::KILL) => ("was killed, perhaps for its memory".to_owned(), true),
        Some(signal) => (format!("crashed (signal {signal})"), last_words.starts_with("memory allocation of")),
        None => (format!("failed ({status})"), false),
    };
    let words = if last_words.is_empty() { how } else { format!("{how}: {last_words}") };
    How { words, exhausted }
}

impl From<Ended> for NoReport {
    fn from(ended: Ended) -> Self {
        let How { words, exhausted } = ended.how;
        let mut reading = ended.reading.into_iter();
        let (path, others) = (reading.next().unwrap_or_default(), reading.collect::<Vec<_>>());
        let subject = match (path.as_str(), others.as_slice()) {
            ("", _) => "the self-test".to_owned(),
            (_, []) => "the self-test of this file".to_owned(),
            (_, others) => format!("the self-test of this file, or of {},", others.join(", ")),
        };
        let finding = Diagnostic::error(path, format!("{subject} {words}"))
            .help("A policy must load and pass its tests within the limits; look for recursion or runaway loops.");
        Self { finding, exhausted }
    }
}
