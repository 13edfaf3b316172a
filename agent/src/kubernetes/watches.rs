//! The wiring of everything that reads objects: what policies see, and what audit looks at.

use super::Cluster;
use super::consumers::Consumers;
use super::existing::Existing;
use super::followers::{Followers, Loop};
use super::inventory::ClusterInventory;
use super::kinds::{Kinds, namespaces};
use super::policy_reports::Reports;
use super::reader::Reader;
use super::scope::Scope;
use crate::audit::Auditor;
use crate::config::PolicyReports;
use crate::health::Health;
use crate::objects::Resource;
use crate::wanted::Wanted;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use writ_runtime::Evaluator;

/// How long until a kind that the API server does not have is looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// How long until an API server that does not answer is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(3);

/// What reading objects needs.
pub struct Watches {
    /// What policies see.
    pub inventory: Arc<ClusterInventory>,
    /// Who judges what is seen.
    pub auditor: Arc<Auditor>,
    /// With what.
    pub evaluator: Evaluator,
    /// Status and metrics.
    pub health: Health,
    /// What is enforced.
    pub wanted: watch::Receiver<Option<Wanted>>,
    /// Whether this replica audits.
    pub leads: watch::Receiver<bool>,
    /// How often everything is looked at; `None` when nothing is to be audited.
    pub every: Option<Duration>,
    /// As what open violations are written for others' tools.
    pub reports: PolicyReports,
}

impl Cluster {
    /// Reads objects until shutdown.
    pub async fn watch(self, watches: Watches, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Watches { inventory, auditor, evaluator, health, wanted, leads, every, reports: format } = watches;
        let reader = Reader::new(self.client, health.metrics.clone());
        let scope = Scope::new(self.settings);
        let consumers = Arc::new(Consumers::new(inventory, auditor.clone(), scope, health.status.clone()));
        let (followers, followed): (Followers, Loop) = Followers::new(reader.clone(), consumers);
        let (reports, stop) = (reports(format, &reader, &auditor, &evaluator), shutdown.clone());
        let reports = async move {
            match reports {
                Some(reports) => reports.run(stop).await,
                None => Ok(()),
            }
        };
        let kept = keep(reader.clone(), followers.clone(), health.clone(), wanted.clone(), shutdown.clone());
        let audited = async {
            match every {
                Some(every) => {
                    let existing = Existing {
                        reader,
                        followers,
                        auditor: auditor.clone(),
                        evaluator,
                        health,
                        wanted,
                        leads,
                        every,
                    };
                    tokio::try_join!(existing.run(shutdown.clone()), auditor.run(shutdown.clone())).map(drop)
                }
                None => {
                    shutdown.cancelled().await;
                    Ok(())
                }
            }
        };
        tokio::try_join!(followed.run(shutdown.clone()), kept, audited, reports).map(drop)
    }
}

/// Who writes reports, if they are wanted.
fn reports(format: PolicyReports, reader: &Reader, auditor: &Arc<Auditor>, evaluator: &Evaluator) -> Option<Reports> {
    let (reader, auditor, evaluator) = (reader.clone(), auditor.clone(), evaluator.clone());
    (format != PolicyReports::Off).then_some(Reports { reader, auditor, evaluator, format })
}

/// Keeps the kinds of `sync`, and Namespaces always, in what policies see.
async fn keep(
    reader: Reader,
    followers: Followers,
    health: Health,
    mut wanted: watch::Receiver<Option<Wanted>>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    followers.keep([namespaces()].into()).await;
    loop {
        let sync = wanted.borrow_and_update().as_ref().map(|wanted| wanted.settings.sync.clone()).unwrap_or_default();
        let again = tokio::select! {
            again = keep_once(&reader, &followers, &health, &sync) => again,
            () = shutdown.cancelled() => return Ok(()),
        };
        tokio::select! {
            changed = wanted.changed() => if changed.is_err() { shutdown.cancelled().await },
            () = tokio::time::sleep(again.unwrap_or(Duration::MAX)) , if again.is_some() => {}
            () = shutdown.cancelled() => return Ok(()),
        }
    }
}

/// Looks for the kinds; when to look again, if any is missing.
async fn keep_once(reader: &Reader, followers: &Followers, health: &Health, sync: &[String]) -> Option<Duration> {
    // What is no longer wanted is not missed either.
    for kind in health.status.unreplicated().into_keys().filter(|kind| !sync.contains(kind)) {
        health.status.set_unreplicated(&kind, None);
    }
    let mut found: BTreeSet<Resource> = [namespaces()].into();
    let missing = |kind: &String, reason: String| health.status.set_unreplicated(kind, Some(reason));
    if sync.is_empty() {
        followers.keep(found).await;
        return None;
    }
    let kinds = match Kinds::discover(reader).await {
        Ok(kinds) => kinds,
        Err(problem) => {
            warn!(problem = problem.to_string(), "the API server does not tell which kinds it has");
            sync.iter().for_each(|kind| missing(kind, problem.to_string()));
            return Some(ASK_AGAIN);
        }
    };
    let mut is_complete = true;
    let known = followers.consumers.kept();
    for kind in sync {
        match kinds.find(kind) {
            Some(resource) => {
                if !known.contains(resource) {
                    missing(kind, "it was not listed yet".into());
                }
                found.insert(resource.clone());
            }
            None => {
                missing(kind, "the API server has no such kind".into());
                is_complete = false;
            }
        }
    }
    followers.keep(found).await;
    (!is_complete).then_some(LOOK_AGAIN)
}
