//! The hub as a process, and the repository that it follows.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const POLICY: &str = "package kubernetes.admission.policy_NAME
import rego.v1
policy_metadata := {\"name\": \"policy-NAME\", \"severity\": \"LOW\", \"errcode\": \"TNAME\", \"targets\": {\"Pod\"}}
matches if { policy_metadata.targets[input.request.kind.kind] }
deny contains info if { input.request.object.metadata.name == \"NAME-TEXT\"; info := {\"name\": \"x\"} }
";
/// How many policies there are, so that an index is as long as a small fleet's.
const POLICIES: usize = 12;

pub struct Hub {
    child: Child,
    binary: String,
    folder: TempDir,
    pub address: String,
    client: reqwest::Client,
}

impl Hub {
    pub async fn start(binary: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path().join("policies");
        std::fs::create_dir(&repository).unwrap();
        git(&repository, &["init", "-q", "-b", "main"]);
        for number in 0..POLICIES {
            write(&repository, number, "first");
        }
        save(&repository, "First");
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let child = spawn(binary, folder.path(), "127.0.0.1:0");
        let mut hub = Self { child, binary: binary.into(), folder, address: String::new(), client };
        hub.address = hub.until_it_listens().await;
        hub
    }

    /// Stops it, and starts it anew at the same address.
    pub async fn restart(&mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap();
        std::fs::remove_file(self.folder.path().join("address")).unwrap();
        self.child = spawn(&self.binary, self.folder.path(), self.address.trim_start_matches("http://"));
        self.until_it_listens().await;
    }

    async fn until_it_listens(&self) -> String {
        loop {
            if let Ok(address) = std::fs::read_to_string(self.folder.path().join("address")) {
                return address;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Changes one policy.
    pub fn commit(&self, text: &str) -> String {
        let repository = self.repository();
        write(&repository, 0, text);
        save(&repository, text)
    }

    /// Undoes the last change.
    pub fn revert(&self) -> String {
        git(&self.repository(), &["revert", "--no-edit", "HEAD"]);
        git(&self.repository(), &["rev-parse", "HEAD"])
    }

    fn repository(&self) -> PathBuf {
        self.folder.path().join("policies")
    }

    /// A one-time token for a cluster.
    pub async fn token(&self, cluster: &str) -> String {
        let wanted = serde_json::json!({ "cluster": cluster });
        let url = format!("{}/api/v1/enrollment-tokens", self.address);
        let text = self.client.post(url).json(&wanted).send().await.unwrap().text().await.unwrap();
        let made: serde_json::Value = serde_json::from_str(&text).unwrap();
        made["token"].as_str().unwrap_or_else(|| panic!("{text}")).to_owned()
    }

    /// Waits until so many requests are held; how many were, second by second.
    pub async fn until_held(&self, agents: usize, limit: Duration) -> Vec<usize> {
        let started = Instant::now();
        let mut seen = vec![];
        loop {
            let held = self.held().await.unwrap_or(0);
            seen.push(held);
            if held >= agents {
                return seen;
            }
            assert!(started.elapsed() < limit, "only {held} of {agents} are held after {limit:?}");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn held(&self) -> Option<usize> {
        let text = self.client.get(format!("{}/metrics", self.address)).send().await.ok()?.text().await.ok()?;
        let line = text.lines().find(|line| line.starts_with("writ_hub_held_requests "));
        line?.rsplit(' ').next()?.parse().ok()
    }

    /// How long after this moment the hub had each agent's acknowledgement of the revision, in milliseconds.
    pub async fn acknowledged(&self, revision: &str, agents: usize, at: i64) -> Vec<i64> {
        let started = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_millis(if agents > 2_000 { 2_000 } else { 500 })).await;
            let url = format!("{}/api/v1/revisions/{revision}", self.address);
            let Ok(answer) = self.client.get(url).send().await else { continue };
            let text = answer.text().await.unwrap();
            let found: serde_json::Value = serde_json::from_str(&text).unwrap();
            let proofs = found["enforced_by"].as_array().cloned().unwrap_or_default();
            if proofs.len() >= agents {
                return proofs.iter().map(|proof| proof["acknowledged_at"].as_i64().unwrap() - at).collect();
            }
            assert!(
                started.elapsed() < Duration::from_secs(120),
                "{} of {agents} acknowledged: {text:.300}",
                proofs.len()
            );
        }
    }

    pub fn resident_mib(&self) -> u64 {
        self.status("VmRSS:")
    }

    pub fn resident_peak_mib(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }

    /// Processor time that it used, its children left out.
    pub fn processor(&self) -> Duration {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Unix milliseconds.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

fn spawn(binary: &str, folder: &Path, listen: &str) -> Child {
    let mut command = Command::new(binary);
    command.arg("--data").arg(folder.join("hub")).arg("--source").arg(folder.join("policies"));
    command.args(["--listen", listen, "--log", "warn"]).arg("--listen-file").arg(folder.join("address"));
    command.stdin(Stdio::null()).spawn().unwrap()
}

fn write(repository: &Path, number: usize, text: &str) {
    let policy = POLICY.replace("NAME", &number.to_string()).replace("TEXT", text);
    std::fs::write(repository.join(format!("policy_{number}.rego")), policy).unwrap();
}

fn save(repository: &Path, message: &str) -> String {
    git(repository, &["add", "."]);
    git(repository, &["commit", "-q", "-m", message]);
    git(repository, &["rev-parse", "HEAD"])
}

fn git(repository: &Path, arguments: &[&str]) -> String {
    let identity = ["-c", "user.name=Fleet", "-c", "user.email=fleet@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").arg("-C").arg(repository).args(identity).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
