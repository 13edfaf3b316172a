//! The child's threads: they share the work of an examination, and tell the parent what each of them reads.

use super::Word;
use super::child::say;
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use writ_policy::EVALUATION_STACK_BYTES;
use writ_policy::check::Lanes;

thread_local! {
    /// Which of the threads this is.
    static LANE: Cell<usize> = const { Cell::new(0) };
}

/// So many threads, of which the one that asks is the first.
pub(super) struct Threads(pub(super) usize);

impl Lanes for Threads {
    fn reading(&self, path: &str) {
        tell(Some(path.to_owned()));
    }

    fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let work_through = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= count {
                    return tell(None);
                }
                work(at);
            }
        };
        std::thread::scope(|scope| {
            for lane in 1..self.0.min(count) {
                let thread = std::thread::Builder::new().stack_size(EVALUATION_STACK_BYTES);
                // What a thread that does not start would do the others do. One that panics takes the child with it.
                let work_through = &work_through;
                let _ = thread.spawn_scoped(scope, move || {
                    LANE.set(lane);
                    work_through();
                });
            }
            work_through();
        });
    }
}

fn tell(path: Option<String>) {
    // A parent that is gone does not want the report either.
    let _ = say(&Word::Reading { lane: LANE.get(), path });
}
