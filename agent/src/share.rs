//! The last good pair in the cluster itself: the replica that holds the Lease writes it to Secrets of the agent's
//! namespace, and a replica with an empty disk enforces it before it has heard of the hub. What is read is verified and
//! tested as what the hub sends is.

mod archive;

use crate::cache::{Cache, Saved, Slot};
use crate::enforcer::Enforcer;
use crate::kubernetes::Cluster;
use crate::kubernetes::shared::MOST_BYTES;
use crate::status::Status;
use crate::sync::verify::Verified;
use crate::wanted::Wanted;
use crate::{disk, log_chain};
use anyhow::{Context, ensure};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use writ_policy::bundle::BundleStatement;
use writ_policy::wire::Enrolled;

/// How often it is looked whether what is shared is still the newest: renewals are written no more often.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);
/// How long until a write that failed is tried again.
const AGAIN: Duration = Duration::from_secs(30);
/// How long after a change the pair on disk is looked at, and again until it is the one that decides.
const SETTLE: Duration = Duration::from_secs(1);
/// The longest that a start waits for the API server.
const PATIENCE: Duration = Duration::from_secs(5);

/// The loop's parts.
pub struct Share {
    /// Where it is shared.
    pub cluster: Cluster,
    /// What is shared.
    pub cache: Cache,
    /// What decides.
    pub status: Arc<Status>,
    /// Told when something else does.
    pub wanted: watch::Receiver<Option<Wanted>>,
    /// Whether this replica writes.
    pub leads: watch::Receiver<bool>,
}

impl Share {
    /// Runs until shutdown.
    pub async fn run(mut self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut failed = false;
        let mut pause = SETTLE;
        loop {
            // Whoever changes these ends first, at shutdown.
            let changed = tokio::select! {
                changed = self.wanted.changed() => changed,
                changed = self.leads.changed() => changed,
                () = tokio::time::sleep(pause) => Ok(()),
                () = shutdown.cancelled() => return Ok(()),
            };
            if changed.is_err() {
                shutdown.cancelled().await;
                return Ok(());
            }
            pause = LOOK_EVERY;
            if !*self.leads.borrow() || !self.status.is_enforcing() {
                continue;
            }
            match self.look().await {
                Ok(true) => failed = false,
                Ok(false) => pause = SETTLE,
                Err(problem) => {
                    if !failed {
                        let error = log_chain(&problem);
                        warn!(error, "the policies are not shared in the cluster: a new pod will need the hub");
                    }
                    (failed, pause) = (true, AGAIN);
                }
            }
        }
    }

    /// Writes what decides, if it is not there. False when the disk does not have it yet.
    async fn look(&self) -> anyhow::Result<bool> {
        let current = self.cache.kept().into_iter().find(|(slot, _)| *slot == Slot::Current);
        let Some((_, saved)) = current.filter(|(_, saved)| self.decides(saved)) else { return Ok(false) };
        let mark = saved.desired.assignment.digest().to_string();
        if self.cluster.shared_mark().await?.as_ref() == Some(&mark) {
            return Ok(true);
        }
        let cache = self.cache.clone();
        let packed = disk::blocking(move || pack(&cache, &saved)).await?;
        let bytes = packed.len();
        self.cluster.share_policies(&mark, &packed).await?;
        info!(bytes, "the policies are shared in the cluster, for replicas that start with an empty disk");
        Ok(true)
    }

    fn decides(&self, saved: &Saved) -> bool {
        let digest = saved.desired.assignment.digest();
        self.status.enforced().is_some_and(|enforced| enforced.active.assignment == digest)
    }
}

fn pack(cache: &Cache, saved: &Saved) -> anyhow::Result<Vec<u8>> {
    let bundle: BundleStatement =
        serde_json::from_str(&saved.desired.bundle.payload).context("reading the bundle's statement")?;
    archive::pack(saved, &cache.blobs, &bundle.index, MOST_BYTES)
}

/// Enforces what another replica shared. False when nothing is.
pub async fn start_from_cluster(
    cluster: &Cluster,
    enforcer: &mut Enforcer,
    identity: &Enrolled,
) -> anyhow::Result<bool> {
    let asked = tokio::time::timeout(PATIENCE, cluster.shared_policies());
    let Some(packed) = asked.await.context("the API server does not answer")?? else { return Ok(false) };
    let (cache, owned) = (enforcer.cache.clone(), identity.clone());
    let (verified, saved) = disk::blocking(move || unpack(&cache, &owned, &packed)).await?;
    enforcer.advance(&verified, saved).await?;
    Ok(true)
}

/// Every signature and every epoch first, so that nothing else reaches the disk.
fn unpack(cache: &Cache, identity: &Enrolled, packed: &[u8]) -> anyhow::Result<(Verified, Saved)> {
    let mut archive = archive::Unpacking::begin(packed)?;
    let saved = archive.saved()?;
    let verified = Verified::of_kept(&saved.desired, identity)?;
    verified.step_from(cache.floor().as_ref())?;
    let missing = archive.save_all(&cache.blobs, &verified.bundle.index)?;
    ensure!(missing == 0, "{missing} files of the bundle are not among what is shared");
    Ok((verified, saved))
}
