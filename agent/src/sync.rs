//! The loop that keeps what is enforced equal to what the hub signed: ask, verify, fetch, enforce, say so. The request
//! is held by the hub, carries the agent's state, and is heartbeat and acknowledgement in one. Whatever is wrong is
//! refused and said; the last good pair stays enforced.

pub mod content;
pub mod verify;

use crate::backoff::Backoff;
use crate::cache::Saved;
use crate::enforcer::Enforcer;
use crate::hub::{Hub, HubError};
use crate::metrics::Metrics;
use crate::renew::Renewal;
use crate::report::spool::Spool;
use crate::status::Status;
use crate::{clock, log_chain};
use content::FetchError;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use verify::{Step, Verified};
use writ_policy::sign::Signed;
use writ_policy::wire::{AgentState, Desired, DesiredRequest, Enrolled, Refused};

/// How often the agent looks whether a held request should be asked anew, and so the most often that it is.
const NEWS_EVERY: Duration = Duration::from_secs(5);
/// How long the goodbye may take.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

/// Why a pair is not enforced.
enum Problem {
    /// It is wrong; the same pair will be wrong tomorrow.
    Refused(anyhow::Error),
    /// The hub was away in the middle of it.
    Away(HubError),
}

/// The loop's parts.
pub struct Sync {
    /// Where to ask.
    pub hub: Hub,
    /// Who asks.
    pub identity: Arc<Enrolled>,
    /// Replaces the credential before it ends.
    pub renewal: Renewal,
    /// Makes a pair the one that decides.
    pub enforcer: Enforcer,
    /// What the agent says of itself.
    pub status: Arc<Status>,
    /// What Prometheus can ask.
    pub metrics: Arc<Metrics>,
    /// What waits to be sent.
    pub spool: Arc<Spool>,
}

