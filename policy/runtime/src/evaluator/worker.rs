//! One evaluation thread: the active policies, those built to follow them, and the loop over the queue.

use super::quarantine::Quarantine;
use super::queue::{AuditJob, Command, Job, Next, Queue};
use super::{Answered, Audited, EvaluateError, Inventory, Quarantines};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use writ_policy::{Budget, CheckReport, Decided, PolicyCode, PolicySet, Revision, Settings, SourceFile, answer};

/// Policies belong to the thread that compiled them.
pub(super) struct Worker {
    active: PolicySet,
    revision: Option<Revision>,
    built: Option<PolicySet>,
    inventory: Inventory,
    budget: Budget,
    quarantines: Quarantines,
    /// Whether the active policies were told of any that is put aside.
    suspends: bool,
}

impl Worker {
    /// Starts the thread. It ends when the queue is closed.
    pub(super) fn spawn(
        number: usize,
        queue: Arc<Queue>,
        quarantines: Quarantines,
        inventory: Inventory,
        budget: Budget,
    ) {
        let run = move || {
            let (active, _) = PolicySet::load(&[], &Settings::default());
            let (revision, built, suspends) = (None, None, false);
            let mut worker = Self { active, revision, built, inventory, budget, quarantines, suspends };
            while let Some(next) = queue.next(number) {
                match next {
                    Next::Command(command) => worker.obey(command),
                    Next::Review(job) => worker.decide(job),
                    Next::Audit(job) => {
                        worker.audit(job);
                        queue.audited();
                    }
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name(format!("evaluate-{number}"))
            .stack_size(writ_policy::EVALUATION_STACK_BYTES);
        thread.spawn(run).expect("the system starts a thread at the start of the process");
    }

    /// A caller that went away is no reason to stop.
    fn obey(&mut self, command: Command) {
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
                    let _ = reply.send(());
                }
            }
            Command::Discard => self.built = None,
        }
    }

    fn build(&mut self, files: &[SourceFile], settings: &Settings) -> CheckReport {
        self.built = None;
        let (policies, report) = PolicySet::load(files, settings);
        self.built = Some(policies);
        report
    }

    fn decide(&mut self, job: Job) {
        if job.reply.is_closed() {
            return;
        }
        let answered = catch_unwind(AssertUnwindSafe(|| self.answer(&job)));
        let _ = job.reply.send(answered.unwrap_or(Err(EvaluateError::Panicked)));
    }

    fn answer(&mut self, job: &Job) -> Result<Answered, EvaluateError> {
        let left = job.deadline.saturating_duration_since(Instant::now());
        let per_review = self.budget.per_review.min(left * 4 / 5);
        let budget = Budget { per_review, ..self.budget };
        let aside = locked(&self.quarantines.admission).reasons(job.now);
        self.suspend(aside);
        let decided = self.active.decide(&job.review, &*self.inventory, &budget, job.now)?;
        self.learn(&self.quarantines.admission, &decided, job.now);
        let revision = self.revision.clone();
        let response = answer(&decided.facts, &decided.decision, revision.as_ref().map(Revision::as_str));
        Ok(Answered { decided, response, revision })
    }

    /// A policy that is too slow for an existing object is put aside for audit alone; who is aside at admission is
    /// aside here too.
    fn audit(&mut self, job: AuditJob) {
        let audited = catch_unwind(AssertUnwindSafe(|| {
            let mut aside = locked(&self.quarantines.admission).reasons(job.now);
            aside.extend(locked(&self.quarantines.audit).reasons(job.now));
            self.suspend(aside);
            let decided = self.active.decide(&job.review, &*self.inventory, &self.budget, job.now)?;
            self.learn(&self.quarantines.audit, &decided, job.now);
            Ok(Audited { decided, revision: self.revision.clone() })
        }));
        let _ = job.reply.send(audited.unwrap_or(Err(EvaluateError::Panicked)));
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
