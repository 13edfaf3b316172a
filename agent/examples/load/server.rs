//! The servers, each in a child process: the agent as it is shipped, and a handler that allows everything behind the
//! same listener.

use crate::prepare::Prepared;
use axum::{Router, body::Bytes, routing::post};
use clap::Parser;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use writ_agent::certificate::folder::CertificateFolder;

/// A clock tick of /proc, as on every Linux that matters.
const TICKS_PER_SECOND: f64 = 100.0;

pub struct Server {
    child: Running,
    pub address: SocketAddr,
    pub authority: String,
    /// `http://127.0.0.1:port`.
    pub metrics: String,
    pub ready_ms: u128,
    _folder: Option<TempDir>,
}

/// Ends with this process, however that ends but by a signal.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Server {
    /// The agent with the template's policies in its cache.
    pub async fn agent(prepared: &Prepared, workers: usize) -> Self {
        let folder = prepared.data_folder();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let listen_file = path("listen.json");
        let mut command = match shipped() {
            Some(agent) => Command::new(agent),
            None => of_this_program("agent"),
        };
        command.args(["--standalone", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]);
        command.args(["--data", &path(""), "--hub", &prepared.hub, "--listen-file", &listen_file]);
        command.args(["--workers", &workers.to_string(), "--log", "warn"]);
        Self::start(command, &listen_file, Some(folder)).await
    }

    /// Reads the review and allows it.
    pub async fn allow_all(prepared: &Prepared) -> Self {
        let folder = prepared.data_folder();
        let mut command = of_this_program("allow-all");
        command.arg(folder.path());
        let listen_file = folder.path().join("listen.json").display().to_string();
        Self::start(command, &listen_file, Some(folder)).await
    }

    /// The agent of a cluster whose API server this kubeconfig names, on so many cores.
    pub async fn in_cluster(prepared: &Prepared, kubeconfig: &str, cores: usize) -> Self {
        let folder = prepared.data_folder();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let listen_file = path("listen.json");
        let mut command = match shipped() {
            Some(agent) => {
                let mut command = Command::new("taskset");
                command.args(["--cpu-list", &format!("0-{}", cores - 1)]).arg(agent);
                command
            }
            None => {
                let mut command = of_this_program("agent-on-cores");
                command.arg(cores.to_string());
                command
            }
        };
        command.args(["--kubeconfig", kubeconfig, "--replica", "a", "--listen", "127.0.0.1:0"]);
        command.args(["--metrics-listen", "127.0.0.1:0", "--data", &path(""), "--hub", &prepared.hub]);
        command.args(["--listen-file", &listen_file, "--dns-name", "127.0.0.1", "--log", "warn"]);
        command.args(["--webhook-url", "https://127.0.0.1:1/validate"]);
        Self::start(command, &listen_file, Some(folder)).await
    }

    async fn start(mut command: Command, listen_file: &str, folder: Option<TempDir>) -> Self {
        let started = Instant::now();
        let child = Running(command.stdout(Stdio::null()).spawn().unwrap());
        let listening = loop {
            if let Ok(text) = std::fs::read_to_string(listen_file) {
                break text;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "the server listens in time");
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        let ready_ms = started.elapsed().as_millis();
        let listening: serde_json::Value = serde_json::from_str(&listening).unwrap();
        let address = listening["webhook"].as_str().unwrap().trim_start_matches("https://").parse().unwrap();
        // In a cluster it is in a Secret, and on disk a moment later.
        let authority = std::fs::read_to_string(listening["ca"].as_str().unwrap()).unwrap_or_default();
        let metrics = listening["metrics"].as_str().unwrap_or_default().to_owned();
        Self { child, address, authority, metrics, ready_ms, _folder: folder }
    }

    /// User and system time that the server has used.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.0.id())).unwrap();
        let after_name = stat.rsplit(") ").next().unwrap();
        let fields: Vec<&str> = after_name.split(' ').collect();
        let ticks: f64 = fields[11..13].iter().map(|field| field.parse::<f64>().unwrap()).sum();
        Duration::from_secs_f64(ticks / TICKS_PER_SECOND)
    }

    /// One of its metrics.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = reqwest::get(format!("{}/metrics", self.metrics)).await.unwrap().text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).unwrap_or_default()
    }

    /// The most memory that was ever resident, in MiB.
    pub fn peak_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }

    /// Resident memory, and of what kind it is: pages of the program file are shared and can be read again.
    pub fn resident(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.0.id())).unwrap();
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse::<usize>().unwrap()
        };
        let mib = |name: &str| kib(name) as f64 / 1024.0;
        let (all, own, file) = (mib("VmRSS:"), mib("RssAnon:"), mib("RssFile:"));
        format!("{all:.1} MiB ({own:.1} its own, {file:.1} of the program file)")
    }
}

/// The agent's binary that `WRIT_AGENT` names; else this program is the agent, with what only a driver needs in it.
fn shipped() -> Option<std::ffi::OsString> {
    std::env::var_os("WRIT_AGENT")
}

fn of_this_program(part: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg(part);
    command
}

/// The child that is the agent.
pub fn be_agent(arguments: &[String]) -> ExitCode {
    let arguments = ["writ-agent"].into_iter().chain(arguments.iter().map(String::as_str));
    writ_agent::main_with(writ_agent::Config::parse_from(arguments))
}

/// The same, kept to as many of the first cores as the first argument says.
pub fn be_agent_on_cores(arguments: &[String]) -> ExitCode {
    keep_to(0..arguments[0].parse().unwrap());
    be_agent(&arguments[1..])
}

/// This process, and what it starts, runs on these cores alone.
pub fn keep_to(wanted: std::ops::Range<usize>) {
    let mut cores = rustix::thread::CpuSet::new();
    wanted.for_each(|core| cores.set(core));
    rustix::thread::sched_setaffinity(None, &cores).unwrap();
}

/// The child that allows everything.
pub fn be_allow_all(folder: &str) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let kept = CertificateFolder::new(Path::new(folder));
        let material = kept.ensure(&["localhost".into()], writ_agent::clock::now()).unwrap();
        let (listener, address) = writ_agent::server::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let tls = writ_agent::server::tls(&material).await.unwrap();
        let listening = serde_json::json!({"webhook": format!("https://{address}"), "ca": kept.authority()});
        let listen_file = Path::new(folder).join("listen.json");
        writ_agent::disk::write_atomic(&listen_file, listening.to_string().as_bytes(), 0o644).unwrap();
        let router = Router::new().route("/validate", post(allow));
        writ_agent::server::serve_tls(listener, tls, router, CancellationToken::new()).await.unwrap();
    });
    ExitCode::SUCCESS
}

async fn allow(body: Bytes) -> &'static str {
    assert!(!body.is_empty());
    r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"7","allowed":true}}"#
}
