//! Hubs and agents as processes on ports that stay, killed and started again where they were.

use super::disk::Disk;
use super::proxy::Proxy;
use anyhow::{Context, ensure};
use reqwest::Client;
use serde_json::{Value, json};
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Denies a ConfigMap that is loud, warns of one that is a note.
const LOUD: &str = "# METADATA\n# title: Nothing loud\n# custom:\n#   code: LE1001\n#   severity: HIGH\n\
    #   kinds: [ConfigMap]\npackage writ.loud\n\n\
    deny contains \"it is loud\" if input.review.object.data.loud == \"yes\"\n";
const NOTE: &str = "# METADATA\n# title: No notes\n# custom:\n#   code: LE2001\n#   severity: LOW\n\
    #   kinds: [ConfigMap]\npackage writ.note\n\n\
    deny contains \"it is a note\" if input.review.object.data.note == \"yes\"\n";
const FLEET: &str = "apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: LOW\n";
const HUB_DISK: u64 = 160 << 20;
const AGENT_DISK: u64 = 48 << 20;

pub(crate) struct Fleet {
    folder: TempDir,
    hubs: Vec<Hub>,
    pub(crate) agents: Vec<Agent>,
    hub_disk: Option<Disk>,
    agent_disk: Option<Disk>,
    client: Client,
}

struct Hub {
    name: String,
    address: SocketAddr,
    arguments: Vec<String>,
    process: Child,
}

/// One agent.
pub(crate) struct Agent {
    pub(crate) cluster: String,
    pub(crate) webhook: String,
    pub(crate) authority: PathBuf,
    data: PathBuf,
    proxy: Proxy,
    arguments: Vec<String>,
    process: Child,
}

