//! `time.now_ns`, from the clock that the caller of an evaluation sets: a decision is a function of what it is given.
//! And the dates that the engine cannot add.

use super::answer::{Fault, integer};
use super::bounded::native;
use super::{Answer, Own};
use regorus::Value;
use std::cell::Cell;

pub(super) const BUILTINS: &[Own] =
    &[Own { name: "time.add_date", arity: 4, call: add_date }, Own { name: "time.now_ns", arity: 0, call: now_ns }];

const NANOSECONDS_OF_A_DAY: i64 = 86_400_000_000_000;

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

/// As Go adds: a day that a month does not have is counted into the next one. In time zones the engine adds.
fn add_date(arguments: &[Value]) -> Answer {
    let Value::Number(_) = &arguments[0] else { return native("time.add_date", arguments) };
    let [moment, years, months, days] = [0, 1, 2, 3].map(|at| integer(arguments, at));
    let (moment, years, months, days) = (moment?, years?, months?, days?);
    let (day, rest) = (moment.div_euclid(NANOSECONDS_OF_A_DAY), moment.rem_euclid(NANOSECONDS_OF_A_DAY));
    let (year, month, of_month) = civil(day);
    let month = month - 1 + i128::from(months);
    let year = year + i128::from(years) + month.div_euclid(12);
    let day = days_to(year, month.rem_euclid(12) + 1, 1) + of_month - 1 + i128::from(days);
    let moment = day * i128::from(NANOSECONDS_OF_A_DAY) + i128::from(rest);
    i64::try_from(moment).map(Value::from).map_err(|_| Fault::Undefined)
}

/// Days from 1970 to a date. Years begin in March here, so that the day that only some have is their last.
fn days_to(year: i128, month: i128, day: i128) -> i128 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    year.div_euclid(400) * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day.
fn civil(day: i64) -> (i128, i128, i128) {
    let day = i128::from(day) + 719_468;
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let year = year + day.div_euclid(146_097) * 400;
    if month < 10 { (year, month + 3, of_month) } else { (year + 1, month - 9, of_month) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_what_the_caller_says() {
        set_now(1_700_000_000_123);
        assert_eq!(now_ns(&[]), Ok(Value::from(1_700_000_000_123_000_000_i64)));
    }

    #[test]
    fn days_that_a_month_lacks_are_counted_into_the_next() {
        let nanoseconds = |year, month, day| days_to(year, month, day) as i64 * NANOSECONDS_OF_A_DAY;
        for ((year, month, day), added, expected) in [
            ((2024, 2, 29), [1, 0, 0], (2025, 3, 1)),
            ((2024, 1, 31), [0, 1, 0], (2024, 3, 2)),
            ((2024, 3, 1), [0, 0, -1], (2024, 2, 29)),
            ((1969, 12, 31), [0, 14, 0], (1971, 3, 3)),
            ((2000, 5, 5), [-100, -5, 0], (1899, 12, 5)),
        ] {
            let given: Vec<Value> = [nanoseconds(year, month, day)].into_iter().chain(added).map(Value::from).collect();
            let (year, month, day) = expected;
            assert_eq!(add_date(&given), Ok(Value::from(nanoseconds(year, month, day))), "{expected:?}");
        }
        assert_eq!(add_date(&[0, i64::MAX, 0, 0].map(Value::from)), Err(Fault::Undefined));
    }
}
