//! What waits for the workers: reviews for whichever is free, commands for each.

use super::{Answered, Audited, EvaluateError};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;
use tokio::sync::oneshot;
use writ_policy::{CheckReport, Revision, Settings, SourceFile, Target};

/// One review to decide.
pub(super) struct Job {
    pub review: bytes::Bytes,
    pub now: i64,
    /// When nobody waits for the answer any more.
    pub deadline: Instant,
    pub reply: oneshot::Sender<Result<Answered, EvaluateError>>,
}

/// One existing object to judge, when nobody waits for anything else.
pub(super) struct AuditJob {
    pub review: bytes::Bytes,
    pub now: i64,
    pub reply: oneshot::Sender<Result<Audited, EvaluateError>>,
}

/// What one worker is told to do.
pub(super) enum Command {
    /// Compile, and keep the result beside what is active.
    Build { files: Arc<[SourceFile]>, settings: Arc<Settings>, reply: oneshot::Sender<(CheckReport, Vec<Target>)> },
    /// Make what was built active.
    Swap { revision: Revision, reply: oneshot::Sender<()> },
    /// Drop what was built.
    Discard,
}

/// What a worker does next.
pub(super) enum Next {
    Command(Command),
    Review(Job),
    Audit(AuditJob),
}

/// Bounded for reviews; commands are few.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    capacity: usize,
    /// So many workers may audit at one time, so that a review finds one that does not.
    most_auditing: usize,
}

struct State {
    reviews: VecDeque<Job>,
    audits: VecDeque<AuditJob>,
    auditing: usize,
    commands: Vec<VecDeque<Command>>,
    closed: bool,
}

impl Queue {
    pub(super) fn new(workers: usize, capacity: usize) -> Self {
        let commands = (0..workers).map(|_| VecDeque::new()).collect();
        let (reviews, audits) = (VecDeque::new(), VecDeque::new());
        let state = Mutex::new(State { reviews, audits, auditing: 0, commands, closed: false });
        Self { state, changed: Condvar::new(), capacity, most_auditing: most_auditing(workers) }
    }

    /// Adds a review, or says how many wait when there is no room.
    pub(super) fn push(&self, job: Job) -> Result<(), usize> {
        let mut state = self.lock();
        if state.reviews.len() >= self.capacity {
            state.reviews.retain(|job| !job.reply.is_closed());
        }
        if state.reviews.len() >= self.capacity {
            return Err(state.reviews.len());
        }
        state.reviews.push_back(job);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Adds an object to audit. Who adds them bounds how many wait.
    pub(super) fn push_audit(&self, job: AuditJob) {
        self.lock().audits.push_back(job);
        self.changed.notify_one();
    }

    /// A worker has audited an object and is free.
    pub(super) fn audited(&self) {
        self.lock().auditing -= 1;
    }

    pub(super) fn command(&self, worker: usize, command: Command) {
        self.lock().commands[worker].push_back(command);
        self.changed.notify_all();
    }

    /// What this worker does next; waits for it. `None` when the pool has ended.
    pub(super) fn next(&self, worker: usize) -> Option<Next> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(command) = state.commands[worker].pop_front() {
                return Some(Next::Command(command));
            }
            if let Some(job) = state.reviews.pop_front() {
                return Some(Next::Review(job));
            }
            let audit = if state.auditing < self.most_auditing { state.audits.pop_front() } else { None };
            if let Some(job) = audit {
                state.auditing += 1;
                return Some(Next::Audit(job));
            }
            state = self.changed.wait(state).expect("nothing panics while holding the queue");
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Ends the workers after what they do now.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.reviews.clear();
        state.audits.clear();
        drop(state);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while holding the queue")
    }
}

/// All workers but one, and at least one.
pub(super) fn most_auditing(workers: usize) -> usize {
    workers.saturating_sub(1).max(1)
}
