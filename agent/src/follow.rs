//! The life of the connection to the hub: enroll once, then keep in sync.

use crate::enforcer::Enforcer;
use crate::hub::Hub;
use crate::kubernetes::Cluster;
use crate::renew::Renewal;
use crate::report::spool::Spool;
use crate::sync::Sync;
use crate::{enroll, health::Health, log_chain, share};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use writ_policy::wire::Enrolled;

/// The loop's parts.
pub struct Follow {
    /// Where the hub is.
    pub hub: Hub,
    /// Where replicas share their identity; `None` outside of a cluster.
    pub cluster: Option<Cluster>,
    /// The data folder, for the identity.
    pub data: PathBuf,
    /// Where the enrollment token is.
    pub token_file: Option<PathBuf>,
    /// Makes a pair the one that decides.
    pub enforcer: Enforcer,
    /// Status and metrics.
    pub health: Health,
    /// What waits to be sent.
    pub spool: Arc<Spool>,
    /// Told to those who wait for the identity.
    pub identity: watch::Sender<Option<Arc<Enrolled>>>,
}

impl Follow {
    /// Runs until shutdown.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Self { hub, cluster, data, token_file, mut enforcer, health, spool, identity } = self;
        let Health { status, metrics } = health;
        let known = identity.borrow().clone();
        let place = enroll::Place { data: &data, cluster: cluster.as_ref(), token_file: token_file.as_deref() };
        let Some(enrolled) = enroll::run(&hub, &place, known.as_deref(), &status, &shutdown).await else {
            return Ok(());
        };
        let enrolled = Arc::new(enrolled);
        identity.send_replace(Some(enrolled.clone()));
        if let (false, Some(cluster)) = (status.is_enforcing(), &cluster) {
            match share::start_from_cluster(cluster, &mut enforcer, &enrolled).await {
                Ok(_) => {}
                Err(problem) => warn!(error = log_chain(&problem), "what replicas share cannot be enforced"),
            }
        }
        let renewal = Renewal { data, cluster, identity, not_before: 0 };
        Sync { hub, identity: enrolled, renewal, enforcer, status, metrics, spool }.run(shutdown).await
    }
}
