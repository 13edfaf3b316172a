//! A real API server, a hub with the template's policies, and agents in cluster mode: processes on this machine with
//! the rights of the manifests' service account, called by the API server at their address. For tests:
//!
//! ```ignore
//! let Some(mut cluster) = Cluster::start("name of the test").await else { return };
//! cluster.start_agent("a", &["--failure-policy=fail"]).await;
//! cluster.until_refused("/api/v1/namespaces/default/pods", &pod("evil", true)).await;
//! ```

use crate::api_server::ApiServer;
use crate::process::Process;
use crate::wait::eventually;
use crate::world::World;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::Path;

/// The name by which the hub knows it.
pub(crate) const NAME: &str = "real";
pub(crate) const NAMESPACE: &str = "writ-system";
pub(crate) const CONFIGURATION: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/writ";

/// Not a flag of the agent: how much its data folder holds, e.g. `small-disk=2m`.
const SMALL_DISK: &str = "small-disk=";

pub(crate) struct Cluster {
    pub(crate) agents: Vec<ClusterAgent>,
    pub(crate) world: World,
    pub(crate) server: ApiServer,
}

/// An agent in cluster mode.
pub(crate) struct ClusterAgent {
    pub(crate) process: Process,
    /// `http://127.0.0.1:port`.
    pub(crate) metrics: String,
}

impl Cluster {
    /// Without agents yet; `None`, and noted as skipped, where no API server is installed. The manifests' accounts and
    /// rights are there, what would run pods is of no use without a kubelet.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        let server = ApiServer::start(test).await?;
        let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("deploy/agent.yaml");
        server.kubectl_ok(&["apply", "-f", manifests.to_str().unwrap()], "");
        let world = World::start(&[]).await;
        let token = world.token(NAME, &json!({"env": "dev"})).await;
        std::fs::write(world.folder().join("token"), token).unwrap();
        Some(Self { agents: vec![], world, server })
    }

    /// Starts an agent with more flags and waits until it listens and enforces.
    pub(crate) async fn start_agent(&mut self, name: &str, more: &[&str]) -> &mut ClusterAgent {
        let agent = self.launch(name, free_port(), more).await;
        agent.until_ready().await;
        self.agents.push(agent);
        self.agents.last_mut().unwrap()
    }

    /// Starts an agent on this port. An agent of the same name that ran before left its data.
    pub(crate) async fn launch(&self, name: &str, port: u16, more: &[&str]) -> ClusterAgent {
        let host = host();
        let webhook = format!("https://{host}:{port}/validate");
        let kubeconfig = self.server.kubeconfig_of(NAMESPACE, "writ-agent").await;
        let addresses = self.world.folder().join(format!("{name}.json"));
        let _ = std::fs::remove_file(&addresses);
        let (listen, kubeconfig) = (format!("{host}:{port}"), kubeconfig.to_str().unwrap().to_owned());
        let mut arguments = vec!["--data", name, "--hub", &self.world.hub.url, "--token-file", "token"];
        arguments.extend(["--kubeconfig", &kubeconfig, "--replica", name, "--listen", &listen]);
        arguments.extend(["--metrics-listen", "127.0.0.1:0", "--listen-file", addresses.to_str().unwrap()]);
        let names = format!("localhost,127.0.0.1,{host}");
        arguments.extend(["--dns-name", &names, "--report-every", "100ms"]);
        if !more.iter().any(|flag| flag.starts_with("--webhook-url")) {
            arguments.extend(["--webhook-url", &webhook]);
        }
        let disk = more.iter().find_map(|flag| flag.strip_prefix(SMALL_DISK));
        arguments.extend(more.iter().filter(|flag| !flag.starts_with(SMALL_DISK)));
        let folder = self.world.folder();
        let mut process = match disk {
            Some(size) => Process::start_on_small_disk("writ-agent", folder, name, size, &arguments),
            None => Process::start("writ-agent", folder, name, &arguments),
        };
        let announced: Value = serde_json::from_str(&process.announced(&addresses).await).unwrap();
        ClusterAgent { process, metrics: announced["metrics"].as_str().unwrap().to_owned() }
    }

    /// Waits until the API server refuses to create this, and returns what it says. Nothing is created.
    pub(crate) async fn until_refused(&self, path: &str, object: &Value) -> Value {
        eventually(&format!("{path} is refused"), async || {
            let (status, answer) = self.server.create(&format!("{path}?dryRun=All"), object.to_string()).await;
            (status == StatusCode::FORBIDDEN).then_some(answer)
        })
        .await
    }
}

impl Cluster {
    /// `writ-agent check` with the agent's own rights; whether nothing is wrong, and what it says.
    pub(crate) async fn check(&self, more: &[&str]) -> (bool, String) {
        let kubeconfig = self.server.kubeconfig_of(NAMESPACE, "writ-agent").await;
        let mut arguments = vec!["check", "--hub", &self.world.hub.url, "--kubeconfig", kubeconfig.to_str().unwrap()];
        arguments.extend(["--dns-name", "127.0.0.1"]);
        arguments.extend(more);
        crate::process::run("writ-agent", self.world.folder(), &arguments)
    }

    /// Waits until the hub says this of the cluster.
    pub(crate) async fn until_hub_says(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        eventually(what, async || {
            let status = self.world.hub.get("/api/v1/status").await;
            let cluster = status["clusters"].as_array()?.iter().find(|cluster| cluster["name"] == NAME)?.clone();
            holds(&cluster).then_some(cluster)
        })
        .await
    }
}

impl ClusterAgent {
    /// Waits until policies decide.
    pub(crate) async fn until_ready(&self) {
        eventually(&format!("the agent is ready:\n{}", self.process.log()), async || {
            let answer = reqwest::get(format!("{}/readyz", self.metrics)).await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }
}

/// A Pod; a privileged one is refused by the template's policies.
pub(crate) fn pod(name: &str, privileged: bool) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [{
            "name": "main",
            "image": "registry.example/app:1",
            "securityContext": {"privileged": privileged}
        }]}
    })
}

/// Where the API server reaches agents on this machine.
pub(crate) fn host() -> String {
    let named = std::env::var_os("WRIT_E2E_ADDRESS").and_then(|address| address.into_string().ok());
    named.unwrap_or_else(|| "127.0.0.1".into())
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind((host(), 0)).unwrap().local_addr().unwrap().port()
}
