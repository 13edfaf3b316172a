//! The three clusters of the demo, and how their processes are started.

use super::child::{Child, Recipe};
use super::folder::{self, Folder};
use super::ports::{AGENTS, Ports};
use super::webhook::Webhook;
use crate::client::answers::ClusterState;
use crate::client::{Hub, NewToken};
use anyhow::Context;
use clap::CommandFactory;
use serde::Deserialize;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use url::Url;
use writ_policy::{ClusterName, Labels};

/// Names and labels. `fleet.yaml` gives each `env` a deny level of its own.
pub(crate) const CLUSTERS: [(&str, &[(&str, &str)]); AGENTS] = [
    ("dev", &[("env", "dev"), ("ring", "0")]),
    ("staging", &[("env", "staging"), ("ring", "1")]),
    ("prod", &[("env", "prod"), ("region", "eu"), ("ring", "2")]),
];

/// An agent as it said where it listens.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Listening {
    pub(crate) webhook: Url,
    pub(crate) metrics: Url,
    /// PEM file of the authority that signed the webhook's certificate.
    pub(crate) ca: PathBuf,
}

/// Starts the hub on this address.
pub(crate) async fn start_hub(folder: &Folder, listen: SocketAddr) -> anyhow::Result<(Child, Hub)> {
    let recipe = Recipe {
        name: "hub".into(),
        arguments: arguments(
            "hub",
            &[
                ("--data", folder.hub_data().into()),
                ("--source", folder.policies().into()),
                ("--listen", listen.to_string().into()),
                ("--listen-file", folder.listen_file("hub").into()),
            ],
        ),
        unset: variables(&writ_hub::config::Config::command()),
    };
    let (child, said) = Child::start(&recipe, folder).await?;
    let address = said.parse().with_context(|| format!("the hub says that it listens on {said:?}"))?;
    Ok((child, Hub::local(address)?))
}

/// Starts the agent of a cluster; enrolls it first when the hub does not know the cluster.
pub(crate) async fn start_agent(
    folder: &Folder,
    hub: &Hub,
    cluster: usize,
    addresses: [SocketAddr; 2],
) -> anyhow::Result<(Child, Webhook)> {
    let (name, labels) = CLUSTERS[cluster];
    let process = format!("agent-{name}");
    let mut flags = vec![
        ("--data", folder.agent_data(name).into()),
        ("--hub", hub.address().as_str().into()),
        ("--listen", addresses[0].to_string().into()),
        ("--metrics-listen", addresses[1].to_string().into()),
        ("--listen-file", folder.listen_file(&process).into()),
        ("--namespaces", folder.namespaces().into()),
        ("--workers", "1".into()),
    ];
    if let Some(token) = enroll(folder, hub, name, labels).await? {
        flags.push(("--token-file", token.into()));
    }
    let mut arguments = arguments("agent", &flags);
    arguments.push("--standalone".into());
    let recipe = Recipe { name: process, arguments, unset: variables(&writ_agent::Config::command()) };
    let (child, said) = Child::start(&recipe, folder).await?;
    let listening: Listening =
        serde_json::from_str(&said).with_context(|| format!("{} says that it listens on {said:?}", child.name))?;
    let webhook = Webhook::new(&listening)?;
    Ok((child, webhook))
}

/// A one-time token in a file, unless the hub has heard from this cluster before. A hub that is away is no reason not
/// to start: an enrolled agent enforces what it has.
async fn enroll(
    folder: &Folder,
    hub: &Hub,
    name: &'static str,
    labels: &[(&str, &str)],
) -> anyhow::Result<Option<PathBuf>> {
    let is_enrolled = match hub.status().await {
        Ok(status) => {
            status.clusters.iter().any(|cluster| cluster.name.as_str() == name && cluster.state != ClusterState::Never)
        }
        Err(_) if folder.agent_data(name).exists() => true,
        Err(error) => return Err(error),
    };
    if is_enrolled {
        return Ok(None);
    }
    let cluster = ClusterName::new(name).expect("the demo's cluster names are valid");
    let labels: Labels = labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let made = {
        let (uses, needs_acceptance) = (1, false);
        let wanted = NewToken { cluster: &cluster, labels: &labels, ttl_seconds: 600, uses, needs_acceptance };
        hub.create_token(&wanted).await?
    };
    folder::write_secret(&folder.token(name), &made.token)?;
    Ok(Some(folder.token(name)))
}

fn arguments(command: &str, flags: &[(&str, OsString)]) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec![command.into(), "--until-stdin-ends".into()];
    arguments.extend(flags.iter().flat_map(|(flag, value)| [OsString::from(flag), value.clone()]));
    arguments
}

/// Every variable that the program reads: set for somebody's real hub, it must not reach the demo's.
fn variables(command: &clap::Command) -> Vec<OsString> {
    command.get_arguments().filter_map(|argument| Some(argument.get_env()?.to_owned())).collect()
}

/// Both addresses of an agent's process.
pub(crate) fn addresses(ports: Ports, cluster: usize) -> [SocketAddr; 2] {
    [ports.webhook(cluster), ports.metrics(cluster)]
}

/// A path as a person in the current folder would type it.
pub(crate) fn typed(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let relative = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    relative.unwrap_or_else(|| path.to_owned()).display().to_string()
}
