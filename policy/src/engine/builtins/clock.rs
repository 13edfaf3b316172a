//! `time.now_ns`, from the clock that the caller of an evaluation sets: a decision is a function of what it is given.

use super::answer::Fault;
use super::{Answer, Own};
use regorus::Value;
use std::cell::Cell;

pub(super) const BUILTINS: &[Own] = &[Own { name: "time.now_ns", arity: 0, call: now_ns }];

thread_local! {
    static NOW: Cell<Option<i64>> = const { Cell::new(None) };
}

/// Sets the time that policies see on this thread, in Unix milliseconds. To be called before each evaluation.
pub fn set_now(unix_ms: i64) {
    NOW.set(Some(unix_ms));
}

/// The time that policies see on this thread.
pub(super) fn nanoseconds() -> Result<i64, Fault> {
    let now = NOW
        .get()
        .ok_or_else(|| Fault::Refused("there is no clock here; in a test, say `with time.now_ns as ...`".into()))?;
    Ok(now.saturating_mul(1_000_000))
}

fn now_ns(_: &[Value]) -> Answer {
    nanoseconds().map(Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_what_the_caller_says() {
        set_now(1_700_000_000_123);
        assert_eq!(now_ns(&[]), Ok(Value::from(1_700_000_000_123_000_000_i64)));
    }
}
