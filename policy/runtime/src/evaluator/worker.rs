//! One evaluation thread: the active policies, those built to follow them, and the loop over the queue.

use super::quarantine::Quarantine;
use super::queue::{AuditJob, Command, Job, Next};
use super::seat::{Reply, Seat};
use super::watch::GRACE;
use super::{Answered, Applied, Audited, EvaluateError, Shared};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use writ_policy::{Budget, CheckReport, Decided, PolicyCode, PolicySet, Revision, Settings, SourceFile, answer};

/// Policies belong to the thread that compiled them.
pub(super) struct Worker {
    number: usize,
    thread: u64,
    active: PolicySet,
    revision: Option<Revision>,
    built: Option<PolicySet>,
    shared: Arc<Shared>,
    /// Whether the active policies were told of any that is put aside.
    suspends: bool,
}

impl Worker {
    /// Starts a thread with what is active. It ends when the queue is closed, or when another one has taken its place.
    pub(super) fn spawn(number: usize, thread: u64, shared: Arc<Shared>) {
        let run = move || {
            let mut worker = Self::new(number, thread, shared);
            while let Some(next) = worker.shared.queue.next(number) {
                let goes_on = match next {
                    Next::Command(command) => worker.obey(command),
                    Next::Review(job) => worker.decide(job),
                    Next::Audit(job) => worker.audit(job),
                };
                if !goes_on {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name(format!("evaluate-{number}"))
            .stack_size(writ_policy::EVALUATION_STACK_BYTES);
        thread.spawn(run).expect("the system starts a thread");
    }

    fn new(number: usize, thread: u64, shared: Arc<Shared>) -> Self {
        let applied = shared.applied.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (active, revision) = match applied {
            Some(Applied { revision, files, settings }) => (PolicySet::load(&files, &settings).0, Some(revision)),
            None => (PolicySet::load(&[], &Settings::default()).0, None),
        };
        let worker = Self { number, thread, active, revision, built: None, shared, suspends: false };
        worker.seat().use_policies(thread, worker.active.judging());
        worker
    }

    fn seat(&self) -> &Seat {
        &self.shared.seats[self.number]
    }

    /// A caller that went away is no reason to stop.
    fn obey(&mut self, command: Command) -> bool {
        match command {
            Command::Build { files, settings, reply } => {
                if let Ok(report) = catch_unwind(AssertUnwindSafe(|| self.build(&files, &settings))) {
                    let targets = self.built.as_ref().map(PolicySet::targets).unwrap_or_default();
                    let _ = reply.send((report, targets));
                }
            }
            Command::Swap { revision, reply } => {
                if let Some(built) = self.built.take() {
                    self.active = built;
                    self.suspends = false;
                    self.revision = Some(revision);
                    self.seat().use_policies(self.thread, self.active.judging());
                    let _ = reply.send(());
                }
            }
            Command::Discard => self.built = None,
        }
        true
    }

    fn build(&mut self, files: &[SourceFile], settings: &Settings) -> CheckReport {
        self.built = None;
        let (policies, report) = self.active.load_after(files, settings);
        self.built = Some(policies);
        report
    }

    /// Whether the thread still has its place.
    fn decide(&mut self, job: Job) -> bool {
        if job.reply.is_closed() {
            return true;
        }
        let Job { review, now, deadline, reply } = job;
        let left = deadline.saturating_duration_since(Instant::now());
        let ends = Instant::now() + self.shared.budget.per_review.min(left) + GRACE;
        self.seat().begin(ends, now, Reply::Review(reply));
        let answered = catch_unwind(AssertUnwindSafe(|| self.answer(&review, now, deadline)));
        let Some(Reply::Review(reply)) = self.seat().finish(self.thread) else { return false };
        let _ = reply.send(answered.unwrap_or(Err(EvaluateError::Panicked)));
        true
    }

    fn answer(&mut self, review: &[u8], now: i64, deadline: Instant) -> Result<Answered, EvaluateError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let per_review = self.shared.budget.per_review.min(left * 4 / 5);
        let budget = Budget { per_review, ..self.shared.budget };
        let aside = locked(&self.shared.quarantines.admission).reasons(now);
        self.suspend(aside);
        let decided = self.active.decide(review, &*self.shared.inventory, &budget, now)?;
        self.learn(&self.shared.quarantines.admission, &decided, now);
        let revision = self.revision.clone();
        let response = answer(&decided.facts, &decided.decision, revision.as_ref().map(Revision::as_str));
        Ok(Answered { decided, response, revision })
    }

    /// A policy that is too slow for an existing object is put aside for audit alone; who is aside at admission is
    /// aside here too.
    fn audit(&mut self, job: AuditJob) -> bool {
        let AuditJob { review, now, reply } = job;
        let ends = Instant::now() + self.shared.budget.per_review + GRACE;
        self.seat().begin(ends, now, Reply::Audit(reply));
        let audited = catch_unwind(AssertUnwindSafe(|| {
            let mut aside = locked(&self.shared.quarantines.admission).reasons(now);
            aside.extend(locked(&self.shared.quarantines.audit).reasons(now));
            self.suspend(aside);
            let decided = self.active.decide(&review, &*self.shared.inventory, &self.shared.budget, now)?;
            self.learn(&self.shared.quarantines.audit, &decided, now);
            Ok(Audited { decided, revision: self.revision.clone() })
        }));
        let Some(Reply::Audit(reply)) = self.seat().finish(self.thread) else { return false };
        self.shared.queue.audited();
        let _ = reply.send(audited.unwrap_or(Err(EvaluateError::Panicked)));
        true
    }

    fn learn(&self, quarantine: &Mutex<Quarantine>, decided: &Decided, now: i64) {
        let mut quarantine = locked(quarantine);
        if !quarantine.is_empty() || !self.active.overran().is_empty() {
            quarantine.learn(&decided.decision.results, self.active.overran(), now);
        }
    }

    /// Tells the policies who is put aside, when anybody is or was.
    fn suspend(&mut self, reasons: BTreeMap<PolicyCode, String>) {
        if reasons.is_empty() && !self.suspends {
            return;
        }
        self.suspends = !reasons.is_empty();
        self.active.suspend(reasons);
    }
}

fn locked(quarantine: &Mutex<Quarantine>) -> MutexGuard<'_, Quarantine> {
    quarantine.lock().unwrap_or_else(PoisonError::into_inner)
}
