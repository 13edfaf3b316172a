//! Runs a program that verifies: with nothing of this process' environment but PATH, within a time, and with bounds on
//! what is read of it.

use anyhow::{Context, bail};
use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

const TIMEOUT: Duration = Duration::from_secs(20);
const MAX_OUTPUT_BYTES: u64 = 64 << 10;

/// What it said.
pub(super) struct Said {
    pub(super) succeeded: bool,
    pub(super) output: String,
    pub(super) errors: String,
}

impl Said {
    /// Its errors as the end of a sentence.
    pub(super) fn reason(&self) -> String {
        let words = self.errors.split_whitespace().collect::<Vec<_>>().join(" ");
        words.chars().filter(|c| !c.is_control()).take(300).collect()
    }
}

/// Runs it with this input.
pub(super) async fn run<I, S>(program: &str, arguments: I, input: &[u8]) -> anyhow::Result<Said>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("LC_ALL", "C").env("TZ", "UTC").kill_on_drop(true);
    if let Some(path) = crate::config::search_path() {
        command.env("PATH", path);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("starting `{program}`: is it installed?"))?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        bail!("`{program}` has no pipes");
    };
    let (mut output, mut errors) = (vec![], vec![]);
    let write = async {
        // One that ends before it read everything says why by its exit code.
        let _ = stdin.write_all(input).await;
        drop(stdin);
    };
    let (mut stdout, mut stderr) = (stdout.take(MAX_OUTPUT_BYTES), stderr.take(MAX_OUTPUT_BYTES));
    let talk =
        async { tokio::join!(write, stdout.read_to_end(&mut output), stderr.read_to_end(&mut errors), child.wait()) };
    let (_, read, read_errors, ended) =
        tokio::time::timeout(TIMEOUT, talk).await.with_context(|| format!("`{program}` did not end in time"))?;
    read.and(read_errors).with_context(|| format!("reading from `{program}`"))?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Said { succeeded: ended?.success(), output: text(output), errors: text(errors) })
}
