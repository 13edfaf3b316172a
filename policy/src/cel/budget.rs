//! What one evaluation may cost: time, and bytes of what it makes. Every turn of a loop and every function that looks at
//! whole values asks here; once the budget is used up, loops end at their next turn.

use super::equality::truth;
use cel::ExecutionError;
use cel::common::types::{CelString, LIST_TYPE};
use cel::common::value::CowVal;
use std::cell::Cell;
use std::time::{Duration, Instant};

/// The most that texts and lists made in one evaluation may take together.
pub(super) const MOST_BYTES: usize = 32 << 20;
/// What an element of a list takes beside its own text.
const ELEMENT_BYTES: usize = 32;
/// How many steps pass between two looks at the clock.
const STEPS_PER_LOOK: u32 = 32;

/// Why an evaluation was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spent {
    Time,
    Bytes,
}

#[derive(Clone, Copy)]
struct Account {
    ends: Option<Instant>,
    steps: u32,
    bytes: usize,
    spent: Option<Spent>,
}

thread_local! {
    static ACCOUNT: Cell<Account> = const { Cell::new(Account { ends: None, steps: 0, bytes: 0, spent: None }) };
}

/// Begins an evaluation that may take this long.
pub(super) fn start(limit: Duration) {
    ACCOUNT.set(Account { ends: Instant::now().checked_add(limit), steps: 0, bytes: 0, spent: None });
}

/// Whether it was ended, and why.
pub(super) fn spent() -> Option<Spent> {
    let mut account = ACCOUNT.get();
    account.look();
    ACCOUNT.set(account);
    account.spent
}

impl Account {
    fn look(&mut self) {
        if self.spent.is_none() && self.ends.is_some_and(|ends| Instant::now() >= ends) {
            self.spent = Some(Spent::Time);
        }
    }
}

/// One more step; an error when nothing is left.
pub(super) fn step() -> Result<(), ExecutionError> {
    let mut account = ACCOUNT.get();
    account.steps = account.steps.wrapping_add(1);
    if account.steps.is_multiple_of(STEPS_PER_LOOK) {
        account.look();
    }
    ACCOUNT.set(account);
    account.spent.map_or(Ok(()), |_| Err(over()))
}

/// Counts what is about to be made; an error when it is too much.
pub(super) fn take(bytes: usize) -> Result<(), ExecutionError> {
    let mut account = ACCOUNT.get();
    account.bytes = account.bytes.saturating_add(bytes);
    if account.bytes > MOST_BYTES {
        account.spent = account.spent.or(Some(Spent::Bytes));
    }
    ACCOUNT.set(account);
    account.spent.map_or(Ok(()), |_| Err(over()))
}

fn over() -> ExecutionError {
    ExecutionError::function_error("budget", "the evaluation was ended")
}

/// `@within()`: whether a loop may take another turn.
pub(super) fn within<'b, 'v>(_: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    Ok(truth(step().is_ok()))
}

/// `@stop()`: what a loop says instead of a turn.
pub(super) fn stop<'b, 'v>(_: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    Err(over())
}

/// `@kept(x)`: `x`, when there is room for it.
pub(super) fn kept<'b, 'v>(mut arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let value = arguments.pop().ok_or_else(over)?;
    take(size(&value))?;
    Ok(value)
}

fn size(value: &CowVal<'_, '_>) -> usize {
    if let Some(text) = value.downcast_ref::<CelString<'_>>() {
        return text.inner().len() + ELEMENT_BYTES;
    }
    let elements = value.as_sizer().filter(|_| value.get_type() == &LIST_TYPE && value.is_owned());
    let elements = elements.map_or(0, |sizer| usize::try_from(*sizer.size().inner()).unwrap_or_default());
    (elements + 1) * ELEMENT_BYTES
}
