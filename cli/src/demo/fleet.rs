//! The running fleet: one hub and an agent per cluster, started in order and stopped together.

use super::child::Child;
use super::cluster::{self, CLUSTERS};
use super::folder::Folder;
use super::ports::Ports;
use super::webhook::Webhook;
use crate::client::Hub;
use crate::client::answers::{ClusterState, Status};
use anyhow::{Context, anyhow, bail};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long the fleet may take until every cluster enforces what it should.
const SETTLE: Duration = Duration::from_secs(60);

/// Processes and the ways to talk to them. A process that is away is `None`.
#[derive(Debug)]
pub(crate) struct Fleet {
    pub(crate) hub: Hub,
    pub(crate) hub_process: Option<Child>,
    hub_listen: SocketAddr,
    pub(crate) agents: Vec<Agent>,
}

/// One cluster's agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) webhook: Webhook,
    pub(crate) process: Option<Child>,
    addresses: [SocketAddr; 2],
}

impl Fleet {
    /// Starts the hub, then the agents. Ports that the system chose are kept, so that a restart is at the same place.
    pub(crate) async fn start(folder: &Folder, ports: Ports) -> anyhow::Result<Self> {
        let (process, hub) = cluster::start_hub(folder, ports.hub()).await?;
        let hub_listen = listen_address(hub.address())?;
        let mut agents = Vec::new();
        for index in 0..CLUSTERS.len() {
            let addresses = cluster::addresses(ports, index);
            let (process, webhook) = cluster::start_agent(folder, &hub, index, addresses).await?;
            let addresses = [listen_address(&webhook.listening.webhook)?, listen_address(&webhook.listening.metrics)?];
            agents.push(Agent { webhook, process: Some(process), addresses });
        }
        Ok(Self { hub, hub_process: Some(process), hub_listen, agents })
    }

    /// Starts the hub again where it was.
    pub(crate) async fn restart_hub(&mut self, folder: &Folder) -> anyhow::Result<()> {
        let (process, hub) = cluster::start_hub(folder, self.hub_listen).await?;
        (self.hub_process, self.hub) = (Some(process), hub);
        Ok(())
    }

    /// Starts an agent again where it was.
    pub(crate) async fn restart_agent(&mut self, folder: &Folder, index: usize) -> anyhow::Result<()> {
        let addresses = self.agents[index].addresses;
        let (process, webhook) = cluster::start_agent(folder, &self.hub, index, addresses).await?;
        self.agents[index].webhook = webhook;
        self.agents[index].process = Some(process);
        Ok(())
    }

    /// Waits until every cluster proves that it enforces what it should; returns the commit that the hub serves.
    pub(crate) async fn settled(&self) -> anyhow::Result<String> {
        let deadline = Instant::now() + SETTLE;
        loop {
            let status = self.hub.status().await?;
            if let Some(served) = enforced_everywhere(&status) {
                return Ok(served);
            }
            if Instant::now() >= deadline {
                let states: Vec<String> = status
                    .clusters
                    .iter()
                    .map(|cluster| format!("{} is {}", cluster.name, cluster.state.as_str()))
                    .collect();
                bail!("the fleet does not enforce what it should after {SETTLE:?}: {}", states.join(", "));
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn webhooks(&self) -> Vec<Webhook> {
        self.agents.iter().map(|agent| agent.webhook.clone()).collect()
    }

    /// Waits until one of the processes ends, which none should; says which and how.
    pub(crate) async fn first_end(&mut self) -> anyhow::Result<Ended> {
        let agents =
            self.agents.iter_mut().enumerate().map(|(index, agent)| (Member::Agent(index), &mut agent.process));
        let all = std::iter::once((Member::Hub, &mut self.hub_process)).chain(agents);
        let mut waiting: Vec<_> = all
            .filter_map(|(member, process)| {
                let process = process.as_mut()?;
                Some(Box::pin(async move {
                    let status = process.ended().await?;
                    Ok::<_, anyhow::Error>(Ended { member, name: process.name.clone(), how: process.obituary(status) })
                }))
            })
            .collect();
        if waiting.is_empty() {
            return Err(anyhow!("nothing of the fleet is running"));
        }
        std::future::poll_fn(|context| {
            let ready = waiting.iter_mut().find_map(|one| match one.as_mut().poll(context) {
                std::task::Poll::Ready(ended) => Some(ended),
                std::task::Poll::Pending => None,
            });
            ready.map_or(std::task::Poll::Pending, std::task::Poll::Ready)
        })
        .await
    }

    /// Stops everything: agents first, so that the hub still takes their last reports.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let mut stopping = tokio::task::JoinSet::new();
        for process in self.agents.into_iter().filter_map(|agent| agent.process) {
            stopping.spawn(process.stop());
        }
        while let Some(stopped) = stopping.join_next().await {
            stopped??;
        }
        match self.hub_process {
            Some(hub) => hub.stop().await,
            None => Ok(()),
        }
    }
}

/// A member of the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Member {
    Hub,
    /// By its place in [`CLUSTERS`].
    Agent(usize),
}

/// A process that ended by itself or by somebody's hand.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) member: Member,
    pub(crate) name: String,
    /// How, and where its log is.
    pub(crate) how: anyhow::Error,
}

/// The commit that all clusters of the demo enforce and the hub serves.
fn enforced_everywhere(status: &Status) -> Option<String> {
    let enforcing = status.clusters.iter().filter(|cluster| cluster.state == ClusterState::Enforcing).count();
    let served = status.served.clone()?;
    let agree =
        status.clusters.iter().all(|cluster| cluster.active.as_ref().is_some_and(|active| active.revision == served));
    (enforcing >= CLUSTERS.len() && agree).then_some(served)
}

fn listen_address(url: &url::Url) -> anyhow::Result<SocketAddr> {
    url.socket_addrs(|| None)?.pop().with_context(|| format!("{url} names no address"))
}
