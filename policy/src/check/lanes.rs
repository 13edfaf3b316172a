//! Who does the work of an examination: one part after another, or several at once. Threads are the caller's.

use std::sync::{Mutex, PoisonError};

/// Goes through the parts of an examination.
pub trait Lanes: Sync {
    /// Is told the path of each file before it is touched, so that a process that dies of a file can be explained.
    fn reading(&self, _path: &str) {}

    /// Does the work once for each number below `count`, in any order, and comes back when all is done.
    fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync)) {
        (0..count).for_each(work);
    }
}

/// One part after another, told to nobody.
#[derive(Debug, Clone, Copy)]
pub struct InTurn;

impl Lanes for InTurn {}

/// What the work makes of each number below `count`, in their order.
pub(crate) fn map<T: Send>(lanes: &dyn Lanes, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let made: Vec<Mutex<Option<T>>> = (0..count).map(|_| Mutex::new(None)).collect();
    lanes.each(count, &|at| {
        let one = work(at);
        *made[at].lock().unwrap_or_else(PoisonError::into_inner) = Some(one);
    });
    let made = made.into_iter().map(|one| one.into_inner().unwrap_or_else(PoisonError::into_inner));
    made.map(|one| one.expect("lanes do the work once for each number")).collect()
}
