//! Where a worker sits. Who watches sees since when it has been at one object, takes its place when it does not come back,
//! and gives the place to another thread.

use super::{Answered, Audited, EvaluateError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::oneshot;
use writ_policy::PolicyCode;
use writ_policy::policy_set::Judging;

/// Who waits for an answer.
pub(super) enum Reply {
    Review(oneshot::Sender<Result<Answered, EvaluateError>>),
    Audit(oneshot::Sender<Result<Audited, EvaluateError>>),
}

#[derive(Default)]
pub(super) struct Seat {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Which thread sits here: the first, or the one that took its place.
    thread: u64,
    judging: Judging,
    work: Option<Work>,
}

struct Work {
    ends: Instant,
    now: i64,
    reply: Reply,
}

/// What is left of a thread that does not come back.
pub(super) struct Abandoned {
    pub thread: u64,
    pub policy: Option<PolicyCode>,
    pub now: i64,
    pub reply: Reply,
}

impl Seat {
    /// Other policies judge here from now on.
    pub(super) fn use_policies(&self, thread: u64, judging: Judging) {
        let mut state = self.lock();
        if state.thread == thread {
            state.judging = judging;
        }
    }

    /// The thread begins to judge, and should be done by then.
    pub(super) fn begin(&self, ends: Instant, now: i64, reply: Reply) {
        self.lock().work = Some(Work { ends, now, reply });
    }

    /// The thread is done. `None` when it was given up meanwhile, and is to end.
    pub(super) fn finish(&self, thread: u64) -> Option<Reply> {
        let mut state = self.lock();
        if state.thread == thread { state.work.take().map(|work| work.reply) } else { None }
    }

    /// Gives up a thread that is late: the seat belongs to the next one.
    pub(super) fn give_up_if_late(&self, now: Instant) -> Option<Abandoned> {
        let mut state = self.lock();
        let work = state.work.take_if(|work| work.ends < now)?;
        state.thread += 1;
        let policy = state.judging.policy();
        state.judging = Judging::default();
        Some(Abandoned { thread: state.thread, policy, now: work.now, reply: work.reply })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
