//! The agent's own ValidatingWebhookConfiguration, kept equal to what it should be: the rules follow the kinds that
//! policies judge, the authority follows the certificate, edits by hand and a deletion are repaired. The replica that
//! holds the Lease writes; all say what is registered. The annotation `writ.dev/suspended` is a person's word that
//! nothing shall be judged; the agent obeys and says so.

mod catalog;
mod wanted;

use super::Cluster;
use crate::backoff::Backoff;
use crate::log_chain;
use crate::registered::{Registered, Registration};
use anyhow::Context;
use catalog::Catalog;
use futures::{Stream, StreamExt, pin_mut};
use k8s_openapi::api::admissionregistration::v1::{ValidatingWebhook, ValidatingWebhookConfiguration};
use kube::Api;
use kube::api::{ObjectMeta, PostParams, WatchParams};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use wanted::Wanted;
pub(crate) use wanted::{IGNORING_PATH, Settings, is_lifeline};

/// While this annotation is there, with a reason, no request is sent to the agent.
pub(super) const SUSPENDED: &str = "writ.dev/suspended";
const INJECT_CA_FROM: &str = "cert-manager.io/inject-ca-from";
/// How often all is looked at when nothing is heard.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How long what the API server serves is believed to stay.
const CATALOG_FOR: Duration = Duration::from_secs(60);

/// What the loop listens to and speaks to.
pub(super) struct Ends {
    /// Whether this replica writes.
    pub(super) held: watch::Receiver<bool>,
    /// What the configuration should trust; `None` leaves that to another.
    pub(super) trusted: watch::Receiver<Option<String>>,
    /// What the configuration was last seen to trust.
    pub(super) seen: watch::Sender<String>,
    /// What policies judge, and what is asked about.
    pub(super) registration: Registration,
}

struct Keeper {
    cluster: Cluster,
    api: Api<ValidatingWebhookConfiguration>,
    ends: Ends,
    catalog: Option<(Catalog, Instant)>,
}

/// Keeps the configuration, until shutdown.
pub(super) async fn keep(cluster: Cluster, ends: Ends, shutdown: CancellationToken) -> anyhow::Result<()> {
    let api = Api::all(cluster.client.clone());
    let mut keeper = Keeper { cluster, api, ends, catalog: None };
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
    loop {
        let ended = tokio::select! {
            ended = keeper.watch() => ended,
            () = shutdown.cancelled() => return Ok(()),
        };
        if let Err(problem) = ended {
            warn!(error = log_chain(&problem), "the webhook configuration cannot be kept; requests go on as they do");
            keeper.ends.registration.set_problem(log_chain(&problem));
        } else {
            backoff.reset();
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.next_pause()) => {}
            () = shutdown.cancelled() => return Ok(()),
        }
    }
}

