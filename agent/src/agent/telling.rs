//! The loops that tell people: Events, Slack, and what is suspended.

use super::Tasks;
use crate::break_glass;
use crate::config::Config;
use crate::health::Health;
use crate::kubernetes::{Cluster, events, slack_secret};
use crate::namespaces::KnownNamespaces;
use crate::tell::Teller;
use crate::tell::slack::{Addresses, Slack};
use anyhow::Context;

/// Where the webhook hands over what there is to tell; and the loops that tell it.
pub(super) fn teller(
    config: &Config,
    cluster: Option<&Cluster>,
    namespaces: KnownNamespaces,
    health: &Health,
    tasks: &mut Tasks,
) -> anyhow::Result<Teller> {
    let Health { status, metrics } = health.clone();
    let shutdown = tasks.shutdown.clone();
    let watch = break_glass::watch(namespaces.clone(), status.clone(), metrics.clone(), shutdown.clone());
    tasks.spawn("break glass", watch);
    let mut teller = Teller::new(metrics.clone());
    if let Some(cluster) = cluster.filter(|_| config.tell.events) {
        let (client, replica, queue) = (cluster.client(), config.cluster.replica.clone(), teller.by_events());
        tasks.spawn("events", events::tell(client, replica, queue, metrics.clone(), shutdown.clone()));
    }
    if config.tell.slack() {
        let addresses = Addresses(config.tell.slack_base.clone());
        let default = match &config.tell.slack_webhook_file {
            Some(file) => {
                let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
                Some(addresses.of(&text).with_context(|| format!("{} cannot be used", file.display()))?)
            }
            None => None,
        };
        let own = cluster.filter(|_| config.tell.slack_namespaces);
        let channels = own.map(|cluster| slack_secret::channels(cluster.client(), namespaces));
        let slack = Slack { addresses, default, channels, passive: config.tell.slack_passive, status, metrics };
        tasks.spawn("slack", slack.run(teller.by_slack(), shutdown));
    }
    Ok(teller)
}
