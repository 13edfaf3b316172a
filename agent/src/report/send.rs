//! Sends reports, the oldest first, until the hub says that it stored them. A report may be sent twice; the hub's
//! cursor makes that harmless.

use super::spool::{Name, Spool};
use crate::backoff::Backoff;
use crate::disk;
use crate::hub::{Hub, HubError};
use crate::identity::{self, IdentityWatch};
use crate::log_chain;
use crate::metrics::Metrics;
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use writ_policy::wire::Receipt;

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
}

impl Sender {
    /// Runs until shutdown.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        tokio::select! {
            ended = self.send_all() => ended,
            () = shutdown.cancelled() => Ok(()),
        }
    }

    async fn send_all(mut self) -> anyhow::Result<()> {
        let Some(identity) = identity::wait(&mut self.identity).await else { return Ok(()) };
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
        loop {
            let name = self.spool.oldest().await;
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
