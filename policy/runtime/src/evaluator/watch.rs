//! Looks after the workers. Time limits are looked at between steps; a single step that takes ages (comparing values that
//! share their parts, a builtin of the engine) holds its thread, which nothing can end. So its place is given to another
//! thread, and the policy is put aside until another bundle.

use super::EvaluateError;
use super::Shared;
use super::seat::{Abandoned, Reply};
use super::worker::Worker;
use std::sync::{PoisonError, Weak};
use std::time::{Duration, Instant};

/// How often the workers are looked at.
const PAUSE: Duration = Duration::from_millis(200);
/// How much longer than it may an evaluation takes before its thread is given up.
pub(super) const GRACE: Duration = Duration::from_secs(3);
/// Threads that were given up and still run; with more of them the process is of no use any more.
const MOST_ABANDONED: u64 = 8;

/// Starts the thread. It ends with the pool.
pub(super) fn start(shared: Weak<Shared>) {
    let run = move || {
        let mut abandoned = 0;
        while let Some(shared) = shared.upgrade().filter(|shared| !shared.queue.is_closed()) {
            for number in 0..shared.seats.len() {
                if let Some(late) = shared.seats[number].give_up_if_late(Instant::now()) {
                    abandoned += 1;
                    replace(&shared, number, late, abandoned);
                }
            }
            drop(shared);
            std::thread::sleep(PAUSE);
        }
    };
    let thread = std::thread::Builder::new().name("evaluate-watch".into());
    thread.spawn(run).expect("the system starts a thread at the start of the process");
}

fn replace(shared: &std::sync::Arc<Shared>, number: usize, late: Abandoned, abandoned: u64) {
    if let Some(policy) = &late.policy {
        for quarantine in [&shared.quarantines.admission, &shared.quarantines.audit] {
            quarantine.lock().unwrap_or_else(PoisonError::into_inner).put_aside(policy, late.now);
        }
    }
    let why = || if abandoned > MOST_ABANDONED { EvaluateError::Gone } else { EvaluateError::Stuck };
    match late.reply {
        Reply::Review(reply) => drop(reply.send(Err(why()))),
        Reply::Audit(reply) => {
            shared.queue.audited();
            drop(reply.send(Err(why())));
        }
    }
    if abandoned <= MOST_ABANDONED {
        Worker::spawn(number, late.thread, shared.clone());
    }
}
