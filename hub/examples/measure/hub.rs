//! The hub that is measured: one that runs already, or one started here as a process of its own and ended with us.

use anyhow::{Context, ensure};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Which hub is measured.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Which {
    /// Address of a hub that runs already and asks for no token.
    #[arg(long, conflicts_with = "program")]
    hub: Option<String>,
    /// The process of that hub, to read its memory.
    #[arg(long)]
    pid: Option<u32>,
    /// The hub's program, started for the measure.
    #[arg(long, default_value = "target/release/writ-hub")]
    program: PathBuf,
    /// Folder of its data.
    #[arg(long, default_value = "measured-hub")]
    data: PathBuf,
    /// More arguments for it; may be repeated.
    #[arg(long = "argument", allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// A hub that answers.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) address: String,
    pid: Option<u32>,
    child: Option<Child>,
}

impl Hub {
    pub(crate) async fn of(which: &Which) -> anyhow::Result<Self> {
        match &which.hub {
            Some(address) => {
                Ok(Self { address: address.trim_end_matches('/').to_owned(), pid: which.pid, child: None })
            }
            None => Self::start(which).await,
        }
    }

    async fn start(which: &Which) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&which.data)?;
        let listening = which.data.join("listening");
        let _ = std::fs::remove_file(&listening);
        let mut command = Command::new(&which.program);
        command.arg("--data").arg(&which.data).args(["--listen", "127.0.0.1:0", "--log", "warn"]);
        command.arg("--listen-file").arg(&listening).args(&which.arguments);
        if !which.arguments.iter().any(|argument| argument == "--source") {
            command.args(["--source", "https://127.0.0.1:1/none.git"]);
        }
        let child = command.stdin(Stdio::null()).spawn().with_context(|| format!("starting {:?}", which.program))?;
        let mut hub = Self { address: String::new(), pid: Some(child.id()), child: Some(child) };
        for _ in 0..6_000 {
            if let Ok(address) = std::fs::read_to_string(&listening) {
                hub.address = address;
                return Ok(hub);
            }
            let ended = hub.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            ensure!(ended.is_none(), "the hub ended before it listened");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the hub does not listen")
    }

    /// Resident memory in MiB, where the process is known.
    pub(crate) fn resident_mib(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
    }

    /// Processor time that it used so far, in seconds.
    pub(crate) fn processor_seconds(&self) -> Option<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid?)).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
        Some(ticks / 100.0)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
