//! How a command ends: an exit code, or an error told as a sentence.

use crate::terminal;
use std::process::ExitCode;

/// What was asked for is so.
pub(crate) const DONE: u8 = 0;
/// It is not so, or it could not be done.
pub(crate) const FAILED: u8 = 1;
/// It was not known in time. Also clap's code for wrong arguments.
pub(crate) const TIMED_OUT: u8 = 2;

/// The exit code of a command that ran, or why it could not.
pub(crate) type Outcome = anyhow::Result<u8>;

/// Tells an error and its causes on standard error, once, and gives the exit code.
pub(crate) fn of(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(code) => ExitCode::from(code),
        // `writ check | head` closes our output; that is no failure of ours to report.
        Err(error) if is_broken_pipe(&error) => ExitCode::from(DONE),
        Err(error) => {
            terminal::complain(&sentence(&error));
            ExitCode::from(FAILED)
        }
    }
}

/// `error: what could not be done: why: why`.
fn sentence(error: &anyhow::Error) -> String {
    format!("{} {error:#}", terminal::red("error:"))
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let pipe = |io: &std::io::Error| io.kind() == std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(pipe))
}
