//! The parent: starts the child, feeds it, waits no longer than it may take, and says why there is no report.

use super::{Answer, NotStarted, Request, SUBCOMMAND, Word};
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

/// The child's report, or the one finding that says why there is none.
pub(super) async fn run(program: &Path, timeout: Duration, request: &Request) -> Result<Answer, NotStarted> {
    let request = serde_json::to_vec(request).map_err(std::io::Error::from)?;
    let mut child = start(program)?;
    let mut reading = String::new();
    let conversation = converse(&mut child, request, &mut reading);
    let ended = match tokio::time::timeout(timeout, conversation).await {
        Ok(Ok(examined)) => return Ok(Ok(examined)),
        Ok(Err(ended)) => ended,
        Err(_) => {
            // Killed and waited for, so that no process is left behind.
            let _ = child.kill().await;
            format!("took longer than {} s", timeout.as_secs_f32())
        }
    };
    Ok(Err(explain(&reading, &ended)))
}

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
async fn converse(child: &mut Child, request: Vec<u8>, reading: &mut String) -> Result<Examined, String> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A child that ended early does not read all of it; its end is explained below.
            let _ = stdin.write_all(&request).await;
        }
    };
    let ((), report, last_words) = tokio::join!(feed, listen(stdout, reading), last_words(stderr));
    let status = child.wait().await.map_err(|error| error.to_string())?;
    match report {
        Some(report) if status.success() => Ok(report),
        _ => Err(ended(status, &last_words)),
    }
}

async fn listen(stdout: Option<impl AsyncRead + Unpin>, reading: &mut String) -> Option<Examined> {
    let mut lines = BufReader::new(stdout?.take(MOST_OUTPUT)).lines();
    let mut report = None;
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Word::Reading(path)) => *reading = path,
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

fn ended(status: ExitStatus, last_words: &str) -> String {
    let how = match status.signal() {
        Some(signal) if signal == rustix::process::Signal::XCPU.as_raw() => {
            "used more processor time than it may".to_owned()
        }
        Some(signal) if signal == rustix::process::Signal::KILL.as_raw() => {
            "was killed, perhaps for its memory".to_owned()
        }
        Some(signal) => format!("crashed (signal {signal})"),
        None => format!("failed ({status})"),
    };
    if last_words.is_empty() { how } else { format!("{how}: {last_words}") }
}

fn explain(reading: &str, ended: &str) -> Diagnostic {
    let subject = if reading.is_empty() { "the self-test" } else { "the self-test of this file" };
    Diagnostic::error(reading, format!("{subject} {ended}"))
        .help("A policy must load and pass its tests within the limits; look for recursion or runaway loops.")
}
