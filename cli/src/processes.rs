//! The hidden commands `writ hub` and `writ agent`: hub and agent as processes of their own, so that killing one in the
//! demo is real. What they do is theirs; here is only how they end with the demo that started them.

use crate::exit::{self, FAILED, Outcome};
use clap::Args;
use std::io::Read;
use std::process::ExitCode;
use std::time::Duration;

/// How long a process may take to stop by itself once its parent is gone.
const GRACE: Duration = Duration::from_secs(5);

/// A program's own configuration, and how it ends.
#[derive(Debug, Args)]
pub(crate) struct Hosted<C: Args> {
    #[command(flatten)]
    pub(crate) config: C,
    /// Stop when standard input ends, which it does when the parent ends, however it ends
    #[arg(long, hide = true)]
    pub(crate) until_stdin_ends: bool,
}

/// `writ hub`.
pub(crate) fn hub(hosted: Hosted<writ_hub::config::Config>) -> Outcome {
    follow_parent(hosted.until_stdin_ends);
    writ_hub::main_with(hosted.config)?;
    Ok(exit::DONE)
}

/// `writ agent`.
pub(crate) fn agent(hosted: Hosted<writ_agent::Config>) -> Outcome {
    follow_parent(hosted.until_stdin_ends);
    let ended = writ_agent::main_with(hosted.config);
    Ok(if ended == ExitCode::SUCCESS { exit::DONE } else { FAILED })
}

/// Sends this process the signal that it stops at by itself when the pipe that the parent holds closes.
fn follow_parent(wanted: bool) {
    if !wanted {
        return;
    }
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM);
        std::thread::sleep(GRACE);
        std::process::exit(FAILED.into());
    });
}
