//! The child: sets its own limits, reads the files as JSON from standard input, says which file it touches, and
//! writes the report to standard output.

use super::lanes::Threads;
use super::{Request, Word};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::io::{Read, Write};
use std::process::ExitCode;

/// Runs the self-test for the parent on standard input and output. Anything but success is the parent's to explain.
pub fn run_child() -> ExitCode {
    // The interpreter recurses deeper than a main thread's stack may allow.
    let thread = std::thread::Builder::new().stack_size(writ_policy::EVALUATION_STACK_BYTES).spawn(answer);
    match thread.map(|thread| thread.join()) {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn answer() -> anyhow::Result<()> {
    let mut asked = Vec::new();
    std::io::stdin().lock().read_to_end(&mut asked)?;
    let request: Request = serde_json::from_slice(&asked)?;
    drop(asked);
    limit(Resource::Core, 0)?;
    limit(Resource::Cpu, request.cpu)?;
    limit(Resource::As, request.memory)?;
    let report = request.examine(&Threads(request.lanes));
    say(&Word::Report(Box::new(report)))
}

fn limit(resource: Resource, most: u64) -> rustix::io::Result<()> {
    setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
}

pub(super) fn say(word: &Word) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(word)?;
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line)?;
    Ok(out.flush()?)
}