impl Fleet {
    pub(crate) async fn start(agents: usize, hubs: usize, database: Option<&str>) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("ledger").tempdir()?;
        let source = folder.path().join("policies");
        std::fs::create_dir(&source)?;
        writ_e2e::git::git(&source, &["init", "--quiet", "--initial-branch=main"])?;
        std::fs::write(source.join("note.rego"), NOTE)?;
        std::fs::write(source.join("fleet.yaml"), FLEET)?;
        writ_e2e::git::commit(&source, "loud.rego", LOUD, "Ask for quiet")?;
        let client = Client::builder().timeout(Duration::from_secs(10)).no_proxy().build()?;
        let hub_disk = Disk::new(HUB_DISK)?;
        let agent_disk = Disk::new(AGENT_DISK)?;
        let mut fleet = Self { folder, hubs: vec![], agents: vec![], hub_disk, agent_disk, client };
        for _ in 0..hubs {
            fleet.add_hub(database).await?;
        }
        for number in 0..agents {
            fleet.add_agent(number).await?;
        }
        Ok(fleet)
    }

    async fn add_hub(&mut self, database: Option<&str>) -> anyhow::Result<()> {
        let home = self.hub_disk.as_ref().map_or(self.folder.path(), Disk::folder);
        let (name, first) = (format!("hub-{}", self.hubs.len()), home.join("hub-0"));
        let address = free_address()?;
        let source = self.folder.path().join("policies");
        let mut arguments = vec![
            format!("--data={}", home.join(&name).display()),
            format!("--source={}", source.display()),
            format!("--listen={address}"),
        ];
        arguments.extend(database.map(|url| format!("--database={url}")));
        if !self.hubs.is_empty() {
            arguments.push(format!("--signing-key-file={}", first.join("hub.key").display()));
        }
        let process = spawn(self.folder.path(), "writ-hub", &name, &arguments)?;
        self.hubs.push(Hub { name, address, arguments, process });
        self.until_hub_answers(self.hubs.len() - 1).await
    }

    async fn add_agent(&mut self, number: usize) -> anyhow::Result<()> {
        let cluster = format!("ledger-{number}");
        let wanted = json!({ "cluster": cluster });
        let hub = self.hubs[0].address;
        let request = self.client.post(format!("http://{hub}/api/v1/enrollment-tokens")).json(&wanted);
        let token: Value = request.send().await?.error_for_status()?.json().await?;
        let folder = self.folder.path().to_owned();
        let data = self.agent_disk.as_ref().map_or(self.folder.path(), Disk::folder).join(&cluster);
        let (token_file, announced) = (folder.join(format!("{cluster}.token")), folder.join(format!("{cluster}.json")));
        std::fs::write(&token_file, token["token"].as_str().context("a token")?)?;
        let proxy = Proxy::to(self.hubs.iter().map(|hub| hub.address).collect()).await?;
        let listen = free_address()?;
        let arguments = vec![
            "--standalone".to_owned(),
            format!("--data={}", data.display()),
            format!("--hub=http://{}", proxy.address),
            format!("--token-file={}", token_file.display()),
            format!("--listen={listen}"),
            "--metrics-listen=127.0.0.1:0".to_owned(),
            format!("--listen-file={}", announced.display()),
            "--report-every=200ms".to_owned(),
        ];
        let process = spawn(&folder, "writ-agent", &cluster, &arguments)?;
        let listens = until("an agent listens", async || {
            serde_json::from_str::<Value>(&std::fs::read_to_string(&announced).ok()?).ok()
        });
        let authority = listens.await?["ca"].as_str().context("an authority")?.into();
        let webhook = format!("https://{listen}/validate?timeout=5s");
        self.agents.push(Agent { cluster, webhook, authority, data, proxy, arguments, process });
        Ok(())
    }

    /// Kills a hub and starts it again.
    pub(crate) async fn kill_hub(&mut self, number: usize) -> anyhow::Result<()> {
        let hub = &mut self.hubs[number];
        hub.process.kill()?;
        hub.process.wait()?;
        hub.process = spawn(self.folder.path(), "writ-hub", &hub.name, &hub.arguments)?;
        match self.hubs.len() {
            1 => self.until_hub_answers(0).await,
            // The others serve meanwhile; it is seen to with the next kill.
            _ => self.restart_hubs(),
        }
    }

    /// A hub that could not start (its disk was full, its database away) is started again, as an orchestrator would.
    fn restart_hubs(&mut self) -> anyhow::Result<()> {
        for hub in &mut self.hubs {
            if hub.process.try_wait()?.is_some() {
                hub.process = spawn(self.folder.path(), "writ-hub", &hub.name, &hub.arguments)?;
            }
        }
        Ok(())
    }

    async fn until_hub_answers(&mut self, number: usize) -> anyhow::Result<()> {
        for _ in 0..900 {
            self.restart_hubs()?;
            let answer = self.client.get(format!("http://{}/readyz", self.hubs[number].address)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        anyhow::bail!("`{}` does not come back", self.hubs[number].name)
    }

    /// Kills an agent and starts it again.
    pub(crate) fn kill_agent(&mut self, number: usize) -> anyhow::Result<()> {
        let agent = &mut self.agents[number];
        agent.process.kill()?;
        agent.process.wait()?;
        self.restart_agent(number)
    }

    fn restart_agent(&mut self, number: usize) -> anyhow::Result<()> {
        let agent = &mut self.agents[number];
        agent.process = spawn(self.folder.path(), "writ-agent", &agent.cluster, &agent.arguments)?;
        Ok(())
    }

    /// Cuts what an agent has open to the hubs; how many connections.
    pub(crate) fn cut(&self, agent: usize) -> usize {
        self.agents[agent].proxy.cut()
    }

    pub(crate) fn hub_disk(&self) -> Option<&Disk> {
        self.hub_disk.as_ref()
    }

    pub(crate) fn agent_disk(&self) -> Option<&Disk> {
        self.agent_disk.as_ref()
    }

    /// Waits until no agent has a report on its disk.
    pub(crate) async fn until_spools_are_empty(&mut self) -> anyhow::Result<()> {
        for hub in 0..self.hubs.len() {
            self.until_hub_answers(hub).await?;
        }
        for agent in 0..self.agents.len() {
            if self.agents[agent].process.try_wait()?.is_some() {
                self.restart_agent(agent)?;
            }
        }
        let folders: Vec<PathBuf> = self.agents.iter().map(|agent| agent.data.join("spool")).collect();
        let waiting = || {
            let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
            files.map(|file| file.path().display().to_string()).collect::<Vec<_>>()
        };
        let stored = until("all reports are stored", async || waiting().is_empty().then_some(())).await;
        stored.with_context(|| format!("there wait {:?}", waiting()))
    }

    /// What a hub answers; each is asked in turn until one does.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let mut last = None;
        for hub in &self.hubs {
            let answer = self.client.get(format!("http://{}{path}", hub.address)).send().await;
            match answer.and_then(reqwest::Response::error_for_status) {
                Ok(answer) => return Ok(answer.json().await?),
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("there is a hub")?.into())
    }

    /// For who wants to know why.
    pub(crate) fn keep_folder(&mut self) {
        self.folder.disable_cleanup(true);
        println!("the logs of hubs and agents are in {}", self.folder.path().display());
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let hubs = self.hubs.iter_mut().map(|hub| &mut hub.process);
        for process in self.agents.iter_mut().map(|agent| &mut agent.process).chain(hubs) {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// What the question answers once it does.
pub(super) async fn until<T>(what: &str, ask: impl AsyncFn() -> Option<T>) -> anyhow::Result<T> {
    for _ in 0..1_200 {
        if let Some(answer) = ask().await {
            return Ok(answer);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("waited two minutes, and it is not so that {what}")
}

/// The binary beside this program's own: all come from one build of the workspace.
fn spawn(folder: &Path, binary: &str, name: &str, arguments: &[String]) -> anyhow::Result<Child> {
    let own = std::env::current_exe()?;
    let path = own.parent().and_then(Path::parent).context("a folder")?.join(binary);
    ensure!(path.exists(), "{} is missing: run `cargo build --workspace` first", path.display());
    let log = File::options().create(true).append(true).open(folder.join(format!("{name}.log")))?;
    let mut command = Command::new(&path);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WRIT_")) {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().with_context(|| format!("starting {}", path.display()))
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
