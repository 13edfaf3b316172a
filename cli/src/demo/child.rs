//! One process of the demo: started with a log of its own, in a group of its own, ended with the demo.

use super::cluster::typed;
use super::folder::Folder;
use anyhow::{Context, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child as Process, ChildStdin, Command};
use tokio::time::{Instant, sleep, timeout};

/// How long a process may take until it listens.
const START: Duration = Duration::from_secs(30);
/// How long it may take to stop when asked.
const STOP: Duration = Duration::from_secs(8);

/// A running `writ hub` or `writ agent`.
#[derive(Debug)]
pub(crate) struct Child {
    /// What people call it: `hub`, `agent-dev`.
    pub(crate) name: String,
    process: Process,
    /// The child stops when this pipe closes, so that a killed demo leaves nothing behind.
    _lifeline: Option<ChildStdin>,
    log: PathBuf,
}

/// What to run.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) name: String,
    /// Arguments of this very binary.
    pub(crate) arguments: Vec<OsString>,
    /// Variables that would change what the arguments say.
    pub(crate) unset: Vec<OsString>,
}

impl Child {
    /// Starts the process and waits until it says where it listens. Returns what it said.
    pub(crate) async fn start(recipe: &Recipe, folder: &Folder) -> anyhow::Result<(Self, String)> {
        let listen_file = folder.listen_file(&recipe.name);
        let _ = fs::remove_file(&listen_file);
        let mut child = Self::spawn(recipe, folder.log(&recipe.name))?;
        let said = child.until_listening(&listen_file).await?;
        Ok((child, said))
    }

    fn spawn(recipe: &Recipe, log: PathBuf) -> anyhow::Result<Self> {
        let shown = log.display();
        let open = OpenOptions::new().create(true).append(true).open(&log);
        let file = open.with_context(|| format!("could not write {shown}"))?;
        let mut command = Command::new(std::env::current_exe().context("could not find the writ program itself")?);
        recipe.unset.iter().for_each(|variable| {
            command.env_remove(variable);
        });
        let mut process = command
            .args(&recipe.arguments)
            .stdin(Stdio::piped())
            .stdout(file.try_clone().with_context(|| format!("could not write {shown}"))?)
            .stderr(file)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start {}", recipe.name))?;
        let lifeline = process.stdin.take();
        Ok(Self { name: recipe.name.clone(), process, _lifeline: lifeline, log })
    }

    async fn until_listening(&mut self, listen_file: &Path) -> anyhow::Result<String> {
        let deadline = Instant::now() + START;
        loop {
            match fs::read_to_string(listen_file) {
                Ok(said) if !said.trim().is_empty() => return Ok(said.trim().to_owned()),
                _ => {}
            }
            if let Some(status) = self.process.try_wait()? {
                return Err(self.obituary(status));
            }
            if Instant::now() >= deadline {
                bail!("{} does not listen after {START:?}; its log is {}", self.name, self.log.display());
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the process ends, which it should not do by itself.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        Ok(self.process.wait().await?)
    }

    /// `hub ended (exit status: 1); its log is ... and ends: ...`. A process that was killed had no last word.
    pub(crate) fn obituary(&self, status: ExitStatus) -> anyhow::Error {
        let log = typed(&self.log);
        match (status.signal(), last_line(&self.log)) {
            (Some(signal), _) => anyhow!("{} was killed (signal {signal}); its log is {log}", self.name),
            (None, Some(last)) => anyhow!("{} ended ({status}); its log is {log} and ends: {last}", self.name),
            (None, None) => anyhow!("{} ended ({status}); its log, {log}, is empty", self.name),
        }
    }

    /// Asks it to stop, and kills it when it does not.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.signal(Signal::TERM);
        if timeout(STOP, self.process.wait()).await.is_err() {
            self.process.kill().await.with_context(|| format!("could not stop {}", self.name))?;
        }
        Ok(())
    }

    /// Ends it at once, without a chance to put anything in order.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        self.process.kill().await.with_context(|| format!("could not kill {}", self.name))
    }

    fn signal(&self, signal: Signal) {
        let id = self.process.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(id) = id {
            // It may have ended in the meantime, which is what was wanted.
            let _ = kill_process(id, signal);
        }
    }
}

/// The last line of a log that is not empty, without colour codes, cut to what reads well.
fn last_line(log: &Path) -> Option<String> {
    let text = String::from_utf8_lossy(&fs::read(log).ok()?).into_owned();
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line.trim().chars().filter(|c| !c.is_control()).take(300).collect())
}