impl Sync {
    /// Runs until shutdown.
    pub async fn run(mut self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
        let mut stale = false;
        while !shutdown.is_cancelled() {
            let went_well = tokio::select! {
                went_well = self.once() => went_well,
                () = shutdown.cancelled() => break,
            };
            self.warn_when_stale(&mut stale);
            if went_well {
                backoff.reset();
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.next_pause()) => {}
                () = shutdown.cancelled() => {}
            }
        }
        self.leave().await;
        Ok(())
    }

    /// Tells the hub that this replica stops, so that nobody waits for it. The hub notices by itself when it cannot.
    async fn leave(&self) {
        let mut request = self.request();
        request.state.leaving = true;
        if self.status.hub_connected() {
            let told = self.hub.desired(&self.identity.credential, &request);
            let _unheard_is_offline = tokio::time::timeout(LEAVE_WITHIN, told).await;
        }
    }

    /// One request and what it asks for. False when the next one should wait.
    async fn once(&mut self) -> bool {
        if let Some(renewed) = self.renewal.due(&self.hub, &self.identity, clock::now()).await {
            self.identity = renewed;
        }
        let request = self.request();
        let asked = tokio::select! {
            asked = self.hub.desired(&self.identity.credential, &request) => asked,
            () = self.news(&request.state) => return true,
        };
        match asked {
            Ok(desired) => {
                self.connected();
                match desired {
                    None => true,
                    Some(desired) => self.obey(desired).await,
                }
            }
            Err(problem) => {
                self.disconnected(problem);
                false
            }
        }
    }

    /// Ends when people should hear what the held request did not say: that policies cannot judge in full, or that
    /// refusals are suspended. Everything else can wait until it is answered.
    async fn news(&self, told: &AgentState) {
        loop {
            tokio::time::sleep(NEWS_EVERY).await;
            let state = self.request().state;
            if state.load_errors != told.load_errors || state.break_glass != told.break_glass {
                return;
            }
        }
    }

    fn request(&self) -> DesiredRequest {
        let active = self.status.enforced().map(|enforced| enforced.active.clone());
        let (spooled, dropped) = self.spool.waiting_and_dropped();
        let state = AgentState {
            version: env!("CARGO_PKG_VERSION").into(),
            boot: self.status.boot,
            started_at: self.status.started_at,
            active,
            refused: self.status.refused(),
            load_errors: self.enforcer.impaired(clock::now()),
            spooled,
            dropped,
            replica: self.status.replica().to_owned(),
            certificate_expires_at: self.status.certificate_expires_at(),
            leaving: false,
            break_glass: self.status.suspended(),
            untold: self.metrics.untold(),
        };
        DesiredRequest { have: state.active.as_ref().map(|active| active.assignment), proof: self.proof(&state), state }
    }

    /// What is enforced as the hub signed it, for one that may have lost its memory: in the first request after it was away.
    fn proof(&self, state: &AgentState) -> Option<Signed> {
        let active = state.active.as_ref().filter(|_| !self.status.hub_connected())?;
        let kept = self.enforcer.cache.kept().into_iter().map(|(_, saved)| saved.desired.assignment);
        kept.into_iter().find(|assignment| assignment.digest() == active.assignment)
    }

    async fn obey(&mut self, desired: Desired) -> bool {
        let assignment = desired.assignment.digest();
        let reason = match self.try_to_obey(desired).await {
            Ok(()) => return true,
            Err(Problem::Away(problem)) => {
                self.disconnected(problem);
                return false;
            }
            Err(Problem::Refused(reason)) => format!("{reason:#}"),
        };
        let refused = Refused { assignment, reason: reason.chars().take(1_000).collect(), at: clock::now() };
        let is_new = self.status.set_refused(refused);
        if is_new {
            self.metrics.refused.inc();
            warn!(assignment = %assignment, reason, "refused what the hub wants enforced; the last good bundle stays");
            self.status.set_problem(format!("refused what the hub wants enforced: {reason}"));
        }
        // The hub hears of a new refusal at once; the same again is not asked for in a hurry.
        is_new
    }

    async fn try_to_obey(&mut self, desired: Desired) -> Result<(), Problem> {
        self.follow_key(&desired).await?;
        let verified = Verified::of(&desired, &self.identity).map_err(Problem::Refused)?;
        let step = self.step(&verified).map_err(Problem::Refused)?;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let mut saved = Saved { desired, fetched_at: clock::now(), tested_by: version };
        if step == Step::Renewal && self.enforces(&verified) {
            return self.enforcer.renew(&verified, saved).await.map_err(Problem::Refused);
        }
        let blobs = &self.enforcer.cache.blobs;
        content::fetch(&self.hub, &self.identity.credential, blobs, &verified.bundle.index).await?;
        saved.fetched_at = clock::now();
        self.enforcer.advance(&verified, saved).await.map_err(Problem::Refused)
    }

    /// Comes to trust the hub's new key, when a pair is signed with another than the trusted one. A key that was not
    /// announced stays unknown: what it signed is refused for that.
    async fn follow_key(&mut self, desired: &Desired) -> Result<(), Problem> {
        let trusted = self.identity.hub_key.fingerprint();
        if desired.assignment.key == trusted && desired.bundle.key == trusted {
            return Ok(());
        }
        let keys = self.hub.keys(&self.identity.credential).await.map_err(FetchError::Hub)?;
        if !keys.successions.iter().any(|signed| signed.key == trusted) {
            return Ok(());
        }
        let followed = self.renewal.follow(&self.identity, &keys.successions).await;
        self.identity = followed.map_err(Problem::Refused)?;
        Ok(())
    }

    /// What the pair is against the kept mark and, should that be damaged, against what decides.
    fn step(&self, verified: &Verified) -> anyhow::Result<Step> {
        let step = verified.step_from(self.enforcer.cache.floor().as_ref())?;
        let (epoch, enforced) = (verified.assignment.epoch, self.status.enforced());
        let newest = enforced.map_or(0, |enforced| enforced.active.epoch);
        anyhow::ensure!(epoch >= newest, "epoch {epoch} is older than epoch {newest}, which is enforced");
        Ok(step)
    }

    /// Whether the content of this pair already decides; not so after a fall back to the previous one.
    fn enforces(&self, verified: &Verified) -> bool {
        self.status.enforced().is_some_and(|enforced| enforced.active.epoch == verified.assignment.epoch)
    }

    fn connected(&self) {
        if self.status.set_hub_connected(true) {
            info!("connected to the hub");
        }
        if self.status.enforced().is_none() && self.status.refused().is_none() {
            self.status.set_problem("the hub has nothing for this cluster yet");
        }
    }

    fn disconnected(&self, problem: HubError) {
        let is_new = self.status.set_hub_connected(false);
        let unauthorized = matches!(problem, HubError::Unauthorized(_));
        let problem = log_chain(&problem.into());
        if self.status.enforced().is_none() {
            self.status.set_problem(problem.clone());
        }
        match (unauthorized, is_new) {
            (true, true) => error!(error = problem, "the hub does not know this agent; enforcing the last good bundle"),
            (false, true) => warn!(error = problem, "the hub is away; enforcing the last good bundle"),
            (_, false) => {}
        }
    }

    fn warn_when_stale(&self, was_stale: &mut bool) {
        let Some(enforced) = self.status.enforced() else { return };
        let stale = clock::now() >= enforced.stale_after;
        if stale && !*was_stale {
            warn!("the hub was silent for longer than it promised; still enforcing the last good bundle");
        }
        *was_stale = stale;
    }
}

impl From<FetchError> for Problem {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Hub(error @ (HubError::Away(_) | HubError::Later { .. } | HubError::Unauthorized(_))) => {
                Problem::Away(error)
            }
            FetchError::Hub(error) => Problem::Refused(error.into()),
            FetchError::Content(error) => Problem::Refused(error),
        }
    }
}
