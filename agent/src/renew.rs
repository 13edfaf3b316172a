//! What of the identity changes in an agent's life: a new credential before the present one ends, and a new key of the hub
//! that the present one announced. Replicas share one identity, and each may renew it: a credential that was replaced is
//! good until its own end, and a former key for what is on disk, so that nobody is locked out meanwhile.

use crate::hub::Hub;
use crate::identity;
use crate::kubernetes::Cluster;
use crate::log_chain;
use anyhow::Context;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;
use tracing::{info, warn};
use writ_policy::sign::Signed;
use writ_policy::wire::{Credential, Enrolled};

/// How long after a failure it is tried again, in milliseconds.
const RETRY_MS: i64 = 60_000;

/// Where the identity is kept, and who must know of a new one.
pub struct Renewal {
    /// The data folder.
    pub data: PathBuf,
    /// Where replicas share it.
    pub cluster: Option<Cluster>,
    /// Told to those who use it.
    pub identity: watch::Sender<Option<Arc<Enrolled>>>,
    /// Not again before, Unix milliseconds.
    pub not_before: i64,
}

impl Renewal {
    /// The identity with a new credential, when it is time for one and the hub gives it.
    pub async fn due(&mut self, hub: &Hub, known: &Enrolled, now: i64) -> Option<Arc<Enrolled>> {
        let is_due = known.renew_at.is_some_and(|renew_at| now >= renew_at) && now >= self.not_before;
        if !is_due {
            return None;
        }
        self.not_before = now + RETRY_MS;
        match hub.renew(&known.credential).await {
            Ok(Credential { credential, renew_at, .. }) => {
                let renewed = Arc::new(Enrolled { credential, renew_at: Some(renew_at), ..known.clone() });
                self.keep(&renewed).await;
                Some(renewed)
            }
            Err(problem) => {
                warn!(
                    error = log_chain(&problem.into()),
                    "the credential is not renewed yet; the present one still works"
                );
                None
            }
        }
    }

    /// The identity that trusts the hub's newest key, when the one that it trusts announced it. It is on disk before
    /// anything is enforced that the new key signed, or a restart would not believe what it kept.
    pub async fn follow(&self, known: &Enrolled, successions: &[Signed]) -> anyhow::Result<Arc<Enrolled>> {
        let followed = Arc::new(identity::following(known, successions)?);
        identity::save(&self.data, &followed).context("the hub's new key cannot be kept")?;
        self.share(&followed, "the hub's new key is not shared; other replicas follow it by themselves").await;
        let (key, former) = (followed.hub_key.fingerprint(), known.hub_key.fingerprint());
        info!(key, former, "the hub signs with a new key, which the former one announced");
        Ok(followed)
    }

    async fn keep(&self, renewed: &Arc<Enrolled>) {
        if let Err(problem) = identity::save(&self.data, renewed) {
            warn!(error = log_chain(&problem), "the renewed credential is not on disk; a restart uses the former one");
        }
        self.share(renewed, "the renewed credential is not shared; other replicas renew their own").await;
        info!("the credential for the hub was renewed");
    }

    /// Tells the other replicas, and those in this process who use it.
    async fn share(&self, renewed: &Arc<Enrolled>, otherwise: &'static str) {
        if let Some(cluster) = &self.cluster
            && let Err(problem) = cluster.replace_identity(renewed).await
        {
            warn!(error = log_chain(&problem), "{otherwise}");
        }
        self.identity.send_replace(Some(renewed.clone()));
    }
}
