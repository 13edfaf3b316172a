//! Sends reports, the oldest first, until the hub says that it stored them. A report may be sent twice; the hub's
//! cursor makes that harmless.

use super::spool::{Name, Spool};
use crate::backoff::Backoff;
use crate::disk;
use crate::hub::{Hub, HubError};
use crate::identity::{self, IdentityWatch};
use crate::log_chain;
use crate::metrics::Metrics;
use crate::status::Status;
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use writ_policy::wire::Receipt;

/// How long the rest may take at the end.
const DRAIN_WITHIN: Duration = Duration::from_secs(8);

/// The loop's parts.
pub struct Sender {
    /// Where to.
    pub hub: Hub,
    /// Who reports, once enrolled.
    pub identity: IdentityWatch,
    /// What waits.
    pub spool: Arc<Spool>,
    /// What Prometheus can ask.
    pub metrics: Arc<Metrics>,
    /// Whether the hub answers.
    pub status: Arc<Status>,
}

impl Sender {
    /// Runs until everything was gathered, and then for as long as it takes to send the rest, within bounds: in a
    /// pod's own folder what is not sent is lost with the pod.
    pub async fn run(self, gathered: CancellationToken) -> anyhow::Result<()> {
        let (spool, status) = (self.spool.clone(), self.status.clone());
        let drained = async {
            gathered.cancelled().await;
            let empty = async {
                while status.hub_connected() && spool.waiting_and_dropped().0 > 0 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            if tokio::time::timeout(DRAIN_WITHIN, empty).await.is_err() {
                warn!("not all reports could be sent before the end; they stay on disk");
            }
        };
        tokio::select! {
            ended = self.send_all() => ended,
            () = drained => Ok(()),
        }
    }

    async fn send_all(mut self) -> anyhow::Result<()> {
        if identity::wait(&mut self.identity).await.is_none() {
            return Ok(());
        }
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
        loop {
            let name = self.spool.oldest().await;
            // It may have been renewed since.
            let Some(identity) = self.identity.borrow().clone() else { return Ok(()) };
            let Err(problem) = self.send(name, &identity.credential).await else {
                if backoff.attempt() > 0 {
                    info!("reports reach the hub again");
                }
                backoff.reset();
                continue;
            };
            let later = problem.later();
            if backoff.attempt() == 0 {
                problem.say();
            }
            tokio::time::sleep(later + backoff.next_pause()).await;
        }
    }

    /// One report: stored and forgotten, or put aside, or why neither.
    async fn send(&self, name: Name, credential: &str) -> Result<(), Problem> {
        let spool = self.spool.clone();
        let Some(content) = disk::blocking(move || spool.read(name)).await? else {
            return Ok(self.forget(name).await?);
        };
        match self.hub.report(credential, content).await {
            Ok(Receipt { stored }) if stored >= name.sequence => {
                self.metrics.reports.inc();
                Ok(self.forget(name).await?)
            }
            Ok(Receipt { stored }) => {
                let sequence = name.sequence;
                Err(HubError::Answer(anyhow::anyhow!("report {sequence} was sent, {stored} is stored")).into())
            }
            Err(problem) if is_useless(&problem) => {
                error!(error = log_chain(&problem.into()), "the hub will never take a report; it is put aside");
                let spool = self.spool.clone();
                disk::blocking(move || spool.reject(name)).await?;
                self.metrics.rejected.inc();
                Ok(())
            }
            Err(problem) => Err(problem.into()),
        }
    }

    async fn forget(&self, name: Name) -> anyhow::Result<()> {
        let spool = self.spool.clone();
        disk::blocking(move || spool.stored(name)).await
    }
}

/// Why a report still waits. None of these ends the process: a webhook outlives its disk and its hub.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(transparent)]
    Hub(#[from] HubError),
    #[error(transparent)]
    Disk(#[from] anyhow::Error),
}

impl Problem {
    /// How long the hub asks to be left alone; the usual pause comes on top, so that a fleet does not return in step.
    fn later(&self) -> Duration {
        match self {
            Problem::Hub(HubError::Later { after, .. }) => *after,
            _ => Duration::ZERO,
        }
    }

    fn say(self) {
        let unauthorized = matches!(self, Problem::Hub(HubError::Unauthorized(_)));
        let problem = log_chain(&self.into());
        if unauthorized {
            error!(error = problem, "the hub does not take reports of this agent; they are kept on disk");
        } else {
            warn!(error = problem, "reports cannot be sent; they are kept on disk");
        }
    }
}

/// Whether sending the same again can never work.
fn is_useless(problem: &HubError) -> bool {
    let never = [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNPROCESSABLE_ENTITY];
    matches!(problem, HubError::Refused { status, .. } if never.contains(status))
}
