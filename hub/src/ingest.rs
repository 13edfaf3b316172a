//! What is taken of a report before it is stored: rows that cannot be are the report's fault and refuse all of it;
//! texts that are too long are cut, because a long name is no reason to lose a failure.

pub mod intake;
mod quota;
mod violation;
pub mod writer;

use crate::access::Agent;
use crate::store::Accepted;
use writ_policy::wire::{self, Failure, PolicyCount, Report, ReviewCount};

/// The largest number that a count may have; sums of millions of them still fit.
const MAX_COUNT: u64 = 1 << 40;
/// A time that is further ahead of the hub's than this, or further behind, is a wrong clock's: the row takes the hub's.
const MAX_AHEAD_MS: i64 = 10 * 60 * 1000;
const MAX_BEHIND_MS: i64 = 35 * 24 * 60 * 60 * 1000;
/// The longest texts that are kept, in bytes.
const MAX_NAME: usize = 512;
const MAX_WORD: usize = 128;

/// The report as it is stored, or why it is refused whole.
pub fn accept(agent: Agent, mut report: Report, now: i64) -> Result<Accepted, String> {
    if report.sequence == 0 || report.sequence > i64::MAX as u64 {
        return Err("sequence begins at 1".into());
    }
    within("failures", report.failures.len(), wire::MAX_FAILURES)?;
    within("policy_counts", report.policy_counts.len(), wire::MAX_COUNTS)?;
    within("review_counts", report.review_counts.len(), wire::MAX_COUNTS)?;
    within("violations", report.violations.len(), wire::MAX_VIOLATIONS)?;
    within("fixed", report.fixed.len(), wire::MAX_VIOLATIONS)?;
    within("audits", report.audits.len(), violation::MAX_PASSES)?;
    let clock_is_wrong = set_right(report.closed_at, now)? != report.closed_at;
    report.dropped = report.dropped.min(MAX_COUNT);
    for (row, failure) in report.failures.iter_mut().enumerate() {
        accept_failure(failure, now).map_err(|reason| format!("failures[{row}]: {reason}"))?;
    }
    for (row, count) in report.policy_counts.iter_mut().enumerate() {
        accept_policy_count(count, now).map_err(|reason| format!("policy_counts[{row}]: {reason}"))?;
    }
    for (row, count) in report.review_counts.iter_mut().enumerate() {
        accept_review_count(count, now).map_err(|reason| format!("review_counts[{row}]: {reason}"))?;
    }
    for (row, violation) in report.violations.iter_mut().enumerate() {
        violation::accept(violation, now).map_err(|reason| format!("violations[{row}]: {reason}"))?;
    }
    for (row, fixed) in report.fixed.iter_mut().enumerate() {
        violation::accept_fixed(fixed, now).map_err(|reason| format!("fixed[{row}]: {reason}"))?;
    }
    for (row, pass) in report.audits.iter_mut().enumerate() {
        violation::accept_pass(pass, now).map_err(|reason| format!("audits[{row}]: {reason}"))?;
    }
    Ok(Accepted { agent, report, clock_is_wrong })
}

fn accept_failure(failure: &mut Failure, now: i64) -> Result<(), String> {
    failure.at = set_right(failure.at, now)?;
    failure.message = capped(&failure.message, wire::MAX_MESSAGE_BYTES);
    failure.exemption = failure.exemption.as_deref().map(|name| cut(name, MAX_NAME));
    failure.because = cut(&failure.because, MAX_WORD);
    for name in [&mut failure.name, &mut failure.workload, &mut failure.user] {
        *name = cut(name, MAX_NAME);
    }
    for word in [&mut failure.review, &mut failure.kind, &mut failure.uid, &mut failure.operation] {
        *word = cut(word, MAX_WORD);
    }
    Ok(())
}

fn accept_policy_count(count: &mut PolicyCount, now: i64) -> Result<(), String> {
    count.minute = set_right(count.minute.saturating_mul(60_000), now)? / 60_000;
    let PolicyCount { passes, failures, denials, warnings, dryruns, errors, exempted, micros, micros_max, .. } = *count;
    accept_numbers(&[passes, failures, denials, warnings, dryruns, errors, exempted, micros, micros_max])?;
    match denials + warnings + dryruns <= failures + errors {
        true => Ok(()),
        false => Err("there are more denials, warnings and dryruns than failures and errors".into()),
    }
}

fn accept_review_count(count: &mut ReviewCount, now: i64) -> Result<(), String> {
    count.minute = set_right(count.minute.saturating_mul(60_000), now)? / 60_000;
    accept_numbers(&[count.reviews, count.failing, count.denied])
}

fn set_right(at: i64, now: i64) -> Result<i64, String> {
    match at {
        ..0 => Err("the time is before 1970".into()),
        at if at > now.saturating_add(MAX_AHEAD_MS) || at < now.saturating_sub(MAX_BEHIND_MS) => Ok(now),
        at => Ok(at),
    }
}

fn accept_numbers(numbers: &[u64]) -> Result<(), String> {
    match numbers.iter().find(|number| **number > MAX_COUNT) {
        Some(number) => Err(format!("{number} is more than {MAX_COUNT}")),
        None => Ok(()),
    }
}

fn within(what: &str, count: usize, most: usize) -> Result<(), String> {
    if count > most { Err(format!("{what} has {count} rows, more than {most}")) } else { Ok(()) }
}

/// The text without NUL, which PostgreSQL cannot keep, cut between characters.
pub(crate) fn cut(text: &str, bytes: usize) -> String {
    text[..text.floor_char_boundary(bytes)].replace('\0', "\u{fffd}")
}

/// Cut, and saying so.
fn capped(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return cut(text, bytes);
    }
    cut(text, bytes - '…'.len_utf8()) + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters_and_says_so() {
        let text = capped(&"é".repeat(1_000_000), wire::MAX_MESSAGE_BYTES);
        assert!(text.len() <= wire::MAX_MESSAGE_BYTES && text.ends_with("é…"));
        assert_eq!(capped("a\0<b>", 100), "a\u{fffd}<b>", "markup is text; whoever shows it escapes it");
    }

    #[test]
    fn clock_far_off_is_set_right_and_one_before_1970_is_refused() {
        let now = 1_750_000_000_000;
        for (at, expected) in
            [(i64::MAX, now), (now + 500, now + 500), (now - MAX_BEHIND_MS, now - MAX_BEHIND_MS), (0, now)]
        {
            assert_eq!(set_right(at, now), Ok(expected));
        }
        assert!(set_right(-1, now).is_err());
    }
}
