//! How much builtins have made during one evaluation. Each result is bounded; a policy that keeps many must not take all
//! memory either.

use super::answer::{Answer, Fault};
use regorus::Value;
use std::cell::Cell;

/// The most that builtins make in one evaluation, in bytes, roughly.
const MAX_MADE: usize = 64 << 20;

thread_local! {
    static MADE: Cell<usize> = const { Cell::new(0) };
}

/// Counts from zero.
pub(super) fn restart() {
    MADE.set(0);
}

/// The result, unless it is too much with those before.
pub(super) fn kept(value: Value) -> Answer {
    match made(size(&value)) {
        Ok(()) => Ok(value),
        Err(reason) => Err(Fault::Refused(reason)),
    }
}

/// Counts so many bytes more.
pub(super) fn made(bytes: usize) -> Result<(), String> {
    let made = MADE.get().saturating_add(bytes);
    MADE.set(made);
    if made <= MAX_MADE {
        return Ok(());
    }
    Err(format!("the policy has made more than {} MiB of values in one evaluation", MAX_MADE >> 20))
}

/// What the result itself takes; its items may be shared with what was there before, or are counted by their number.
fn size(value: &Value) -> usize {
    let items = match value {
        Value::String(text) => return text.len(),
        Value::Array(items) => items.len(),
        Value::Set(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    };
    items.saturating_mul(std::mem::size_of::<Value>())
}