impl Keeper {
    /// Looks, and looks again whenever something changed, until the watch ends, as it does every few minutes.
    async fn watch(&mut self) -> anyhow::Result<()> {
        let version = self.look().await?;
        let api = self.api.clone();
        let changes = follow(&api, &self.cluster.webhook_configuration, &version).await?;
        pin_mut!(changes);
        let mut targets = self.ends.registration.targets();
        loop {
            tokio::select! {
                change = changes.next() => match change {
                    Some(Ok(())) => {}
                    Some(Err(problem)) => return Err(problem),
                    None => return Ok(()),
                },
                changed = targets.changed() => changed.context("nobody says what policies judge")?,
                changed = self.ends.trusted.changed() => changed.context("nobody says what to trust")?,
                changed = self.ends.held.changed() => changed.context("nobody says who writes")?,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            self.look().await?;
        }
    }

    /// One look at all of it: what is there, what should be, and the difference written or said. The version seen.
    async fn look(&mut self) -> anyhow::Result<String> {
        let name = self.cluster.webhook_configuration.clone();
        let found = self.api.get_opt(&name).await.context("reading the webhook configuration")?;
        let Some(targets) = self.ends.registration.targets().borrow().clone() else {
            return Ok(version(found.as_ref()));
        };
        let wanted = self.wanted(&targets, found.as_ref()).await?;
        let suspended = found.as_ref().and_then(|found| found.metadata.annotations.as_ref()?.get(SUSPENDED).cloned());
        let webhooks = if suspended.is_some() { vec![] } else { wanted.webhooks };
        let right = found.as_ref().is_some_and(|found| self.is_right(found, &webhooks));
        let written = match right {
            true => found,
            false if *self.ends.held.borrow() => Some(self.write(found, webhooks.clone()).await?),
            false => found,
        };
        self.say(
            written.as_ref(),
            &webhooks,
            Registered { kinds: targets, unknown: wanted.unknown, suspended, problem: None },
        );
        Ok(version(written.as_ref()))
    }

    async fn wanted(
        &mut self,
        targets: &BTreeSet<String>,
        found: Option<&ValidatingWebhookConfiguration>,
    ) -> anyhow::Result<Wanted> {
        let authority = match self.ends.trusted.borrow().clone() {
            Some(authority) => Some(authority.into_bytes()),
            None => found.and_then(bundle),
        };
        let old = self.catalog.take().filter(|(_, since)| since.elapsed() < CATALOG_FOR);
        let wanted = |catalog: &Catalog| self.cluster.settings.wanted(catalog, targets, authority.as_deref());
        let (catalog, since) = match old {
            // A kind that was not there may be there by now.
            Some((catalog, since)) if wanted(&catalog).unknown.is_empty() => (catalog, since),
            _ => (Catalog::load(&self.cluster.client).await?, Instant::now()),
        };
        let wanted = wanted(&catalog);
        self.catalog = Some((catalog, since));
        Ok(wanted)
    }

    fn is_right(&self, found: &ValidatingWebhookConfiguration, webhooks: &[ValidatingWebhook]) -> bool {
        let there = found.metadata.annotations.as_ref().and_then(|all| all.get(INJECT_CA_FROM));
        let injected = self.cluster.inject_ca_from.as_ref().is_none_or(|wanted| there == Some(wanted));
        injected && found.webhooks.as_deref().unwrap_or_default() == webhooks
    }

    async fn write(
        &self,
        found: Option<ValidatingWebhookConfiguration>,
        webhooks: Vec<ValidatingWebhook>,
    ) -> anyhow::Result<ValidatingWebhookConfiguration> {
        let name = &self.cluster.webhook_configuration;
        let is_there = found.is_some();
        let mut configuration = found.unwrap_or_else(|| empty(&self.cluster.webhook_configuration));
        if let Some(certificate) = &self.cluster.inject_ca_from {
            let annotations = configuration.metadata.annotations.get_or_insert_default();
            annotations.insert(INJECT_CA_FROM.into(), certificate.clone());
        }
        configuration.webhooks = Some(webhooks);
        let written = match is_there {
            true => self.api.replace(name, &PostParams::default(), &configuration).await,
            false => self.api.create(&PostParams::default(), &configuration).await,
        };
        let written = written.with_context(|| format!("writing the webhook configuration `{name}`"))?;
        info!("the webhook configuration `{name}` is written");
        Ok(written)
    }

    /// What is registered, for the hub and for who waits to show a new certificate.
    fn say(
        &self,
        there: Option<&ValidatingWebhookConfiguration>,
        webhooks: &[ValidatingWebhook],
        mut registered: Registered,
    ) {
        let trusted = there.and_then(bundle).and_then(|bundle| String::from_utf8(bundle).ok()).unwrap_or_default();
        self.ends.seen.send_if_modified(|seen| std::mem::replace(seen, trusted.clone()) != trusted);
        if !there.is_some_and(|there| self.is_right(there, webhooks)) {
            registered.kinds.clear();
            let problem = "the webhook configuration is not what it should be, and another replica has yet to write it";
            registered.problem = Some(problem.to_owned());
        }
        if let Some(reason) = &registered.suspended {
            debug!(reason, "the webhook configuration is suspended by its annotation");
        }
        self.ends.registration.set(registered);
    }
}

fn empty(name: &str) -> ValidatingWebhookConfiguration {
    let labels = BTreeMap::from([("app.kubernetes.io/managed-by".to_owned(), "writ-agent".to_owned())]);
    let metadata = ObjectMeta { name: Some(name.to_owned()), labels: Some(labels), ..ObjectMeta::default() };
    ValidatingWebhookConfiguration { metadata, webhooks: None }
}

/// The authority of the first webhook: all of ours have the same.
fn bundle(configuration: &ValidatingWebhookConfiguration) -> Option<Vec<u8>> {
    let webhook = configuration.webhooks.as_ref()?.first()?;
    webhook.client_config.ca_bundle.as_ref().map(|bundle| bundle.0.clone())
}

fn version(found: Option<&ValidatingWebhookConfiguration>) -> String {
    found.and_then(|found| found.metadata.resource_version.clone()).unwrap_or_else(|| "0".to_owned())
}

/// That something changed, without what: the next look sees all of it.
async fn follow(
    api: &Api<ValidatingWebhookConfiguration>,
    name: &str,
    version: &str,
) -> anyhow::Result<impl Stream<Item = anyhow::Result<()>> + use<>> {
    let one = WatchParams::default().fields(&format!("metadata.name={name}"));
    let changes = api.watch(&one, version).await.context("watching the webhook configuration")?;
    Ok(changes.map(|change| match change.context("watching the webhook configuration")? {
        kube::api::WatchEvent::Error(status) if status.code != 410 => {
            anyhow::bail!("watching the webhook configuration: {}", status.message)
        }
        _ => Ok(()),
    }))
}

#[cfg(test)]
mod tests;
